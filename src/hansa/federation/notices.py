"""Notices to partners that do not get lost: written with what they tell, sent until answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hansa.federation import store
from hansa.federation.disputes import DisputeMoved, DisputeRaised
from hansa.federation.hub import actions as hub
from hansa.federation.hub.model import Change
from hansa.federation.listener import Distant, Notice
from hansa.federation.papers import (
    AgreementDrafted,
    AgreementMoved,
    AgreementSigned,
    CardRenewed,
    InvoiceIssued,
    StatementAnswered,
    StatementIssued,
)
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.ids import Ids, NoticeId, PartyId, PlanId, StatementId, TaskId, TraceId
from hansa.foundation.plan import actions
from hansa.foundation.plan.model import (
    Backlog,
    Done,
    Handlers,
    Outcome,
    Outside,
    Plan,
    Retry,
    Step,
    Task,
    TaskState,
)
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

log = logging.getLogger(__name__)

KIND = "federation.notice"

PATIENCE = Retry(first_s=0.2, max_s=10.0, attempts=None)
"""A notice to a node is sent again and again until it answers."""

FOREIGN = Retry(first_s=1.0, max_s=3600.0)
"""To a system of another make it is sent after pauses that grow, and given up after some time."""

OVERDUE = timedelta(days=1)
"""After so long without an answer, people should know."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is kept of a notice until it is delivered."""

    to: PartyId
    notice: Notice


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A notice that its partner has not answered. notice: its kind. tries: so far. error: what came
    of the last. next_at: when the next is due, None once it is given up, until a person has it
    sent again.
    """

    task: TaskId
    to: PartyId
    notice: str
    trace: TraceId
    since: Instant
    tries: int
    error: str
    next_at: Instant | None


def undelivered(tx: Transaction, *, to: PartyId | None = None) -> Sequence[Undelivered]:
    """Notices to one partner, or to all, that wait for an answer; the oldest first."""
    found = []
    for plan in actions.unended(tx, kind=KIND):
        for task in plan.tasks:
            letter = documents.read(_Letter, task.body, what="notice")
            if to in (None, letter.to):
                found.append(_undelivered(plan, task, letter))
    return found


def _undelivered(plan: Plan, task: Task, letter: _Letter) -> Undelivered:
    return Undelivered(
        task=task.id,
        to=letter.to,
        notice=letter.notice.kind,
        trace=task.trace,
        since=plan.made_at,
        tries=task.attempt,
        error=task.error,
        next_at=None if task.state is TaskState.HELD else task.run_at,
    )


def backlog(tx: Transaction, *, now: Instant) -> Backlog:
    """How many notices wait for an answer, for how many of them it is overdue, and how many are
    given up.
    """
    return actions.backlog(tx, kind=KIND, before=now - OVERDUE)


def backlogs(tx: Transaction, *, now: Instant) -> Mapping[PartyId, Backlog]:
    """As backlog, by partner; of those that have answered everything, nothing."""
    found = actions.backlogs(tx, kind=KIND, before=now - OVERDUE, field="to")
    return {PartyId(party): one for party, one in found.items()}


def resend(tx: Transaction, *, to: PartyId, by: str, why: str, now: Instant) -> int:
    """Has what was given up sent to this partner again, as if for the first time; how many."""
    given_up = [one for one in undelivered(tx, to=to) if one.next_at is None]
    for one in given_up:
        actions.resume(tx, task=one.task, by=by, why=why, now=now)
    return len(given_up)


def send(
    tx: Transaction, *, ids: Ids, to: PartyId, notice: Notice, trace: TraceId, now: Instant
) -> NoticeId:
    """Has the notice delivered once `tx` commits; nothing is sent if it does not.

    Delivered at least once, in no promised order; listeners take both. What is told of papers
    is told to whoever has subscribed to them, too. Returns the subject of its plan, by which it
    can be looked up.
    """
    paper = _paper(notice)
    if paper is not None:
        topic, change, thing = paper
        hub.publish(
            tx, ids=ids, topic=topic, thing=thing, change=change, party=to, trace=trace, now=now
        )
    subject = ids.new(NoticeId)
    step = Step(
        id=ids.new(TaskId),
        kind=KIND,
        body=documents.write(_Letter(to, notice)),
        label=f"tell {to}: {notice.kind}",
    )
    actions.write(
        tx,
        plan_id=ids.new(PlanId),
        subject=subject,
        kind=KIND,
        trace=trace,
        steps=[step],
        now=now,
    )
    return subject


def _paper(notice: Notice) -> tuple[str, Change, str] | None:
    """Which paper a notice is about, and what has happened to it; orders and tickets are told of
    by their own rooms.
    """
    match notice:
        case AgreementDrafted():
            return "agreement", "create", notice.document.id
        case AgreementSigned() | AgreementMoved():
            change: Change = "attribute" if isinstance(notice, AgreementSigned) else "state"
            return "agreement", change, notice.agreement.id
        case StatementIssued():
            return "customerBill", "create", notice.statement.id
        case StatementAnswered() | InvoiceIssued():
            return "customerBill", "state", notice.statement
        case DisputeRaised() | DisputeMoved():
            return "customerBill", "attribute", _disputed(notice)
        case _:
            return None


def _disputed(notice: DisputeRaised | DisputeMoved) -> StatementId:
    if isinstance(notice, DisputeRaised):
        return notice.dispute.statement
    return notice.statement


def handlers(listeners: Callable[[PartyId], Distant], *, foreign_h: int) -> Handlers:
    """The one handler of notices.

    listeners: how to speak to a partner; called outside any transaction. It is told the trace
    that the notice was sent with, so that both sides find it with the rest of it. A partner that
    refuses a notice has answered: the task ends, its output says why, and a warning is logged.
    foreign_h: for how many hours a partner of another make is told that does not answer.
    """
    foreign = FOREIGN.within(timedelta(hours=foreign_h))

    def patience(tx: Transaction, task: Task) -> Retry:
        partner = store.partner(tx, task.body["to"])
        if partner is None or partner.trust == "hansa" or partner.revoked_at is not None:
            return PATIENCE
        return foreign

    def call(task: Task, _now: Instant) -> Json:
        letter = documents.read(_Letter, task.body, what="notice")
        try:
            listeners(letter.to).hear(letter.notice, trace_id=task.trace)
        except (Refused, NotFound) as error:
            return _refusal(task, letter, error)
        return {"delivered": True}

    return {KIND: Outside(call=call, record=_record, retry=patience)}


def _refusal(task: Task, letter: _Letter, error: HansaError) -> Json:
    log.warning(
        "notice refused",
        extra={
            "task": task.id,
            "trace": task.trace,
            "partner": letter.to,
            "notice": letter.notice.kind,
            "reason": error.code,
            "words": error.words,
        },
    )
    return {"refused": error.code, "words": error.words}


def _record(tx: Transaction, task: Task, answer: Json, _now: Instant) -> Outcome:
    letter = documents.read(_Letter, task.body, what="notice")
    if isinstance(letter.notice, CardRenewed) and answer.get("delivered"):
        store.hear(tx, letter.to, letter.notice.card.edition)
    return Done(answer)
