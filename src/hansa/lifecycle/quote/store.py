"""The tables of quotes and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.federation.contract import Quote
from hansa.federation.shelf import Extras, Page, QuoteState, ShelfQuote
from hansa.federation.wire import parse, render
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, lasting, one_row, run, send
from hansa.foundation.ids import BuyerKey, PartyId, QuoteId, TraceId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.quote.model import KeptPart, KeptQuote, SupplyQuote


def add(tx: Transaction, kept: KeptQuote, extras: Extras) -> None:
    quote = kept.quote
    send(
        tx,
        """insert into quote_quote
           (id, buyer, currency, made_at, valid_until, trace, trail, document)
           values (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            quote.id,
            quote.buyer,
            quote.currency,
            quote.made_at,
            quote.valid_until,
            kept.trace,
            list(kept.trail),
            Jsonb(documents.write(quote)),
        ),
    )
    for position, supply in enumerate(kept.supplies):
        send(
            tx,
            "insert into quote_supply (quote, position, seller, document) values (%s,%s,%s,%s)",
            (quote.id, position, supply.seller, Jsonb(documents.write(supply))),
        )
    if extras:
        send(
            tx,
            "insert into quote_extra (quote, document) values (%s, %s)",
            (quote.id, render(extras).decode()),
        )


def get(tx: Transaction, quote: QuoteId) -> KeptQuote | None:
    return lasting(tx, quote, lambda: _get(tx, quote))


def _get(tx: Transaction, quote: QuoteId) -> KeptQuote | None:
    row = one_row(
        tx,
        """select document, trace, trail, (
               select coalesce(jsonb_agg(s.document order by s.position), '[]')
               from quote_supply s where s.quote = q.id) as supplies
           from quote_quote q where id = %s""",
        (quote,),
    )
    if row is None:
        return None
    return KeptQuote(
        quote=documents.read(Quote, row["document"]),
        trace=TraceId(row["trace"]),
        trail=tuple(PartyId(node) for node in row["trail"]),
        supplies=documents.read(tuple[SupplyQuote, ...], row["supplies"]),
    )


def enter_bulk(tx: Transaction, buyer: PartyId, key: BuyerKey, asked: str) -> str:
    """Enters what is asked under a key; returns what is asked under it."""
    run(
        tx,
        """insert into quote_bulk (buyer, key, asked) values (%s, %s, %s)
           on conflict (buyer, key) do nothing""",
        (buyer, key, asked),
    )
    row = one_row(tx, "select asked from quote_bulk where buyer = %s and key = %s", (buyer, key))
    assert row is not None
    entered: str = row["asked"]
    return entered


def part(tx: Transaction, buyer: PartyId, key: BuyerKey, position: int) -> KeptPart | None:
    row = one_row(
        tx,
        """select quotes, refusals from quote_bulk_part
           where buyer = %s and key = %s and position = %s""",
        (buyer, key, position),
    )
    return documents.read(KeptPart, row) if row else None


def add_part(
    tx: Transaction, buyer: PartyId, key: BuyerKey, position: int, answers: KeptPart
) -> bool:
    """Keeps what is answered; False when somebody was quicker."""
    kept = run(
        tx,
        """insert into quote_bulk_part (buyer, key, position, quotes, refusals)
           values (%s, %s, %s, %s, %s) on conflict (buyer, key, position) do nothing""",
        (
            buyer,
            key,
            position,
            list(answers.quotes),
            Jsonb(documents.write(answers)["refusals"]),
        ),
    )
    return kept == 1


def of_buyer(tx: Transaction, buyer: PartyId | None, limit: int) -> Sequence[Quote]:
    rows = all_rows(
        tx,
        """select document from quote_quote where %(buyer)s::text is null or buyer = %(buyer)s
           order by made_at desc, id desc limit %(limit)s""",
        {"buyer": buyer, "limit": limit},
    )
    return [documents.read(Quote, row["document"]) for row in rows]


# --- what became of them ------------------------------------------------------------------------


def add_move(tx: Transaction, quote: QuoteId, state: QuoteState, reason: str, now: Instant) -> bool:
    """Notes what became of a quote; False when something has become of it already."""
    added = run(
        tx,
        """insert into quote_move (quote, state, reason, at) values (%s, %s, %s, %s)
           on conflict do nothing""",
        (quote, state, reason, now),
    )
    return added == 1


_SHELF = """select q.document, q.trace, q.made_at, coalesce(m.state, 'approved') as state,
                   coalesce(m.reason, '') as reason, m.at, x.document as extra
            from quote_quote q
            left join quote_move m on m.quote = q.id
            left join quote_extra x on x.quote = q.id"""

_COUNT = """select count(*) as total
            from quote_quote q left join quote_move m on m.quote = q.id"""

_FITS = """where (%(buyer)s::text is null or q.buyer = %(buyer)s)
             and (%(state)s::text is null or coalesce(m.state, 'approved') = %(state)s)"""


def shelf_quote(tx: Transaction, quote: QuoteId) -> ShelfQuote | None:
    row = one_row(tx, f"{_SHELF} where q.id = %s", (quote,))
    return _shelf_quote(row) if row else None


def shelf_quotes(
    tx: Transaction, buyer: PartyId | None, state: QuoteState | None, offset: int, limit: int
) -> Page[ShelfQuote]:
    """Quotes of a buyer or of all, the newest first."""
    asked = {"buyer": buyer, "state": state, "offset": offset, "limit": limit}
    rows = all_rows(
        tx,
        f"""{_SHELF} {_FITS}
            order by q.made_at desc, q.id desc offset %(offset)s limit %(limit)s""",
        asked,
    )
    count = one_row(tx, f"{_COUNT} {_FITS}", asked)
    assert count is not None
    return Page([_shelf_quote(row) for row in rows], count["total"])


def _shelf_quote(row: dict[str, Any]) -> ShelfQuote:
    return ShelfQuote(
        quote=documents.read(Quote, row["document"]),
        state=QuoteState(row["state"]),
        changed_at=row["at"] or row["made_at"],
        trace=TraceId(row["trace"]),
        reason=row["reason"],
        extras=parse(row["extra"].encode()) if row["extra"] else {},
    )
