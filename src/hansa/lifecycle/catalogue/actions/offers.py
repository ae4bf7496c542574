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
    rules.check_price(price, offer(tx, code=price.offer))
    published = store.price_at(tx, price.price_list, price.offer, price.valid_from)
    if price in published:
        return
    for row in published:
        if row.currency == price.currency and row.valid_from >= price.valid_from:
            raise Refused(
                "price-overlaps",
                f"A price of {price.offer} in {price.price_list} already begins at "
                f"{row.valid_from:%Y-%m-%d %H:%M}; begin the new one later.",
                field=f"prices.{price.offer}.valid_from",
            )
    store.end_price(tx, price)
    store.add_price(tx, price)


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
    shown: list[ShelfOffer | None] = []
    if actor.role == "operator":
        for one in store.offers(tx):
            listed = store.prices_at(tx, one.code, now)
            if listed:
                shown.append(rules.shown(one, listed, one.countries, listed[0].currency))
    elif actor.role == "partner":
        for trade in agreement.items_between(tx, seller=us, buyer=actor.party, at=now):
            for code in trade.item.offers:
                found = store.offer(tx, code)
                if found is not None and trade.countries:
                    listed = store.price_at(tx, trade.item.price_list, code, now)
                    shown.append(rules.shown(found, listed, trade.countries, trade.item.currency))
    else:
        customer = agreement.customer(tx, party=actor.party)
        for found in store.offers(tx):
            listed = store.price_at(tx, customer.price_list, found.code, now)
            shown.append(rules.shown(found, listed, found.countries, customer.party.currency))
    return [one for one in shown if one is not None]


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
