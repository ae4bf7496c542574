"""`hansa inventory`: what is held, since when, on which terms, and what it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hansa.federation.contract import Condition
    from hansa.lifecycle.inventory.model import Holding, Support

app = group("What is held, since when, on which terms, and what it stands on.")


@app.command("list", epilog="Example: hansa inventory list --for retailer")
def list_holdings(
    buyer: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="Of this customer or partner only.")
    ] = "",
    bought: Annotated[
        bool, typer.Option("--bought", help="What we hold of partners, not what we sold.")
    ] = False,
    own: Annotated[
        bool, typer.Option("--own", help="What we hold of our own network, not what we sold.")
    ] = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List what others hold of us; or what we hold of partners or of our own network."""
    from hansa.foundation.party import party_id
    from hansa.lifecycle.inventory import actions

    party = party_id(buyer) if buyer else None
    with opened(node) as ours, ours.begin() as tx:
        if bought:
            found = actions.bought(tx, us=ours.us.id, seller=party)
        elif own:
            found = actions.own(tx, us=ours.us.id)
        else:
            found = actions.sold(tx, us=ours.us.id, buyer=party)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Holdings",
        ("holding", "seller", "buyer", "what", "site", "with", "monthly>", "state", "since"),
        [
            (
                one.ref.id,
                one.ref.seller,
                one.buyer,
                one.offer_name,
                f"{one.site.place}, {one.site.country}" if one.site else "",
                one.spells[-1].characteristics,
                one.spells[-1].terms.monthly,
                one.state,
                one.started,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa inventory show hld_0198… --check")
def show(
    holding: Annotated[str, typer.Argument(metavar="HOLDING", help="What is held: hld_…")],
    seller: Annotated[
        str,
        typer.Option(
            "--seller", metavar="PARTY", help="Whose it is, when we hold it of a partner."
        ),
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Ask whether it is as promised, all the way down.")
    ] = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show one holding: its terms over time, and what it stands on one level down."""
    from hansa.foundation.ids import HoldingId
    from hansa.foundation.party import party_id
    from hansa.lifecycle.assurance.actions import looking
    from hansa.lifecycle.inventory import actions
    from hansa.lifecycle.inventory.model import HoldingRef

    with opened(node) as ours:
        ref = HoldingRef(party_id(seller) if seller else ours.us.id, HoldingId(holding))
        with ours.begin() as tx:
            found = actions.get(tx, ref=ref)
            below = actions.below(tx, ref=ref)
        condition = (
            looking.condition(ours.begin, us=ours.us.id, ref=ref, sellers=ours.seller)
            if check
            else None
        )
    if as_json:
        supports = [
            {"seller": lower.ref.seller, "holding": lower.ref.id, "metered": support.metered}
            for support, lower in below
        ]
        said = {"holding": found, "stands_on": supports}
        render.as_json({**said, "condition": condition} if check else said)
    else:
        _show(found, below, condition)


def _show(
    found: Holding, below: Sequence[tuple[Support, Holding]], condition: Condition | None
) -> None:
    render.facts(
        f"{found.offer_name}, {found.ref.id} of {found.ref.seller}",
        {
            "buyer": found.buyer,
            "site": f"{found.site.name}, {found.site.place}, {found.site.country}"
            if found.site
            else None,
            "agreement": f"{found.agreement.id} version {found.agreement.version}"
            if found.agreement
            else None,
            "state": found.state,
            "trace id": found.trace,
        },
    )
    render.table(
        "Its terms over time",
        ("from", "to", "with", "quantity>", "one-off>", "monthly>", "usage", "order"),
        [
            (
                one.start,
                one.end,
                one.characteristics,
                one.quantity,
                one.terms.one_off,
                one.terms.monthly,
                one.terms.tariff.kind if one.terms.tariff else "",
                one.order,
            )
            for one in found.spells
        ],
    )
    render.table(
        "It stands on",
        ("seller", "holding", "what", "its usage counts", "state"),
        [
            (lower.ref.seller, lower.ref.id, lower.offer_name, support.metered, lower.state)
            for support, lower in below
        ],
    )
    if condition is not None:
        how = "measured" if condition.measured else "imagined, the network is simulated"
        render.table(
            f"Is it as promised? {condition.state} ({how})",
            ("check", "wanted", "found", "well"),
            [(one.check, one.wanted, one.measured, one.ok) for one in condition.checks],
        )
