"""What is stuck: tasks that wait for a person, and what a person may do about each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import OPERATIONS, Ask, change, nothing_here, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages import parties
from hansa.entrypoints.portal.pages.operations import lists
from hansa.federation import notices
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import TaskId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Plan, PlanState, Task

BESIDES = (notices.KIND,)
"""Notices that were given up are no work that is stuck; `hansa partner notices` lists them."""

INPUT = "input-"
"""What the name of a field begins with that holds one input of a task."""

PLACES = {"ord_": "/orders/", "tck_": "/tickets/"}


@dataclass(frozen=True)
class Input:
    """One input of a task as a form has it. plain: text as it is, and not JSON."""

    name: str
    value: str
    plain: bool
    long: bool


@page("/fallout", roles=OPERATIONS)
def fallout(ask: Ask) -> Response:
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        found = plans.fallout(tx, besides=BESIDES, offset=turn.offset, limit=turn.size)
        total = plans.stuck(tx, besides=BESIDES)
        names = parties.names(ask, tx)
    held = [
        (plan, task, _hands(ask, task, names))
        for plan in found
        for task in plan.tasks
        if _held(task)
    ]
    return ask.render("operations/fallout.html", held=held, total=total, turn=turn, place=_place)


@page("/fallout/{id}", roles=OPERATIONS)
def stuck(ask: Ask) -> Response:
    """One task, whether it is still held or not: somebody else may have been quicker."""
    id = TaskId(ask.path["id"])
    with ask.node.begin() as tx:
        plan = plans.of_task(tx, task=id)
        if plan is None:
            raise nothing_here()
        acts = plans.interventions(tx, plan=plan.id)
        began = plans.began(tx, plan=plan.id)
        names = parties.names(ask, tx)
    task = next(one for one in plan.tasks if one.id == id)
    return ask.render(
        "operations/stuck.html",
        plan=plan,
        task=task,
        hands=_hands(ask, task, names),
        since=began.get(id, plan.made_at),
        now=ask.now,
        acts=[act for act in acts if act.task in (id, None)],
        held=_held(task),
        place=_place(plan.subject),
        inputs=_inputs(task),
        cancels=plan.subject.startswith("ord_")
        and plan.state in (PlanState.RUNNING, PlanState.HELD)
        and not task.undoing,
        hands_of=lambda one: _hands(ask, one, names),
    )


@change("/fallout/{id}/repair", roles=OPERATIONS, again=stuck)
def repair(ask: Ask) -> Response:
    """Other input, where it is other than it was; tried again at once if that is wished."""
    id, why = TaskId(ask.path["id"]), ask.why()
    with ask.node.begin() as tx:
        plan = plans.of_task(tx, task=id)
    if plan is None:
        raise nothing_here()
    changed = _changed(ask, next(one for one in plan.tasks if one.id == id))
    if not changed:
        raise Refused("task-input-same", _("Nothing of the input was changed."), field="why")
    again = bool(ask.typed("again"))
    with ask.change("task-repaired", subject=id, why=why, details=changed) as tx:
        plans.repair_some(tx, task=id, changed=changed, by=ask.me.login, why=why, now=ask.now)
        if again:
            ask.log(tx, "task-resumed", subject=id, why=why)
            plans.resume(tx, task=id, by=ask.me.login, why=why, now=ask.now)
    said = _("Repaired; it is tried again.") if again else _("Repaired; it is held until resumed.")
    return ask.back(_onward(plan) if again else f"/fallout/{id}", said=said)


@change("/fallout/{id}/resume", roles=OPERATIONS, again=stuck)
def resume(ask: Ask) -> Response:
    id, why = TaskId(ask.path["id"]), ask.why()
    with ask.change("task-resumed", subject=id, why=why) as tx:
        plans.resume(tx, task=id, by=ask.me.login, why=why, now=ask.now)
        plan = plans.of_task(tx, task=id)
    return ask.back(_onward(plan), said=_("It is tried again, as if for the first time."))


@change("/fallout/{id}/by-hand", roles=OPERATIONS, again=stuck)
def by_hand(ask: Ask) -> Response:
    id, why = TaskId(ask.path["id"]), ask.why()
    output = _json(ask.typed("output").strip() or "null", "output")
    with ask.change("task-done-by-hand", subject=id, why=why, details=output) as tx:
        plans.by_hand(tx, task=id, output=output, by=ask.me.login, why=why, now=ask.now)
        plan = plans.of_task(tx, task=id)
    return ask.back(_onward(plan), said=_("It is taken as done; the work goes on from there."))


# --- inside ---------------------------------------------------------------------------------------


def _held(task: Task) -> bool:
    return task.state.endswith("held")


def _hands(ask: Ask, task: Task, names: Mapping[str, str]) -> str:
    """In whose hands a task is: our own network's, a partner's, or ours alone."""
    us, whose = ask.node.us.id, task.body.get("seller") or task.body.get("to")
    if whose == us:
        return _("%(us)s, own network", us=names[us])
    return names.get(str(whose), str(whose)) if whose else names[us]


def _place(subject: str) -> str:
    """Where what a plan is about has its page; empty where there is none."""
    return next((f"{path}{subject}" for id, path in PLACES.items() if subject.startswith(id)), "")


def _onward(plan: Plan | None) -> str:
    return (_place(plan.subject) if plan else "") or "/fallout"


def _inputs(task: Task) -> list[Input]:
    """What a person may change of what a task is done with; long documents come last."""
    found = [
        Input(
            name,
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
            plain=isinstance(value, str),
            long=isinstance(value, dict | list),
        )
        for name, value in task.body.items()
    ]
    return sorted(found, key=lambda one: one.long)


def _changed(ask: Ask, task: Task) -> Mapping[str, Json]:
    """The inputs that are other than they were. Raises Refused `malformed`, naming the field."""
    changed = {}
    for one in _inputs(task):
        typed = ask.typed(INPUT + one.name, one.value).strip()
        value = typed if one.plain else _json(typed, INPUT + one.name)
        if value != task.body[one.name]:
            changed[one.name] = value
    return changed


def _json(text: str, field: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("malformed", _("This is not JSON."), field=field) from None


pages = [fallout, stuck, repair, resume, by_hand]
