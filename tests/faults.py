"""Makes the tasks of plans fail, one after the other, in every way in which a task can.

    def story(wrap: Wrap) -> None:
        engine = Engine(begin, wrap(handlers), clock)
        ...
        play(engine, clock)
        assert ...                      # all is well in the end

    for fault in Fault:
        assert each_in_turn(fault, story) > 0

The story is told once for each run of a task in it; that run fails, once. `twice` has every
outside call made twice, as it is when an answer was lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from hansa.foundation.documents import Json
from hansa.foundation.errors import TryLater
from hansa.foundation.plan.engine import Engine
from hansa.foundation.plan.model import Handler, Handlers, Inside, Outcome, Outside, Task
from hansa.foundation.time import Instant, SetClock
from hansa.foundation.transaction import Transaction

Wrap = Callable[[Handlers], Handlers]


class Fault(StrEnum):
    """What befalls one run of a task. An inside task has no call: it fails before or after `do`."""

    DEATH_BEFORE = "the worker dies before the call"
    DEATH_AFTER = "the worker dies after the call, before its answer is recorded"
    DEATH_RECORDING = "the worker dies when all is recorded, before the commit"
    LATER_BEFORE = "the call is not made: try later"
    LATER_AFTER = "the call is made, but its answer is lost: try later"
    SURPRISE_BEFORE = "something breaks before the call"
    SURPRISE_AFTER = "something breaks after the call"
    SURPRISE_RECORDING = "something breaks when all is recorded, before the commit"


class Killed(BaseException):
    """The worker is gone: no handler catches this, and nothing is cleaned up behind it."""


class Faulty:
    """Wraps handlers so that their n-th run fails, counting from nought over all of them.

    struck: whether there was an n-th run.
    """

    def __init__(self, fault: Fault, nth: int) -> None:
        self.fault = fault
        self.struck = False
        self._nth = nth
        self._runs = itertools.count()

    def wrap(self, handlers: Handlers) -> Handlers:
        return {kind: self._wrapped(handler) for kind, handler in handlers.items()}

    def _wrapped(self, handler: Handler) -> Handler:
        if isinstance(handler, Inside):
            return Inside(lambda tx, task, now: self._do(handler, tx, task, now))
        return replace(
            handler,
            call=lambda task, now: self._call(handler, task, now),
            record=lambda tx, task, answer, now: self._record(handler, tx, task, answer, now),
            heard=lambda task: self._heard(handler, task),
        )

    def _strikes(self) -> bool:
        strikes = next(self._runs) == self._nth
        self.struck = self.struck or strikes
        return strikes

    def _do(self, handler: Inside, tx: Transaction, task: Task, now: Instant) -> Outcome:
        strikes = self._strikes()
        if strikes and self.fault.name.endswith("_BEFORE"):
            self._strike()
        outcome = handler.do(tx, task, now)
        if strikes:
            self._strike()
        return outcome

    def _call(self, handler: Outside, task: Task, now: Instant) -> Json:
        strikes = self._strikes()
        if strikes and self.fault.name.endswith("_BEFORE"):
            self._strike()
        answer = handler.call(task, now)
        if strikes and self.fault.name.endswith("_AFTER"):
            self._strike()
        return {"strikes": strikes, "answer": answer}

    def _heard(self, handler: Outside, task: Task) -> Json:
        """Told, so that there is no call to fail: only its record may."""
        answer = handler.heard(task) if handler.heard is not None else None
        if answer is None:
            return None
        return {"strikes": self._strikes() and "RECORDING" in self.fault.name, "answer": answer}

    def _record(
        self, handler: Outside, tx: Transaction, task: Task, answer: Json, now: Instant
    ) -> Outcome:
        outcome = handler.record(tx, task, answer["answer"], now)
        if answer["strikes"]:
            self._strike()
        return outcome

    def _strike(self) -> None:
        match self.fault.name.split("_")[0]:
            case "DEATH":
                raise Killed
            case "LATER":
                raise TryLater("silent", "The partner does not answer; ask again.")
            case _:
                raise RuntimeError(self.fault)


def each_in_turn(fault: Fault, story: Callable[[Wrap], None]) -> int:
    """Tells the story with its first, second, … run of a task failing; returns how many failed.

    The story makes its own world each time, and checks it.
    """
    for nth in itertools.count():
        faulty = Faulty(fault, nth)
        story(faulty.wrap)
        if not faulty.struck:
            return nth
    raise AssertionError  # pragma: no cover - there is no end of numbers


def twice(handlers: Handlers) -> Handlers:
    """Every outside call is made twice, and the second answer counts."""

    def doubled(handler: Outside) -> Outside:
        def call(task: Task, now: Instant) -> Json:
            handler.call(task, now)
            return handler.call(task, now)

        return replace(handler, call=call)

    return {
        kind: handler if isinstance(handler, Inside) else doubled(handler)
        for kind, handler in handlers.items()
    }


def play(engine: Engine, clock: SetClock, *, for_at_most: timedelta = timedelta(hours=1)) -> None:
    """Runs what is due, moving the clock on to whatever comes next, and outlives its workers.

    Ends when nothing is due any more within the given time.
    """
    end = clock.at + for_at_most
    while True:
        try:
            engine.run_until_idle()
        except Killed:
            continue
        due = engine.next_due()
        if due is None or due > end:
            return
        clock.at = max(clock.at, due)
