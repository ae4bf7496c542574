"""How orders are ended: what they brought is ceased, or they are cancelled while under way."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.federation.contract import Order, OrderState
from hansa.federation.shelf import Cancellation, CancellationState, Extras, Page
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, CancellationId, Ids, OrderId, PartyId, check_key
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.order import rules, store
from hansa.lifecycle.order.actions import orders
from hansa.lifecycle.order.model import FINAL_STATES, AskedCancellation, KeptOrder, taking_back
from hansa.lifecycle.quote import actions as quotes


def cease(
    tx: Transaction,
    *,
    us: PartyId,
    actor: Actor,
    order_id: OrderId,
    key: BuyerKey,
    ids: Ids,
    now: Instant,
    extras: Extras | None = None,
) -> Order:
    """Enters an order that ends what another brought, or cancels it while it is in progress.

    The same key gives the same order. Raises NotFound `order-unknown`; Refused
    `order-not-ceasable` for an order that brought nothing or is being ceased already.
    """
    check_key(key)
    asked = rules.request(ends=order_id)
    if (before := orders.same_key(tx, us, actor, key, asked)) is not None:
        return before
    target = orders.get(tx, us=us, order_id=order_id, buyer=actor.party)
    others = [
        o
        for o in store.ceasing(tx, us, order_id)
        if o.order.state not in (OrderState.FAILED, OrderState.CANCELLED)
    ]
    brought_nothing = target.order.state in (OrderState.FAILED, OrderState.CANCELLED)
    if target.kind == "cease" or brought_nothing or others:
        raise Refused(
            "order-not-ceasable",
            f"Order {order_id} is {'a cease' if target.kind == 'cease' else target.order.state}"
            f"{f' and being ceased by {others[0].order.id}' if others else ''}; there is nothing "
            "to cease.",
            field="order",
        )
    order = Order(
        id=ids.new(OrderId),
        seller=us,
        buyer=actor.party,
        key=key,
        quote=target.order.quote,
        state=OrderState.ACKNOWLEDGED,
        placed_at=now,
        trace=target.order.trace,
    )
    store.add(
        tx,
        KeptOrder(
            order,
            "cease",
            by_partner=target.by_partner,
            ends=order_id,
            hold=None,
            reason="",
            ended_at=None,
        ),
        asked,
    )
    if extras:
        store.add_extras(tx, order.id, extras)
    orders.tell(tx, order, "create", ids, now)
    plans.nudge(tx)
    return order


# --- cancelling ---------------------------------------------------------------------------------


def cancel(
    tx: Transaction,
    *,
    us: PartyId,
    actor: Actor,
    order_id: OrderId,
    reason: str,
    wished_for: Instant | None,
    ids: Ids,
    now: Instant,
    extras: Extras | None = None,
) -> Cancellation:
    """Has an order that is under way taken back; asked again gives the same cancellation.

    It costs what its quote says, and nothing before work on it has begun. Raises NotFound
    `order-unknown`; Refused `order-not-cancellable` for an order that is over or ends another,
    `order-not-ceasable` for one that is being ceased already.
    """
    buyer = None if actor.role == "operator" else actor.party
    target = orders.locked(tx, us, order_id, buyer)
    before = store.cancellations(tx, orders=[order_id]).things
    if before:
        return before[0]
    if target.order.state in FINAL_STATES or target.kind == "cease":
        raise Refused(
            "order-not-cancellable",
            f"Order {order_id} is {target.order.state if target.kind == 'provide' else 'a cease'}; "
            "only an order under way can be cancelled. What it brought is ended by another order.",
            field="productOrder",
        )
    cancellation = ids.new(CancellationId)
    taken_back_by = cease(
        tx,
        us=us,
        actor=Actor(target.order.buyer, actor.role),
        order_id=order_id,
        key=BuyerKey(cancellation),
        ids=ids,
        now=now,
    )
    quote = quotes.get(tx, quote_id=target.order.quote).quote
    asked = AskedCancellation(
        id=cancellation,
        order=order_id,
        taken_back_by=taken_back_by.id,
        reason=reason,
        wished_for=wished_for,
        asked_at=now,
        charge=rules.cancellation_charge(quote, target.order.state),
    )
    store.add_cancellation(tx, asked, extras or {})
    orders.tell_cancellation(tx, target, cancellation, "create", ids, now)
    return store.cancellations(tx, id=cancellation).things[0]


def cancellation(
    tx: Transaction, *, cancellation_id: CancellationId, buyer: PartyId | None = None
) -> Cancellation:
    """One cancellation, of this buyer's if one is given. Raises NotFound `cancellation-unknown`."""
    found = store.cancellations(tx, id=cancellation_id, buyer=buyer).things
    if not found:
        raise NotFound(
            "cancellation-unknown",
            f"You have asked for no cancellation {cancellation_id}; list those that you have.",
            field="id",
        )
    return found[0]


def cancellations(
    tx: Transaction,
    *,
    buyer: PartyId | None = None,
    orders: Sequence[OrderId] | None = None,
    state: CancellationState | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> Page[Cancellation]:
    """Cancellations of one buyer's orders or of these orders, the newest first."""
    states = None if state is None else taking_back(state)
    return store.cancellations(
        tx, buyer=buyer, orders=orders, states=states, offset=offset, limit=limit
    )
