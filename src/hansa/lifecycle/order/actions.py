"""What others may ask or do about orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hansa.federation.contract import Order, OrderState, Quote
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, HoldId, Ids, OrderId, PartyId, QuoteId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import HoldState
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.order import rules, store
from hansa.lifecycle.order.model import FINAL_STATES, ORDER_STATES, KeptOrder
from hansa.lifecycle.quote import actions as quotes


def place(
    tx: Transaction,
    *,
    us: PartyId,
    actor: Actor,
    quote_id: QuoteId,
    key: BuyerKey,
    ids: Ids,
    now: Instant,
) -> Order:
    """Accepts a quote: the order is entered and the buyer's credit held for it.

    The same key gives the same order. Raises NotFound `quote-unknown`; Refused
    `quote-expired`, `quote-used`, `key-reused`, `key-invalid`, `credit-limit`, or what the
    agreement says against it now.
    """
    rules.check_key(key)
    asked = rules.request(quote=quote_id)
    if (before := _same_key(tx, us, actor, key, asked)) is not None:
        return before
    kept = quotes.get(tx, quote_id=quote_id, buyer=actor.party)
    rules.check_open(kept.quote, now)
    limit = _limit(tx, us=us, actor=actor, quote=kept.quote, now=now)
    order = Order(
        id=ids.new(OrderId),
        seller=us,
        buyer=actor.party,
        key=key,
        quote=quote_id,
        state=OrderState.ACKNOWLEDGED,
        placed_at=now,
        trace=kept.trace,
    )
    entered = KeptOrder(
        order,
        "provide",
        by_partner=actor.role == "partner",
        ends=None,
        hold=None,
        reason="",
        ended_at=None,
    )
    if not store.add(tx, entered, asked):
        if (before := _same_key(tx, us, actor, key, asked)) is not None:
            return before
        raise Refused(
            "quote-used",
            f"Quote {quote_id} has been ordered already; ask for a new one.",
            field="quote",
        )
    committed = rules.first_month(kept.quote)
    if committed:
        hold = ledger.hold(
            tx,
            id=ids.new(HoldId),
            key=f"order/{order.id}",
            party=actor.party,
            amount=committed,
            limit=limit,
            ref=order.id,
            expires_at=None,
            now=now,
        )
        store.set_hold(tx, order.id, hold.id)
    plans.nudge(tx)
    return order


def cease(
    tx: Transaction,
    *,
    us: PartyId,
    actor: Actor,
    order_id: OrderId,
    key: BuyerKey,
    ids: Ids,
    now: Instant,
) -> Order:
    """Enters an order that ends what another brought, or cancels it while it is in progress.

    The same key gives the same order. Raises NotFound `order-unknown`; Refused
    `order-not-ceasable` for an order that brought nothing or is being ceased already.
    """
    rules.check_key(key)
    asked = rules.request(ends=order_id)
    if (before := _same_key(tx, us, actor, key, asked)) is not None:
        return before
    target = get(tx, us=us, order_id=order_id, buyer=actor.party)
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
    plans.nudge(tx)
    return order


def get(
    tx: Transaction, *, us: PartyId, order_id: OrderId, buyer: PartyId | None = None
) -> KeptOrder:
    """One order, of this buyer if one is given. Raises NotFound `order-unknown`."""
    kept = store.get(tx, us, order_id)
    if kept is None or (buyer is not None and kept.order.buyer != buyer):
        raise NotFound(
            "order-unknown", f"You have no order {order_id}; list your orders.", field="order"
        )
    return kept


def orders(
    tx: Transaction,
    *,
    us: PartyId,
    buyer: PartyId | None = None,
    state: OrderState | None = None,
    limit: int = 100,
) -> Sequence[KeptOrder]:
    """Orders placed with us, the newest first."""
    return store.newest(tx, us, buyer, state, limit)


def history(tx: Transaction, *, order_id: OrderId) -> Sequence[tuple[OrderState, str, Instant]]:
    """Every state the order has been in, why, and since when."""
    return store.moves(tx, order_id)


def ceasing(tx: Transaction, *, us: PartyId, order_id: OrderId) -> Sequence[KeptOrder]:
    """The orders that cease this one, the oldest first."""
    return store.ceasing(tx, us, order_id)


def take(tx: Transaction, *, us: PartyId, limit: int, now: Instant) -> Sequence[KeptOrder]:
    """Orders for delivery to begin with; they are in progress from here on."""
    taken = store.take(tx, us, limit)
    for kept in taken:
        store.move(tx, kept.order.id, OrderState.IN_PROGRESS, "", now, final=False)
    return taken


def move(
    tx: Transaction,
    *,
    us: PartyId,
    order_id: OrderId,
    state: OrderState,
    reason: str,
    now: Instant,
) -> KeptOrder:
    """Moves an order on; when it failed or was cancelled the credit held for it is free again.

    Already there changes nothing. Raises Refused `state-move` for a move that no order makes.
    """
    kept = store.get(tx, us, order_id, lock=True)
    if kept is None:
        raise NotFound("order-unknown", f"There is no order {order_id}.", field="order")
    if kept.order.state == state:
        return kept
    ORDER_STATES.check(kept.order.state, state)
    store.move(tx, order_id, state, reason, now, final=state in FINAL_STATES)
    if state in (OrderState.FAILED, OrderState.CANCELLED) and kept.hold is not None:
        ledger.void_hold(tx, id=kept.hold, now=now)
    final = now if state in FINAL_STATES else None
    return replace(kept, order=replace(kept.order, state=state), reason=reason, ended_at=final)


def billed(tx: Transaction, *, us: PartyId, order_id: OrderId, now: Instant) -> None:
    """Ends the credit hold of an order whose first charges are now in the books."""
    kept = store.get(tx, us, order_id)
    if kept is None or kept.hold is None:
        return
    if ledger.get_hold(tx, id=kept.hold).state is HoldState.ACTIVE:
        ledger.post_hold(tx, id=kept.hold, now=now)


def _same_key(
    tx: Transaction, us: PartyId, actor: Actor, key: BuyerKey, asked: str
) -> Order | None:
    found = store.by_key(tx, us, actor.party, key)
    if found is None:
        return None
    kept, asked_before = found
    if asked_before != asked:
        raise Refused(
            "key-reused", f"Key {key!r} was used for another request; use a new key.", field="key"
        )
    return kept.order


def _limit(
    tx: Transaction, *, us: PartyId, actor: Actor, quote: Quote, now: Instant
) -> Money | None:
    """The buyer's credit limit, after asking the agreement once more about every line."""
    if actor.role != "partner":
        return agreement.customer(tx, party=actor.party).credit_limit
    limit: Money | None = None
    asked = {(line.offer, line.site.country if line.site else None) for line in quote.lines}
    for offer, country in sorted(asked, key=str):
        trade = agreement.terms_for(
            tx, seller=us, buyer=actor.party, offer=offer, country=country, at=now
        )
        limit = trade.item.credit_limit
    return limit
