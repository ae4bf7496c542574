"""What an operator writes down about itself and its agreements, and how that gets into its node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hansa.drivers import actions as network
from hansa.drivers.model import Coverage, Product
from hansa.federation.papers import (
    AgreementDocument,
    AgreementItem,
    AgreementParty,
    NettingTerms,
    RevenueShare,
)
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.model import CatalogueOffer, ListPrice, TaxRule


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
    netting: NettingTerms | None = None
    launch: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def document(self, *, id: AgreementId, version: int) -> AgreementDocument:
        """The text that all parties sign; `launch` is no part of it."""
        return AgreementDocument(
            id=id,
            version=version,
            name=self.name,
            parties=self.parties,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            items=self.items,
            shares=self.shares,
            gates=self.gates,
            netting=self.netting,
        )


def put(tx: Transaction, *, us: Party, operator: Operator, now: Instant) -> None:
    """Enters all that the file lists; what is there already stays, and the same again changes
    nothing.

    Raises Refused `file-of-another` when the file is not about us, and whatever a single
    entry is refused for; all of the file is entered or nothing of it.
    """
    if operator.party.id != us.id:
        raise Refused(
            "file-of-another",
            f"The file is about {operator.party.id}, and this node is {us.id}'s.",
            field="party.id",
        )
    network.set_products(tx, products=operator.products)
    network.cover(tx, entries=operator.coverage)
    for offer in operator.offers:
        catalogue.put_offer(tx, offer=offer)
    for price in operator.prices:
        catalogue.put_price(tx, price=price)
    for rule in operator.taxes:
        catalogue.put_tax_rule(tx, rule=rule)
    for entry in operator.customers:
        agreement.register_customer(
            tx,
            party=entry.party,
            price_list=entry.price_list,
            credit_limit=entry.credit_limit,
            now=now,
        )
