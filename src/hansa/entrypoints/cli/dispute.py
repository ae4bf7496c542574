"""`hansa settle dispute`: what we and partners do not agree on, and by when it is answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    MaybeMonth,
    NodeDir,
    Why,
    group,
    opened,
    settings_of,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hansa.federation.disputes import DisputeAct, Evidence
    from hansa.foundation.money import Money
    from hansa.foundation.time import Instant
    from hansa.lifecycle.settlement.model import HeldDispute

app = group("What we and partners do not agree on, and by when it is answered.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The dispute: dsp_…")]
Lines = Annotated[
    list[str] | None,
    typer.Option("--line", metavar="KEY=NET", help="A line, and what its net should be."),
]


@app.command(
    "raise",
    epilog="Example: hansa settle dispute raise stm_0198… --cause volume --why 'see the records' "
    "--line hld_0198…/usage/za=912.40 --reconciled reconciled/4f1c…",
)
def raise_dispute(
    id: Annotated[str, typer.Argument(metavar="ID", help="The invoiced statement: stm_…")],
    cause: Annotated[str, typer.Option(metavar="CAUSE", help="As rate, volume or time-zone.")],
    why: Why,
    line: Lines = None,
    reconciled: Annotated[
        Path | None,
        typer.Option("--reconciled", metavar="DIR", help="What `settle reconcile` wrote."),
    ] = None,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Dispute lines of an invoice: those that are named, else those that differed from ours."""
    from typing import get_args

    from hansa.entrypoints.cli.files import amount
    from hansa.federation.disputes import DisputeCause
    from hansa.foundation import documents
    from hansa.foundation.ids import StatementId
    from hansa.lifecycle.settlement.actions import disputes as actions
    from hansa.lifecycle.settlement.actions import statements

    _check(cause, get_args(DisputeCause))
    with opened(node) as ours, ours.begin() as tx:
        paper = statements.get(tx, statement=StatementId(id)).statement
        claims = {
            key: amount(net, paper.currency, option="line")
            for key, net in settings_of(line or [], option="--line").items()
        }
        found = actions.raise_(
            tx,
            us=ours.us,
            statement=paper.id,
            cause=documents.read(DisputeCause, cause),  # type: ignore[arg-type]
            claims=claims,
            words=why,
            evidence=_evidence(reconciled) if reconciled else (),
            keys=ours.keys,
            ids=ours.ids,
            now=ours.clock.now(),
        )
        now = ours.clock.now()
    _show(found, now, as_json=as_json)


@app.command("list", epilog="Example: hansa settle dispute list --open")
def list_disputes(
    period: MaybeMonth = None,
    partner: Annotated[
        str, typer.Option("--partner", metavar="PARTY", help="With this partner only.")
    ] = "",
    only_open: Annotated[bool, typer.Option("--open", help="Those that have not ended.")] = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List disputes, with what is overdue and how far up they have come."""
    from hansa.foundation.party import party_id
    from hansa.foundation.time import Period
    from hansa.lifecycle.settlement.actions import disputes as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.find(
            tx,
            period=Period.parse(period) if period else None,
            partner=party_id(partner) if partner else None,
        )
        now = ours.clock.now()
    if only_open:
        found = [one for one in found if one.open]
    if as_json:
        render.as_json(found)
        return
    clocks = [actions.clock(one, now=now) for one in found]
    render.table(
        "Disputes",
        ("dispute", "with", "we", "invoice", "cause", "state", "level>", "answer by", "overdue"),
        [
            (
                one.dispute.id,
                one.partner,
                one.direction,
                one.dispute.number,
                one.dispute.cause,
                one.state,
                clock.level,
                clock.answer_by,
                clock.overdue,
            )
            for one, clock in zip(found, clocks, strict=True)
        ],
    )


@app.command(epilog="Example: hansa settle dispute show dsp_0198…")
def show(id: Id, node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Show a dispute: its lines, its clocks, its evidence, and what either side did."""
    from hansa.foundation.ids import DisputeId
    from hansa.lifecycle.settlement.actions import disputes as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.get(tx, dispute=DisputeId(id))
        now = ours.clock.now()
    _show(found, now, as_json=as_json)


@app.command(epilog="Example: hansa settle dispute acknowledge dsp_0198…")
def acknowledge(id: Id, by: By = "", node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """Tell the partner that somebody looks at its dispute."""
    _move(node, id, "acknowledge", why="", by=by, as_json=as_json)


@app.command(epilog="Example: hansa settle dispute offer dsp_0198… --line hld_…=87.60 --why 'half'")
def offer(
    id: Id,
    why: Why,
    line: Annotated[
        list[str],
        typer.Option("--line", metavar="KEY=AMOUNT", help="By how much its net is lowered."),
    ],
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Accept a part: by how much which lines are to be lowered."""
    _move(node, id, "offer", why=why, by=by, as_json=as_json, line=line)


@app.command(epilog="Example: hansa settle dispute accept dsp_0198… --why 'our clock was wrong'")
def accept(
    id: Id, why: Why, by: By = "", node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Accept all that is claimed or, as who raised it, what is offered; a credit note follows."""
    _move(node, id, "accept", why=why, by=by, as_json=as_json)


@app.command(epilog="Example: hansa settle dispute reject dsp_0198… --why 'the deck says so'")
def reject(
    id: Id, why: Why, by: By = "", node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Reject a dispute or, as who raised it, the answer: the other side is asked anew then."""
    _move(node, id, "reject", why=why, by=by, as_json=as_json)


@app.command(epilog="Example: hansa settle dispute withdraw dsp_0198… --why 'our records'")
def withdraw(
    id: Id, why: Why, by: By = "", node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """Withdraw a dispute of ours; what was held out of netting is payable again."""
    _move(node, id, "withdraw", why=why, by=by, as_json=as_json)


@app.command(epilog="Example: hansa settle dispute terms mtn --set silence=accept")
def terms(
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="By its short name.")],
    put: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="What the contract says instead."),
    ] = None,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show by what thresholds and clocks disputes with a partner go, or enter the contract's."""
    from hansa.federation.disputes import DisputeTerms
    from hansa.foundation import documents
    from hansa.foundation.party import party_id
    from hansa.lifecycle.settlement.actions import disputes as actions

    with opened(node) as ours, ours.begin() as tx:
        party = party_id(partner)
        found = actions.terms(tx, partner=party)
        if put:
            changed = documents.write(found) | settings_of(put, option="--set")
            found = documents.read(DisputeTerms, changed, what="terms")
            actions.enter_terms(tx, partner=party, given=found, by=who(by), now=ours.clock.now())
    if as_json:
        render.as_json(found)
        return
    render.facts(
        f"Disputes with {partner}",
        {name: str(value) for name, value in documents.write(found).items()},
    )


def _move(
    node: Path,
    id: str,
    act: DisputeAct,
    *,
    why: str,
    by: str,
    as_json: bool,
    line: Sequence[str] = (),
) -> None:
    from hansa.entrypoints.cli.files import amount
    from hansa.federation.disputes import LineCredit
    from hansa.foundation.ids import DisputeId
    from hansa.lifecycle.settlement.actions import disputes as actions

    with opened(node) as ours, ours.begin() as tx:
        held = actions.get(tx, dispute=DisputeId(id))
        currency = _claim(held).currency
        credits = [
            LineCredit(key, amount(net, currency, option="line"))
            for key, net in settings_of(list(line), option="--line").items()
        ]
        now = ours.clock.now()
        found = actions.move(
            tx,
            us=ours.us,
            dispute=held.dispute.id,
            act=act,
            credits=credits,
            reason=why,
            by=who(by),
            keys=ours.keys,
            ids=ours.ids,
            now=now,
        )
    _show(found, now, as_json=as_json)


def _check(cause: str, known: Sequence[str]) -> None:
    from hansa.foundation.errors import Refused

    if cause not in known:
        raise Refused(
            "choice-unknown",
            f"{cause!r} is not known; choose one of {', '.join(known)}.",
            field="cause",
        )


def _evidence(folder: Path) -> tuple[Evidence, ...]:
    from hansa.lifecycle.settlement.actions import disputes, reconciling

    found = reconciling.summary(folder)
    return disputes.reconciled(
        (folder / reconciling.SUMMARY).read_text(),
        [(one.name, one.sha256, one.size) for one in (*found.written, *found.ours, *found.theirs)],
    )


def _claim(held: HeldDispute) -> Money:
    claimed = held.dispute.lines[0].theirs
    assert claimed is not None
    return claimed


def _show(found: HeldDispute, now: Instant, *, as_json: bool) -> None:
    from hansa.lifecycle.settlement.actions import disputes as actions

    if as_json:
        render.as_json(found)
        return
    clock = actions.clock(found, now=now)
    dispute = found.dispute
    render.facts(
        f"Dispute {dispute.id} of {dispute.raiser} about invoice {dispute.number}",
        {
            "state": found.state,
            "with": found.partner,
            "cause": dispute.cause,
            "says": dispute.words,
            "level": clock.level,
            "acknowledge by": clock.acknowledge_by,
            "records by": clock.sample_by,
            "answer by": clock.answer_by,
            "overdue": clock.overdue,
            "credit note": found.credit_note,
        },
    )
    credits = {one.key: one.net for one in found.credits}
    render.table(
        "Lines",
        ("line", "description", "invoiced>", "should be>", "credited>"),
        [
            (one.key, one.description, one.theirs, one.ours, credits.get(one.key))
            for one in dispute.lines
        ],
    )
    if dispute.evidence:
        render.table(
            "Evidence",
            ("file", "octets>", "sha256"),
            [(one.name, one.size, one.sha256) for one in dispute.evidence],
        )
    render.table(
        "What was done",
        ("at", "party", "act", "why", "by"),
        [
            (one.notice.signature.at, one.party, one.notice.act, one.notice.reason, one.by)
            for one in found.moves
        ],
    )
