"""Runs the tasks of plans. Kill it anywhere: nothing is lost and nothing is done twice.

One turn locks one plan, runs what can be run inside the transaction, leases the outside call
that comes next, and commits. The call is then made with no transaction open; its answer is
recorded in the next transaction, if the lease is still ours.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import PlanId
from hansa.foundation.plan import actions, store
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
from hansa.foundation.plan.store import Claimed
from hansa.foundation.time import Clock, Instant
from hansa.foundation.transaction import Begin, Transaction

log = logging.getLogger(__name__)

SURPRISES_MAX = 3
"""How often a task that fails in a way nobody foresaw is tried before it is held."""


@dataclass(frozen=True, slots=True)
class _Call:
    """An outside call that this worker has leased."""

    claimed: Claimed
    handler: Outside
    attempt: int


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
            now = self._clock.now()
            plan = store.lock_due_plan(tx, now)
            if plan is None:
                return False
            call = self._advance(tx, plan, now)
        while call is not None:
            call = self._make(call)
        return True

    def run_until_idle(self, *, turns_max: int = 10_000) -> int:
        """Turns until nothing is due now; returns how many. For tests and one-off commands."""
        turns = 0
        while self.run_one():
            turns += 1
            if turns >= turns_max:
                raise RuntimeError(f"still busy after {turns} turns")
        return turns

    def free_dead_leases(self) -> int:
        """Takes over the leases of workers that are gone; call it when a worker starts."""
        with self._begin() as tx:
            return store.free_dead_leases(tx, self._clock.now())

    def next_due(self) -> Instant | None:
        """When the next task is due, which may be now or past; None when none is."""
        with self._begin() as tx:
            return store.next_due(tx)

    def _advance(self, tx: Transaction, plan: PlanId, now: Instant) -> _Call | None:
        """Runs due inside tasks of a locked plan; leases and returns the first outside one."""
        while (found := store.due(tx, plan, now)) is not None:
            handler = self._handlers.get(found.handler)
            if handler is None:
                self._hold(tx, found, f"no handler for {found.handler}", now)
            elif isinstance(handler, Outside):
                leased = TaskState.UNDO_LEASED if found.task.undoing else TaskState.LEASED
                attempt = store.lease(tx, found.task.id, leased, now + handler.lease, self._owner)
                store.notify(tx)
                return _Call(found, handler, attempt)
            else:
                self._run_inside(tx, found, handler, now)
        return None

    def _run_inside(self, tx: Transaction, found: Claimed, handler: Inside, now: Instant) -> None:
        try:
            with store.attempt(tx):
                outcome = handler.do(tx, found.task, now)
        except Exception as error:
            self._failed(tx, found, error, Retry(), now)
        else:
            self._finish(tx, found, outcome, now)

    def _make(self, call: _Call) -> _Call | None:
        """Makes the call, records its answer, and goes on with the same plan."""
        answer: Json = None
        error: Exception | None = None
        try:
            answer = call.handler.call(call.claimed.task, self._clock.now())
        except Exception as raised:
            error = raised
        with self._begin() as tx:
            now = self._clock.now()
            plan = call.claimed.task.plan
            store.lock(tx, plan)
            current = store.claimed(tx, call.claimed.task.id)
            if current is None or current.task.attempt != call.attempt:
                return None  # the lease ran out and another worker has taken over
            if current.task.state not in (TaskState.LEASED, TaskState.UNDO_LEASED):
                return None
            if error is None:
                error = self._record(tx, current, call, answer, now)
            if error is not None:
                self._failed(tx, current, error, call.handler.retry, now)
            return self._advance(tx, plan, now)

    def _record(
        self, tx: Transaction, current: Claimed, call: _Call, answer: Json, now: Instant
    ) -> Exception | None:
        try:
            with store.attempt(tx):
                outcome = call.handler.record(tx, call.claimed.task, answer, now)
        except Exception as error:
            return error
        if not isinstance(outcome, Done) and current.heard != call.claimed.heard:
            # The message came while the call was still being made: look at it at once.
            back = TaskState.UNDO_READY if current.task.undoing else TaskState.READY
            store.move(
                tx,
                current.task.id,
                back,
                run_at=now,
                output=outcome.output,
                wait_until=current.wait_until or outcome.until,
            )
        else:
            self._finish(tx, current, outcome, now)
        return None

    def _finish(self, tx: Transaction, found: Claimed, outcome: Outcome, now: Instant) -> None:
        task = found.task
        if isinstance(outcome, Done):
            if task.undoing:
                store.move(
                    tx,
                    task.id,
                    TaskState.UNDONE,
                    output=outcome.output,
                    finished_at=now,
                )
                store.release_undo(tx, task.plan, now)
            else:
                store.move(tx, task.id, TaskState.DONE, output=outcome.output, finished_at=now)
                self._after_done(tx, found, now)
            actions.settle(tx, task.plan, now)
            return
        until = found.wait_until or outcome.until
        if now >= until:
            self._hold(tx, found, f"waited until {until:%Y-%m-%d %H:%M} for an answer", now)
            return
        store.move(
            tx,
            task.id,
            TaskState.UNDO_WAITING if task.undoing else TaskState.WAITING,
            run_at=min(outcome.check_at, until),
            output=outcome.output,
            wait_until=until,
        )
        if not task.undoing and found.turned_back:
            self._join_the_way_back(tx, task, now)

    def _after_done(self, tx: Transaction, found: Claimed, now: Instant) -> None:
        if found.turned_back:
            self._join_the_way_back(tx, found.task, now)
        else:
            store.release_successors(tx, found.task.plan, found.task.id, now)

    def _join_the_way_back(self, tx: Transaction, task: Task, now: Instant) -> None:
        """The plan was turned back while this task was being done."""
        store.turn_back(tx, task.plan)
        store.release_undo(tx, task.plan, now)

    def _failed(
        self,
        tx: Transaction,
        found: Claimed,
        error: Exception,
        retry: Retry,
        now: Instant,
    ) -> None:
        task = found.task
        words = error.words if isinstance(error, HansaError) else repr(error)
        code = error.code if isinstance(error, HansaError) else "fault"
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
        if isinstance(error, Refused) and not task.undoing:
            store.move(tx, task.id, TaskState.FAILED, error=f"{code}: {words}", finished_at=now)
            actions.turn_back(tx, task.plan, now)
            return
        if found.turned_back and not task.undoing:
            # Whether the call had its effect is unknown: undo it all the same.
            store.move(tx, task.id, TaskState.HELD, error=f"{code}: {words}")
            self._join_the_way_back(tx, task, now)
            actions.settle(tx, task.plan, now)
            return
        failures = found.failures + 1
        attempts = retry.attempts if isinstance(error, TryLater) else SURPRISES_MAX
        if attempts is not None and failures >= attempts:
            self._hold(tx, found, f"{code}: {words}", now)
            return
        wait = retry.wait(failures)
        store.move(
            tx,
            task.id,
            TaskState.UNDO_READY if task.undoing else TaskState.READY,
            run_at=now + wait,
            error=f"{code}: {words}",
            failures=failures,
            wait_until=found.wait_until,
        )

    def _hold(self, tx: Transaction, found: Claimed, error: str, now: Instant) -> None:
        held = TaskState.UNDO_HELD if found.task.undoing else TaskState.HELD
        store.move(tx, found.task.id, held, error=error)
        actions.settle(tx, found.task.plan, now)
        store.notify(tx)
