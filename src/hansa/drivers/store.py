"""The tables of our own network: products, coverage, quotes, orders, services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.drivers.contract import Intent
from hansa.drivers.model import (
    Choice,
    Coverage,
    KeptOrder,
    KeptQuote,
    Line,
    OrderState,
    Product,
    Service,
)
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, records, run
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, OfferCode, OrderId, PartyId, QuoteId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

# --- what is on offer, and where ----------------------------------------------------------------


def put_product(tx: Transaction, product: Product) -> None:
    """Enters the product, or replaces the one of the same code."""
    run(
        tx,
        """insert into driver_product (code, name, family, per, choices) values (%s, %s, %s, %s, %s)
           on conflict (code) do update set name = excluded.name, family = excluded.family,
               per = excluded.per, choices = excluded.choices""",
        (
            product.code,
            product.name,
            product.family,
            product.per,
            Jsonb(documents.write(product.choices, tuple[Choice, ...])),
        ),
    )


def products(tx: Transaction) -> Sequence[Product]:
    return [
        documents.read(Product, row)
        for row in all_rows(
            tx, "select code, name, family, per, choices from driver_product order by code"
        )
    ]


def product(tx: Transaction, code: OfferCode) -> Product | None:
    row = one_row(
        tx, "select code, name, family, per, choices from driver_product where code = %s", (code,)
    )
    return documents.read(Product, row) if row else None


def put_coverage(tx: Transaction, entry: Coverage) -> None:
    run(
        tx,
        """insert into driver_coverage (what, country, place) values (%s, %s, %s)
           on conflict do nothing""",
        (entry.what, entry.country, entry.place),
    )


def drop_coverage(tx: Transaction, entry: Coverage) -> None:
    run(
        tx,
        "delete from driver_coverage where what = %s and country = %s and place = %s",
        (entry.what, entry.country, entry.place),
    )


def coverage(tx: Transaction) -> tuple[Coverage, ...]:
    return tuple(
        records(
            tx,
            Coverage,
            "select what, country, place from driver_coverage order by what, country, place",
        )
    )


# --- quotes -------------------------------------------------------------------------------------


def put_quote(tx: Transaction, quote: KeptQuote) -> None:
    run(
        tx,
        """insert into driver_quote (id, buyer, made_at, valid_until, document)
           values (%s, %s, %s, %s, %s)""",
        (quote.id, quote.buyer, quote.made_at, quote.valid_until, Jsonb(quote.document)),
    )


def quote(tx: Transaction, *, quote_id: QuoteId, buyer: PartyId) -> KeptQuote | None:
    found = records(
        tx,
        KeptQuote,
        """select id, buyer, made_at, valid_until, document from driver_quote
           where id = %s and buyer = %s""",
        (quote_id, buyer),
    )
    return found[0] if found else None


# --- orders -------------------------------------------------------------------------------------

_ORDER = """select id, buyer, key, content, quote, ceases, state, reason, trace, placed_at,
                   finished_at from driver_order"""


def order_of_key(tx: Transaction, *, buyer: PartyId, key: BuyerKey) -> KeptOrder | None:
    return _with_lines(tx, one_row(tx, f"{_ORDER} where buyer = %s and key = %s", (buyer, key)))


def order(
    tx: Transaction, *, order_id: OrderId, buyer: PartyId, locked: bool = False
) -> KeptOrder | None:
    """The buyer's order; locked: against others until the transaction ends."""
    sql = f"{_ORDER} where id = %s and buyer = %s"
    return _with_lines(tx, one_row(tx, f"{sql} for update" if locked else sql, (order_id, buyer)))


def order_of_quote(tx: Transaction, quote_id: QuoteId) -> OrderId | None:
    """The order that has used the quote."""
    row = one_row(
        tx, "select id from driver_order where quote = %s and ceases is null", (quote_id,)
    )
    return OrderId(row["id"]) if row else None


def put_order(tx: Transaction, order: KeptOrder) -> bool:
    """Enters the order without its lines; False when its key or quote was used in between."""
    entered = run(
        tx,
        """insert into driver_order (id, buyer, key, content, quote, ceases, state, reason,
               trace, placed_at, finished_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           on conflict do nothing""",
        (
            order.id,
            order.buyer,
            order.key,
            order.content,
            order.quote,
            order.ceases,
            order.state,
            order.reason,
            order.trace,
            order.placed_at,
            order.finished_at,
        ),
    )
    return entered == 1


def put_line(tx: Transaction, order_id: OrderId, position: int, line: Line, *, open: bool) -> bool:
    """Enters one line; False when another order has the holding open."""
    entered = run(
        tx,
        """insert into driver_line (order_id, position, item, holding, wanted, before,
               before_order, since, open)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
           on conflict (holding) where open do nothing""",
        (
            order_id,
            position,
            line.item,
            line.holding,
            _intent(line.wanted),
            _intent(line.before),
            line.before_order,
            line.since,
            open,
        ),
    )
    return entered == 1


def finish(
    tx: Transaction, order_id: OrderId, *, state: OrderState, now: Instant, since: Instant | None
) -> None:
    """Closes an order in progress and its lines; since: when what it brought began."""
    run(
        tx,
        """update driver_order set state = %s, finished_at = %s
           where id = %s and state = 'inProgress'""",
        (state, now, order_id),
    )
    run(
        tx,
        "update driver_line set open = false, since = coalesce(since, %s) where order_id = %s",
        (since, order_id),
    )


def turn_back(tx: Transaction, order_id: OrderId, *, reason: str) -> None:
    """Marks an order in progress as on its way back."""
    run(
        tx,
        "update driver_order set reason = %s where id = %s and state = 'inProgress'",
        (reason, order_id),
    )


def _with_lines(tx: Transaction, row: dict[str, Any] | None) -> KeptOrder | None:
    if row is None:
        return None
    lines = all_rows(
        tx,
        """select item, holding, wanted, before, before_order, since from driver_line
           where order_id = %s order by position""",
        (row["id"],),
    )
    return KeptOrder(**row, lines=tuple(_line(line) for line in lines))


def _line(row: dict[str, Any]) -> Line:
    intents = {name: _read_intent(row[name]) for name in ("wanted", "before")}
    return Line(**{**row, **intents})


# --- services -----------------------------------------------------------------------------------


_SERVICE = """select holding, buyer, family, intent, brought_by, started, ended
              from driver_service where holding = %s and buyer = %s"""


def service(
    tx: Transaction, *, holding: HoldingId, buyer: PartyId, locked: bool = False
) -> Service | None:
    """The buyer's service; locked: against others until the transaction ends."""
    row = one_row(tx, f"{_SERVICE} for update" if locked else _SERVICE, (holding, buyer))
    return Service(**{**row, "intent": _read_intent(row["intent"])}) if row else None


def put_service(tx: Transaction, service: Service) -> None:
    """Enters the service, or how it should be from now on."""
    run(
        tx,
        """insert into driver_service (holding, buyer, family, intent, brought_by, started, ended)
           values (%s, %s, %s, %s, %s, %s, %s)
           on conflict (holding) do update set intent = excluded.intent,
               brought_by = excluded.brought_by, started = excluded.started,
               ended = excluded.ended""",
        (
            service.holding,
            service.buyer,
            service.family,
            _intent(service.intent),
            service.brought_by,
            service.started,
            service.ended,
        ),
    )


def _intent(intent: Intent | None) -> Jsonb | None:
    return Jsonb(documents.write(intent)) if intent else None


def _read_intent(value: Json) -> Intent | None:
    return documents.read(Intent, value) if value is not None else None
