"""Notices to partners that do not get lost: written with what they tell, sent until answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from hansa.federation import store
from hansa.federation.disputes import DisputeMoved, DisputeRaised
from hansa.federation.hub import actions as hub
from hansa.federation.hub.model import Change
from hansa.federation.listener import Listener, Notice
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
from hansa.foundation.plan.model import Done, Handlers, Outcome, Outside, Retry, Step, Task
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

log = logging.getLogger(__name__)

KIND = "federation.notice"

PATIENCE = Retry(first_s=0.2, max_s=10.0, attempts=None)
"""A notice is sent again and again until its partner answers."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is kept of a notice until it is delivered."""

    to: PartyId
    notice: Notice


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


def handlers(listeners: Callable[[PartyId], Listener]) -> Handlers:
    """The one handler of notices.

    listeners: how to speak to a partner; called outside any transaction. A partner that
    refuses a notice has answered: the task ends, its output says why, and a warning is logged.
    """

    def call(task: Task, _now: Instant) -> Json:
        letter = documents.read(_Letter, task.body, what="notice")
        try:
            listeners(letter.to).hear(letter.notice)
        except (Refused, NotFound) as error:
            return _refusal(task, letter, error)
        return {"delivered": True}

    return {KIND: Outside(call=call, record=_record, retry=PATIENCE)}


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
