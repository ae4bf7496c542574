"""Runs the tasks of plans. Kill it anywhere: nothing is lost and nothing is done twice.

One turn locks one plan, runs what can be run inside the transaction, leases the outside call
that comes next, and commits. The call is then made with no transaction open; its answer is
recorded in the next transaction, if the lease is still ours. A worker that has come to the end
of a plan may lease the next plan's call in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.plan import course
from hansa.foundation.plan.model import (
    Done,
    Handlers,
    Inside,
    Outcome,
    Outside,
    Retry,
    Task,
    TaskState,
)
from hansa.foundation.plan.store import reading, writing
from hansa.foundation.plan.store.reading import Claimed
from hansa.foundation.time import Clock, Instant
from hansa.foundation.transaction import Begin, Transaction

log = logging.getLogger(__name__)

SURPRISES_MAX = 3
"""How often a task that fails in a way nobody foresaw is tried before it is held."""

_LEASED = (TaskState.LEASED, TaskState.UNDO_LEASED)


@dataclass(frozen=True, slots=True)
class _Call:
    """An outside call that this worker has leased; its task as it was then."""

    claimed: Claimed
    handler: Outside


class Crew(Protocol):
    """The worker that an engine is part of, if there are more engines in it."""

    def goes_on(self) -> bool:
        """Whether to lease another plan's call before the turn is over."""
        ...

    def call(self) -> None:
        """Called when a task is due while this engine is about to make a call."""
        ...


class Engine:
    """Advances every plan of one node. Any number of engines may run on the same database.

    owner: the number under which this worker holds its advisory lock (see free_dead_leases).
    next_at: when the next task is due, as of the last turn that found nothing to do.
    """

    def __init__(
        self,
        begin: Begin,
        handlers: Handlers,
        clock: Clock,
        *,
        owner: int = 0,
        crew: Crew | None = None,
    ) -> None:
        self._begin = begin
        self._handlers = handlers
        self._clock = clock
        self._owner = owner
        self._crew = crew
        self._more = False
        self.next_at: Instant | None = None

    def run_one(self, *, first: Callable[[Transaction, Instant], object] | None = None) -> bool:
        """Takes the plan that is due longest one turn further. False when nothing is due.

        first: done before, in the same transaction; it may write plans.
        """
        with self._begin() as tx:
            if first is not None:
                first(tx, self._clock.now())
            busy, call = self._take(tx)
        while call is not None:
            if self._more and self._crew is not None:
                self._crew.call()
            call = self._make(call)
        return busy

    def run_until_idle(self, *, turns_max: int = 10_000) -> int:
        """Turns until nothing is due now; returns how many. For tests and one-off commands."""
        turns = 0
        while self.run_one():
            turns += 1
            if turns >= turns_max:
                raise RuntimeError(f"still busy after {turns} turns")
        return turns

    def free_dead_leases(self) -> int:
        """Takes over the leases of workers that are gone; call it when a worker starts.

        A worker lives while some session on this database holds the advisory lock of class
        LEASE_LOCKS with its number. Returns how many tasks are due at once.
        """
        with self._begin() as tx:
            return writing.free_dead_leases(tx, self._clock.now())

    def next_due(self) -> Instant | None:
        """When the next task is due, which may be now or past; None when none is."""
        with self._begin() as tx:
            return reading.next_due(tx)

    # --- one turn: the plan is locked -----------------------------------------------------------

    def _take(self, tx: Transaction) -> tuple[bool, _Call | None]:
        """Whether a plan was due, and the call to make for it, if there is one."""
        now = self._clock.now()
        step = reading.lock_due(tx, now)
        if not isinstance(step, reading.Step):
            self.next_at = step
            return False, None
        return True, self._advance(tx, step, now)

    def _advance(self, tx: Transaction, step: reading.Step, now: Instant) -> _Call | None:
        """Runs due inside tasks of a locked plan; leases and returns the first outside one."""
        plan = step.plan
        while True:
            found = step.task
            if found is None:
                if not course.settle(tx, plan, now, found=step.standing):
                    return self._follow(tx, now)
            elif (call := self._run(tx, found, now)) is not None:
                self._more = step.more
                return call
            step = reading.next_step(tx, plan, now)

    def _run(self, tx: Transaction, found: Claimed, now: Instant) -> _Call | None:
        """Does what can be done of a due task inside the transaction; the call that it needs."""
        handler = self._handlers.get(found.handler)
        if found.late:
            # Its worker died in the middle. Its undo finds out whether the call was made.
            self._join_way_back(tx, found, now)
        elif handler is None:
            self._hold(tx, found, f"no handler for {found.handler}")
        elif isinstance(handler, Inside):
            self._do(tx, found, handler.do, Retry(), now)
        elif (answer := _heard(handler, found)) is not None:
            record, retry = handler.record, handler.patience(tx, found.task)
            self._do(tx, found, lambda tx, task, now: record(tx, task, answer, now), retry, now)
        else:
            return self._lease(tx, found, handler, now)
        return None

    def _follow(self, tx: Transaction, now: Instant) -> _Call | None:
        """Leases the call that the next plan needs, so that no transaction is made for it alone.

        Whatever else is due stays for the next turn: nothing of a second plan is done here.
        """
        if self._crew is None or not self._crew.goes_on():
            return None
        step = reading.lock_due(tx, now)
        if not isinstance(step, reading.Step) or step.task is None or step.task.late:
            return None
        handler = self._handlers.get(step.task.handler)
        if not isinstance(handler, Outside) or _heard(handler, step.task) is not None:
            return None
        self._more = step.more
        return self._lease(tx, step.task, handler, now)

    def _do(
        self,
        tx: Transaction,
        found: Claimed,
        do: Callable[[Transaction, Task, Instant], Outcome],
        retry: Retry,
        now: Instant,
    ) -> None:
        # An attempt counts when it is kept; one that raises has never been.
        trying = replace(found, task=replace(found.task, attempt=found.task.attempt + 1))
        try:
            with writing.tentative(tx):
                outcome = do(tx, trying.task, now)
        except Exception as error:
            self._failed(tx, found, error, retry, now)
        else:
            self._finish(tx, trying, outcome, now)

    def _lease(
        self, tx: Transaction, found: Claimed, handler: Outside, now: Instant
    ) -> _Call | None:
        """Takes the task for this worker; None when its workers died too often already."""
        failures = found.failures
        if found.task.state in _LEASED:
            failures += 1
            attempts = handler.patience(tx, found.task).attempts
            if attempts is not None and failures >= attempts:
                self._hold(tx, found, f"no answer within the lease, {failures} times")
                return None
        state = TaskState.UNDO_LEASED if found.task.undoing else TaskState.LEASED
        writing.lease(
            tx,
            found.task,
            state,
            until=now + handler.lease,
            owner=self._owner,
            failures=failures,
            now=now,
        )
        attempt = found.task.attempt + 1
        leased = replace(found, task=replace(found.task, state=state, attempt=attempt))
        return _Call(leased, handler)

    # --- an outside call: no transaction is open ------------------------------------------------

    def _make(self, call: _Call) -> _Call | None:
        """Makes the call, records its answer, and goes on with the same plan."""
        leased = call.claimed.task
        answer: Json = None
        error: Exception | None = None
        try:
            answer = call.handler.call(leased, self._clock.now())
        except Exception as raised:
            error = raised
        with self._begin() as tx:
            now = self._clock.now()
            current = reading.reclaim(tx, leased.plan, leased.id)
            if current is None or current.task.attempt != leased.attempt:
                return None  # the lease ran out and another worker has taken over
            if current.task.state not in _LEASED:
                return None
            if error is None:
                error = self._record(tx, current, call, answer, now)
            if error is not None:
                retry = call.handler.patience(tx, current.task)
                self._failed(tx, current, error, retry, now)
            return self._advance(tx, reading.next_step(tx, leased.plan, now), now)

    def _record(
        self, tx: Transaction, current: Claimed, call: _Call, answer: Json, now: Instant
    ) -> Exception | None:
        try:
            with writing.tentative(tx):
                outcome = call.handler.record(tx, call.claimed.task, answer, now)
        except Exception as error:
            return error
        unheard = current.heard != call.claimed.heard
        self._finish(tx, current, outcome, now, unheard=unheard)
        return None

    # --- what becomes of a task -----------------------------------------------------------------

    def _finish(
        self,
        tx: Transaction,
        found: Claimed,
        outcome: Outcome,
        now: Instant,
        *,
        unheard: bool = False,
    ) -> None:
        """unheard: a message came while the call was being made, so it is run again at once."""
        task = found.task
        if found.late:
            self._join_way_back(tx, found, now, outcome)
        elif isinstance(outcome, Done) and task.undoing:
            writing.move(tx, task, TaskState.UNDONE, output=outcome.output, finished_at=now)
            writing.release_undo(tx, task.plan, now)
        elif isinstance(outcome, Done):
            writing.finish(tx, task, outcome.output, now)
        else:
            until = found.wait_until or outcome.until
            if now >= until and not unheard:
                words = f"waited until {until:%Y-%m-%d %H:%M} for an answer"
                self._hold(tx, found, words, output=outcome.output)
                return
            waiting = TaskState.UNDO_WAITING if task.undoing else TaskState.WAITING
            writing.move(
                tx,
                task,
                self._ready(found) if unheard else waiting,
                run_at=now if unheard else min(outcome.check_at, until),
                output=outcome.output,
                wait_until=until,
            )

    def _join_way_back(
        self, tx: Transaction, found: Claimed, now: Instant, outcome: Outcome | None = None
    ) -> None:
        """The plan was turned back while this task was being done; outcome None: unknown."""
        output = None if outcome is None else outcome.output
        done = isinstance(outcome, Done)
        writing.join_way_back(tx, found.task, done=done, output=output, now=now)
        writing.release_undo(tx, found.task.plan, now)

    def _failed(
        self, tx: Transaction, found: Claimed, error: Exception, retry: Retry, now: Instant
    ) -> None:
        task = found.task
        code = error.code if isinstance(error, HansaError) else "fault"
        words = f"{code}: {error.words if isinstance(error, HansaError) else repr(error)}"
        log.warning(
            "task failed",
            extra={
                "task": task.id,
                "kind": found.handler,
                "plan": task.plan,
                "trace": task.trace,
                "reason": code,
                "words": words,
            },
            exc_info=None if isinstance(error, HansaError) else error,
        )
        if isinstance(error, Refused) and not task.undoing and not found.closing:
            writing.move(tx, task, TaskState.FAILED, error=words, finished_at=now)
            if found.turned_back:
                writing.release_undo(tx, task.plan, now)
            else:
                course.turn_back(tx, task.plan, now)
        elif found.late:
            self._join_way_back(tx, found, now)
        else:
            self._again(tx, found, error, words, retry, now)

    def _again(
        self,
        tx: Transaction,
        found: Claimed,
        error: Exception,
        words: str,
        retry: Retry,
        now: Instant,
    ) -> None:
        """Another try after a while, or a person when it was tried or waited for enough."""
        failures = found.failures + 1
        attempts = retry.attempts if isinstance(error, TryLater) else SURPRISES_MAX
        tried = attempts is not None and failures >= attempts
        if tried or (found.wait_until is not None and now >= found.wait_until):
            self._hold(tx, found, words)
            return
        wait = retry.wait(failures)
        if isinstance(error, TryLater) and error.after_s is not None:
            wait = max(wait, timedelta(seconds=error.after_s))
        writing.move(
            tx,
            found.task,
            self._ready(found),
            run_at=now + wait,
            error=words,
            failures=failures,
            wait_until=found.wait_until,
        )

    def _hold(self, tx: Transaction, found: Claimed, error: str, *, output: Json = None) -> None:
        """A person has to look; the rest of the plan goes on."""
        held = TaskState.UNDO_HELD if found.task.undoing else TaskState.HELD
        writing.move(tx, found.task, held, error=error, output=output)
        course.hold(tx, found.task.plan)

    @staticmethod
    def _ready(found: Claimed) -> TaskState:
        return TaskState.UNDO_READY if found.task.undoing else TaskState.READY


def _heard(handler: Outside, found: Claimed) -> Json:
    """The answer to a call that need not be made any more."""
    if handler.heard is None or found.task.state in _LEASED:
        return None
    try:
        return handler.heard(found.task)
    except Exception:
        return None  # what the call comes to is recorded with the task
