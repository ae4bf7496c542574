"""Decisions about offers and prices, as pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from hansa.federation.contract import Offer, Terms
from hansa.federation.shelf import ShelfOffer
from hansa.foundation.errors import Refused
from hansa.foundation.money import Money, Rate, Rounding, minor_digits, price
from hansa.lifecycle.catalogue.model import BookEntry, CatalogueOffer, ListPrice, ReferenceRate
from hansa.lifecycle.catalogue.rules import tariffs

INVERSE_DIGITS = 12
"""Significant digits of a rate that was published the other way round."""


def check_offer(offer: CatalogueOffer) -> None:
    """Raises Refused `offer-invalid` naming what is wrong with an offer we want to sell."""
    names = {spec.name for spec in offer.characteristics}
    parts = [component.name for component in offer.components]
    unknown = sorted({p for c in offer.components for p in c.passes} - names)
    wrong = (
        "it has no components"
        if not parts
        else "two components share a name"
        if len(set(parts)) < len(parts)
        else "a component has no source"
        if not all(c.sources for c in offer.components)
        else f"components pass on unknown characteristics {unknown}"
        if unknown
        else "a component's name holds a full stop"
        if any("." in part for part in parts)
        else "its countries are not two capital letters each"
        if not all(len(c) == 2 and c.isascii() and c.isupper() for c in offer.countries)
        else None
    )
    if wrong:
        raise Refused(
            "offer-invalid",
            f"Offer {offer.code}: {wrong}.",
            field=f"offers.{offer.code}",
        )


def check_price(new: ListPrice, offer: CatalogueOffer) -> None:
    """Raises Refused `price-invalid` naming what is wrong with a price, and `tariff-invalid`
    naming the first place in its tariff.
    """
    minor_digits(new.currency)
    names = {spec.name for spec in offer.characteristics}
    amounts = [new.one_off, new.monthly, new.cancellation, *new.monthly_per.values()]
    wrong = (
        "an amount is negative"
        if any(amount < 0 for amount in amounts)
        else f"it prices unknown characteristics {sorted(set(new.monthly_per) - names)}"
        if set(new.monthly_per) - names
        else "its margin is below zero"
        if new.margin_bp is not None and new.margin_bp < 0
        else "it ends before it begins"
        if new.valid_to and new.valid_to <= new.valid_from
        else None
    )
    if wrong:
        raise Refused(
            "price-invalid",
            f"Price of {new.offer} in {new.price_list}: {wrong}.",
            field=f"prices.{new.offer}",
        )
    for place, words in tariffs.faults(new.tariff) if new.tariff else ():
        raise Refused(
            "tariff-invalid",
            f"Tariff of {new.offer} in {new.price_list}, {place}: {words}.",
            field=f"prices.{new.offer}.tariff.{place}",
        )


def list_terms(listed: ListPrice, chosen: Mapping[str, int | str], quantity: int) -> Terms:
    """The list-price part of a line for its whole quantity, each amount rounded once."""
    monthly = listed.monthly + sum(
        (rate * int(chosen[name]) for name, rate in listed.monthly_per.items()),
        Decimal(0),
    )
    return Terms(
        one_off=price(Rate(listed.one_off, listed.currency), quantity, rounding=Rounding.HALF_UP),
        monthly=price(Rate(monthly, listed.currency), quantity, rounding=Rounding.HALF_UP),
        tariff=listed.tariff,
    )


def cancellation(listed: ListPrice, quantity: int) -> Money | None:
    """What a cancelled line costs, rounded once; None for nothing."""
    unit = Rate(listed.cancellation, listed.currency)
    return price(unit, quantity, rounding=Rounding.HALF_UP) or None


def entry(
    offer: CatalogueOffer,
    listed: Sequence[ListPrice],
    countries: Sequence[str],
    currency: str,
) -> BookEntry | None:
    """The offer in a buyer's book; None when it has no price in the buyer's currency."""
    mine = next((row for row in listed if row.currency == currency), None)
    if mine is None:
        return None
    return BookEntry(offer, mine, tuple(c for c in countries if c in offer.countries))


def shown(entry: BookEntry) -> ShelfOffer:
    """The offer as a buyer sees it."""
    offer, mine = entry.offer, entry.price
    smallest = {
        s.name: s.minimum if s.default is None else s.default for s in offer.characteristics
    }
    seen = Offer(
        code=offer.code,
        name=offer.name,
        family=offer.family,
        per=offer.per,
        countries=entry.countries,
        characteristics=offer.characteristics,
        currency=mine.currency,
        terms=list_terms(mine, smallest, 1) if mine.margin_bp is None else None,
    )
    return ShelfOffer(seen, since=mine.valid_from)


def inverse(rate: ReferenceRate) -> ReferenceRate:
    """The rate the other way round, to 12 significant digits, the same on every machine."""
    with localcontext() as context:
        context.prec = INVERSE_DIGITS
        context.rounding = ROUND_HALF_EVEN
        return ReferenceRate(rate.quote, rate.base, rate.day, rate.source, 1 / rate.rate)
