"""A statement as this node holds it, the positions it leads to, and books fit to be compared.

The papers themselves are in `hansa.federation.papers`: both sides hold the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from hansa.federation.disputes import Dispute, DisputeMoved, LineCredit
from hansa.federation.packed import KeptStatement
from hansa.federation.papers import (
    Confirmation,
    Difference,
    Signature,
    StatementState,
)
from hansa.foundation.ids import BillId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant, Period

STATEMENT_STATES = StateGraph(
    thing="statement",
    start=StatementState.ISSUED,
    moves={
        StatementState.ISSUED: frozenset(
            {StatementState.DISPUTED, StatementState.CONFIRMED, StatementState.WITHDRAWN}
        ),
        StatementState.DISPUTED: frozenset({StatementState.CONFIRMED, StatementState.WITHDRAWN}),
        StatementState.CONFIRMED: frozenset({StatementState.INVOICED, StatementState.WITHDRAWN}),
        StatementState.INVOICED: frozenset(),
        StatementState.WITHDRAWN: frozenset(),
    },
)
"""Confirmed to withdrawn is for the debtor only: its answer crossed the next statement."""

OPEN = frozenset({StatementState.ISSUED, StatementState.DISPUTED, StatementState.CONFIRMED})
"""The states in which money of a statement is not settled yet and is held out of netting."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A person has accepted the other side's figure on one line, and says why.

    It holds for exactly this difference: other figures on the line have to be accepted anew.
    """

    difference: Difference
    by: str
    why: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Held:
    """A statement as this node holds it.

    direction: we issued it, or we heard it. bill, number: the creditor's, once known.
    compared_at: when we last laid our own lines beside it (heard only); waiting: why we could
    not yet, or what a person must look at, empty otherwise. differences: from this node's
    side, so `ours` is always what this node says.
    """

    statement: KeptStatement
    direction: Literal["issued", "heard"]
    signature: Signature
    state: StatementState
    bill: BillId | None = None
    number: str = ""
    compared_at: Instant | None = None
    waiting: str = ""
    differences: tuple[Difference, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    confirmation: Confirmation | None = None
    netting: str = ""

    @property
    def id(self) -> StatementId:
        return self.statement.id

    @property
    def total(self) -> Money:
        """Net and tax: what is owed when it is invoiced."""
        return self.statement.net + self.statement.tax

    @property
    def unresolved(self) -> tuple[Difference, ...]:
        """The differences that nobody has accepted."""
        accepted = {resolution.difference for resolution in self.resolutions}
        return tuple(one for one in self.differences if one not in accepted)

    def partner(self, us: PartyId) -> PartyId:
        """The other party."""
        return self.statement.debtor if self.statement.creditor == us else self.statement.creditor


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """Which statements are wanted; what is None is any. party: the other side."""

    party: PartyId | None = None
    period: Period | None = None
    state: StatementState | None = None
    currency: str | None = None
    direction: Literal["issued", "heard"] | None = None


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """A partner's invoice to us, or ours to it, of which not all is netted.

    open: what is left of its total. since: when it was issued, or when we learned of it.
    """

    statement: StatementId
    number: str
    creditor: PartyId
    debtor: PartyId
    open: Money
    since: Instant


@dataclass(frozen=True, slots=True)
class NettedLine:
    """What of a statement a netting moved, with the sign of its total; with the other sign what
    was moved before a dispute was heard of. agreed: among many, as all have signed.
    """

    statement: StatementId
    amount: Money
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Netting:
    """What one set of invoices between two parties came to, as posted in this node's ledger.

    key: `netting/PERIOD/PARTNER/CURRENCY/n`, the idempotency key of its entries. receivable,
    payable: the sums that were moved to the settlement account. statements: those that were
    netted for the first time; lines: what was moved of these and of others.
    """

    key: str
    partner: PartyId
    period: Period
    receivable: Money
    payable: Money
    statements: tuple[StatementId, ...]
    lines: tuple[NettedLine, ...]
    at: Instant

    @property
    def net(self) -> Money:
        """What the partner owes us, negative when we owe."""
        return self.receivable - self.payable


@dataclass(frozen=True, slots=True)
class Position:
    """Where we stand with one partner in one currency for one period.

    receivable, payable: sums of invoiced statements, tax included. netted: what of their
    difference is in the settlement account. held_out: why nothing is netted now, empty when
    it can be. disputed_receivable, disputed_payable: what of those sums is in open dispute and
    not netted; None for nothing.
    """

    partner: PartyId
    period: Period
    currency: str
    receivable: Money
    payable: Money
    netted: Money
    held_out: tuple[str, ...] = ()
    disputed_receivable: Money | None = None
    disputed_payable: Money | None = None

    @property
    def net(self) -> Money:
        """What the partner owes us, negative when we owe."""
        return self.receivable - self.payable


@dataclass(frozen=True, slots=True)
class BooksLine:
    """What a ledger says of one partner in one currency. All from the ledger's own side:
    receivable and payable as positive amounts owed, settlement positive when we are owed.
    """

    partner: PartyId
    currency: str
    receivable: Money
    payable: Money
    settlement: Money


@dataclass(frozen=True, slots=True)
class Books:
    """One node's books of its partners, to be laid beside theirs.

    chain_ok, chain_head: whether the ledger's hash chain holds, and its newest hash.
    """

    party: PartyId
    lines: tuple[BooksLine, ...]
    chain_ok: bool
    chain_head: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two parties' books of each other in one currency, side by side."""

    a: PartyId
    b: PartyId
    currency: str
    a_says: BooksLine
    b_says: BooksLine
    ok: bool


@dataclass(frozen=True, slots=True)
class BooksProof:
    """Whether a set of books agree. breaks: in plain words, one a disagreement.

    sums: for each currency the sum of all positions between these parties; zero when they agree.
    """

    ok: bool
    pairs: tuple[Pair, ...]
    breaks: tuple[str, ...]
    sums: tuple[Money, ...]


# --- disputes -----------------------------------------------------------------------------------


class DisputeState(StrEnum):
    """The life of a dispute on either side.

    raised, acknowledged, insisted: the other side is to answer. offered, rejected: the raiser is.
    """

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    OFFERED = "offered"
    REJECTED = "rejected"
    INSISTED = "insisted"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


_ANSWERS = frozenset(
    {
        DisputeState.OFFERED,
        DisputeState.ACCEPTED,
        DisputeState.REJECTED,
        DisputeState.WITHDRAWN,
    }
)

DISPUTE_STATES = StateGraph(
    thing="dispute",
    start=DisputeState.RAISED,
    moves={
        DisputeState.RAISED: _ANSWERS | {DisputeState.ACKNOWLEDGED},
        DisputeState.ACKNOWLEDGED: _ANSWERS,
        DisputeState.OFFERED: frozenset(
            {DisputeState.ACCEPTED, DisputeState.INSISTED, DisputeState.WITHDRAWN}
        ),
        DisputeState.REJECTED: frozenset({DisputeState.INSISTED, DisputeState.WITHDRAWN}),
        DisputeState.INSISTED: _ANSWERS,
        DisputeState.ACCEPTED: frozenset(),
        DisputeState.WITHDRAWN: frozenset({DisputeState.ACCEPTED}),
    },
)
"""Withdrawn to accepted is for the raiser only: its withdrawal crossed the acceptance."""

DISPUTE_ENDS = frozenset({DisputeState.ACCEPTED, DisputeState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class DisputeMove:
    """What one side did, and who of ours did it; empty for the partner's people."""

    notice: DisputeMoved
    by: str
    at: Instant

    @property
    def party(self) -> PartyId:
        return self.notice.signature.party


@dataclass(frozen=True, slots=True)
class HeldDispute:
    """A dispute as this node holds it. credits: what is offered, or was accepted.

    credit_note: the statement of the credit note, once there is one.
    """

    dispute: Dispute
    partner: PartyId
    direction: Literal["raised", "heard"]
    signature: Signature
    state: DisputeState
    credits: tuple[LineCredit, ...] = ()
    moves: tuple[DisputeMove, ...] = ()
    credit_note: StatementId | None = None

    @property
    def open(self) -> bool:
        return self.state not in DISPUTE_ENDS


@dataclass(frozen=True, slots=True)
class DisputeFilter:
    """Which disputes are wanted; what is None is any. only_open: those that have not ended."""

    party: PartyId | None = None
    period: Period | None = None
    state: DisputeState | None = None
    only_open: bool = False


@dataclass(frozen=True, slots=True)
class DisputeClock:
    """By when what is due, and how far up a dispute has come by then: level 1 to 4.

    2 and 3: higher ranks of both sides; 4: an expert or arbitration. overdue: what has not
    come in time.
    """

    acknowledge_by: Instant
    sample_by: Instant
    answer_by: Instant
    level: int
    overdue: tuple[str, ...]


# --- call records of both sides -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How near two call records must be, and which days need no look at records.

    time_s, duration_s: two records of the same numbers are of one call when their times are so
    near, and agree when their durations are. amount_nano: how far two amounts of one call may
    lie apart. calls_bp, seconds_bp, amount_bp: a day and destination agrees while its sums
    differ by no more, in hundredths of a percent of the greater. digits: how many leading digits
    of the called number make a destination, where the files name none. shift_least: how many
    calls make a shift of the clock. with_calling: whether the calling number must agree.
    """

    time_s: int = 2
    duration_s: int = 1
    amount_nano: int = 0
    calls_bp: int = 10
    seconds_bp: int = 10
    amount_bp: int = 10
    digits: int = 3
    shift_least: int = 20
    with_calling: bool = True


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file that was read or written, by its content."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One row that was left out, and why. row: from 1, without the heading."""

    file: str
    row: int
    why: str


@dataclass(frozen=True, slots=True)
class DayTotals:
    """One day (UTC) of both sides. off: on what it differs by too much: calls, seconds, amount,
    times (as many calls at other times of the day); empty when it agrees.
    """

    day: str
    calls_ours: int
    calls_theirs: int
    seconds_ours: int
    seconds_theirs: int
    amount_ours_nano: int
    amount_theirs_nano: int
    off: str


@dataclass(frozen=True, slots=True)
class ClassTotal:
    """All calls of one class. seconds, difference_nano: theirs less ours.

    unpriced: of how many records an amount is missing, so that they are not in the difference.
    """

    name: str
    records: int
    seconds: int
    difference_nano: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class ClockShift:
    """Many records of a stretch whose times differ by the same half hours: one finding.

    shift_s: what their clock is ahead. first_s, last_s: of our records, epoch seconds.
    """

    shift_s: int
    first_s: int
    last_s: int
    records: int


@dataclass(frozen=True, slots=True)
class RecordPair:
    """One difference, with what each side's record says; times in epoch microseconds."""

    name: str
    day: str
    calling: str
    called: str
    ours_ref: str | None
    ours_answered_us: int | None
    ours_duration_s: int | None
    ours_amount_nano: int | None
    theirs_ref: str | None
    theirs_answered_us: int | None
    theirs_duration_s: int | None
    theirs_amount_nano: int | None
    difference_nano: int | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What came of laying two sets of call records side by side.

    days: every day; records were looked at only where `off` says on what it differs. classes:
    of those days. sample: the dearest differences; all of them are in the written files.
    unreadable: the first rows that were left out, of `unreadable_ours` and `unreadable_theirs`.
    """

    currency: str
    tolerance: Tolerance
    ours: tuple[RecordFile, ...]
    theirs: tuple[RecordFile, ...]
    rows_ours: int
    rows_theirs: int
    unreadable_ours: int
    unreadable_theirs: int
    unreadable: tuple[Unreadable, ...]
    days: tuple[DayTotals, ...]
    classes: tuple[ClassTotal, ...]
    shifts: tuple[ClockShift, ...]
    sample: tuple[RecordPair, ...]
    written: tuple[RecordFile, ...]

    @property
    def difference_nano(self) -> int:
        """What they say beyond what we say, over all days, as far as records are rated."""
        return sum(one.amount_theirs_nano - one.amount_ours_nano for one in self.days)
