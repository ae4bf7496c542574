"""BT tells MTN something, and MTN hears it however long it was away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest

from hansa.federation import directory, notices
from hansa.federation.courier import silent
from hansa.federation.keys.ring import KeyRing
from hansa.federation.listener import Distant, Notice
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import Ids, PartyId, TraceId
from hansa.foundation.party import Party
from hansa.foundation.plan import actions
from hansa.foundation.plan.engine import Engine
from hansa.foundation.plan.model import Plan, PlanState, TaskState
from hansa.foundation.time import Instant, SetClock
from hansa.foundation.transaction import Begin
from tests.federation.shop import MTN, TRACE
from tests.federation.test_exchange import NOTICES


@dataclass
class Ear:
    """Hears, unless something is wrong with it."""

    failing: Exception | None = None
    heard: list[Notice] = field(default_factory=list)
    traces: list[TraceId | None] = field(default_factory=list)

    def hear(self, notice: Notice, *, trace_id: TraceId | None = None) -> None:
        self.traces.append(trace_id)
        if self.failing is not None:
            raise self.failing
        self.heard.append(notice)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def engine(begin: Begin, clock: SetClock, ear: Ear) -> Engine:
    return Engine(begin, notices.handlers(only(ear), foreign_h=72), clock)


def only(ear: Ear) -> Callable[[PartyId], Distant]:
    def listener(party: PartyId) -> Distant:
        if party != MTN:
            raise NotFound("partner-unknown", "No partner of ours.", field="party")
        return ear

    return listener


def send(begin: Begin, ids: Ids, clock: SetClock, notice: Notice, to: PartyId = MTN) -> str:
    with begin() as tx:
        return notices.send(tx, ids=ids, to=to, notice=notice, trace=TRACE, now=clock.now())


def plan(begin: Begin, subject: str) -> Plan:
    with begin() as tx:
        found = actions.of_subject(tx, subject=subject)
    assert found is not None
    return found


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: notice.kind)
def test_a_notice_survives_the_database_as_it_was(
    begin: Begin, ids: Ids, clock: SetClock, engine: Engine, ear: Ear, notice: Notice
) -> None:
    subject = send(begin, ids, clock, notice)
    assert ear.heard == []
    engine.run_until_idle()
    assert ear.heard == [notice]
    (task,) = plan(begin, subject).tasks
    assert (task.state, task.trace, task.output) == (TaskState.DONE, TRACE, {"delivered": True})
    assert ear.traces == [TRACE]


def test_what_is_rolled_back_is_not_told(
    begin: Begin, ids: Ids, clock: SetClock, engine: Engine, ear: Ear
) -> None:
    with pytest.raises(ZeroDivisionError), begin() as tx:
        notices.send(tx, ids=ids, to=MTN, notice=NOTICES[0], trace=TRACE, now=clock.now())
        raise ZeroDivisionError
    assert engine.run_until_idle() == 0
    assert ear.heard == []


def test_a_silent_partner_is_told_when_it_is_back(
    begin: Begin, ids: Ids, clock: SetClock, engine: Engine, ear: Ear
) -> None:
    ear.failing = silent(MTN)
    subject = send(begin, ids, clock, NOTICES[4])
    for _ in range(200):
        engine.run_until_idle()
        clock.move(timedelta(seconds=10))
    assert plan(begin, subject).state == PlanState.RUNNING
    ear.failing = None
    engine.run_until_idle()
    assert ear.heard == [NOTICES[4]]
    assert plan(begin, subject).state == PlanState.DONE


# --- who never answers --------------------------------------------------------------------------


def add_foreign(begin: Begin, clock: SetClock) -> None:
    with begin() as tx:
        directory.add_foreign(
            tx,
            party=Party(MTN, "MTN", "ZA", "ZAR"),
            address="https://api.mtn.test",
            dialect="tmf",
            grant=None,
            now=clock.now(),
        )


def until_given_up(engine: Engine, clock: SetClock, since: Instant) -> list[timedelta]:
    """How long after the first try the others are made, until there is no more."""
    tries: list[timedelta] = []
    while True:
        engine.run_until_idle()
        tries.append(clock.now() - since)
        due = engine.next_due()
        if due is None:
            return tries
        clock.at = due


def unheard(begin: Begin, to: PartyId | None = None) -> Sequence[notices.Undelivered]:
    with begin() as tx:
        return notices.undelivered(tx, to=to)


def backlog(begin: Begin, clock: SetClock) -> tuple[int, int, int]:
    with begin() as tx:
        found = notices.backlog(tx, now=clock.now())
    return found.going, found.overdue, found.held


def test_a_foreign_partner_is_not_told_for_ever(
    begin: Begin, ids: Ids, clock: SetClock, engine: Engine, ear: Ear
) -> None:
    add_foreign(begin, clock)
    ear.failing = silent(MTN)
    began = clock.now()
    send(begin, ids, clock, NOTICES[4])
    tries = until_given_up(engine, clock, began)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(seconds=1), timedelta(hours=1))
    assert timedelta(hours=72) <= tries[-1] <= timedelta(hours=73)
    (found,) = unheard(begin)
    assert (found.to, found.notice, found.since) == (MTN, NOTICES[4].kind, began)
    assert (found.tries, found.next_at) == (len(tries), None)
    assert found.error.startswith("partner-silent: ")
    assert backlog(begin, clock) == (0, 0, 1)


def test_what_was_given_up_is_sent_again_when_a_person_says_so(
    begin: Begin, ids: Ids, clock: SetClock, ear: Ear
) -> None:
    engine = Engine(begin, notices.handlers(only(ear), foreign_h=1), clock)
    add_foreign(begin, clock)
    ear.failing = silent(MTN)
    subject = send(begin, ids, clock, NOTICES[4])
    until_given_up(engine, clock, clock.now())
    other = send(begin, ids, clock, NOTICES[5])
    engine.run_until_idle()
    with begin() as tx:
        for party, sent in ((PartyId("other"), 0), (MTN, 1)):
            again = notices.resend(tx, to=party, by="ada", why="they are back", now=clock.now())
            assert again == sent
        (act,) = actions.interventions(tx, plan=plan(begin, subject).id)
    assert (act.act, act.by, act.why) == ("resume", "ada", "they are back")
    first, second = unheard(begin, MTN)
    assert first.next_at == clock.now()
    assert second.next_at is not None and second.next_at > clock.now()
    since = clock.now()
    assert until_given_up(engine, clock, since)[-1] >= timedelta(hours=1)
    assert backlog(begin, clock) == (0, 0, 2)
    ear.failing = None
    with begin() as tx:
        assert notices.resend(tx, to=MTN, by="ada", why="again", now=clock.now()) == 2
    engine.run_until_idle()
    assert sorted(one.kind for one in ear.heard) == sorted([NOTICES[4].kind, NOTICES[5].kind])
    assert plan(begin, other).state == PlanState.DONE
    assert unheard(begin) == []


def test_a_node_is_told_however_long_it_takes_and_that_is_seen(
    begin: Begin, ids: Ids, clock: SetClock, engine: Engine, ear: Ear, bt_ring: KeyRing
) -> None:
    party = Party(MTN, "MTN", "ZA", "ZAR")
    card = directory.invite(bt_ring, party=party, address="http://mtn.test", now=clock.now())
    with begin() as tx:
        directory.join(tx, card=card, now=clock.now())
    ear.failing = silent(MTN)
    send(begin, ids, clock, NOTICES[4])
    for _ in range(100):
        engine.run_until_idle()
        assert backlog(begin, clock)[::2] == (1, 0)
        clock.move(timedelta(hours=1))
    assert backlog(begin, clock) == (1, 1, 0)
    send(begin, ids, clock, NOTICES[5])
    assert backlog(begin, clock) == (2, 1, 0)
    due = engine.next_due()
    assert due is not None and due - clock.now() <= timedelta(seconds=10)
    ear.failing = None
    engine.run_until_idle()
    assert len(ear.heard) == 2


def test_what_waits_for_a_partner_that_is_revoked_is_kept(
    begin: Begin, ids: Ids, clock: SetClock, engine: Engine, ear: Ear
) -> None:
    add_foreign(begin, clock)
    with begin() as tx:
        directory.revoke(tx, party=MTN, why="unpaid", by="ada", now=clock.now())
    ear.failing = TryLater("partner-revoked", "Revoked.")
    send(begin, ids, clock, NOTICES[4])
    for _ in range(200):
        engine.run_until_idle()
        clock.move(timedelta(hours=1))
    assert backlog(begin, clock) == (1, 1, 0)


# --- who refuses ----------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [MTN, PartyId("stranger")])
def test_a_refused_notice_is_an_answer_too(
    begin: Begin,
    ids: Ids,
    clock: SetClock,
    engine: Engine,
    ear: Ear,
    caplog: pytest.LogCaptureFixture,
    to: PartyId,
) -> None:
    caplog.set_level(logging.WARNING)
    ear.failing = Refused("signature-wrong", "Not signed by you.", field="signature")
    subject = send(begin, ids, clock, NOTICES[1], to)
    engine.run_until_idle()
    done = plan(begin, subject)
    code = "signature-wrong" if to == MTN else "partner-unknown"
    assert done.state == PlanState.DONE
    assert done.tasks[0].output["refused"] == code
    assert done.tasks[0].output["words"]
    (record,) = [one for one in caplog.records if one.getMessage() == "notice refused"]
    assert vars(record)["reason"] == code
    assert vars(record)["trace"] == TRACE
