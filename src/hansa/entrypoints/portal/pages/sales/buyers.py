"""For whom sales people work: customers, and partners that buy from us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hansa.entrypoints.portal.ask import APPROVERS, FINANCE, SALES
from hansa.federation import directory
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor, Party
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreement

Kind = Literal["customer", "partner"]

LOOKERS = SALES | FINANCE | APPROVERS
"""Who may look at prices and quotes; sales alone makes them."""

MARGIN = FINANCE | APPROVERS
"""Who may see what a line costs us and what is earned on it: what we pay a partner stands in an
agreement with it, which sales people do not need to know. Somebody in sales who does has one of
these roles beside."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody that we may sell to. price_list: of a customer; partners have one an agreement."""

    kind: Kind
    party: Party
    price_list: str = ""

    @property
    def value(self) -> str:
        """How a form names it."""
        return f"{self.kind}:{self.party.id}"

    @property
    def actor(self) -> Actor:
        return Actor(self.party.id, self.kind)


def buyers(tx: Transaction) -> Sequence[Buyer]:
    """Every customer and every trusted partner, customers first, by name."""
    found = [
        *(Buyer("customer", one.party, one.price_list) for one in agreement.customers(tx)),
        *(Buyer("partner", one.party) for one in directory.partners(tx)),
    ]
    return sorted(found, key=lambda one: (one.kind, one.party.name.casefold()))


def buyer(tx: Transaction, kind: str, party: PartyId) -> Buyer:
    """Raises NotFound `customer-unknown`, `partner-unknown`."""
    if kind == "customer":
        known = agreement.customer(tx, party=party)
        return Buyer("customer", known.party, known.price_list)
    return Buyer("partner", directory.partner(tx, party=party).party)


def named(found: Sequence[Buyer], value: str) -> Buyer:
    """The one that a form names. Raises NotFound `page-missing`."""
    for one in found:
        if one.value == value:
            return one
    raise NotFound("page-missing", "There is no customer or partner of that name.", field="for")
