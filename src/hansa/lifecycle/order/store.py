"""The tables of orders and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from hansa.federation.contract import AgreementRef, Order, OrderState, Tax
from hansa.federation.mandate import Mandate
from hansa.federation.shelf import Cancellation, CancellationState, Extras, Page
from hansa.federation.wire import parse, render
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run, send, some_rows
from hansa.foundation.ids import (
    AgreementId,
    BuyerKey,
    CancellationId,
    HoldId,
    HoldingId,
    OfferCode,
    OrderId,
    PartyId,
    QuoteId,
    TraceId,
)
from hansa.foundation.money import Money
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.order.model import (
    AskedCancellation,
    Charge,
    KeptOrder,
    cancellation_state,
)


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
        mandate=documents.read(Mandate, row["mandate"]) if row["mandate"] else None,
    )


def add(tx: Transaction, kept: KeptOrder, request: str) -> bool:
    """Enters a new order; False when this buyer's key or the quote has been used before."""
    order = kept.order
    added = run(
        tx,
        """insert into order_order
           (id, kind, buyer, by_partner, key, request, quote, ends, state, hold, placed_at, trace,
            mandate)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
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
            Jsonb(documents.write(kept.mandate)) if kept.mandate else None,
        ),
    )
    if added:
        _note(tx, order.id, order.state, "", order.placed_at)
    return added == 1


def add_extras(tx: Transaction, order: OrderId, extras: Extras) -> None:
    """Keeps what the client sent beside what we understand."""
    run(
        tx,
        'insert into order_extra ("order", document) values (%s, %s)',
        (order, render(extras).decode()),
    )


def extras(tx: Transaction, orders: Sequence[OrderId]) -> dict[OrderId, Extras]:
    """What came with these orders, for those with which anything came."""
    rows = all_rows(
        tx,
        'select "order", document from order_extra where "order" = any(%s)',
        (list(orders),),
    )
    return {OrderId(row["order"]): parse(row["document"].encode()) for row in rows}


def _note(tx: Transaction, order: OrderId, state: OrderState, reason: str, now: Instant) -> None:
    send(
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
    send(tx, "update order_order set hold = %s where id = %s", (hold, order))


_PLAIN = "select * from order_order where id = %s"
_LOCKED = "select * from order_order where id = %s for update"


def get(tx: Transaction, us: PartyId, order: OrderId, *, lock: bool = False) -> KeptOrder | None:
    row = one_row(tx, _LOCKED if lock else _PLAIN, (order,))
    return _kept(row, us) if row else None


def move(
    tx: Transaction, order: OrderId, state: OrderState, reason: str, now: Instant, *, final: bool
) -> None:
    send(
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


def of_quotes(tx: Transaction, us: PartyId, quotes: Sequence[QuoteId]) -> list[KeptOrder]:
    rows = all_rows(
        tx,
        """select * from order_order where kind = 'provide' and quote = any(%s)
           order by placed_at, id""",
        (list(quotes),),
    )
    return [_kept(row, us) for row in rows]


_ORDERS = "select * from order_order"
_FITS = """where (%(buyer)s::text is null or buyer = %(buyer)s)
             and (%(states)s::text[] is null or state = any(%(states)s))
             and (%(among)s::text[] is null or id = any(%(among)s))
             and id <> all(%(besides)s)
             and (%(text)s = '' or position(
                  %(text)s in lower(concat_ws(' ', id, buyer, key, quote, trace))) > 0)"""


def page(
    tx: Transaction,
    us: PartyId,
    buyer: PartyId | None,
    states: Sequence[OrderState] | None,
    offset: int,
    limit: int,
    *,
    text: str = "",
    among: Sequence[str] | None = None,
    besides: Sequence[str] = (),
) -> Page[KeptOrder]:
    """Orders of a buyer or of all, in one of these states if they are given, the newest first.

    text: in their ids, or in what buyers call them. among, besides: of these alone, of none of
    these.
    """
    asked = {
        "buyer": buyer,
        "text": text.lower(),
        "among": None if among is None else list(among),
        "besides": list(besides),
        "states": None if states is None else [str(state) for state in states],
    }
    sql, newest = f"{_ORDERS} {_FITS}", "placed_at desc, id desc"
    rows, total = some_rows(tx, sql, asked, order=newest, offset=offset, limit=limit)
    return Page([_kept(row, us) for row in rows], total)


def stamps(tx: Transaction, orders: Collection[str]) -> dict[str, str]:
    rows = all_rows(
        tx,
        """select id, concat_ws('/', state, reason, hold) as stamp
           from order_order where id = any(%s)""",
        (list(orders),),
    )
    return {row["id"]: row["stamp"] for row in rows}


# --- cancellations ------------------------------------------------------------------------------


def add_cancellation(tx: Transaction, asked: AskedCancellation, extras: Extras) -> None:
    run(
        tx,
        """insert into order_cancellation (id, "order", taken_back_by, reason, wished_for,
               asked_at, charge_minor, charge_currency, extra)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            asked.id,
            asked.order,
            asked.taken_back_by,
            asked.reason,
            asked.wished_for,
            asked.asked_at,
            asked.charge.minor,
            asked.charge.currency,
            render(extras).decode() if extras else "",
        ),
    )


_CANCELLATION = """select c.*, b.state as by_state, b.ended_at as by_ended_at,
                          t.buyer, t.state as target_state, t.ended_at as target_ended_at,
                          t.ended_at is not null and not exists (
                              select from order_charge x where x."order" = c."order") as waived
                   from order_cancellation c
                   join order_order b on b.id = c.taken_back_by
                   join order_order t on t.id = c."order" """

_CANCELS = """where (%(id)s::text is null or c.id = %(id)s)
                and (%(orders)s::text[] is null or c."order" = any(%(orders)s))
                and (%(buyer)s::text is null or t.buyer = %(buyer)s)
                and (%(states)s::text[] is null or b.state = any(%(states)s))"""


def cancellations(
    tx: Transaction,
    *,
    id: CancellationId | None = None,
    orders: Sequence[OrderId] | None = None,
    buyer: PartyId | None = None,
    states: Sequence[OrderState] | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> Page[Cancellation]:
    """Cancellations, the newest first. states: of the orders that take the others back."""
    asked = {
        "id": id,
        "orders": None if orders is None else list(orders),
        "buyer": buyer,
        "states": None if states is None else [str(state) for state in states],
    }
    sql, newest = f"{_CANCELLATION} {_CANCELS}", "c.asked_at desc, c.id desc"
    rows, total = some_rows(tx, sql, asked, order=newest, offset=offset, limit=limit)
    return Page([_cancellation(row) for row in rows], total)


def _cancellation(row: dict[str, Any]) -> Cancellation:
    state = cancellation_state(OrderState(row["by_state"]))
    ended = row["by_ended_at"]
    if row["target_state"] in ("cancelled", "failed"):
        ended = row["target_ended_at"]
    return Cancellation(
        id=CancellationId(row["id"]),
        order=OrderId(row["order"]),
        by=OrderId(row["taken_back_by"]),
        state=state,
        asked_at=row["asked_at"],
        charge=Money(row["charge_minor"], row["charge_currency"]),
        reason=row["reason"],
        wished_for=row["wished_for"],
        effective_at=ended if state is CancellationState.DONE else None,
        waived=row["waived"] and row["charge_minor"] > 0,
        extras=parse(row["extra"].encode()) if row["extra"] else {},
    )


# --- charges ------------------------------------------------------------------------------------


def add_charges(tx: Transaction, charges: Sequence[Charge]) -> None:
    """Enters what a cancelled order costs; what is entered already stays as it is."""
    for one in charges:
        run(
            tx,
            """insert into order_charge (seller, "order", item, buyer, offer, offer_name, family,
                   site, holding, quantity, net_minor, currency, tax, agreement,
                   agreement_version, due_at)
               values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) on conflict do nothing""",
            (
                *(one.seller, one.order, one.item, one.buyer, one.offer, one.offer_name),
                *(one.family, one.site, one.holding, one.quantity, one.net.minor),
                *(one.net.currency, Jsonb(documents.write(one.tax))),
                one.agreement.id if one.agreement else None,
                one.agreement.version if one.agreement else None,
                one.due_at,
            ),
        )


def charges(
    tx: Transaction,
    *,
    seller: PartyId | None = None,
    buyer: PartyId | None = None,
    order: OrderId | None = None,
    period: Period | None = None,
) -> Sequence[Charge]:
    """What cancelled orders cost, by order and item."""
    rows = all_rows(
        tx,
        """select * from order_charge
           where (%(seller)s::text is null or seller = %(seller)s)
             and (%(buyer)s::text is null or buyer = %(buyer)s)
             and (%(order)s::text is null or "order" = %(order)s)
             and (%(start)s::timestamptz is null or due_at >= %(start)s and due_at < %(end)s)
           order by "order", seller, item""",
        {
            "seller": seller,
            "buyer": buyer,
            "order": order,
            "start": period.start if period else None,
            "end": period.end if period else None,
        },
    )
    return [_charge(row) for row in rows]


def _charge(row: dict[str, Any]) -> Charge:
    agreement = None
    if row["agreement"] is not None:
        agreement = AgreementRef(AgreementId(row["agreement"]), row["agreement_version"])
    return Charge(
        seller=PartyId(row["seller"]),
        order=OrderId(row["order"]),
        item=row["item"],
        buyer=PartyId(row["buyer"]),
        offer=OfferCode(row["offer"]),
        offer_name=row["offer_name"],
        family=row["family"],
        site=row["site"],
        holding=HoldingId(row["holding"]) if row["holding"] else None,
        quantity=row["quantity"],
        net=Money(row["net_minor"], row["currency"]),
        tax=documents.read(Tax, row["tax"]),
        agreement=agreement,
        due_at=row["due_at"],
    )


def first_charge(tx: Transaction) -> Instant | None:
    row = one_row(tx, "select min(due_at) as first from order_charge")
    return row["first"] if row else None
