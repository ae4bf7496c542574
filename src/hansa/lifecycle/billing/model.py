"""A bill: what one party owes another for one month, line by line (TMF678 CustomerBill).

The same lines describe what we sell and what we buy, so both sides of a trade can compute them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby, islice
from operator import attrgetter
from typing import Literal

from hansa.federation.contract import AgreementRef, Family, Tax
from hansa.federation.packed import PackedLines, pack
from hansa.federation.papers import StatementLine
from hansa.foundation import documents
from hansa.foundation.ids import BillId, EntryId, HoldingId, OrderId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant, Period

BillKind = Literal["services", "revenue-share", "credit-note"]
"""services: for what is held. revenue-share: a member's share of what an alliance invoiced.
credit-note: part of an invoice taken back, with lines below zero and numbers of its own.
"""


class BillState(StrEnum):
    """By TMF678 names. new: a draft, open to change. onHold: the debtor disputes it.

    validated: final, numbered and posted. sent: handed to the debtor. settled: netted or paid.
    """

    NEW = "new"
    ON_HOLD = "onHold"
    VALIDATED = "validated"
    SENT = "sent"
    SETTLED = "settled"


BILL_STATES = StateGraph(
    thing="bill",
    start=BillState.NEW,
    moves={
        BillState.NEW: frozenset({BillState.ON_HOLD, BillState.VALIDATED}),
        BillState.ON_HOLD: frozenset({BillState.NEW, BillState.VALIDATED}),
        BillState.VALIDATED: frozenset({BillState.SENT}),
        BillState.SENT: frozenset({BillState.SETTLED}),
        BillState.SETTLED: frozenset(),
    },
)

DRAFTS = frozenset({BillState.NEW, BillState.ON_HOLD})
"""The states in which a bill has no number yet and its lines may still change."""


@dataclass(frozen=True, slots=True)
class BillLine(StatementLine):
    """One line as it stands on a statement, and what both sides need not agree on word for word.

    rate_bp: hundredths of a percent. holding, order, family: what the line is for and the
    order that brought it; None on a line of a revenue share.
    """

    tax_code: Literal["standard", "reverse-charge", "exempt"]
    rate_bp: int
    legend: str = ""
    holding: HoldingId | None = None
    order: OrderId | None = None
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """All lines of a bill that are taxed alike."""

    tax_code: str
    rate_bp: int
    legend: str
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Bill:
    """What `buyer` owes `issuer` for a period, in one currency, under one agreement version.

    agreement: None for an end customer. number, issued_at: empty until the bill is final.
    """

    id: BillId
    kind_of: BillKind
    issuer: PartyId
    buyer: PartyId
    agreement: AgreementRef | None
    period: Period
    currency: str
    lines: tuple[BillLine, ...]
    net: Money
    tax: Money
    state: BillState
    made_at: Instant
    number: str = ""
    issued_at: Instant | None = None

    @property
    def total(self) -> Money:
        """Net and tax together: what is to be paid."""
        return self.net + self.tax

    @property
    def final(self) -> bool:
        """Whether the bill has its number, and changes no more."""
        return self.state not in DRAFTS


@dataclass(frozen=True, slots=True)
class Run:
    """Lines that follow one another, are taxed alike and are for the same thing.

    lines: how many. net: theirs together, in minor units. The rest is as on each of them.
    """

    lines: int
    net: int
    tax: Tax
    holding: HoldingId | None
    order: OrderId | None
    family: Family | None


@dataclass(frozen=True, slots=True)
class KeptBill:
    """A bill as it is kept. bare: all of it but its lines.

    packed: the lines as they stand on a statement; runs: what else is said of them.
    """

    bare: Bill
    packed: PackedLines
    runs: tuple[Run, ...]

    @property
    def whole(self) -> Bill:
        """The bill with its lines, unpacked anew each time."""
        left = iter(self.packed.lines)
        lines = (
            BillLine(
                line.key, line.offer, line.description, line.quantity, line.unit, line.net,
                line.tax, run.tax.code, run.tax.rate_bp, run.tax.legend, run.holding, run.order,
                run.family,
            )
            for run in self.runs
            for line in islice(left, run.lines)
        )  # fmt: skip
        return replace(self.bare, lines=tuple(lines))

    @property
    def fingerprint(self) -> str:
        """Of all of it: of the bill without its lines, their fingerprint, and the runs."""
        return documents.fingerprint(
            [
                documents.write(self.bare),
                self.packed.fingerprint,
                documents.write(self.runs, tuple[Run, ...]),
            ]
        )

    @property
    def orders(self) -> Sequence[OrderId]:
        """The orders that the lines are for, by name."""
        return sorted({run.order for run in self.runs if run.order is not None})

    @property
    def income(self) -> Mapping[str, int]:
        """Net in minor units by family of service, `other` for lines without one; by name."""
        found: dict[str, int] = {}
        for run in self.runs:
            family = run.family or "other"
            found[family] = found.get(family, 0) + run.net
        return dict(sorted(found.items()))


def keep(bill: Bill) -> KeptBill:
    """A bill as it is kept: hashed and packed once."""
    runs = []
    for (code, rate_bp, legend, *what), lines in groupby(bill.lines, key=_ALIKE):
        nets = [line.net.minor for line in lines]
        runs.append(Run(len(nets), sum(nets), Tax(code, rate_bp, legend), *what))
    return KeptBill(replace(bill, lines=()), pack(bill.lines), tuple(runs))


_ALIKE = attrgetter("tax_code", "rate_bp", "legend", "holding", "order", "family")


@dataclass(frozen=True, slots=True)
class BillFilter:
    """Which bills are wanted; what is None is any. party: the other side.

    sold_to: only to end customers, or only to partners under an agreement.
    """

    party: PartyId | None = None
    period: Period | None = None
    states: frozenset[BillState] | None = None
    currency: str | None = None
    sold_to: Literal["customers", "partners"] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The lines that belong on one bill: one counterparty, agreement version and currency."""

    party: PartyId
    agreement: AgreementRef | None
    currency: str
    lines: tuple[BillLine, ...]


@dataclass(frozen=True, slots=True)
class SupplierInvoice:
    """A final invoice of a partner to us, as we have booked it. bill: the partner's own id.

    statement: the confirmed statement that it makes final; there is no other way to a payable.
    """

    bill: BillId
    number: str
    kind_of: BillKind
    issuer: PartyId
    statement: StatementId
    agreement: AgreementRef
    period: Period
    currency: str
    net: Money
    tax: Money
    issued_at: Instant
    booked_at: Instant
    entry: EntryId

    @property
    def total(self) -> Money:
        """Net and tax together."""
        return self.net + self.tax
