"""The tables of our own network: products, coverage, quotes, orders, services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

from hansa.drivers.contract import Intent, Sample
from hansa.drivers.model import (
    Available,
    Choice,
    Coverage,
    KeptOrder,
    KeptQuote,
    Line,
    OrderState,
    Product,
    Service,
    Stretch,
)
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, records, run, send
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, OfferCode, OrderId, PartyId, QuoteId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

# --- what is on offer, and where ----------------------------------------------------------------


def put_product(tx: Transaction, product: Product) -> None:
    """Enters the product, or replaces the one of the same code."""
    run(
        tx,
        """insert into driver_product (code, name, family, per, choices, technology)
           values (%s, %s, %s, %s, %s, %s)
           on conflict (code) do update set name = excluded.name, family = excluded.family,
               per = excluded.per, choices = excluded.choices, technology = excluded.technology""",
        (
            product.code,
            product.name,
            product.family,
            product.per,
            Jsonb(documents.write(product.choices, tuple[Choice, ...])),
            product.technology,
        ),
    )


_PRODUCT = "select code, name, family, per, choices, technology from driver_product"


def products(tx: Transaction) -> Sequence[Product]:
    return [documents.read(Product, row) for row in all_rows(tx, f"{_PRODUCT} order by code")]


def product(tx: Transaction, code: OfferCode) -> Product | None:
    row = one_row(tx, f"{_PRODUCT} where code = %s", (code,))
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


# --- orders -------------------------------------------------------------------------------------

_ORDER = """select o.id, o.buyer, o.key, o.content, o.quote, o.ceases, o.state, o.reason, o.trace,
                   o.placed_at, o.finished_at, l.item, l.holding, l.wanted, l.before,
                   l.before_order, l.since
            from driver_order o left join driver_line l on l.order_id = o.id
            where o.{} = %s and o.buyer = %s order by l.position"""
_BY_ID, _BY_KEY = _ORDER.format("id"), _ORDER.format("key")


def order_of_key(tx: Transaction, *, buyer: PartyId, key: BuyerKey) -> KeptOrder | None:
    return _order(all_rows(tx, _BY_KEY, (key, buyer)))


def order(
    tx: Transaction, *, order_id: OrderId, buyer: PartyId, locked: bool = False
) -> KeptOrder | None:
    """The buyer's order; locked: against others until the transaction ends."""
    if locked:
        send(tx, "select from driver_order where id = %s for update", (order_id,))
    return _order(all_rows(tx, _BY_ID, (order_id, buyer)))


def quote_and_use(
    tx: Transaction, *, quote_id: QuoteId, buyer: PartyId
) -> tuple[KeptQuote, OrderId | None] | None:
    """The buyer's quote, and the order that has used it."""
    row = one_row(
        tx,
        """select q.id, q.buyer, q.made_at, q.valid_until, q.document, o.id as used_by
           from driver_quote q left join driver_order o on o.quote = q.id and o.ceases is null
           where q.id = %s and q.buyer = %s""",
        (quote_id, buyer),
    )
    if row is None:
        return None
    used_by = row.pop("used_by")
    return KeptQuote(**row), OrderId(used_by) if used_by else None


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
    send(
        tx,
        """update driver_order set state = %s, finished_at = %s
           where id = %s and state = 'inProgress'""",
        (state, now, order_id),
    )
    send(
        tx,
        "update driver_line set open = false, since = coalesce(since, %s) where order_id = %s",
        (since, order_id),
    )


def turn_back(tx: Transaction, order_id: OrderId, *, reason: str) -> None:
    """Marks an order in progress as on its way back."""
    send(
        tx,
        "update driver_order set reason = %s where id = %s and state = 'inProgress'",
        (reason, order_id),
    )


_LINE = tuple(field.name for field in fields(Line))


def _order(rows: Sequence[dict[str, Any]]) -> KeptOrder | None:
    """An order from its rows, one for each line."""
    if not rows:
        return None
    lines = tuple(_line(row) for row in rows if row["item"] is not None)
    about = {name: value for name, value in rows[0].items() if name not in _LINE}
    return KeptOrder(**about, lines=lines)


def _line(row: dict[str, Any]) -> Line:
    intents = {name: _read_intent(row[name]) for name in ("wanted", "before")}
    return Line(**{**{name: row[name] for name in _LINE}, **intents})


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
    send(
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


def in_service(tx: Transaction, families: Iterable[str]) -> Sequence[Service]:
    """What is in service of these families, and is not being changed by an order."""
    rows = all_rows(
        tx,
        """select holding, buyer, family, intent, brought_by, started, ended
           from driver_service s where family = any(%s)
               and intent is not null and started is not null
               and not exists (select from driver_line l where l.holding = s.holding and l.open)
           order by holding""",
        (list(families),),
    )
    return [Service(**{**row, "intent": _read_intent(row["intent"])}) for row in rows]


# --- how services were --------------------------------------------------------------------------


def put_samples(tx: Transaction, samples: Sequence[Sample]) -> None:
    """Keeps what was measured; a figure of a moment that is there already stays."""
    for one in samples:
        send(
            tx,
            """insert into driver_sample (holding, class, name, at, value)
               values (%s, %s, %s, %s, %s) on conflict do nothing""",
            (one.service, one.class_, one.name, one.at, one.value),
        )


def samples(
    tx: Transaction, *, holding: HoldingId, start: Instant, end: Instant
) -> Sequence[Sample]:
    """What was measured of a service from `start` up to and with `end`, in time order."""
    return records(
        tx,
        Sample,
        """select at, holding as service, class as class_, name, value from driver_sample
           where holding = %s and at >= %s and at <= %s order by at, class, name""",
        (holding, start, end),
    )


def series(
    tx: Transaction, *, holdings: Sequence[HoldingId], start: Instant, end: Instant, step: timedelta
) -> Sequence[Stretch]:
    """What was measured of services from `start` up to `end`, stretch by stretch, in time
    order.
    """
    return records(
        tx,
        Stretch,
        """select date_bin(%(step)s, at, %(start)s) as at, holding as service, class as class_,
                  name, count(*) as looks, sum(value)::bigint as total,
                  percentile_disc(0.5) within group (order by value) as middle
           from driver_sample
           where holding = any(%(holdings)s) and at >= %(start)s and at < %(end)s
           group by 1, 2, 3, 4 order by 1, 2, 3, 4""",
        {"holdings": list(holdings), "start": start, "end": end, "step": step},
    )


def available(tx: Transaction, start: Instant, end: Instant, target_bp: int) -> Available:
    found = records(
        tx,
        Available,
        """select count(*) as services, coalesce(sum(looks), 0)::bigint as looks,
                  coalesce(sum(good), 0)::bigint as good,
                  count(*) filter (where good * 10000 < looks * %s) as below
           from (select count(*) as looks, sum(value) as good from driver_sample
                 where name = 'available' and at >= %s and at < %s group by holding) as each""",
        (target_bp, start, end),
    )
    return found[0]


def drop_samples(tx: Transaction, *, before: Instant) -> int:
    """Forgets what was measured before a moment; how many figures."""
    return run(tx, "delete from driver_sample where at < %s", (before,))


def _intent(intent: Intent | None) -> Jsonb | None:
    return Jsonb(documents.write(intent)) if intent else None


def _read_intent(value: Json) -> Intent | None:
    return documents.read(Intent, value) if value is not None else None
