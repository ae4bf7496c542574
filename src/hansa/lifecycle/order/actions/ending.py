"""How orders are ended: what they brought is ceased, or they are cancelled while under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hansa.federation.contract import AgreementRef, Charged, Order, OrderState, Quote
from hansa.federation.mandate import Mandate
from hansa.federation.shelf import Cancellation, CancellationState, Extras, Page
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, CancellationId, HoldId, Ids, OrderId, PartyId, check_key
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.lifecycle.order import rules, store
from hansa.lifecycle.order.actions import orders
from hansa.lifecycle.order.model import (
    FINAL_STATES,
    AskedCancellation,
    Charge,
    KeptOrder,
    taking_back,
)
from hansa.lifecycle.quote.actions import quotes


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
    mandate: Mandate | None = None,
) -> Order:
    """Enters an order that ends what another brought, or cancels it while it is in progress, at
    what its quote says that costs.

    The same key gives the same order. mandate: by which the buyer shows who asked. Raises NotFound
    `order-unknown`; Refused `mandate-missing`, `mandate-wrong`, `order-not-ceasable` for an order
    that brought nothing or is being ceased already.
    """
    check_key(key)
    asked = rules.request(ends=order_id)
    if (before := orders.same_key(tx, us, actor, key, asked)) is not None:
        return before
    target = orders.locked(tx, us, order_id, actor.party)
    if (before := orders.same_key(tx, us, actor, key, asked)) is not None:
        return before  # somebody was quicker while we waited for the order
    kept = quotes.get(tx, quote_id=target.order.quote)
    orders.check_mandate(
        tx, us=us, actor=actor, key=key, kept=kept, mandate=mandate, now=now, ends=order_id
    )
    made = _enter(tx, target, key, asked, ids=ids, now=now, extras=extras, mandate=mandate)
    if target.order.state not in FINAL_STATES:
        wish = _Wish(ids.new(CancellationId), reason="", wished_for=None)
        _note(tx, target, wish, taken_back_by=made.id, ids=ids, now=now)
    return made


def _enter(
    tx: Transaction,
    target: KeptOrder,
    key: BuyerKey,
    asked: str,
    *,
    ids: Ids,
    now: Instant,
    extras: Extras | None = None,
    mandate: Mandate | None = None,
) -> Order:
    """The order that ends another, which is locked."""
    us, order_id = target.order.seller, target.order.id
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
        buyer=target.order.buyer,
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
            mandate=mandate,
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
    at_most: Money | None = None,
) -> Cancellation:
    """Has an order that is under way taken back; asked again gives the same cancellation.

    It costs what its quote says, and nothing before work on it has begun. at_most: what the
    buyer was told that it costs; Refused `cancellation-costs-more` if that is too little by now,
    because work on it has begun since. Raises NotFound
    `order-unknown`; Refused `order-not-cancellable` for an order that is over or ends another,
    `order-not-ceasable` for one that is being ceased already, `mandate-missing` for a node, which
    ceases instead.
    """
    buyer = None if actor.role == "operator" else actor.party
    target = orders.locked(tx, us, order_id, buyer)
    rules.check_shown(actor, None)
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
    if at_most is not None:
        _check_cost(tx, target, at_most)
    wish = _Wish(ids.new(CancellationId), reason, wished_for, extras or {})
    key, asked = BuyerKey(wish.id), rules.request(ends=order_id)
    made = _enter(tx, target, key, asked, ids=ids, now=now)
    _note(tx, target, wish, taken_back_by=made.id, ids=ids, now=now)
    return store.cancellations(tx, id=wish.id).things[0]


def cost(tx: Transaction, *, us: PartyId, order_id: OrderId, buyer: PartyId | None = None) -> Money:
    """What it would cost now to have an order taken back, tax apart.

    Raises NotFound `order-unknown`.
    """
    return _cost(tx, orders.get(tx, us=us, order_id=order_id, buyer=buyer))


def _cost(tx: Transaction, target: KeptOrder) -> Money:
    quote = quotes.get(tx, quote_id=target.order.quote).quote
    return rules.cancellation_charge(quote, target.order.state)


def _check_cost(tx: Transaction, target: KeptOrder, at_most: Money) -> None:
    cost = _cost(tx, target)
    if cost.currency != at_most.currency or cost > at_most:
        raise Refused(
            "cancellation-costs-more",
            f"Work on order {target.order.id} has begun: to cancel it now costs {cost}, not "
            f"{at_most}. Look at it again.",
            field="cost",
        )


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a buyer says who cancels an order."""

    id: CancellationId
    reason: str
    wished_for: Instant | None
    extras: Extras = field(default_factory=dict)


def _note(
    tx: Transaction,
    target: KeptOrder,
    wish: _Wish,
    *,
    taken_back_by: OrderId,
    ids: Ids,
    now: Instant,
) -> None:
    asked = AskedCancellation(
        id=wish.id,
        order=target.order.id,
        taken_back_by=taken_back_by,
        reason=wish.reason,
        wished_for=wish.wished_for,
        asked_at=now,
        charge=_cost(tx, target),
    )
    store.add_cancellation(tx, asked, wish.extras)
    orders.tell_cancellation(tx, target, wish.id, "create", ids, now)


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


# --- what it costs ------------------------------------------------------------------------------


def charge_buyer(
    tx: Transaction, *, us: PartyId, order_id: OrderId, ids: Ids, now: Instant
) -> Charged | None:
    """Enters what it costs the buyer that its order was cancelled as it wished, just now, and
    holds its credit for that until it is billed. None when it costs nothing.
    """
    kept = orders.get(tx, us=us, order_id=order_id)
    asked = store.cancellations(tx, orders=[order_id]).things
    if not asked or not asked[0].charge:
        return None
    quote = quotes.get(tx, quote_id=kept.order.quote).quote
    lines = rules.charges(quote, order=order_id, agreement=quote.agreement, at=now)
    store.add_charges(tx, lines)
    hold = ledger.hold(
        tx,
        id=ids.new(HoldId),
        key=f"cancellation/{order_id}",
        party=kept.order.buyer,
        amount=rules.with_tax(lines),
        limit=None,
        ref=order_id,
        expires_at=None,
        now=now,
    )
    store.set_hold(tx, order_id, hold.id)
    return charged(tx, order_id=order_id)


def charged_by_seller(
    tx: Transaction,
    *,
    quote: Quote,
    order_id: OrderId,
    agreement: AgreementRef | None,
    at: Instant,
) -> None:
    """Enters what it costs us that an order of ours for this quote was cancelled: by the quote,
    which we have too. Entered already, nothing changes.
    """
    store.add_charges(tx, rules.charges(quote, order=order_id, agreement=agreement, at=at))


def charged(tx: Transaction, *, order_id: OrderId) -> Charged | None:
    """What it costs that an order was cancelled; None when it costs nothing."""
    return rules.charged(store.charges(tx, order=order_id))


def charges(
    tx: Transaction,
    *,
    seller: PartyId | None = None,
    buyer: PartyId | None = None,
    period: Period,
) -> Sequence[Charge]:
    """What orders cost, line by line, of which in this period nothing was left as their buyers
    wished: of orders placed with us, and of our own with others.
    """
    return store.charges(tx, seller=seller, buyer=buyer, period=period)


def first_charge(tx: Transaction) -> Instant | None:
    """Since when there are such charges; None before there is one."""
    return store.first_charge(tx)
