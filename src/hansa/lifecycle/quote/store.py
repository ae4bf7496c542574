"""The tables of quotes and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.federation.contract import Quote
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run
from hansa.foundation.ids import PartyId, QuoteId, TraceId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.quote.model import KeptQuote, SupplyQuote


def add(tx: Transaction, kept: KeptQuote) -> None:
    quote = kept.quote
    run(
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
        run(
            tx,
            "insert into quote_supply (quote, position, seller, document) values (%s,%s,%s,%s)",
            (quote.id, position, supply.seller, Jsonb(documents.write(supply))),
        )


def get(tx: Transaction, quote: QuoteId) -> KeptQuote | None:
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


def of_buyer(tx: Transaction, buyer: PartyId | None, limit: int) -> Sequence[Quote]:
    rows = all_rows(
        tx,
        """select document from quote_quote where %(buyer)s::text is null or buyer = %(buyer)s
           order by made_at desc, id desc limit %(limit)s""",
        {"buyer": buyer, "limit": limit},
    )
    return [documents.read(Quote, row["document"]) for row in rows]
