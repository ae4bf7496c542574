"""What others may ask or tell delivery."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from hansa.federation.contract import (
    AgreementRef,
    Charged,
    OrderState,
    Progress,
    Provided,
    QuoteLine,
    Seller,
)
from hansa.federation.mandate import Mandate
from hansa.federation.papers import OrderMoved
from hansa.federation.shelf import Cancellation, Extras, Page, ShelfOrder
from hansa.foundation import documents
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import OrderId, PartyId, TraceId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Plan, Task
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.delivery import rules
from hansa.lifecycle.delivery.model import CEASE, SUPPLY, Listed, Trace
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState, Spell, Support
from hansa.lifecycle.order.actions import ending, orders
from hansa.lifecycle.order.model import FINAL_STATES, KeptOrder
from hansa.lifecycle.quote.actions import quotes
from hansa.lifecycle.quote.model import KeptQuote


def progress(
    tx: Transaction, *, us: PartyId, order_id: OrderId, buyer: PartyId | None = None
) -> Progress:
    """How far an order is, as its buyer may see it. Raises NotFound `order-unknown`."""
    kept = orders.get(tx, us=us, order_id=order_id, buyer=buyer)
    return _progress(tx, kept)


def _progress(tx: Transaction, kept: KeptOrder) -> Progress:
    order = kept.order
    cancelled = order.state is OrderState.CANCELLED
    charged = ending.charged(tx, order_id=order.id) if cancelled else None
    return rules.progress(kept, plans.of_subject(tx, subject=order.id), charged)


def shelf_order(
    tx: Transaction, *, us: PartyId, order_id: OrderId, buyer: PartyId | None = None
) -> ShelfOrder:
    """One order line by line, as its buyer may see it. Raises NotFound `order-unknown`."""
    kept = orders.get(tx, us=us, order_id=order_id, buyer=buyer)
    return _on_the_shelf(tx, us, [kept])[0]


def shelf_orders(
    tx: Transaction,
    *,
    us: PartyId,
    buyer: PartyId | None = None,
    state: OrderState | None = None,
    open_only: bool = False,
    offset: int = 0,
    limit: int,
) -> Page[ShelfOrder]:
    """Orders of one buyer or of all, line by line, the newest first; open_only: none that is over.

    A state says more than that, and goes before it.
    """
    if state not in UNDER_WAY:
        states = tuple(set(OrderState) - FINAL_STATES) if open_only else None
        states = states if state is None else (state,)
        found = orders.page(tx, us=us, buyer=buyer, states=states, offset=offset, limit=limit)
        return Page(_on_the_shelf(tx, us, found.things), found.total)
    kept = orders.page(
        tx, us=us, buyer=buyer, states=(OrderState.IN_PROGRESS,), limit=UNDER_WAY_MAX
    )
    looked = [one for one in _on_the_shelf(tx, us, kept.things) if one.progress.state is state]
    return Page(looked[offset : offset + limit], len(looked))


UNDER_WAY = (OrderState.IN_PROGRESS, OrderState.HELD)
"""Which of the two an order is in is told by its plan."""

UNDER_WAY_MAX = 1000
"""How many of them are looked at."""

PLANS = ("order", "cease")
"""The kinds of plans by which orders are delivered."""


def _on_the_shelf(tx: Transaction, us: PartyId, kept: Sequence[KeptOrder]) -> Sequence[ShelfOrder]:
    ids = [one.order.id for one in kept]
    if not ids:
        return ()
    extras = orders.extras(tx, orders=ids)
    cancelled = {one.order: one for one in ending.cancellations(tx, orders=ids).things}
    return [_shown(tx, us, one, extras, cancelled) for one in kept]


def _shown(
    tx: Transaction,
    us: PartyId,
    kept: KeptOrder,
    extras: Mapping[OrderId, Extras],
    cancelled: Mapping[OrderId, Cancellation],
) -> ShelfOrder:
    order = kept.order
    progress = _progress(tx, kept)
    quote = quotes.shelf_quote(tx, quote_id=order.quote).quote
    brought: Sequence[Provided] = ()
    if kept.ends is not None:
        target = orders.get(tx, us=us, order_id=kept.ends)
        brought = rules.progress(target, plans.of_subject(tx, subject=kept.ends)).provided
    return ShelfOrder(
        order=order,
        kind=kept.kind,
        progress=progress,
        lines=rules.lines(kept, quote, progress, brought),
        currency=quote.currency,
        ended_at=kept.ended_at,
        ends=kept.ends,
        agreement=quote.agreement,
        cancellation=cancelled.get(order.id),
        extras=extras.get(order.id, {}),
    )


def trace(tx: Transaction, *, us: PartyId, order_id: OrderId) -> Trace:
    """An order through all hops as far as this node may see; for its own people.

    Raises NotFound `order-unknown`.
    """
    kept = orders.get(tx, us=us, order_id=order_id)
    plan = plans.of_subject(tx, subject=order_id)
    if plan is None:
        return Trace(kept, kept.order.state, "none", (), 0)
    return Trace(
        kept=kept,
        state=rules.progress(kept, plan).state,
        plan_state=plan.state,
        legs=rules.legs(plan, plans.began(tx, plan=plan.id)),
        hops=rules.hops(plan),
    )


def trace_now(
    begin: Begin, *, us: PartyId, order_id: OrderId, sellers: Callable[[PartyId], Seller]
) -> Trace:
    """As `trace`, with what suppliers say now of the parts that are not finished.

    No transaction is open while they are asked. Of one that does not answer it is what was heard
    last, and it is named. Raises NotFound `order-unknown`.
    """
    with begin() as tx:
        found = trace(tx, us=us, order_id=order_id)
    legs, silent = [], []
    for leg in found.legs:
        told = leg
        if leg.order is not None and leg.state == "inProgress":
            try:
                progress = sellers(leg.seller).progress(leg.order)
                told = replace(leg, milestones=progress.milestones, hops=progress.hops)
            except HansaError:
                silent.append(leg.seller)
        legs.append(told)
    hops = 1 + max((leg.hops for leg in legs), default=0)
    return replace(
        found,
        legs=tuple(legs),
        hops=max(found.hops, hops),
        silent=tuple(dict.fromkeys(silent)),
    )


def listing(
    tx: Transaction,
    *,
    us: PartyId,
    buyer: PartyId | None = None,
    state: OrderState | None = None,
    text: str = "",
    offset: int = 0,
    limit: int,
) -> Page[Listed]:
    """Orders for this node's own people, the newest first. text: see `orders.page`."""
    held = frozenset(plans.held_subjects(tx, kinds=PLANS, limit=UNDER_WAY_MAX))
    found = orders.page(
        tx,
        us=us,
        buyer=buyer,
        states=None if state is None else (_kept_as(state),),
        text=text,
        among=sorted(held) if state is OrderState.HELD else None,
        besides=sorted(held) if state is OrderState.IN_PROGRESS else (),
        offset=offset,
        limit=limit,
    )
    return Page(
        [
            Listed(
                kept,
                rules.listed_as(kept.order, held),
                quotes.get(tx, quote_id=kept.order.quote).quote.lines,
            )
            for kept in found.things
        ],
        found.total,
    )


def _kept_as(state: OrderState) -> OrderState:
    return OrderState.IN_PROGRESS if state in UNDER_WAY else state


def stamps(tx: Transaction, *, ids: Collection[str]) -> Mapping[str, str]:
    """A short text for each order, another one when anything that `trace` shows has changed."""
    moved, planned = orders.stamps(tx, orders=ids), plans.stamps(tx, subjects=ids)
    return {id: f"{stamp} {planned.get(id, '')}" for id, stamp in moved.items()}


def cancel(
    tx: Transaction, *, us: PartyId, order_id: OrderId, by: str, why: str, now: Instant
) -> Plan:
    """Takes an order back that is on its way: what was done for it is undone, step by step, and its
    buyer owes nothing. by: the person of ours. Returns its plan.

    Raises NotFound `order-unknown`, TryLater `order-not-begun`, Refused `order-not-cancellable`.
    """
    kept = orders.get(tx, us=us, order_id=order_id)
    plan = plans.of_subject(tx, subject=kept.order.id)
    if plan is None:
        raise TryLater(
            "order-not-begun", f"Work on order {order_id} has not begun; try again.", field="id"
        )
    if not plans.cancel(tx, plan=plan.id, by=by, why=why, now=now):
        raise Refused(
            "order-not-cancellable",
            f"Order {order_id} is {plan.state}; only one on its way can be cancelled.",
            field="id",
        )
    after = plans.of_subject(tx, subject=kept.order.id)
    assert after is not None
    return after


def unheard(tx: Transaction, *, since: Instant) -> bool:
    """Whether a seller may have delivered or ended something before that moment that we do not
    know of: we have asked it to, and have not heard how far it is from that moment on.

    What is held for a person does not count; nobody knows how long that takes.
    """
    asked = plans.moving(tx, kinds=(SUPPLY, CEASE))
    return any(rules.is_unheard(task, since) for task in asked)


def hear_order(
    tx: Transaction, *, us: PartyId, sender: PartyId, notice: OrderMoved, now: Instant
) -> None:
    """A seller says that an order of ours has moved: the task that placed it goes on.

    Raises Refused `order-not-yours` when the key is not of an order that we placed with the
    sender. The same notice again changes nothing.
    """
    task = rules.task_of(notice.progress.key)
    message = documents.write(notice.progress)
    if not plans.told(tx, task=task, seller=sender, message=message, now=now):
        raise Refused(
            "order-not-yours",
            f"{us} has placed no order with {sender} under that key.",
            field="key",
        )


# --- what sellers have done, entered as their tasks are recorded ---------------------------------


def enter(tx: Transaction, *, us: PartyId, task: Task, progress: Progress) -> None:
    """What a seller has provided is ours from the seller's own instant on."""
    kept, quote = order_and_quote(tx, us=us, task=task)
    supply = quote.supplies[task.body["supply"]]
    lines = {line.item: line for line in supply.quote.lines}
    for provided in progress.provided:
        line = lines[provided.item]
        hold(
            tx,
            line,
            ref=HoldingRef(supply.seller, provided.holding),
            buyer=us,
            agreement=supply.agreement,
            trace=kept.order.trace,
            spell=rules.spell(progress.order, line, provided.since),
            supports=(),
        )


def hold(
    tx: Transaction,
    line: QuoteLine,
    *,
    ref: HoldingRef,
    buyer: PartyId,
    agreement: AgreementRef | None,
    trace: TraceId,
    spell: Spell,
    supports: tuple[Support, ...],
) -> None:
    """Enters what a quoted line has brought: a new holding, or a change of one."""
    if line.holding is not None:
        inventory.change(tx, ref=ref, spell=spell, supports=supports)
        return
    holding = Holding(
        ref=ref,
        buyer=buyer,
        item=line.item,
        offer=line.offer,
        offer_name=line.offer_name,
        family=line.family,
        site=line.site,
        agreement=agreement,
        state=HoldingState.ACTIVE,
        trace=trace,
        spells=(spell,),
    )
    inventory.activate(tx, holding=holding, supports=supports)


def leave(
    tx: Transaction, *, us: PartyId, task: Task, brought_by: OrderId, progress: Progress
) -> None:
    """What a seller has ended is ours no longer, from the seller's own instant on."""
    _, quote = order_and_quote(tx, us=us, task=task)
    supply = quote.supplies[task.body["supply"]]
    changed = {line.item for line in supply.quote.lines if line.holding is not None}
    for ended in progress.provided:
        ref = HoldingRef(supply.seller, ended.holding)
        if ended.item in changed:
            inventory.revert(tx, ref=ref, order=brought_by, now=ended.since)
        else:
            inventory.end(tx, ref=ref, now=ended.since)


def owe(tx: Transaction, *, us: PartyId, task: Task, order_id: OrderId, charged: Charged) -> None:
    """What it costs us that the seller's order was cancelled, from the seller's own instant on."""
    _, quote = order_and_quote(tx, us=us, task=task)
    supply = quote.supplies[task.body["supply"]]
    ending.charged_by_seller(
        tx, quote=supply.quote, order_id=order_id, agreement=supply.agreement, at=charged.at
    )


def asked_to_end(tx: Transaction, *, us: PartyId, task: Task) -> Mandate | None:
    """The mandate with which we were asked for the end of what this task ends or takes back; None
    when it was a customer's wish, or nobody's but our own.
    """
    if not task.undoing:
        return orders.get(tx, us=us, order_id=OrderId(task.subject)).mandate
    wishes = orders.ceasing(tx, us=us, order_id=OrderId(task.body["order"]))
    return wishes[-1].mandate if wishes else None


def order_and_quote(tx: Transaction, *, us: PartyId, task: Task) -> tuple[KeptOrder, KeptQuote]:
    """The order that a task of its plan is about, and the quote behind it."""
    kept = orders.get(tx, us=us, order_id=OrderId(task.body["order"]))
    return kept, quotes.get(tx, quote_id=kept.order.quote)
