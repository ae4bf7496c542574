"""What the files of a scenario say. Everything is data; there is no code in a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hansa.drivers.model import Coverage, Product
from hansa.federation.papers import AgreementItem, AgreementParty, RevenueShare
from hansa.foundation.ids import OfferCode, PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.site import Site
from hansa.foundation.time import Instant
from hansa.lifecycle.catalogue.model import CatalogueOffer, ListPrice, ReferenceRate, TaxRule


@dataclass(frozen=True, slots=True)
class CustomerEntry:
    """An end customer of an operator. credit_limit: None for no limit."""

    party: Party
    price_list: str
    credit_limit: Money | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator's own data (`operators/<name>.yaml`); what `hansa catalogue import` takes."""

    party: Party
    products: tuple[Product, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    offers: tuple[CatalogueOffer, ...] = ()
    prices: tuple[ListPrice, ...] = ()
    taxes: tuple[TaxRule, ...] = ()
    customers: tuple[CustomerEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class AgreementFile:
    """One agreement (`agreements/<name>.yaml`); its id is made when it is drafted.

    launch: the countries that go live, with what was shown at each gate.
    """

    name: str
    parties: tuple[AgreementParty, ...]
    valid_from: Instant
    items: tuple[AgreementItem, ...]
    valid_to: Instant | None = None
    shares: tuple[RevenueShare, ...] = ()
    gates: tuple[str, ...] = ()
    launch: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WantedItem:
    """One line of a customer's order; site: the name of one of the scenario's sites."""

    id: str
    offer: OfferCode
    site: str | None = None
    characteristics: Mapping[str, int] = field(default_factory=dict)
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class OrderAct:
    """A customer asks its operator for a quote and orders it. after_days: since the act before."""

    act: Literal["order"]
    id: str
    operator: PartyId
    customer: PartyId
    items: tuple[WantedItem, ...]
    after_days: int = 0
    say: str = ""


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """A customer asks for what cannot be had; the refusal's reason must be `reason`."""

    act: Literal["refused"]
    operator: PartyId
    customer: PartyId
    items: tuple[WantedItem, ...]
    reason: str
    after_days: int = 0
    say: str = ""


@dataclass(frozen=True, slots=True)
class ChangeAct:
    """A customer changes one line of an order, e.g. its speed."""

    act: Literal["change"]
    order: str
    item: str
    characteristics: Mapping[str, int]
    after_days: int = 0
    say: str = ""


@dataclass(frozen=True, slots=True)
class CeaseAct:
    """A customer ends what an order brought."""

    act: Literal["cease"]
    order: str
    after_days: int = 0
    say: str = ""


Act = OrderAct | RefusedAct | ChangeAct | CeaseAct


@dataclass(frozen=True, slots=True)
class Scenario:
    """`scenario.yaml`: who takes part, who knows whom, and what happens.

    starts: the moment at which the story begins. The month in which it begins is the one
    that is billed and settled. operators, agreements: file names without their ending.
    """

    name: str
    title: str
    about: str
    starts: Instant
    operators: tuple[str, ...]
    partners: tuple[tuple[PartyId, PartyId], ...]
    agreements: tuple[str, ...]
    rates: tuple[ReferenceRate, ...]
    sites: tuple[Site, ...]
    story: tuple[Act, ...]
