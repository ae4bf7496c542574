"""`hansa settle`: a month agreed with partners: statements, positions, netting, books."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import dispute, reconcile, render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    MaybeMonth,
    Month,
    NodeDir,
    Why,
    group,
    opened,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hansa.foundation.ids import PartyId
    from hansa.lifecycle.settlement.model import Held, Position


class SheetKind(StrEnum):
    """As what a statement is exported."""

    XLSX = "xlsx"
    CSV = "csv"


app = group("A month agreed with partners: statements, positions, netting, books.")

app.add_typer(dispute.app, name="dispute")
app.command(
    epilog="Example: hansa settle reconcile --holding hld_0198… --period 2026-11 "
    "--theirs mtn.csv --to reconciled"
)(reconcile.reconcile)

Id = Annotated[str, typer.Argument(metavar="ID", help="The statement: stm_…")]
MaybePartner = Annotated[
    str, typer.Option("--partner", metavar="PARTY", help="Of this partner only.")
]


@app.command(epilog="Example: hansa settle statements --period 2026-11 --state disputed")
def statements(
    period: MaybeMonth = None,
    partner: MaybePartner = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help="In this state only, as disputed.")
    ] = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List statements: those that we issued and those that we heard."""
    from hansa.entrypoints.cli.files import one_of
    from hansa.federation.papers import StatementState
    from hansa.foundation.party import party_id
    from hansa.foundation.time import Period
    from hansa.lifecycle.settlement.actions import statements as actions

    states = [one_of(StatementState, state, option="state")] if state else None
    with opened(node) as ours, ours.begin() as tx:
        found = actions.find(
            tx,
            period=Period.parse(period) if period else None,
            partner=party_id(partner) if partner else None,
            states=states,
        )
    if as_json:
        render.as_json([_whole(one) for one in found])
        return
    render.table(
        "Statements",
        ("statement", "we", "creditor", "debtor", "for", "period", "state", "total>", "number"),
        [
            (
                one.id,
                one.direction,
                one.statement.creditor,
                one.statement.debtor,
                one.statement.kind_of,
                one.statement.period.name,
                one.state,
                one.total,
                one.number,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa settle show stm_0198…")
def show(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show a statement: its lines, and where the two sides differ."""
    from hansa.foundation.ids import StatementId
    from hansa.lifecycle.settlement.actions import statements as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.get(tx, statement=StatementId(id))
        us = ours.us.id
    _show(us, found, as_json=as_json)


@app.command(epilog="Example: hansa settle export stm_0198… --as xlsx --out november.xlsx")
def export(
    id: Id,
    kind: Annotated[str, typer.Option("--as", metavar="KIND", help="xlsx or csv.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write it to this file.")],
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Write a statement as a sheet: its lines with exact amounts, no text ever a formula."""
    from hansa.entrypoints.cli.files import one_of
    from hansa.entrypoints.papers import sheets
    from hansa.foundation.ids import StatementId
    from hansa.lifecycle.settlement.actions import statements as actions

    wanted = one_of(SheetKind, kind, option="as")
    with opened(node) as ours, ours.begin() as tx:
        found = actions.get(tx, statement=StatementId(id))
    out.write_bytes(sheets.as_xlsx(found) if wanted is SheetKind.XLSX else sheets.as_csv(found))
    render.say(f"Statement {found.id} over {found.total} is in {out}")


@app.command(epilog="Example: hansa settle compare stm_0198…")
def compare(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Lay our own computation beside a statement that we heard. Nothing is answered yet."""
    from hansa.foundation.ids import StatementId
    from hansa.lifecycle.settlement.actions import statements as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.compare(tx, us=ours.us, statement=StatementId(id), now=ours.clock.now())
        us = ours.us.id
    _show(us, found, as_json=as_json)


@app.command(epilog='Example: hansa settle accept stm_0198… hld_0198…/usage/p95 --why "our gap"')
def accept(
    id: Id,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The line that differs.")],
    why: Why,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Accept the partner's figure on one line that differs, so that it can be confirmed."""
    from hansa.foundation.ids import StatementId
    from hansa.lifecycle.settlement.actions import statements as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.resolve(
            tx, statement=StatementId(id), key=key, by=who(by), why=why, now=ours.clock.now()
        )
        us = ours.us.id
    _show(us, found, as_json=as_json)


@app.command(epilog="Example: hansa settle confirm stm_0198…")
def confirm(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Sign that a partner's statement is right; it becomes its final invoice with that."""
    from hansa.foundation.ids import StatementId
    from hansa.lifecycle.settlement.actions import statements as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.confirm(
            tx,
            us=ours.us,
            statement=StatementId(id),
            keys=ours.keys,
            ids=ours.ids,
            now=ours.clock.now(),
        )
        us = ours.us.id
    _show(us, found, as_json=as_json)


@dispute.app.command("statement", epilog="Example: hansa settle dispute statement stm_0198…")
def dispute_statement(
    id: Id,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Tell the partner on which lines its statement differs from our computation."""
    from hansa.foundation.ids import StatementId
    from hansa.lifecycle.settlement.actions import statements as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.dispute(
            tx, us=ours.us, statement=StatementId(id), ids=ours.ids, now=ours.clock.now()
        )
        us = ours.us.id
    _show(us, found, as_json=as_json)


@app.command(epilog="Example: hansa settle correct stm_0198… --concede hld_0198…/usage/p95")
def correct(
    id: Id,
    concede: Annotated[
        list[str] | None,
        typer.Option("--concede", metavar="KEY", help="A line on which we take their figure."),
    ] = None,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Withdraw a statement of ours, compute it anew, and send the corrected one."""
    from hansa.foundation.ids import StatementId
    from hansa.lifecycle.settlement.actions import statements as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.reissue(
            tx,
            us=ours.us,
            statement=StatementId(id),
            concede=concede or [],
            keys=ours.keys,
            ids=ours.ids,
            now=ours.clock.now(),
        )
        us = ours.us.id
    _show(us, found, as_json=as_json)


@app.command(epilog="Example: hansa settle positions --period 2026-11")
def positions(period: Month, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show where we stand with each partner, by currency, and what keeps it from netting."""
    from hansa.foundation.time import Period
    from hansa.lifecycle.clearing.actions import netting
    from hansa.lifecycle.settlement.actions import positions as actions

    with opened(node) as ours, ours.begin() as tx:
        month = Period.parse(period)
        gross = netting.gross(tx, us=ours.us, period=month)
        found = actions.positions(tx, us=ours.us.id, period=month, gross=gross)
    _show_positions(found, as_json=as_json)


@app.command(epilog="Example: hansa settle net --period 2026-11")
def net(period: Month, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Net what can be netted of a month, and post it; what is netted already stays so."""
    from hansa.foundation.time import Period
    from hansa.lifecycle.clearing.actions import netting
    from hansa.lifecycle.settlement.actions import positions as actions

    with opened(node) as ours, ours.begin() as tx:
        month = Period.parse(period)
        found = actions.net(
            tx,
            us=ours.us.id,
            period=month,
            ids=ours.ids,
            now=ours.clock.now(),
            gross=netting.gross(tx, us=ours.us, period=month),
        )
    _show_positions(found, as_json=as_json)


@app.command(epilog="Example: hansa settle books --partner mtn --json")
def books(
    partner: MaybePartner = "", node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Show what our ledger says of partners, fit to be laid beside their own books."""
    from hansa.foundation.party import party_id
    from hansa.lifecycle.settlement.actions import positions as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.books(tx, us=ours.us.id, partner=party_id(partner) if partner else None)
    if as_json:
        render.as_json(found)
        return
    chain = "holds" if found.chain_ok else "IS BROKEN"
    render.facts(f"Books of {found.party}", {"chain": chain, "its head": found.chain_head})
    render.table(
        "By partner and currency",
        ("partner", "currency", "they owe us>", "we owe them>", "netted>"),
        [
            (one.partner, one.currency, one.receivable, one.payable, one.settlement)
            for one in found.lines
        ],
    )


def _whole(held: Held) -> Mapping[str, object]:
    """As its partner knows it, with its lines, not as it is kept."""
    told = {one.name: getattr(held, one.name) for one in fields(held)}
    return {**told, "statement": held.statement.whole}


def _show(us: PartyId, found: Held, *, as_json: bool) -> None:
    if as_json:
        render.as_json(_whole(found))
        return
    paper = found.statement
    render.facts(
        f"Statement {found.id}: {paper.debtor} owes {paper.creditor} {found.total}",
        {
            "state": found.state,
            "we": f"{found.direction} it, {found.partner(us)} is the other side",
            "for": paper.kind_of,
            "period": paper.period.name,
            "agreement": f"{paper.agreement.id} version {paper.agreement.version}",
            "net": paper.net,
            "tax": paper.tax,
            "invoice": found.number,
            "compared": found.compared_at,
            "waits": found.waiting,
            "replaces": paper.bare.replaces,
        },
    )
    render.table(
        "Lines",
        ("line", "description", "quantity>", "unit", "net>", "tax>"),
        [
            (line.key, line.description, line.quantity, line.unit, line.net, line.tax)
            for line in paper.lines
        ],
    )
    if found.differences:
        accepted = {one.difference: one for one in found.resolutions}
        render.table(
            "Where we differ",
            ("line", "description", "they say>", "we say>", "accepted by", "why"),
            [
                (
                    one.key,
                    one.description,
                    one.theirs,
                    one.ours,
                    accepted[one].by if one in accepted else "",
                    accepted[one].why if one in accepted else "",
                )
                for one in found.differences
            ],
        )


def _show_positions(found: Sequence[Position], *, as_json: bool) -> None:
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Positions",
        ("partner", "period", "they owe us>", "we owe them>", "net>", "netted>", "held out by"),
        [
            (
                one.partner,
                one.period.name,
                one.receivable,
                one.payable,
                one.net,
                one.netted,
                one.held_out,
            )
            for one in found
        ],
    )
