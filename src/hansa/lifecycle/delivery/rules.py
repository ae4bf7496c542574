"""How an order becomes a plan, and how a plan is shown: pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Literal

from hansa.federation.contract import (
    Charged,
    Milestone,
    Order,
    OrderState,
    Progress,
    Provided,
    Quote,
    QuoteLine,
)
from hansa.federation.keys import vouching
from hansa.federation.keys.vouching import Asking
from hansa.federation.mandate import Mandate
from hansa.federation.shelf import LineAction, OrderLine
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.ids import HoldingId, Ids, OrderId, PartyId, QuoteId, TaskId
from hansa.foundation.plan.model import Intervention, Plan, PlanState, Step, Task, TaskState
from hansa.foundation.time import Instant
from hansa.lifecycle.delivery.model import (
    CEASE,
    END,
    FAIL,
    PROVIDE,
    SUPPLY,
    WITHDRAW,
    Leg,
    Supplied,
)
from hansa.lifecycle.inventory.model import HoldingRef, Spell, Support
from hansa.lifecycle.order.model import KeptOrder
from hansa.lifecycle.quote.model import KeptQuote, SupplyQuote

CHECK_EVERY = timedelta(seconds=30)
"""The safety net under the seller's pushes: how often a waiting task asks by itself."""

WAIT_AT_MOST = timedelta(days=60)
"""How long a supplier may take before a person is asked."""

UNDO = "/undo"
"""What is appended to a task's id to key the order that takes back what the task ordered."""


def task_of(key: str) -> TaskId:
    """The task that placed an order under this key, or took one back."""
    return TaskId(key.removesuffix(UNDO))


def provide_steps(
    order: OrderId, kept: KeptQuote, mandate: Mandate | None, ids: Ids
) -> Sequence[Step]:
    """A supply task for each supplier's quote, lower stages first; then what we provide.

    mandate: with which we were asked for it.
    """
    steps: list[Step] = []
    stages: dict[int, list[TaskId]] = {}
    for position, supply in enumerate(kept.supplies):
        before = [task for stage, tasks in stages.items() if stage < supply.stage for task in tasks]
        parts = sorted({line.component for line in supply.lines})
        step = Step(
            id=ids.new(TaskId),
            kind=SUPPLY,
            undo=WITHDRAW,
            after=tuple(before),
            label=", ".join(parts),
            body={
                "order": order,
                "seller": supply.seller,
                "quote": supply.quote.id,
                "supply": position,
                "mandate": documents.write(mandate) if mandate else None,
                **_asking(kept, supply),
            },
        )
        stages.setdefault(supply.stage, []).append(step.id)
        steps.append(step)
    holdings = {line.item: line.holding or ids.new(HoldingId) for line in kept.quote.lines}
    steps.append(
        Step(
            id=ids.new(TaskId),
            kind=PROVIDE,
            after=tuple(step.id for step in steps),
            label="service",
            body={"order": order, "holdings": holdings},
        )
    )
    steps.append(
        Step(id=ids.new(TaskId), kind=FAIL, label="failure", closing=True, body={"order": order})
    )
    return steps


def _asking(kept: KeptQuote, supply: SupplyQuote) -> dict[str, Json]:
    """What a task needs to know to show another operator what is asked of it."""
    if supply.seller == kept.quote.seller:
        return {}
    return {"ask": documents.write(vouching.asking(supply.quote))}


def cease_steps(
    cease: OrderId, target: OrderId, kept: KeptQuote, plan: Plan, ids: Ids
) -> Sequence[Step]:
    """What was supplied is ceased, the last stage first; then our own holdings end."""
    steps: list[Step] = []
    stages: dict[int, list[TaskId]] = {}
    tasks = sorted(
        (task for task in plan.tasks if task.kind == SUPPLY),
        key=lambda task: -kept.supplies[task.body["supply"]].stage,
    )
    for task in tasks:
        supply = kept.supplies[task.body["supply"]]
        after = [done for stage, ended in stages.items() if stage > supply.stage for done in ended]
        step = Step(
            id=ids.new(TaskId),
            kind=CEASE,
            after=tuple(after),
            label=task.label,
            body={
                "order": target,
                "seller": supply.seller,
                "supply": task.body["supply"],
                "ends": supplied(task).order,
                **_asking(kept, supply),
            },
        )
        stages.setdefault(supply.stage, []).append(step.id)
        steps.append(step)
    steps.append(
        Step(
            id=ids.new(TaskId),
            kind=END,
            after=tuple(step.id for step in steps),
            label="service",
            body={"order": cease, "ends": target},
        )
    )
    return steps


def ask(task: Task) -> Asking | None:
    """What a task has asked of another operator; None of our own network."""
    return documents.read(Asking, task.body["ask"]) if "ask" in task.body else None


def supplied(task: Task) -> Supplied:
    return documents.read(Supplied, task.output)


def pushed(task: Task, order: OrderId, key: str) -> Progress | None:
    """How the order has ended, if a seller has pushed that to the task which placed it."""
    if task.message is None:
        return None
    told = documents.read(Progress, task.message)
    ended = told.state in (OrderState.COMPLETED, OrderState.FAILED, OrderState.CANCELLED)
    return told if ended and told.order == order and told.key == key else None


def is_unheard(task: Task, since: Instant) -> bool:
    """Whether it is unknown how far a seller was at that moment: it may have delivered before.

    A task that waits has had an answer one CHECK_EVERY before it asks again.
    """
    waits = task.state in (TaskState.WAITING, TaskState.UNDO_WAITING)
    return not waits or task.run_at is None or task.run_at < since + CHECK_EVERY


def spell(order: OrderId, line: QuoteLine, since: Instant) -> Spell:
    """The stretch that begins when a quoted line is provided."""
    return Spell(
        start=since,
        end=None,
        order=order,
        characteristics=line.characteristics,
        quantity=line.quantity,
        terms=line.terms,
        tax=line.tax,
    )


def supports(upper: HoldingRef, item: str, quote: KeptQuote, plan: Plan) -> tuple[Support, ...]:
    """What a holding of ours stands on, once all of its parts are supplied."""
    found = []
    for task in plan.tasks:
        if task.kind != SUPPLY:
            continue
        supply = quote.supplies[task.body["supply"]]
        by_line: Mapping[str, Provided] = {p.item: p for p in supplied(task).progress.provided}
        found += [
            Support(upper, HoldingRef(supply.seller, by_line[part.line].holding), part.metered)
            for part in supply.lines
            if part.item == item
        ]
    return tuple(found)


_SHOWN: dict[TaskState, str] = {
    TaskState.PENDING: "pending",
    TaskState.DONE: "completed",
    TaskState.HELD: "held",
    TaskState.UNDO_HELD: "held",
    TaskState.FAILED: "failed",
    TaskState.SKIPPED: "skipped",
    TaskState.UNDONE: "undone",
}


def milestones(plan: Plan, kept: KeptOrder) -> tuple[Milestone, ...]:
    """The plan as the buyer may see it; a partner, with what is known of the steps further down,
    an end customer without: whoever delivers for us names its steps as it likes.

    The last step is the order's own: it is told before its task is marked done.
    """
    shown: list[Milestone] = []
    for task in plan.tasks:
        if task.kind == FAIL:
            continue
        if task.kind in (PROVIDE, END):
            shown.append(Milestone(task.label, kept.order.state, kept.ended_at))
            continue
        shown.append(Milestone(task.label, _SHOWN.get(task.state, "inProgress"), task.finished_at))
        below = task.output if task.kind in (SUPPLY, CEASE) else None
        if below is not None and kept.by_partner:
            progress = supplied(task).progress
            shown += [Milestone(m.name, m.state, m.at, m.depth + 1) for m in progress.milestones]
    return tuple(shown)


def listed_as(order: Order, held: Collection[str]) -> OrderState:
    """The state of an order in a list. held: the orders that a person has to see to."""
    under_way = order.state is OrderState.IN_PROGRESS
    return OrderState.HELD if under_way and order.id in held else order.state


def hops(plan: Plan) -> int:
    """Sales in the chain from this one downwards, as far as has been heard."""
    heard = [supplied(t) for t in plan.tasks if t.kind in (SUPPLY, CEASE) and t.output]
    return 1 + max(((one.cease_progress or one.progress).hops for one in heard), default=0)


def progress(kept: KeptOrder, plan: Plan | None, charged: Charged | None = None) -> Progress:
    """An order as its buyer may see it: why it failed without a supplier's name or words.

    charged: what it costs that it was cancelled.
    """
    order = kept.order
    if plan is None:
        return Progress(order.id, order.key, order.state, reason=kept.reason, kind=kept.kind)
    state, reason = order.state, kept.reason
    if plan.state is PlanState.HELD and state is OrderState.IN_PROGRESS:
        state, reason = OrderState.HELD, "A person is looking into it."
    if state is OrderState.FAILED:
        failed = (task.label for task in plan.tasks if task.state is TaskState.FAILED)
        reason = f"The {next(failed, 'service')} could not be delivered."
    provided: tuple[Provided, ...] = ()
    for task in plan.tasks:
        if task.kind in (PROVIDE, END) and task.output:
            provided = documents.read(tuple[Provided, ...], task.output["provided"])
    return Progress(
        order=order.id,
        key=order.key,
        state=state,
        milestones=milestones(plan, kept),
        provided=provided,
        hops=hops(plan),
        reason=reason,
        kind=kept.kind,
        charged=charged,
    )


def lines(
    kept: KeptOrder, quote: Quote, progress: Progress, brought: Sequence[Provided]
) -> tuple[OrderLine, ...]:
    """An order line by line. quote: of the order, or of the one that it ends; brought: what
    that one had brought, for an order that ends it.
    """
    known = {one.item: one.holding for one in brought}
    done = {one.item: one for one in progress.provided}
    found = []
    for line in quote.lines:
        action: LineAction = "add" if line.holding is None else "modify"
        if kept.kind == "cease":
            action = "delete"
        became = done.get(line.item)
        holding = became.holding if became else line.holding or known.get(line.item)
        since = became.since if became else None
        found.append(OrderLine(action, line, progress.state, holding, since))
    return tuple(found)


def taken_back_by(acts: Sequence[Intervention], ceases: Sequence[KeptOrder]) -> bool:
    """Whether it was one of these orders that had the plan turned back, and not our own people."""
    wishes = {one.order.id for one in ceases}
    return any(one.act == "cancel" and one.why in wishes for one in acts)


def failure(plan: Plan) -> tuple[Literal[OrderState.FAILED, OrderState.CANCELLED], str]:
    """How a plan that was undone ended for its order: by a failed task, or by a wish."""
    for task in plan.tasks:
        if task.state is TaskState.FAILED:
            return OrderState.FAILED, task.error
    return OrderState.CANCELLED, "Cancelled before it was completed."


def legs(plan: Plan, began: Mapping[TaskId, Instant]) -> tuple[Leg, ...]:
    """The suppliers' parts of a plan, for this node's own people. began: since when each that has
    been reached could be done.
    """
    found = []
    for task in plan.tasks:
        if task.kind not in (SUPPLY, CEASE):
            continue
        known = supplied(task) if task.output else None
        found.append(
            Leg(
                task=task.id,
                label=task.label,
                seller=PartyId(task.body["seller"]),
                quote=QuoteId(task.body["quote"]) if "quote" in task.body else None,
                order=known.order if known else None,
                state=_SHOWN.get(task.state, "inProgress"),
                hops=known.progress.hops if known else 0,
                error=task.error,
                milestones=known.progress.milestones if known else (),
                since=began.get(task.id),
                until=task.finished_at,
            )
        )
    return tuple(found)
