"""What rooms may ask of plans, and what a person may do to one that is stuck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import PlanId, TaskId, TraceId
from hansa.foundation.plan import store
from hansa.foundation.plan.model import PLAN_STATES, Plan, PlanState, Step, TaskState
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

    Raises ValueError when a step comes after one that the plan does not have, or has no end.
    """
    known: set[TaskId] = set()
    for step in steps:
        if not set(step.after) <= known:
            raise ValueError(f"{step.id} comes after a step that is not written before it")
        known.add(step.id)
    store.insert(tx, plan_id, subject, kind, trace, steps, now)
    store.notify(tx)


def wake(tx: Transaction, *, task: TaskId, message: Json, now: Instant) -> bool:
    """Gives a task the message it may wait for. False when there is no such task.

    A message that comes before the task waits is kept for it; the last one counts.
    """
    plan = store.plan_of(tx, task)
    if plan is None:
        return False
    store.lock(tx, plan)
    store.hear(tx, task, message, now)
    store.notify(tx)
    return True


def of_subject(tx: Transaction, *, subject: str) -> Plan | None:
    """The newest plan about this subject, with its tasks."""
    found = list(store.plans(tx, "subject = %s", (subject,)))
    return found[-1] if found else None


def fallout(tx: Transaction) -> Sequence[Plan]:
    """Every plan in which a task is held for a person, the oldest first."""
    return list(store.plans(tx, "state = %s", (PlanState.HELD,)))


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
    held = _held(tx, task)
    store.set_body(tx, task, dict(body))
    store.note_intervention(tx, held.task.plan, task, "repair", by, why, dict(held.task.body), now)


def resume(tx: Transaction, *, task: TaskId, by: str, why: str, now: Instant) -> None:
    """Lets a held task try again, as if for the first time."""
    held = _held(tx, task)
    back = TaskState.UNDO_READY if held.task.undoing else TaskState.READY
    store.move(tx, task, back, run_at=now)
    store.note_intervention(tx, held.task.plan, task, "resume", by, why, None, now)
    _leave_held(tx, held.task.plan)
    store.notify(tx)


def by_hand(
    tx: Transaction, *, task: TaskId, output: Json, by: str, why: str, now: Instant
) -> None:
    """Takes a held task as done (or as undone), because a person has seen to it.

    The engine takes the recorded output at its next turn and goes on from there.
    """
    held = _held(tx, task)
    store.note_intervention(tx, held.task.plan, task, "by-hand", by, why, held.task.output, now)
    if held.task.undoing:
        store.move(tx, task, TaskState.UNDONE, finished_at=now)
        store.release_undo(tx, held.task.plan, now)
    else:
        store.move(tx, task, TaskState.DONE, output=output, finished_at=now)
        store.release_successors(tx, held.task.plan, task, now)
    _leave_held(tx, held.task.plan)
    settle(tx, held.task.plan, now)
    store.notify(tx)


def cancel(tx: Transaction, *, plan: PlanId, by: str, why: str, now: Instant) -> bool:
    """Begins to undo a plan that still runs. False when it is already over or on its way back."""
    state = store.lock(tx, plan)
    if state is None:
        raise NotFound("plan-unknown", f"There is no plan {plan}.", field="plan")
    if state not in (PlanState.RUNNING, PlanState.HELD):
        return False
    store.note_intervention(tx, plan, None, "cancel", by, why, None, now)
    turn_back(tx, plan, now)
    store.notify(tx)
    return True


def turn_back(tx: Transaction, plan: PlanId, now: Instant) -> None:
    """Starts compensation in a plan that this transaction has locked."""
    store.set_plan(tx, plan, PlanState.UNDOING, None)
    store.turn_back(tx, plan)
    store.release_undo(tx, plan, now)
    settle(tx, plan, now)


def settle(tx: Transaction, plan: PlanId, now: Instant) -> None:
    """Ends a plan that has nothing left to do, or sets its closing tasks going."""
    state = store.lock(tx, plan)
    counts = store.open_tasks(tx, plan)
    if counts.get("held", 0) or counts.get("undo-held", 0):
        if state is not PlanState.HELD and PLAN_STATES.may(state or PlanState.DONE, PlanState.HELD):
            store.set_plan(tx, plan, PlanState.HELD, None)
        return
    if state is PlanState.RUNNING:
        if not set(counts) - {"done", "closing"}:
            store.skip_closing(tx, plan)
            store.set_plan(tx, plan, PlanState.DONE, now)
    elif state is PlanState.UNDOING:
        if set(counts) - {"done", "undone", "failed", "skipped", "closing"}:
            return
        if counts.get("closing", 0):
            store.start_closing(tx, plan, now)
        else:
            store.set_plan(tx, plan, PlanState.UNDONE, now)


def _held(tx: Transaction, task: TaskId) -> store.Claimed:
    plan = store.plan_of(tx, task)
    if plan is None:
        raise NotFound("task-unknown", f"There is no task {task}.", field="task")
    store.lock(tx, plan)
    found = store.claimed(tx, task)
    assert found is not None
    if found.task.state not in (TaskState.HELD, TaskState.UNDO_HELD):
        raise Refused(
            "task-not-held",
            f"Task {task} is {found.task.state}; only a held task can be repaired or resumed.",
            field="task",
        )
    return found


def _leave_held(tx: Transaction, plan: PlanId) -> None:
    counts = store.open_tasks(tx, plan)
    if not counts.get("held", 0) and not counts.get("undo-held", 0):
        undoing = any(state.startswith("undo") for state in counts)
        store.set_plan(tx, plan, PlanState.UNDOING if undoing else PlanState.RUNNING, None)


def nudge(tx: Transaction) -> None:
    """Wakes the workers of this node when the transaction commits: a room has work to take."""
    store.notify(tx)


def of_task(tx: Transaction, *, task: TaskId) -> Plan | None:
    """The plan that this task belongs to."""
    return next(store.plans(tx, "id = (select plan from plan_task where id = %s)", (task,)), None)


def counts(tx: Transaction) -> Mapping[str, int]:
    """How many tasks are in each state, those of ended plans apart; for metrics."""
    return store.counts(tx)
