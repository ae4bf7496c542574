"""What rooms may ask of plans, and what a person may do to one that is stuck.

What changes a plan locks it. A transaction that also locks rows of its own room does so after
it: the plan always comes first, as it does for the engine, so that no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import PartyId, PlanId, TaskId, TraceId
from hansa.foundation.plan import course
from hansa.foundation.plan.model import (
    ROOM,
    Backlog,
    Intervention,
    Plan,
    PlanState,
    Step,
    Task,
    TaskState,
)
from hansa.foundation.plan.store import reading, writing
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction


def write(
    tx: Transaction,
    *,
    plan_id: PlanId,
    subject: str,
    kind: str,
    trace: TraceId,
    steps: Sequence[Step],
    now: Instant,
) -> None:
    """Writes a plan; its first tasks are ready when the transaction commits.

    Closing steps run in the order that `after` gives among them; that they come after all
    the others goes without saying. Raises ValueError for a plan with nothing to do, and for
    a step that comes after one that is not written before it or that closes the plan.
    """
    known: dict[TaskId, Step] = {}
    for step in steps:
        if not set(step.after) <= set(known):
            raise ValueError(f"{step.id} comes after a step that is not written before it")
        closing = tuple(task for task in step.after if known[task].closing)
        if closing and not step.closing:
            raise ValueError(f"{step.id} comes after a closing step")
        known[step.id] = replace(step, after=closing) if step.closing else step
    if all(step.closing for step in steps):
        raise ValueError(f"plan {plan_id} has nothing to do")
    writing.insert(tx, plan_id, subject, kind, trace, list(known.values()), now)
    writing.notify(tx)


def wake(tx: Transaction, *, task: TaskId, message: Json, now: Instant) -> bool:
    """Gives a task the message it may wait for. False when there is no such task.

    A message that comes before the task waits is kept for it; the last one counts. A task
    that is over hears nothing.
    """
    if not writing.wake(tx, task, message, now):
        return False
    writing.notify(tx)
    return True


def told(tx: Transaction, *, task: TaskId, seller: PartyId, message: Json, now: Instant) -> bool:
    """As `wake`, for what a seller says of what a task asked of it.

    False when there is no such task, or its body does not name this `seller`.
    """
    if not writing.told(tx, task, seller, message, now):
        return False
    writing.notify(tx)
    return True


def nudge(tx: Transaction) -> None:
    """Wakes the workers of this node when the transaction commits: a room has work to take."""
    writing.notify(tx, ROOM)


def of_subject(tx: Transaction, *, subject: str) -> Plan | None:
    """The newest plan about this subject, with its tasks."""
    return reading.of_subject(tx, subject)


def of_task(tx: Transaction, *, task: TaskId) -> Plan | None:
    """The plan that this task belongs to."""
    return reading.of_task(tx, task)


def moving(tx: Transaction, *, kinds: Collection[str]) -> Sequence[Task]:
    """Every task of these kinds that has been tried and goes on by itself: that is tried again,
    being done, or waiting; on its way back, too.
    """
    return reading.moving(tx, kinds)


def fallout(
    tx: Transaction, *, besides: Collection[str] = (), offset: int = 0, limit: int | None = None
) -> Sequence[Plan]:
    """Plans in which a task is held for a person, the oldest first; none of these kinds."""
    return reading.in_state(tx, PlanState.HELD, besides, offset, limit)


def stuck(tx: Transaction, *, besides: Collection[str] = ()) -> int:
    """How many plans are held for a person; none of these kinds."""
    return reading.in_state_count(tx, PlanState.HELD, besides)


def held_subjects(tx: Transaction, *, kinds: Collection[str], limit: int) -> Sequence[str]:
    """What plans of these kinds are about that are held for a person; the oldest first."""
    return reading.held_subjects(tx, kinds, limit)


def began(tx: Transaction, *, plan: PlanId) -> Mapping[TaskId, Instant]:
    """Since when each task could be done: since the last of those that it comes after was, or since
    the plan was made. None that has not been reached.
    """
    return reading.began(tx, plan)


def stamps(tx: Transaction, *, subjects: Collection[str]) -> Mapping[str, str]:
    """A short text for each subject that has a plan, another one when a task of it has moved."""
    return reading.stamps(tx, subjects)


def unended(tx: Transaction, *, kind: str) -> Sequence[Plan]:
    """Every plan of a kind that has not ended, the oldest first."""
    return reading.unended(tx, kind)


def backlog(tx: Transaction, *, kind: str, before: Instant) -> Backlog:
    """How many there are of them; overdue: those that were made then or before."""
    return reading.backlog(tx, kind, before)


def backlogs(tx: Transaction, *, kind: str, before: Instant, field: str) -> Mapping[str, Backlog]:
    """As backlog, by what the first task of each plan has in this field of its input."""
    return reading.backlogs(tx, kind, before, field)


def counts(tx: Transaction) -> Mapping[str, int]:
    """How many tasks are in each state, those of ended plans apart; for metrics."""
    return reading.counts(tx)


def open_plans(tx: Transaction) -> int:
    """How many plans have not ended, those held for a person among them."""
    return reading.open_plans(tx)


def interventions(tx: Transaction, *, plan: PlanId) -> Sequence[Intervention]:
    """What people did to a plan, in order."""
    return reading.interventions(tx, plan)


def repair(
    tx: Transaction,
    *,
    task: TaskId,
    body: Mapping[str, Json],
    by: str,
    why: str,
    now: Instant,
) -> None:
    """Gives a held task other input. It stays held until it is resumed."""
    held = _held(tx, task).task
    writing.set_body(tx, task, dict(body))
    writing.note_intervention(tx, held.plan, task, "repair", by, why, dict(held.body), now)


def repair_some(
    tx: Transaction,
    *,
    task: TaskId,
    changed: Mapping[str, Json],
    by: str,
    why: str,
    now: Instant,
) -> None:
    """As `repair`, of some of the input; the rest stays.

    Raises Refused `task-input-unknown` for what is no input of the task.
    """
    body = _held(tx, task).task.body
    unknown = sorted(set(changed) - set(body))
    if unknown:
        raise Refused(
            "task-input-unknown",
            f"The task has no input {', '.join(unknown)}; it has {', '.join(body)}.",
            field="set",
        )
    repair(tx, task=task, body={**body, **changed}, by=by, why=why, now=now)


def resume(tx: Transaction, *, task: TaskId, by: str, why: str, now: Instant) -> None:
    """Lets a held task try again, as if for the first time."""
    held = _held(tx, task).task
    back = TaskState.UNDO_READY if held.undoing else TaskState.READY
    writing.move(tx, held, back, run_at=now)
    writing.note_intervention(tx, held.plan, task, "resume", by, why, None, now)
    course.settle(tx, held.plan, now)
    writing.notify(tx)


def by_hand(
    tx: Transaction, *, task: TaskId, output: Json, by: str, why: str, now: Instant
) -> None:
    """Takes a held task as done (or as undone), because a person has seen to it.

    output is recorded as if the task had given it; None keeps what was recorded.
    """
    held = _held(tx, task).task
    writing.note_intervention(tx, held.plan, task, "by-hand", by, why, held.output, now)
    if held.undoing:
        writing.move(tx, held, TaskState.UNDONE, output=output, finished_at=now)
        writing.release_undo(tx, held.plan, now)
    else:
        # It has begun, whoever did it: should the plan turn back, it has to be undone.
        writing.finish(tx, replace(held, attempt=held.attempt + 1), output, now)
    course.settle(tx, held.plan, now)
    writing.notify(tx)


def cancel(tx: Transaction, *, plan: PlanId, by: str, why: str, now: Instant) -> bool:
    """Begins to undo a plan that still runs. False when it is already over or on its way back.

    Raises NotFound `plan-unknown`.
    """
    if not reading.lock(tx, plan):
        raise NotFound("plan-unknown", f"There is no plan {plan}.", field="plan")
    found = reading.standing(tx, plan)
    if found.turned_back or found.state is PlanState.DONE:
        return False
    writing.note_intervention(tx, plan, None, "cancel", by, why, None, now)
    course.turn_back(tx, plan, now)
    course.settle(tx, plan, now)
    writing.notify(tx)
    return True


def _held(tx: Transaction, task: TaskId) -> reading.Claimed:
    found = None if reading.lock_plan_of(tx, task) is None else reading.claimed(tx, task)
    if found is None:
        raise NotFound("task-unknown", f"There is no task {task}.", field="task")
    if found.task.state not in (TaskState.HELD, TaskState.UNDO_HELD):
        raise Refused(
            "task-not-held",
            f"Task {task} is {found.task.state}; only a held task can be repaired or resumed.",
            field="task",
        )
    return found
