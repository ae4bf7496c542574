"""The tables of orders and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.federation.contract import Order, OrderState
from hansa.foundation.database import all_rows, one_row, run
from hansa.foundation.ids import BuyerKey, HoldId, OrderId, PartyId, QuoteId, TraceId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.order.model import KeptOrder


def _kept(row: dict[str, Any], us: PartyId) -> KeptOrder:
    return KeptOrder(
        order=Order(
            id=OrderId(row["id"]),
            seller=us,
            buyer=PartyId(row["buyer"]),
            key=BuyerKey(row["key"]),
            quote=QuoteId(row["quote"]),
            state=OrderState(row["state"]),
            placed_at=row["placed_at"],
            trace=TraceId(row["trace"]),
        ),
        kind=row["kind"],
        by_partner=row["by_partner"],
        ends=OrderId(row["ends"]) if row["ends"] else None,
        hold=HoldId(row["hold"]) if row["hold"] else None,
        reason=row["reason"],
        ended_at=row["ended_at"],
    )


def add(tx: Transaction, kept: KeptOrder, request: str) -> bool:
    """Enters a new order; False when this buyer's key or the quote has been used before."""
    order = kept.order
    added = run(
        tx,
        """insert into order_order
           (id, kind, buyer, by_partner, key, request, quote, ends, state, hold, placed_at, trace)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
        (
            order.id,
            kept.kind,
            order.buyer,
            kept.by_partner,
            order.key,
            request,
            order.quote,
            kept.ends,
            order.state,
            kept.hold,
            order.placed_at,
            order.trace,
        ),
    )
    if added:
        _note(tx, order.id, order.state, "", order.placed_at)
    return added == 1


def _note(tx: Transaction, order: OrderId, state: OrderState, reason: str, now: Instant) -> None:
    run(
        tx,
        'insert into order_move ("order", state, reason, at) values (%s, %s, %s, %s)',
        (order, state, reason, now),
    )


def by_key(
    tx: Transaction, us: PartyId, buyer: PartyId, key: BuyerKey
) -> tuple[KeptOrder, str] | None:
    """The order that this key placed, and the hash of what it asked for then."""
    row = one_row(tx, "select * from order_order where buyer = %s and key = %s", (buyer, key))
    return (_kept(row, us), row["request"]) if row else None


def set_hold(tx: Transaction, order: OrderId, hold: HoldId) -> None:
    run(tx, "update order_order set hold = %s where id = %s", (hold, order))


_PLAIN = "select * from order_order where id = %s"
_LOCKED = "select * from order_order where id = %s for update"


def get(tx: Transaction, us: PartyId, order: OrderId, *, lock: bool = False) -> KeptOrder | None:
    row = one_row(tx, _LOCKED if lock else _PLAIN, (order,))
    return _kept(row, us) if row else None


def move(
    tx: Transaction, order: OrderId, state: OrderState, reason: str, now: Instant, *, final: bool
) -> None:
    run(
        tx,
        "update order_order set state = %s, reason = %s, ended_at = %s where id = %s",
        (state, reason, now if final else None, order),
    )
    _note(tx, order, state, reason, now)


def take(tx: Transaction, us: PartyId, limit: int) -> Sequence[KeptOrder]:
    """Orders that delivery has not begun with, locked, the oldest first.

    One that ends another comes after it, whatever their clocks say, or in a later turn.
    """
    rows = all_rows(
        tx,
        """select o.*, (select e.state = 'acknowledged' from order_order e where e.id = o.ends)
               as too_early
           from order_order o where state = 'acknowledged'
           order by ends is not null, placed_at limit %s for update of o skip locked""",
        (limit,),
    )
    taken = {row["id"] for row in rows}
    return [_kept(row, us) for row in rows if not row["too_early"] or row["ends"] in taken]


def ceasing(tx: Transaction, us: PartyId, ends: OrderId) -> Sequence[KeptOrder]:
    """The cease orders that aim at this order, the oldest first."""
    rows = all_rows(tx, "select * from order_order where ends = %s order by placed_at", (ends,))
    return [_kept(row, us) for row in rows]


def newest(
    tx: Transaction, us: PartyId, buyer: PartyId | None, state: OrderState | None, limit: int
) -> Sequence[KeptOrder]:
    rows = all_rows(
        tx,
        """select * from order_order
           where (%(buyer)s::text is null or buyer = %(buyer)s)
             and (%(state)s::text is null or state = %(state)s)
           order by placed_at desc, id desc limit %(limit)s""",
        {"buyer": buyer, "state": state, "limit": limit},
    )
    return [_kept(row, us) for row in rows]


def moves(tx: Transaction, order: OrderId) -> Sequence[tuple[OrderState, str, Instant]]:
    rows = all_rows(
        tx,
        'select state, reason, at from order_move where "order" = %s order by number',
        (order,),
    )
    return [(OrderState(row["state"]), row["reason"], row["at"]) for row in rows]
