"""Runs the tasks of plans. Kill it anywhere: nothing is lost and nothing is done twice.

One turn locks one plan, runs what can be run inside the transaction, leases the outside call
that comes next, and commits. The call is then made with no transaction open; its answer is
recorded in the next transaction, if the lease is still ours.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import PlanId
from hansa.foundation.plan import course
from hansa.foundation.plan.model import (
    Done,
    Handlers,
    Inside,
    Outcome,
    Outside,
    Retry,
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


class Engine:
    """Advances every plan of one node. Any number of engines may run on the same database.

    owner: the number under which this worker holds its advisory lock (see free_dead_leases).
    """

    def __init__(self, begin: Begin, handlers: Handlers, clock: Clock, *, owner: int = 0) -> None:
        self._begin = begin
        self._handlers = handlers
        self._clock = clock
        self._owner = owner

    def run_one(self) -> bool:
        """Takes the plan that is due longest one turn further. False when nothing is due."""
        with self._begin() as tx:
            busy, call = self._take(tx)
        while call is not None:
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
        plan = reading.lock_due_plan(tx, now)
        if plan is None:
            return False, None
        return True, self._advance(tx, plan, now)

    def _advance(self, tx: Transaction, plan: PlanId, now: Instant) -> _Call | None:
        """Runs due inside tasks of a locked plan; leases and returns the first outside one."""
        while True:
            found = reading.due(tx, plan, now)
            if found is None:
                if course.settle(tx, plan, now):
                    continue
                return None
            handler = self._handlers.get(found.handler)
            if found.late:
                # Its worker died in the middle. Its undo finds out whether the call was made.
                self._join_way_back(tx, found, now)
            elif handler is None:
                self._hold(tx, found, f"no handler for {found.handler}")
            elif isinstance(handler, Inside):
                self._run_inside(tx, found, handler, now)
            elif (call := self._lease(tx, found, handler, now)) is not None:
                return call

    def _run_inside(self, tx: Transaction, found: Claimed, handler: Inside, now: Instant) -> None:
        # An attempt counts when it is kept; one that raises has never been.
        trying = replace(found, task=replace(found.task, attempt=found.task.attempt + 1))
        try:
            with writing.tentative(tx):
                outcome = handler.do(tx, trying.task, now)
        except Exception as error:
            self._failed(tx, found, error, Retry(), now)
        else:
            self._finish(tx, trying, outcome, now)

    def _lease(
        self, tx: Transaction, found: Claimed, handler: Outside, now: Instant
    ) -> _Call | None:
        """Takes the task for this worker; None when its workers died too often already."""
        failures = found.failures
        if found.task.state in _LEASED:
            failures += 1
            attempts = handler.retry.attempts
            if attempts is not None and failures >= attempts:
                self._hold(tx, found, f"no answer within the lease, {failures} times")
                return None
        state = TaskState.UNDO_LEASED if found.task.undoing else TaskState.LEASED
        attempt = writing.lease(
            tx,
            found.task,
            state,
            until=now + handler.lease,
            owner=self._owner,
            failures=failures,
            now=now,
        )
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
            reading.lock(tx, leased.plan)
            current = reading.claimed(tx, leased.id)
            if current is None or current.task.attempt != leased.attempt:
                return None  # the lease ran out and another worker has taken over
            if current.task.state not in _LEASED:
                return None
            if error is None:
                error = self._record(tx, current, call, answer, now)
            if error is not None:
                self._failed(tx, current, error, call.handler.retry, now)
            return self._advance(tx, leased.plan, now)

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
