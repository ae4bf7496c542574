"""Where papers and payments to a party go, and how many set off what they owe each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from hansa.federation.papers import (
    NettingCalled,
    NettingLine,
    NettingNotice,
    NettingPlan,
    Signature,
)
from hansa.foundation.ids import BankAccountId, PartyId, PaymentId, RoundId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant


@dataclass(frozen=True, slots=True)
class Particulars:
    """What papers say of a party beside its name, country and tax number; all may be empty.

    registration: the number under which it is registered as a company. endpoint: where
    electronic invoices reach it, `SCHEME:ID` with a scheme of the list EAS, as
    `0088:7300010000001`.
    """

    party: PartyId
    street: str = ""
    city: str = ""
    postcode: str = ""
    registration: str = ""
    endpoint: str = ""


# --- netting among many -------------------------------------------------------------------------

Lines = tuple[NettingLine, ...]


class RoundState(StrEnum):
    """A round at its centre. called: offers are awaited. proposed: signatures are.

    settled: all have signed. empty: nothing was left to net.
    """

    CALLED = "called"
    PROPOSED = "proposed"
    SETTLED = "settled"
    EMPTY = "empty"


class SeatState(StrEnum):
    """One party of a round, at its centre. out: it answered no, or not in time."""

    ASKED = "asked"
    OFFERED = "offered"
    SIGNED = "signed"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Seat:
    """What a party has said. lines: as it offered them. signature: of the current attempt."""

    party: PartyId
    state: SeatState
    lines: Lines = ()
    signature: Signature | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """A round as its centre holds it. until: when what is awaited counts no more."""

    call: NettingCalled
    state: RoundState
    until: Instant
    seats: tuple[Seat, ...]
    plan: NettingPlan | None = None

    @property
    def id(self) -> RoundId:
        return self.call.round


class PartState(StrEnum):
    """Our own part in a round. signed: bound until the centre settles, proposes anew or drops.

    refused: we have said no to the plan that is there.
    """

    OFFERED = "offered"
    PROPOSED = "proposed"
    REFUSED = "refused"
    SIGNED = "signed"
    SETTLED = "settled"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Part:
    """Our own part in a round. offered: what we may net; lines: what of it the plan nets."""

    call: NettingCalled
    centre: PartyId
    state: PartState
    attempt: int = 0
    offered: Lines = ()
    plan: NettingPlan | None = None
    lines: Lines = ()
    signature: Signature | None = None
    why: str = ""

    @property
    def id(self) -> RoundId:
        return self.call.round


@dataclass(frozen=True, slots=True)
class HeardLetter:
    """A notice about netting that was heard and is still to be dealt with."""

    id: int
    sender: PartyId
    notice: NettingNotice


# --- paying -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where a party is paid, or we pay from. number: an IBAN, or what its bank uses instead.

    It counts once another person than the one who entered it has confirmed it; the newest
    confirmed one of a party counts. Payments name it by its id.
    """

    id: BankAccountId
    party: PartyId
    holder: str
    number: str
    bic: str
    entered_by: str
    entered_at: Instant
    confirmed_by: str = ""
    confirmed_at: Instant | None = None

    @property
    def is_iban(self) -> bool:
        """Whether the number is an IBAN by its form."""
        return self.number[:2].isalpha() and self.number[2:4].isdigit()

    @property
    def masked(self) -> str:
        """The number as people may see it: its last four characters."""
        return f"…{self.number[-4:]}"


@dataclass(frozen=True, slots=True)
class Remitted:
    """What of one invoice or credit note is behind a payment. amount: above nil, and by so much
    the payment is higher or, where it is set off, lower.
    """

    number: str
    amount: Money
    set_off: bool
    kind_of: Literal["invoice", "credit-note"] = "invoice"


@dataclass(frozen=True, slots=True)
class Payment:
    """What we owe a party once all is netted. settlement: the same at both sides, and short
    enough for a bank (35 characters). source: what it comes from, `netting/…`, `round/…` or
    `invoice/…`. account: the payee's, once ordered.
    """

    settlement: str
    payee: PartyId
    amount: Money
    source: str
    remitted: tuple[Remitted, ...]
    statements: tuple[StatementId, ...] = ()
    account: BankAccountId | None = None


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Payments in one currency, as they are handed to our bank on one day. on: ISO 8601 date."""

    id: PaymentId
    account: BankAccountId
    currency: str
    on: date
    payments: tuple[Payment, ...]
    ordered_by: str
    ordered_at: Instant
