"""How orders come to be, are found and move."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hansa.federation import directory
from hansa.federation.contract import Need, Order, OrderState, Quote
from hansa.federation.hub import actions as hub
from hansa.federation.hub.model import Change
from hansa.federation.mandate import Mandate
from hansa.federation.shelf import Extras, Page
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import (
    BuyerKey,
    CancellationId,
    HoldId,
    Ids,
    OrderId,
    PartyId,
    QuoteId,
    check_key,
)
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import HoldState
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.order import rules, store
from hansa.lifecycle.order.model import (
    FINAL_STATES,
    ORDER_STATES,
    KeptOrder,
)
from hansa.lifecycle.quote.actions import quotes
from hansa.lifecycle.quote.model import KeptQuote


def place(
    tx: Transaction,
    *,
    us: PartyId,
    actor: Actor,
    quote_id: QuoteId,
    key: BuyerKey,
    ids: Ids,
    now: Instant,
    outright: Need | None = None,
    extras: Extras | None = None,
    mandate: Mandate | None = None,
) -> Order:
    """Accepts a quote: the order is entered and the buyer's credit held for it.

    The same key gives the same order. outright: what the buyer asked for when it asked for no
    price first; the quote was made for that. extras: what it sent beside what we understand.
    mandate: by which it shows who asked. Raises NotFound `quote-unknown`; Refused
    `quote-expired`, `quote-used`, `quote-closed`, `key-reused`, `key-invalid`, `credit-limit`,
    `mandate-missing`, `mandate-wrong`, or what the agreement says against it now.
    """
    check_key(key)
    asked = rules.request_outright(outright) if outright else rules.request(quote=quote_id)
    if (before := same_key(tx, us, actor, key, asked)) is not None:
        return before
    kept = quotes.get(tx, quote_id=quote_id, buyer=actor.party)
    rules.check_open(kept.quote, now)
    check_mandate(tx, us=us, actor=actor, key=key, kept=kept, mandate=mandate, now=now)
    limit = _limit(tx, us=us, actor=actor, quote=kept.quote, now=now)
    quotes.accept(tx, quote_id=quote_id, now=now)
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
        mandate=mandate,
    )
    if not store.add(tx, entered, asked):
        if (before := same_key(tx, us, actor, key, asked)) is not None:
            return before
        raise Refused(
            "quote-used",
            f"Quote {quote_id} has been ordered already; ask for a new one.",
            field="quote",
        )
    if extras:
        store.add_extras(tx, order.id, extras)
    _hold_credit(tx, order, kept.quote, limit, ids=ids, now=now)
    tell(tx, order, "create", ids, now)
    plans.nudge(tx)
    return order


def _hold_credit(
    tx: Transaction, order: Order, quote: Quote, limit: Money | None, *, ids: Ids, now: Instant
) -> None:
    committed = rules.first_month(quote)
    if not committed:
        return
    hold = ledger.hold(
        tx,
        id=ids.new(HoldId),
        key=f"order/{order.id}",
        party=order.buyer,
        amount=committed,
        limit=limit,
        ref=order.id,
        expires_at=None,
        now=now,
    )
    store.set_hold(tx, order.id, hold.id)


def placed_outright(
    tx: Transaction, *, us: PartyId, actor: Actor, key: BuyerKey, need: Need
) -> Order | None:
    """The order that this buyer's key stands for, if it asked for this need outright before.

    Raises Refused `key-reused` when the key asked for something else.
    """
    check_key(key)
    return same_key(tx, us, actor, key, rules.request_outright(need))


# --- looking ------------------------------------------------------------------------------------


def page(
    tx: Transaction,
    *,
    us: PartyId,
    buyer: PartyId | None = None,
    states: Sequence[OrderState] | None = None,
    text: str = "",
    among: Sequence[str] | None = None,
    besides: Sequence[str] = (),
    offset: int = 0,
    limit: int,
) -> Page[KeptOrder]:
    """Orders placed with us by one buyer or all, the newest first.

    text: in their ids, or in what buyers call them. among, besides: of these orders alone, of none
    of these.
    """
    return store.page(tx, us, buyer, states, offset, limit, text=text, among=among, besides=besides)


def of_quotes(tx: Transaction, *, us: PartyId, quotes: Sequence[QuoteId]) -> Sequence[KeptOrder]:
    """The orders that these quotes were accepted with, the oldest first."""
    return store.of_quotes(tx, us, quotes)


def stamps(tx: Transaction, *, orders: Collection[str]) -> Mapping[str, str]:
    """A short text for each order, another one when it has moved."""
    return store.stamps(tx, orders)


def extras(tx: Transaction, *, orders: Sequence[OrderId]) -> Mapping[OrderId, Extras]:
    """What clients sent with these orders beside what we understand, where they sent anything."""
    return store.extras(tx, orders)


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


def take(
    tx: Transaction, *, us: PartyId, limit: int, ids: Ids, now: Instant
) -> Sequence[KeptOrder]:
    """Orders for delivery to begin with; they are in progress from here on."""
    taken = store.take(tx, us, limit)
    for kept in taken:
        store.move(tx, kept.order.id, OrderState.IN_PROGRESS, "", now, final=False)
        tell(tx, kept.order, "state", ids, now)
    return taken


def move(
    tx: Transaction,
    *,
    us: PartyId,
    order_id: OrderId,
    state: OrderState,
    reason: str,
    ids: Ids,
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
    tell(tx, kept.order, "state", ids, now)
    if kept.ends is not None:
        for one in store.cancellations(tx, orders=[kept.ends]).things:
            tell_cancellation(tx, kept, one.id, "state", ids, now)
    final = now if state in FINAL_STATES else None
    return replace(kept, order=replace(kept.order, state=state), reason=reason, ended_at=final)


def billed(tx: Transaction, *, us: PartyId, order_id: OrderId, now: Instant) -> None:
    """Ends the credit hold of an order whose first charges are now in the books."""
    kept = store.get(tx, us, order_id)
    if kept is None or kept.hold is None:
        return
    if ledger.get_hold(tx, id=kept.hold).state is HoldState.ACTIVE:
        ledger.post_hold(tx, id=kept.hold, now=now)


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


# --- for the other module of these actions ------------------------------------------------------


def locked(tx: Transaction, us: PartyId, order_id: OrderId, buyer: PartyId | None) -> KeptOrder:
    """As `get`, and nobody else moves the order until this transaction ends."""
    get(tx, us=us, order_id=order_id, buyer=buyer)
    kept = store.get(tx, us, order_id, lock=True)
    assert kept is not None
    return kept


def tell(tx: Transaction, order: Order, change: Change, ids: Ids, now: Instant) -> None:
    """Those who have subscribed are told; where nobody has, it is one look at an index."""
    hub.publish(
        tx,
        ids=ids,
        topic="productOrder",
        thing=order.id,
        change=change,
        party=order.buyer,
        trace=order.trace,
        now=now,
    )


def tell_cancellation(
    tx: Transaction, kept: KeptOrder, id: CancellationId, change: Change, ids: Ids, now: Instant
) -> None:
    """As `tell`, of the wish to take an order back."""
    hub.publish(
        tx,
        ids=ids,
        topic="cancelProductOrder",
        thing=id,
        change=change,
        party=kept.order.buyer,
        trace=kept.order.trace,
        now=now,
    )


def same_key(tx: Transaction, us: PartyId, actor: Actor, key: BuyerKey, asked: str) -> Order | None:
    """The order that this buyer's key stands for. Raises Refused `key-reused` when it asked for
    something else.
    """
    found = store.by_key(tx, us, actor.party, key)
    if found is None:
        return None
    kept, asked_before = found
    if asked_before != asked:
        raise Refused(
            "key-reused", f"Key {key!r} was used for another request; use a new key.", field="key"
        )
    return kept.order


def check_mandate(
    tx: Transaction,
    *,
    us: PartyId,
    actor: Actor,
    key: BuyerKey,
    kept: KeptQuote,
    mandate: Mandate | None,
    now: Instant,
    ends: OrderId | None = None,
) -> None:
    """Whether it is shown who asks for this quote, or for the end of what was ordered by it.

    Raises Refused `mandate-missing`, `mandate-wrong`.
    """
    rules.check_shown(actor, mandate)
    if mandate is not None:
        keys = directory.usable_keys(tx, party=actor.party, now=now)
        rules.check_mandate(mandate, us=us, key=key, kept=kept, keys=keys, now=now, ends=ends)
