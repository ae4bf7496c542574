"""What others may ask or do in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from hansa.federation.contract import Characteristics, Offer, Tax, Terms
from hansa.federation.shelf import ShelfOffer
from hansa.foundation.characteristics import chosen
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import OfferCode, PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor, Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.catalogue.model import (
    BookEntry,
    CatalogueOffer,
    ListPrice,
    ReferenceRate,
    TaxRule,
)
from hansa.lifecycle.catalogue.rules import offers as rules
from hansa.lifecycle.catalogue.store import offers as store


def put_offer(tx: Transaction, *, offer: CatalogueOffer) -> None:
    """Enters an offer, or the newest description of it. Raises Refused `offer-invalid`."""
    rules.check_offer(offer)
    store.put_offer(tx, offer)


def put_price(tx: Transaction, *, price: ListPrice) -> None:
    """Publishes a price; the one in force ends where the new one begins.

    The same price again changes nothing. Raises Refused `price-invalid`, `tariff-invalid`, or
    `price-overlaps` when it begins before or with a price that is already published.
    """
    if price in check_price(tx, price=price):
        return
    store.end_price(tx, price)
    store.add_price(tx, price)


def check_price(tx: Transaction, *, price: ListPrice) -> Sequence[ListPrice]:
    """Whether a price could be published, and which ones are in force where it begins.

    Raises as `put_price` does; nothing is changed.
    """
    rules.check_price(price, offer(tx, code=price.offer))
    published = store.price_at(tx, price.price_list, price.offer, price.valid_from)
    for row in published if price not in published else ():
        if row.currency == price.currency and row.valid_from >= price.valid_from:
            raise Refused(
                "price-overlaps",
                f"A price of {price.offer} in {price.price_list} already begins at "
                f"{row.valid_from:%Y-%m-%d %H:%M}; begin the new one later.",
                field=f"prices.{price.offer}.valid_from",
            )
    return published


def put_rate(tx: Transaction, *, rate: ReferenceRate, now: Instant) -> None:
    """Records a published reference rate; the same again changes nothing.

    Raises Refused `rate-on-record` when the source has another rate for that day.
    """
    if not store.put_rate(tx, rate, now):
        raise Refused(
            "rate-on-record",
            f"{rate.source} already has another {rate.base}/{rate.quote} rate for {rate.day}.",
            field="rates",
        )


def put_tax_rule(tx: Transaction, *, rule: TaxRule) -> None:
    """Enters a tax rule from its day on."""
    store.put_tax_rule(tx, rule)


def offer(tx: Transaction, *, code: OfferCode) -> CatalogueOffer:
    """One offer of ours. Raises Refused `offer-unknown`."""
    found = store.offer(tx, code)
    if found is None:
        raise Refused(
            "offer-unknown",
            f"There is no offer {code!r}; list what is on offer and choose.",
            field="offer",
        )
    return found


def characteristics(
    offer: CatalogueOffer, asked: Characteristics, *, field: str
) -> Characteristics:
    """What was asked of an offer with its defaults filled in.

    Raises Refused `characteristic-unknown`, `characteristic-missing` or
    `characteristic-out-of-range`, naming `field`.characteristics.NAME.
    """
    return chosen(offer.characteristics, asked, offer=offer.code, field=f"{field}.characteristics")


def all_offers(tx: Transaction) -> Sequence[CatalogueOffer]:
    """Every offer of ours, with what it is made of; for this node's own people."""
    return store.offers(tx)


def offers_for(tx: Transaction, *, us: PartyId, actor: Actor, now: Instant) -> Sequence[Offer]:
    """What this buyer may have now, at its own prices."""
    return [one.offer for one in shelf_offers(tx, us=us, actor=actor, now=now)]


def shelf_offers(
    tx: Transaction, *, us: PartyId, actor: Actor, now: Instant
) -> Sequence[ShelfOffer]:
    """What this buyer may have now, at its own prices, and since when it is at these prices.

    This node's own people are shown every offer, at the price that is first by list.
    """
    if actor.role != "operator":
        entries = book(tx, us=us, actor=actor, now=now)
    else:
        entries = [
            BookEntry(one, listed[0], one.countries)
            for one in store.offers(tx)
            if (listed := store.prices_at(tx, one.code, now))
        ]
    return [rules.shown(one) for one in entries]


def book(tx: Transaction, *, us: PartyId, actor: Actor, now: Instant) -> Sequence[BookEntry]:
    """What a customer or partner may have now, each with the price from which its own is made.

    For this node's own people: a price says what margin is on it.
    """
    found: list[BookEntry | None] = []
    if actor.role == "partner":
        for trade in agreement.items_between(tx, seller=us, buyer=actor.party, at=now):
            for code in trade.item.offers if trade.countries else ():
                one = store.offer(tx, code)
                listed = store.price_at(tx, trade.item.price_list, code, now) if one else []
                if one is not None:
                    found.append(rules.entry(one, listed, trade.countries, trade.item.currency))
    else:
        customer = agreement.customer(tx, party=actor.party)
        for one in store.offers(tx):
            listed = store.price_at(tx, customer.price_list, one.code, now)
            found.append(rules.entry(one, listed, one.countries, customer.party.currency))
    return [one for one in found if one is not None]


def book_of_list(tx: Transaction, *, price_list: str, now: Instant) -> Sequence[BookEntry]:
    """Every offer with its prices in this list, one a currency, as they are now."""
    return [
        BookEntry(one, price, one.countries)
        for one in store.offers(tx)
        for price in store.price_at(tx, price_list, one.code, now)
    ]


def price_lists(tx: Transaction) -> Sequence[str]:
    """The names of all price lists, in order."""
    return store.price_lists(tx)


def prices_since(tx: Transaction, *, offer: OfferCode, at: Instant) -> Sequence[ListPrice]:
    """Every price of the offer that is in force or will be, by list, currency and beginning."""
    return store.prices_since(tx, offer, at)


def price_for(
    tx: Transaction, *, price_list: str, offer: OfferCode, currency: str, at: Instant
) -> ListPrice:
    """The price in force. Raises Refused `currency-wrong` or `price-missing`."""
    listed = store.price_at(tx, price_list, offer, at)
    for row in listed:
        if row.currency == currency:
            return row
    if listed:
        raise Refused(
            "currency-wrong",
            f"{offer} is priced in {', '.join(row.currency for row in listed)}, not {currency}.",
            field="currency",
        )
    raise Refused("price-missing", f"{offer} has no price for you at this time.", field="offer")


def list_terms(price: ListPrice, chosen: Characteristics, quantity: int) -> Terms:
    """The list-price part of a line for its whole quantity, each amount rounded once."""
    return rules.list_terms(price, chosen, quantity)


def cancellation(price: ListPrice, quantity: int) -> Money | None:
    """What it costs to take a line back once work on it has begun; None: nothing."""
    return rules.cancellation(price, quantity)


def reference_rate(
    tx: Transaction, *, base: str, quote: str, day: date, source: str | None = None
) -> ReferenceRate:
    """Units of `quote` for one `base`: the newest published on or before the day.

    source None takes any. A pair published only the other way round is inverted. Raises
    NotFound `rate-missing`.
    """
    if base == quote:
        return ReferenceRate(base, quote, day, source or "identity", Decimal(1))
    direct = store.rate_on(tx, base, quote, day, source)
    if direct is not None:
        return direct
    other_way = store.rate_on(tx, quote, base, day, source)
    if other_way is not None:
        return rules.inverse(other_way)
    raise NotFound(
        "rate-missing",
        f"No reference rate {base}/{quote} on or before {day}"
        f"{f' from {source}' if source else ''}; import one and try again.",
        field="rates",
    )


def tax_for(tx: Transaction, *, supplier: Party, customer: Party, now: Instant) -> Tax:
    """How a supply between these two businesses is taxed today.

    Raises NotFound `tax-rule-missing`.
    """
    rule = store.tax_rule(tx, supplier.country, customer.country, now.date())
    if rule is None:
        raise NotFound(
            "tax-rule-missing",
            f"No tax rule for supplies from {supplier.country} to {customer.country}; "
            "import one and try again.",
            field="taxes",
        )
    return rule.tax
