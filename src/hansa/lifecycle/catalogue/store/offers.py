"""The catalogue's tables and every line of SQL about them."""

from __future__ import annotations

from datetime import date

from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run
from hansa.foundation.ids import OfferCode
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.model import (
    CatalogueOffer,
    ListPrice,
    ReferenceRate,
    TaxRule,
)


def put_offer(tx: Transaction, offer: CatalogueOffer) -> None:
    run(
        tx,
        """insert into catalogue_offer (code, document) values (%s, %s)
           on conflict (code) do update set document = excluded.document""",
        (offer.code, Jsonb(documents.write(offer))),
    )


def offer(tx: Transaction, code: OfferCode) -> CatalogueOffer | None:
    row = one_row(tx, "select document from catalogue_offer where code = %s", (code,))
    return documents.read(CatalogueOffer, row["document"]) if row else None


def offers(tx: Transaction) -> list[CatalogueOffer]:
    rows = all_rows(tx, "select document from catalogue_offer order by code")
    return [documents.read(CatalogueOffer, row["document"]) for row in rows]


def end_price(tx: Transaction, new: ListPrice) -> None:
    """Ends the price that is open when the new one begins."""
    run(
        tx,
        """update catalogue_price
           set valid = tstzrange(lower(valid), %(at)s),
               document = jsonb_set(document, '{valid_to}', to_jsonb(%(text)s::text))
           where price_list = %(list)s and offer = %(offer)s and currency = %(currency)s
             and upper_inf(valid) and lower(valid) < %(at)s""",
        {
            "list": new.price_list,
            "offer": new.offer,
            "currency": new.currency,
            "at": new.valid_from,
            "text": documents.write(new)["valid_from"],
        },
    )


def add_price(tx: Transaction, new: ListPrice) -> None:
    run(
        tx,
        """insert into catalogue_price (price_list, offer, currency, valid, document)
           values (%s, %s, %s, tstzrange(%s, %s), %s)""",
        (
            new.price_list,
            new.offer,
            new.currency,
            new.valid_from,
            new.valid_to,
            Jsonb(documents.write(new)),
        ),
    )


def price_at(tx: Transaction, price_list: str, offer: OfferCode, at: Instant) -> list[ListPrice]:
    """Every currency's price of the offer in the list at that moment."""
    rows = all_rows(
        tx,
        """select document from catalogue_price
           where price_list = %s and offer = %s and valid @> %s order by currency""",
        (price_list, offer, at),
    )
    return [documents.read(ListPrice, row["document"]) for row in rows]


def prices_at(tx: Transaction, offer: OfferCode, at: Instant) -> list[ListPrice]:
    """Every price of the offer at that moment, by list and currency."""
    rows = all_rows(
        tx,
        """select document from catalogue_price
           where offer = %s and valid @> %s order by price_list, currency""",
        (offer, at),
    )
    return [documents.read(ListPrice, row["document"]) for row in rows]


def prices_since(tx: Transaction, offer: OfferCode, at: Instant) -> list[ListPrice]:
    """Every price of the offer that has not ended by then."""
    rows = all_rows(
        tx,
        """select document from catalogue_price
           where offer = %s and (upper_inf(valid) or upper(valid) > %s)
           order by price_list, currency, lower(valid)""",
        (offer, at),
    )
    return [documents.read(ListPrice, row["document"]) for row in rows]


def price_lists(tx: Transaction) -> list[str]:
    rows = all_rows(tx, "select distinct price_list from catalogue_price order by price_list")
    return [row["price_list"] for row in rows]


def put_rate(tx: Transaction, rate: ReferenceRate, now: Instant) -> bool:
    """False when another rate is on record for that source, pair and day."""
    run(
        tx,
        """insert into catalogue_reference_rate (base, quote, day, source, rate, learned_at)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
        (rate.base, rate.quote, rate.day, rate.source, rate.rate, now),
    )
    row = one_row(
        tx,
        """select rate from catalogue_reference_rate
           where source = %s and base = %s and quote = %s and day = %s""",
        (rate.source, rate.base, rate.quote, rate.day),
    )
    return row is not None and row["rate"] == rate.rate


def rate_on(
    tx: Transaction, base: str, quote: str, day: date, source: str | None
) -> ReferenceRate | None:
    """The newest rate published on or before the day."""
    row = one_row(
        tx,
        """select base, quote, day, source, rate from catalogue_reference_rate
           where base = %s and quote = %s and day <= %s and (%s::text is null or source = %s)
           order by day desc, source limit 1""",
        (base, quote, day, source, source),
    )
    return ReferenceRate(**row) if row else None


def put_tax_rule(tx: Transaction, rule: TaxRule) -> None:
    run(
        tx,
        """insert into catalogue_tax_rule (supplier_country, customer_country, valid_from, document)
           values (%s, %s, %s, %s)
           on conflict (supplier_country, customer_country, valid_from)
           do update set document = excluded.document""",
        (
            rule.supplier_country,
            rule.customer_country,
            rule.valid_from,
            Jsonb(documents.write(rule)),
        ),
    )


def tax_rule(
    tx: Transaction, supplier_country: str, customer_country: str, day: date
) -> TaxRule | None:
    row = one_row(
        tx,
        """select document from catalogue_tax_rule
           where supplier_country = %s and customer_country in (%s, '*') and valid_from <= %s
           order by customer_country = '*', valid_from desc limit 1""",
        (supplier_country, customer_country, day),
    )
    return documents.read(TaxRule, row["document"]) if row else None
