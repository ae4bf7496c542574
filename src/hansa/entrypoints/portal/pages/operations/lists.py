"""What the lists of this area share: what is asked of one, its page, and whose names it says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from hansa.entrypoints.portal.ask import Ask
from hansa.federation import directory
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import PartyId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreement

PAGE = 25
TEXT_MAX = 100


def words(ask: Ask, name: str) -> str:
    """What was asked for in words; no longer than anything it could find."""
    return ask.query.get(name, "").strip()[:TEXT_MAX]


def party(ask: Ask, name: str = "party") -> PartyId | None:
    """Whom the list is to be about; None for all."""
    asked = words(ask, name)
    return PartyId(asked.lower()) if asked else None


@dataclass(frozen=True)
class Turn:
    """Which page of a list is shown. base: an address to which another page's number is added."""

    page: int
    base: str

    @property
    def offset(self) -> int:
        return (self.page - 1) * PAGE

    @staticmethod
    def pages(total: int) -> int:
        return max(1, -(-total // PAGE))


def turn(ask: Ask) -> Turn:
    path = ask.request.url.path
    return Turn(ask.number("page", 1, most=100_000), f"{path}{ask.with_query(page=None)}&page=")


def names(tx: Transaction, ask: Ask, *customers: PartyId) -> Mapping[str, str]:
    """What we, our partners and these customers are called, by their short names."""
    known = {str(one.party.id): one.party.name for one in directory.partners(tx)}
    for party in set(customers) - set(known) - {ask.node.us.id}:
        with suppress(NotFound):
            known[party] = agreement.customer(tx, party=party).party.name
    return {**known, ask.node.us.id: ask.node.us.name}
