"""Offers and what they are made of, price lists, reference rates and tax rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from hansa.federation.contract import CharacteristicSpec, Family, Tariff, Tax
from hansa.foundation.ids import OfferCode, PartyId
from hansa.foundation.time import Instant


@dataclass(frozen=True, slots=True)
class Source:
    """Where a component can be had: a seller and what it calls it.

    seller: a partner, or this node itself for its own network. countries: only for sites
    there; empty means anywhere the seller says yes.
    """

    seller: PartyId
    offer: OfferCode
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """One part that an offer is delivered from.

    sources: in order of preference. stage: lower stages are delivered before higher ones
    begin (access before overlay). metered: its usage is the usage of the whole. passes: the
    characteristics handed on to the seller; empty hands on none.
    """

    name: str
    sources: tuple[Source, ...]
    stage: int = 0
    metered: bool = False
    passes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueOffer:
    """Something we sell (TMF620 ProductOffering), made of components.

    countries: where it may be sold at all; agreements and launches narrow this.
    """

    code: OfferCode
    name: str
    family: Family
    per: Literal["site", "order"]
    countries: tuple[str, ...]
    characteristics: tuple[CharacteristicSpec, ...]
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class ListPrice:
    """The price of an offer in one price list, from valid_from up to valid_to.

    one_off, monthly, cancellation: major units for a quantity of one; the last is owed when
    an order is cancelled on which work has begun. monthly_per: added for each unit of
    a characteristic. margin_bp: when given, what partners charge us is passed on with this
    many hundredths of a percent on top; None: the list price is all. tariff: usage at list
    price; None with a margin passes a metered partner's tariff on, marked up.
    """

    price_list: str
    offer: OfferCode
    currency: str
    one_off: Decimal
    monthly: Decimal
    valid_from: Instant
    valid_to: Instant | None = None
    monthly_per: Mapping[str, Decimal] = field(default_factory=dict)
    margin_bp: int | None = None
    tariff: Tariff | None = None
    cancellation: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """Units of `quote` for one unit of `base` on a day, as a named source published it."""

    base: str
    quote: str
    day: date
    source: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class TaxRule:
    """How supplies between businesses are taxed, by country of supplier and of customer.

    customer_country `*`: any other country. Dated reference data, never a constant in code.
    """

    supplier_country: str
    customer_country: str
    valid_from: date
    tax: Tax
