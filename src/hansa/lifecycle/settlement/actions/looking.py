"""Statements and what is open of invoices, as people look through them. `us`: our own party.

Of however many lines, a page at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from hansa.federation.disputes import DisputeAct, LineCredit
from hansa.federation.papers import StatementLine
from hansa.federation.shelf import Page
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BillId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions.statements import unknown
from hansa.lifecycle.settlement.model import (
    DISPUTE_STATES,
    DisputeFilter,
    Held,
    HeldDispute,
    OpenInvoice,
    StatementFilter,
)
from hansa.lifecycle.settlement.rules import disputes as rules
from hansa.lifecycle.settlement.store import disputes as dispute_store
from hansa.lifecycle.settlement.store import looking as store

AGES_DAYS = (30, 60, 90)
"""Where one age of open invoices ends and the next begins."""

OPEN_MAX = 10_000
"""So many open invoices between partners are added up; see `Ageing.all_of_it`."""


def page(tx: Transaction, *, wanted: StatementFilter, offset: int = 0, limit: int) -> Page[Held]:
    """Statements without their lines, the newest first."""
    return store.listed(tx, wanted, offset, limit)


def bare(tx: Transaction, *, statement: StatementId) -> Held:
    """One statement without its lines. Raises NotFound `statement-unknown`."""
    found = store.bare(tx, statement)
    if found is None:
        raise unknown(statement)
    return found


def lines(
    tx: Transaction, *, statement: StatementId, offset: int = 0, limit: int
) -> Page[StatementLine]:
    """Some lines of a statement in their order, of however many; read as few as that."""
    return store.lines(tx, statement, offset, limit)


def of_bill(tx: Transaction, *, bill: BillId) -> StatementId | None:
    """The statement that counts of a bill of ours, if there is one."""
    return store.of_bill(tx, bill)


@dataclass(frozen=True, slots=True)
class Aged:
    """What is open with one party in one currency. ages: by AGES_DAYS, the youngest first."""

    party: PartyId
    currency: str
    ages: tuple[Money, ...]

    @property
    def total(self) -> Money:
        return Money(sum(one.minor for one in self.ages), self.currency)


@dataclass(frozen=True, slots=True)
class Ageing:
    """What is open between us and partners. all_of_it: whether none was left out for number."""

    owed_to_us: tuple[Aged, ...]
    owed_by_us: tuple[Aged, ...]
    all_of_it: bool


def ageing(tx: Transaction, *, us: PartyId, now: Instant) -> Ageing:
    """What partners owe us and we owe them, by age: invoices, less what is netted of them."""
    found = store.open_invoices(tx, OPEN_MAX + 1)
    mine = [one for one in found if one.creditor == us]
    theirs = [one for one in found if one.debtor == us]
    return Ageing(
        owed_to_us=_aged([(one.debtor, one) for one in mine], now),
        owed_by_us=_aged([(one.creditor, one) for one in theirs], now),
        all_of_it=len(found) <= OPEN_MAX,
    )


def _aged(open_ones: Sequence[tuple[PartyId, OpenInvoice]], now: Instant) -> tuple[Aged, ...]:
    sums: dict[tuple[PartyId, str], list[int]] = {}
    for party, one in open_ones:
        ages = sums.setdefault((party, one.open.currency), [0] * (len(AGES_DAYS) + 1))
        ages[sum(one.since < edge for edge in edges(now))] += one.open.minor
    return tuple(
        Aged(party, currency, tuple(Money(minor, currency) for minor in ages))
        for (party, currency), ages in sorted(sums.items())
    )


def edges(now: Instant) -> Sequence[Instant]:
    """When what is so old was issued, the youngest first."""
    return [now - timedelta(days=days) for days in AGES_DAYS]


def customers_ageing(
    tx: Transaction, *, us: PartyId, now: Instant, offset: int = 0, limit: int
) -> Page[Aged]:
    """What end customers owe us, by age, customer and currency."""
    found = billing.open_sums(tx, us=us, edges=edges(now), offset=offset, limit=limit)
    return Page(
        [
            Aged(party, currency, tuple(Money(minor, currency) for minor in ages))
            for party, currency, ages in found.things
        ],
        found.total,
    )


# --- disputes -----------------------------------------------------------------------------------

ACTS: tuple[DisputeAct, ...] = get_args(DisputeAct)


def disputes_page(
    tx: Transaction, *, wanted: DisputeFilter, offset: int = 0, limit: int
) -> Page[HeldDispute]:
    """Disputes, the newest first."""
    return dispute_store.page(tx, wanted, offset, limit)


def acts(held: HeldDispute, *, us: PartyId) -> Sequence[DisputeAct]:
    """What we may do about a dispute as it stands."""
    return [act for act in ACTS if _may(held, act, us)]


def check_offer(held: HeldDispute, credits: Sequence[LineCredit]) -> None:
    """Raises Refused `claim-invalid` unless these are parts of what is claimed."""
    rules.check_credits(held.dispute, credits)


def _may(held: HeldDispute, act: DisputeAct, us: PartyId) -> bool:
    try:
        return DISPUTE_STATES.may(held.state, rules.after(held, act, party=us))
    except Refused:
        return False
