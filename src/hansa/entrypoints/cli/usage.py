"""`hansa usage`: what was consumed, what it costs, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, Month, NodeDir, group, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hansa.federation.contract import UsageRecord
    from hansa.foundation.readings import Reading
    from hansa.lifecycle.inventory.model import HoldingRef
    from hansa.node import Node

app = group("What was consumed, what it costs, and why.")

Holding = Annotated[str, typer.Argument(metavar="HOLDING", help="What is held: hld_…")]
Seller = Annotated[
    str,
    typer.Option("--seller", metavar="PARTY", help="Whose it is, when we hold it of a partner."),
]


@app.command(epilog="Example: hansa usage show hld_0198… --period 2026-11")
def show(
    holding: Holding,
    period: Month,
    seller: Seller = "",
    records: Annotated[bool, typer.Option("--records", help="Every reading too.")] = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show what one holding's usage of a month came to, charge by charge."""
    from hansa.foundation.time import Period
    from hansa.lifecycle.rating.actions import months as rating
    from hansa.lifecycle.usage.actions import months as usage

    month = Period.parse(period)
    with opened(node) as ours:
        ref = _ref(ours, holding, seller)
        with ours.begin() as tx:
            found = usage.records(
                tx, us=ours.us.id, ref=ref, period=month, folder=ours.usage_folder
            )
            charges = rating.rated(tx, holding=ref, period=month)
    if as_json:
        said = {"holding": ref, "period": month.name, "readings": len(found), "charges": charges}
        render.as_json({**said, "records": found} if records else said)
        return
    render.table(
        f"Charges of {holding} for {month.name}, from {_counted(found)}",
        ("charge", "description", "quantity>", "unit", "before rounding>"),
        [
            (
                one.label,
                one.description,
                one.quantity,
                one.unit,
                render.exact(one.nano, one.currency),
            )
            for one in charges
        ],
    )
    if records:
        render.table(
            "Readings",
            ("reading", "from", "what"),
            [(one.id, _ORIGINS[one.measured], _words(one.reading)) for one in found],
        )


@app.command(epilog="Example: hansa usage explain hld_0198… p95 --period 2026-11")
def explain(
    holding: Holding,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The charge, or the key of a bill's line.")
    ],
    period: Month,
    seller: Seller = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Say why one charge for usage is what it is, down to its numbers."""
    from hansa.foundation.time import Period
    from hansa.lifecycle.rating.actions import months as actions

    month = Period.parse(period)
    label = key.removeprefix(f"{holding}/").removeprefix("usage/")
    with opened(node) as ours:
        ref = _ref(ours, holding, seller)
        with ours.begin() as tx:
            found = actions.explain(tx, holding=ref, period=month, label=label)
    if as_json:
        render.as_json(found)
        return
    render.facts(
        found.description,
        {
            "quantity": f"{found.quantity} {found.unit}",
            "before rounding": render.exact(found.nano, found.currency),
            **{name.replace("_", " "): value for name, value in found.reason.items()},
        },
    )


def _ref(node: Node, holding: str, seller: str) -> HoldingRef:
    """The holding, which must be known here. Raises NotFound `holding-unknown`."""
    from hansa.foundation.ids import HoldingId
    from hansa.foundation.party import party_id
    from hansa.lifecycle.inventory import actions
    from hansa.lifecycle.inventory.model import HoldingRef

    ref = HoldingRef(party_id(seller) if seller else node.us.id, HoldingId(holding))
    with node.begin() as tx:
        return actions.get(tx, ref=ref).ref


_ORIGINS = {True: "measured", False: "simulated", None: "not told"}


def _counted(records: Sequence[UsageRecord]) -> str:
    """How many readings there are, and how many of them were measured and simulated."""
    count = Counter(one.measured for one in records)
    told = ", ".join(f"{count[one]} {words}" for one, words in _ORIGINS.items() if count[one])
    return f"{len(records)} readings{told and f': {told}'}"


def _words(reading: Reading) -> str:
    """A reading in a line; long series of samples by their number."""
    said = {
        name: f"{len(value)} values" if isinstance(value, list) else value
        for name, value in render.plain(reading).items()
    }
    return render.text(said)
