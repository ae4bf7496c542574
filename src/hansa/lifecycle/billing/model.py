"""A bill: what one party owes another for one month, line by line (TMF678 CustomerBill).

The same lines describe what we sell and what we buy, so both sides of a trade can compute them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from hansa.federation.contract import AgreementRef, Family
from hansa.foundation.ids import (
    BillId,
    EntryId,
    HoldingId,
    OfferCode,
    OrderId,
    PartyId,
    StatementId,
)
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
class BillLine:
    """One line. key: `HOLDING/what` or `ORDER/what`, equal on both sides of the trade.

    quantity: exact decimal of `unit`. net: rounded once, here. tax: on net, rounded once.
    rate_bp: hundredths of a percent. holding, order, family: what the line is for and the
    order that brought it; None on a line of a revenue share.
    """

    key: str
    offer: OfferCode
    description: str
    quantity: Decimal
    unit: str
    net: Money
    tax: Money
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
