"""BT tells MTN something, and MTN hears it however long it was away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from hansa.federation import notices
from hansa.federation.courier import silent
from hansa.federation.listener import Listener, Notice
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.plan import actions
from hansa.foundation.plan.engine import Engine
from hansa.foundation.plan.model import Plan, PlanState, TaskState
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from tests.federation.shop import MTN, TRACE
from tests.federation.test_exchange import NOTICES


@dataclass
class Ear:
    """Hears, unless something is wrong with it."""

    failing: Exception | None = None
    heard: list[Notice] = field(default_factory=list)

    def hear(self, notice: Notice) -> None:
        if self.failing is not None:
            raise self.failing
        self.heard.append(notice)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def engine(begin: Begin, clock: SetClock, ear: Ear) -> Engine:
    return Engine(begin, notices.handlers(only(ear)), clock)


def only(ear: Ear) -> Callable[[PartyId], Listener]:
    def listener(party: PartyId) -> Listener:
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
    (record,) = [one for one in caplog.records if one.message == "notice refused"]
    assert vars(record)["reason"] == code
    assert vars(record)["trace"] == TRACE
