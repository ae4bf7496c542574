"""Disputes: by when what is due, what is claimed and shown, and what either side does about it.

What lowers an invoice of ours is a credit note: one person proposes it, another carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from starlette.responses import Response

from hansa.entrypoints.portal import files, paging
from hansa.entrypoints.portal.ask import BOOKS, FINANCE, Ask, change, nothing_here, page
from hansa.entrypoints.portal.duties import propose, proposed
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.finance import crediting, lines, lists
from hansa.federation.disputes import DisputeAct, DisputeCause, LineCredit
from hansa.federation.papers import StatementLine
from hansa.foundation.errors import Refused
from hansa.foundation.ids import DisputeId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.settlement.actions import disputes as actions
from hansa.lifecycle.settlement.actions import looking
from hansa.lifecycle.settlement.model import DisputeFilter, DisputeState, Held, HeldDispute

CAUSES: Sequence[DisputeCause] = get_args(DisputeCause)
FIELDS = ("party", "month", "state")


@page("/disputes", roles=BOOKS)
def disputes(ask: Ask) -> Response:
    """All of them, the newest first, each with its clock."""
    state = ask.query.get("state", "")
    wanted = DisputeFilter(
        party=lists.party(ask),
        period=lists.month(ask),
        state=DisputeState(state) if state in set(DisputeState) else None,
        only_open=state == "open",
    )
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        found = looking.disputes_page(tx, wanted=wanted, offset=turn.offset, limit=turn.size)
    return ask.render(
        "finance/disputes.html",
        part="finance/_disputes.html",
        disputes=[(one, actions.clock(one, now=ask.now), claimed(one)) for one in found.things],
        wanted={name: ask.query.get(name, "") for name in FIELDS},
        states=lists.options(["open", *DisputeState]),
        turn=turn,
        total=found.total,
    )


def claimed(held: HeldDispute) -> Money:
    """By how much the raiser wants the net lowered."""
    pairs = [(one.theirs, one.ours) for one in held.dispute.lines]
    first = pairs[0][0]
    assert first is not None
    minor = sum(theirs.minor - ours.minor for theirs, ours in pairs if theirs and ours is not None)
    return Money(minor, first.currency)


@page("/disputes/new", roles=FINANCE)
def dispute_new(ask: Ask) -> Response:
    """A form about an invoice, `?statement=`, and of its lines the one of that number, `?line=`."""
    with ask.node.begin() as tx:
        held, line = _about(ask, tx)
    return ask.render(
        "finance/dispute_new.html",
        held=held,
        line=line,
        ours=held.statement.creditor == ask.node.us.id,
        causes=[(one, word) for one, word in lists.options(CAUSES) if one],
    )


def _about(ask: Ask, tx: Transaction) -> tuple[Held, StatementLine | None]:
    """The statement that is disputed, and the line of it that the address names, if any."""
    id = StatementId(ask.query.get("statement", ""))
    held = looking.bare(tx, statement=id)
    number = ask.number("line", 0)
    if not number:
        return held, None
    return held, lines.only(looking.lines(tx, statement=id, offset=number - 1, limit=1))


@change("/disputes/new", roles=FINANCE, again=dispute_new)
def dispute_raise(ask: Ask) -> Response:
    """Raises it; about an invoice of our own it is a credit note, and another person's to do."""
    node, why = ask.node, ask.typed("why").strip()
    cause = next((one for one in CAUSES if one == ask.typed("cause")), None)
    if cause is None:
        raise Refused("choice-unknown", _("Choose what is wrong."), field="cause")
    with node.begin() as tx:
        held, line = _about(ask, tx)
    claims = {line.key: lists.amount(ask, "should_be", held.statement.currency)} if line else {}
    if held.statement.creditor == node.us.id:
        return _propose_raise(ask, held, cause, claims, why)
    with ask.change("dispute-raised", subject=held.id, why=why) as tx:
        made = actions.raise_(
            tx,
            us=node.us,
            statement=held.id,
            cause=cause,
            claims=claims,
            words=why,
            keys=node.keys,
            ids=node.ids,
            now=ask.now,
        )
    return ask.back(f"/disputes/{made.dispute.id}", said=_("The partner is told of it."))


def _propose_raise(
    ask: Ask, held: Held, cause: DisputeCause, claims: Mapping[str, Money], why: str
) -> Response:
    with ask.change("credit-note-proposed", subject=held.id, why=why) as tx:
        content = crediting.of_raising(tx, held, cause, claims, us=ask.node.us.id, words=why)
        one = propose(ask, tx, kind=crediting.KIND, subject=held.id, content=content, why=why)
    return ask.back(f"/approvals/{one.id}", said=_("Another person can approve it now."))


@page("/disputes/{id}", roles=BOOKS)
def dispute(ask: Ask) -> Response:
    id = DisputeId(ask.path["id"])
    with ask.node.begin() as tx:
        held = actions.get(tx, dispute=id)
        of = looking.bare(tx, statement=held.dispute.statement)
        waiting = proposed(tx, kind=crediting.KIND, subject=id)
    us = ask.node.us.id
    return ask.render(
        "finance/dispute.html",
        held=held,
        of=of,
        clock=actions.clock(held, now=ask.now),
        claimed=claimed(held),
        credits={one.key: one.net for one in held.credits},
        acts=looking.acts(held, us=us),
        by_two=of.statement.creditor == us,
        waiting=waiting,
    )


@page("/disputes/{id}/evidence/{number}", roles=BOOKS)
def evidence(ask: Ask) -> Response:
    """A short piece of evidence as it was sent, to be kept and not shown."""
    with ask.node.begin() as tx:
        found = actions.get(tx, dispute=DisputeId(ask.path["id"])).dispute.evidence
    number = ask.path["number"]
    if not number.isdecimal() or not 0 < int(number) <= len(found):
        raise nothing_here()
    octets = found[int(number) - 1].content.encode()
    if not octets:
        raise nothing_here()
    return files.download(octets, "application/octet-stream", "evidence.json")


@change("/disputes/{id}/act", roles=FINANCE, again=dispute)
def act(ask: Ask) -> Response:
    """Acknowledges, offers, accepts, rejects or withdraws. What lowers an invoice of ours is
    proposed, so that another person does it.
    """
    id, node = DisputeId(ask.path["id"]), ask.node
    why = ask.typed("why").strip()
    what = next((one for one in looking.ACTS if one == ask.typed("act")), None)
    if what is None:
        raise Refused("choice-unknown", _("Choose what is to be done."), field="act")
    with node.begin() as tx:
        held = actions.get(tx, dispute=id)
        of = looking.bare(tx, statement=held.dispute.statement)
    credits = _offered(ask, held) if what == "offer" else ()
    if what in ("offer", "accept") and of.statement.creditor == node.us.id:
        return _propose(ask, held, of, what, credits, why)
    with ask.change(f"dispute-{what}", subject=id, why=why) as tx:
        actions.move(
            tx,
            us=node.us,
            dispute=id,
            act=what,
            credits=credits,
            reason=why,
            by=ask.me.login,
            keys=node.keys,
            ids=node.ids,
            now=ask.now,
        )
    return ask.back(f"/disputes/{id}", said=_("Done, and the partner is told."))


def _offered(ask: Ask, held: HeldDispute) -> Sequence[LineCredit]:
    """What was typed beside each disputed line; nothing for a line that is not lowered."""
    currency = claimed(held).currency
    found = []
    for number, line in enumerate(held.dispute.lines, start=1):
        if ask.typed(f"credit-{number}").strip():
            amount = lists.amount(ask, f"credit-{number}", currency)
            found.append(LineCredit(line.key, amount))
    return found


def _propose(
    ask: Ask,
    held: HeldDispute,
    of: Held,
    what: DisputeAct,
    credits: Sequence[LineCredit],
    why: str,
) -> Response:
    id = held.dispute.id
    with ask.change("credit-note-proposed", subject=id, why=why) as tx:
        content = crediting.of_dispute(tx, held, of, what, credits)
        one = propose(ask, tx, kind=crediting.KIND, subject=id, content=content, why=why)
    return ask.back(f"/approvals/{one.id}", said=_("Another person can approve it now."))


pages = [disputes, dispute_new, dispute_raise, dispute, evidence, act]
