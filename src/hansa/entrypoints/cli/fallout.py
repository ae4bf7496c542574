"""What a person may do about a plan that is stuck; these are commands of `hansa order`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    NodeDir,
    Why,
    opened,
    settings_of,
    who,
)

if TYPE_CHECKING:
    from hansa.foundation.documents import Json
    from hansa.foundation.ids import TaskId
    from hansa.foundation.plan.model import Plan, Task
    from hansa.foundation.transaction import Transaction

TaskArgument = Annotated[
    str, typer.Argument(metavar="TASK", help="The held task, as `hansa order fallout` lists it.")
]


def fallout(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List every plan in which a task is held for a person, the oldest first.

    Notices that were given up are listed by `hansa partner notices`.
    """
    from hansa.federation import notices
    from hansa.foundation.plan import actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.fallout(tx, besides=(notices.KIND,))
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Held for a person",
        ("about", "plan", "task", "what", "kind", "tries>", "why", "input"),
        [
            (
                plan.subject,
                plan.id,
                task.id,
                task.label,
                task.kind,
                task.attempt,
                task.error,
                task.body,
            )
            for plan in found
            for task in plan.tasks
            if _held(task)
        ],
    )


def repair(
    task: TaskArgument,
    chosen: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help="Other input; JSON or text.")
    ],
    why: Why,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Give a held task other input. It stays held until `hansa order resume`."""
    from hansa.foundation.ids import TaskId
    from hansa.foundation.plan import actions

    wanted = {name: _value(value) for name, value in settings_of(chosen, option="--set").items()}
    with opened(node) as ours, ours.begin() as tx:
        actions.repair_some(
            tx, task=TaskId(task), changed=wanted, by=who(by), why=why, now=ours.clock.now()
        )
        after = _plan(tx, TaskId(task))
    _tell(after, as_json=as_json)


def resume(
    task: TaskArgument,
    why: Why,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Let a held task try again, as if for the first time."""
    from hansa.foundation.ids import TaskId
    from hansa.foundation.plan import actions

    with opened(node) as ours, ours.begin() as tx:
        actions.resume(tx, task=TaskId(task), by=who(by), why=why, now=ours.clock.now())
        after = _plan(tx, TaskId(task))
    _tell(after, as_json=as_json)


def by_hand(
    task: TaskArgument,
    why: Why,
    output: Annotated[
        str, typer.Option(metavar="JSON", help="What the task is to have found; else as recorded.")
    ] = "",
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Take a held task as done (or as undone), because a person has seen to it."""
    from hansa.foundation.errors import Refused
    from hansa.foundation.ids import TaskId
    from hansa.foundation.plan import actions

    try:
        found = json.loads(output) if output else None
    except ValueError as error:
        raise Refused("malformed", f"--output is not JSON: {error}.", field="output") from None
    with opened(node) as ours, ours.begin() as tx:
        actions.by_hand(
            tx,
            task=TaskId(task),
            output=found,
            by=who(by),
            why=why,
            now=ours.clock.now(),
        )
        after = _plan(tx, TaskId(task))
    _tell(after, as_json=as_json)


def cancel(
    order: Annotated[str, typer.Argument(metavar="ID", help="The order: ord_…")],
    why: Why,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Take an order back that is on its way: what was done for it is undone, step by step.

    Its buyer owes nothing for that. For a customer's own wish, use `hansa order cease`.
    """
    from hansa.foundation.ids import OrderId
    from hansa.lifecycle.delivery import actions

    with opened(node) as ours, ours.begin() as tx:
        now = ours.clock.now()
        after = actions.cancel(
            tx, us=ours.us.id, order_id=OrderId(order), by=who(by), why=why, now=now
        )
    _tell(after, as_json=as_json)


def _held(task: Task) -> bool:
    return task.state.endswith("held")


def _plan(tx: Transaction, task: TaskId) -> Plan:
    from hansa.foundation.errors import NotFound
    from hansa.foundation.plan import actions

    plan = actions.of_task(tx, task=task)
    if plan is None:
        raise NotFound("task-unknown", f"There is no task {task}.", field="task")
    return plan


def _value(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _tell(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        render.as_json(plan)
        return
    render.facts(f"Plan {plan.id}", {"about": plan.subject, "state": plan.state})
    render.table(
        "Tasks",
        ("task", "what", "kind", "state", "tries>", "why"),
        [(one.id, one.label, one.kind, one.state, one.attempt, one.error) for one in plan.tasks],
    )
