"""What a plan is made of, and the two kinds of handler that run its tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from hansa.foundation.documents import Json
from hansa.foundation.ids import PlanId, TaskId, TraceId
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

CHANNEL = "hansa_work"
"""The NOTIFY channel on which a commit says that there is something to do."""

ROOM = "room"
"""What it says when a room has something to take; it says nothing more when a task is due."""

LEASE_LOCKS = 7210
"""The advisory-lock class under which each living worker holds its own number."""


class TaskState(StrEnum):
    """pending: waits for other tasks. ready: may run at `run_at`. leased: its outside call is
    being made. waiting: for a message. held: a person must look. undo-…: the way back.
    """

    PENDING = "pending"
    READY = "ready"
    LEASED = "leased"
    WAITING = "waiting"
    DONE = "done"
    HELD = "held"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNDO_PENDING = "undo-pending"
    UNDO_READY = "undo-ready"
    UNDO_LEASED = "undo-leased"
    UNDO_WAITING = "undo-waiting"
    UNDO_HELD = "undo-held"
    UNDONE = "undone"


class PlanState(StrEnum):
    """held: at least one task waits for a person (the fallout queue)."""

    RUNNING = "running"
    HELD = "held"
    UNDOING = "undoing"
    DONE = "done"
    UNDONE = "undone"


PLAN_STATES = StateGraph(
    thing="plan",
    start=PlanState.RUNNING,
    moves={
        PlanState.RUNNING: frozenset({PlanState.HELD, PlanState.UNDOING, PlanState.DONE}),
        PlanState.HELD: frozenset({PlanState.RUNNING, PlanState.UNDOING}),
        PlanState.UNDOING: frozenset({PlanState.HELD, PlanState.UNDONE}),
        PlanState.DONE: frozenset(),
        PlanState.UNDONE: frozenset(),
    },
)


@dataclass(frozen=True, slots=True)
class Step:
    """A task as it is written into a plan.

    kind: which handler does it. undo: which handler takes it back, None when there is
    nothing to take back; it may have to find out whether there is (see Outside). after: the
    tasks that must be done first. closing: runs once everything else has been undone, and
    never when all goes well.
    """

    id: TaskId
    kind: str
    body: Mapping[str, Json]
    after: tuple[TaskId, ...] = ()
    undo: str | None = None
    label: str = ""
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A task as its handler sees it.

    id is the idempotency key of any outside call. output: what the last run recorded, None
    at the first; an undo begins with what was recorded on the way forward. message: the last
    one that it heard in this direction. attempt: 1 at the first try; an inside try that
    raised does not count. undoing: the handler was chosen by `undo`.
    """

    id: TaskId
    plan: PlanId
    subject: str
    kind: str
    body: Mapping[str, Json]
    output: Json
    message: Json
    attempt: int
    trace: TraceId
    undoing: bool
    state: TaskState
    label: str = ""
    error: str = ""
    run_at: Instant | None = None
    finished_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan and its tasks, for people who look. subject: e.g. the id of the order."""

    id: PlanId
    subject: str
    kind: str
    state: PlanState
    trace: TraceId
    made_at: Instant
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many plans of a kind have not ended. going: those that go on by themselves; overdue:
    those of them that were made at some moment or before. held: those that wait for a person.
    """

    going: int
    overdue: int
    held: int


@dataclass(frozen=True, slots=True)
class Intervention:
    """What a person did to a plan. before: the body or output that it took the place of."""

    task: TaskId | None
    act: Literal["repair", "resume", "cancel", "by-hand"]
    by: str
    why: str
    before: Json
    at: Instant


@dataclass(frozen=True, slots=True)
class Done:
    """The task is finished; output is kept for its successors and its undo."""

    output: Json = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The task waits for a message to its id. It is run again when one comes, at the latest
    at check_at (the safety net). After `until` it is held for a person.
    """

    check_at: Instant
    until: Instant
    output: Json = None


Outcome = Done | Wait


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently an outside call is tried again after TryLater.

    The n-th retry waits first_s x 2**(n-1), at most max_s, or longer if the TryLater says so.
    attempts None: for ever. A lease that runs out without an answer counts as an attempt.
    """

    first_s: float = 0.2
    max_s: float = 30.0
    attempts: int | None = 12

    def wait(self, attempt: int) -> timedelta:
        """How long to wait after the attempt of this number, counted from 1."""
        return timedelta(seconds=min(self.max_s, self.first_s * 2 ** min(attempt - 1, 30)))

    def within(self, time: timedelta) -> Retry:
        """As patient, but no longer than about this time."""
        attempts, waited = 1, timedelta()
        while waited < time:
            waited += self.wait(attempts)
            attempts += 1
        return replace(self, attempts=attempts)


Patience = Callable[[Transaction, Task], Retry]
"""How often a task is tried again, where that depends on what it is about."""


@dataclass(frozen=True, slots=True)
class Inside:
    """Done inside the transaction that marks the task done: exactly once by construction.

    What it wrote is rolled back when it raises; then Refused has the plan undone, anything
    else is tried again as after TryLater, three times at most if it is unforeseen.
    """

    do: Callable[[Transaction, Task, Instant], Outcome]


@dataclass(frozen=True, slots=True)
class Outside:
    """An outside call under a lease, with no transaction open, then a record of its answer.

    call may run more than once with the same task id; record runs once, fenced by attempt,
    in the transaction that marks the task done. Either raises TryLater to be tried again,
    and Refused to say that nothing of this task stands and that the plan is to be undone;
    anything else is held for a person after three tries.

    heard: the answer, when what the task was told says all that a call would; else None. Then
    no call is made, and the answer is recorded in the transaction that took the task.

    When a plan is undone while a call is on its way and its worker dies, the answer is never
    known: the undo then sees the output of an earlier run or None, and asks by the same key.
    """

    call: Callable[[Task, Instant], Json]
    record: Callable[[Transaction, Task, Json, Instant], Outcome]
    retry: Retry | Patience = field(default_factory=Retry)
    lease: timedelta = timedelta(seconds=30)
    heard: Callable[[Task], Json] | None = None

    def patience(self, tx: Transaction, task: Task) -> Retry:
        """How often this task is tried again."""
        return self.retry if isinstance(self.retry, Retry) else self.retry(tx, task)


Handler = Inside | Outside
Handlers = Mapping[str, Handler]
