"""`hansa clearing`: what many owe each other, netted among all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    Month,
    NodeDir,
    group,
    opened,
    version_of,
)

if TYPE_CHECKING:
    from hansa.lifecycle.clearing.model import Part

app = group("What many owe each other, netted among all, and paid.")

Id = Annotated[str, typer.Argument(metavar="ROUND", help="The round: rnd_…")]
MaybeSvg = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Draw the picture into this file.")
]


@app.command(epilog="Example: hansa clearing call agr_0198… --period 2026-11 --currency EUR")
def call(
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="The agreement: agr_…")],
    period: Month,
    currency: Annotated[str, typer.Option("--currency", metavar="CODE", help="As EUR.")],
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """As the centre, ask all parties what of a month may be netted among many."""
    from hansa.foundation.time import Period
    from hansa.lifecycle.clearing.actions import centre

    with opened(node) as ours:
        ref = version_of(ours, agreement, None)
        with ours.begin() as tx:
            found = centre.call(
                tx,
                us=ours.us,
                agreement=ref,
                period=Period.parse(period),
                currency=currency,
                ids=ours.ids,
                now=ours.clock.now(),
            )
    if as_json:
        render.as_json(found)
    else:
        render.say(f"{found.id} is {found.state}; answers count until {found.until:%Y-%m-%d %H:%M}")


@app.command("list", epilog="Example: hansa clearing list")
def list_rounds(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List the rounds of netting in which we have a part."""
    from hansa.lifecycle.clearing.actions import netting

    with opened(node) as ours, ours.begin() as tx:
        found = netting.parts(tx)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Rounds",
        ("round", "centre", "period", "currency", "our part is", "attempt>", "invoices>", "why"),
        [
            (
                one.id,
                one.centre,
                one.call.period.name,
                one.call.currency,
                one.state,
                one.attempt,
                len(one.lines or one.offered),
                one.why,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa clearing show rnd_0198… --svg november.svg")
def show(
    id: Id, svg: MaybeSvg = None, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Show our part in a round, and who pays whom before and after, as far as we may know."""
    from hansa.entrypoints.papers import picture
    from hansa.foundation.ids import RoundId
    from hansa.lifecycle.clearing.actions import centre, netting

    with opened(node) as ours, ours.begin() as tx:
        found = netting.part(tx, round=RoundId(id))
        before = centre.debts(tx, us=ours.us.id, part=found)
    after = found.plan.payments if found.plan else ()
    if svg is not None:
        svg.write_text(picture.svg(before, after, found.call.currency), "utf-8")
    if as_json:
        render.as_json(found)
        return
    _show(found)
    for line in picture.text(before, after, found.call.currency).splitlines():
        render.say(line)


def _show(found: Part) -> None:
    render.facts(
        f"Round {found.id} of {found.call.period.name} in {found.call.currency}",
        {
            "centre": found.centre,
            "our part is": found.state,
            "attempt": found.attempt,
            "sign by": found.plan.sign_by if found.plan else None,
            "why": found.why,
        },
    )


@app.command(epilog="Example: hansa clearing sign rnd_0198…")
def sign(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Sign the plan of a round; it is posted once all have signed."""
    from hansa.foundation.ids import RoundId
    from hansa.lifecycle.clearing.actions import netting

    with opened(node) as ours, ours.begin() as tx:
        found = netting.sign(
            tx,
            us=ours.us,
            part=netting.part(tx, round=RoundId(id)),
            keys=ours.keys,
            ids=ours.ids,
            now=ours.clock.now(),
        )
    render.as_json(found) if as_json else _show(found)


@app.command(epilog='Example: hansa clearing refuse rnd_0198… --why "an invoice is in doubt"')
def refuse(
    id: Id,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="For the centre to read.")],
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Say no to the plan of a round; the others net without us."""
    from hansa.foundation.ids import RoundId
    from hansa.lifecycle.clearing.actions import netting

    with opened(node) as ours, ours.begin() as tx:
        found = netting.refuse(
            tx,
            us=ours.us,
            part=netting.part(tx, round=RoundId(id)),
            why=why,
            ids=ours.ids,
            now=ours.clock.now(),
        )
    render.as_json(found) if as_json else _show(found)
