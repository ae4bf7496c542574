"""`hansa usage trunk`: which holding a trunk of the network is."""

from __future__ import annotations

from typing import Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, group, opened
from hansa.foundation.errors import Refused

app = group("Which holding a trunk, port or user of the network is.")


@app.command(
    "put", epilog="Example: hansa usage trunk put shop-1 hld_0198… --side in --from 2026-11-01"
)
def put_trunk(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As the network's systems say it.")],
    holding: Annotated[str, typer.Argument(metavar="HOLDING", help="What it is: hld_…")],
    side: Annotated[str, typer.Option(metavar="SIDE", help="in: we sold it; out: we bought it.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="2026-11-01, in UTC.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="Until then; else for good.")] = "",
    seller: Annotated[str, typer.Option(metavar="PARTY", help="Whose it is, when bought.")] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Say which holding a trunk is from a moment on; what it was before ends there."""
    from typing import Literal, cast

    from hansa.entrypoints.cli.files import instant
    from hansa.foundation.ids import HoldingId
    from hansa.foundation.party import party_id
    from hansa.lifecycle.inventory.model import HoldingRef
    from hansa.lifecycle.usage.actions import trunks
    from hansa.lifecycle.usage.model import Trunk

    if side not in ("in", "out"):
        raise Refused("choice-unknown", f"{side!r} is not known; choose in or out.", field="side")
    with opened(node) as ours, ours.begin() as tx:
        trunk = Trunk(
            name,
            cast("Literal['in', 'out']", side),
            HoldingRef(party_id(seller) if seller else ours.us.id, HoldingId(holding)),
            instant(start, "from"),
            instant(until, "until") if until else None,
        )
        trunks.enter(tx, us=ours.us.id, trunk=trunk)
    if as_json:
        render.as_json(trunk)
    else:
        render.say(f"{name} ({side}) is {holding} from {render.text(trunk.start)} on")


@app.command("list", epilog="Example: hansa usage trunk list")
def list_trunks(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List the trunks, and those that files have named and nobody has entered."""
    from hansa.lifecycle.usage.actions import trunks

    with opened(node) as ours, ours.begin() as tx:
        known, strangers = trunks.trunks(tx), trunks.strangers(tx)
    if as_json:
        render.as_json({"trunks": known, "unknown": strangers})
        return
    render.table(
        "Trunks",
        ("trunk", "side", "holding", "of", "from", "until"),
        [
            (one.name, one.side, one.holding.id, one.holding.seller, one.start, one.end)
            for one in known
        ],
    )
    render.table("Named by files, and no holding yet", ("trunk", "side"), strangers)
