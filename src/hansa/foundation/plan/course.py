"""How a plan goes on from where it stands: what the engine and people's actions share.

Every function expects that its transaction has locked the plan.
"""

from __future__ import annotations

from hansa.foundation.ids import PlanId
from hansa.foundation.plan.model import PLAN_STATES, PlanState, TaskState
from hansa.foundation.plan.store import reading, writing
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

_HELD = frozenset({TaskState.HELD, TaskState.UNDO_HELD})
_TAKEN_BACK = frozenset({TaskState.DONE, TaskState.UNDONE, TaskState.FAILED, TaskState.SKIPPED})


def turn_back(tx: Transaction, plan: PlanId, now: Instant) -> None:
    """Starts compensation: what was done is undone, what came last first."""
    writing.turn_back(tx, plan)
    writing.release_undo(tx, plan, now)


def hold(tx: Transaction, plan: PlanId) -> None:
    """Shows at once that a task is held, though others may still be moving."""
    writing.set_plan(tx, plan, PlanState.HELD)


def settle(
    tx: Transaction, plan: PlanId, now: Instant, *, found: reading.Standing | None = None
) -> bool:
    """Brings the state of a plan into line with its tasks, once none of them can move.

    Held while a task is; over when everything is done, or undone and its closing tasks done.
    found: how it stands, if that has just been read. True when closing tasks were set going.
    """
    found = found or reading.standing(tx, plan)
    if found.state in PLAN_STATES.ends:
        return False
    going = PlanState.UNDOING if found.turned_back else PlanState.RUNNING
    if (found.tasks | found.closing) & _HELD:
        going = PlanState.HELD
    elif not found.turned_back and found.tasks <= {TaskState.DONE}:
        writing.end_plan(tx, plan, PlanState.DONE, now)
        return False
    elif found.turned_back and found.tasks <= _TAKEN_BACK:
        if found.closing <= {TaskState.DONE}:
            writing.end_plan(tx, plan, PlanState.UNDONE, now)
            return False
        if TaskState.PENDING in found.closing and writing.start_closing(tx, plan, now):
            return True
    if going is not found.state:
        writing.set_plan(tx, plan, going)
    return False
