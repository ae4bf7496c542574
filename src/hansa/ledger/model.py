"""What the books are made of.

Debits are positive, credits are negative: an asset or an expense grows by a positive leg; a
liability, an income or equity grows by a negative one. The legs of an entry add up to zero,
and so do all balances of one currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from hansa.foundation.ids import EntryId, HoldId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant

GENESIS = bytes(32)
"""What the first batch of the chain has for its previous hash."""

AccountKind = Literal["asset", "liability", "income", "expense", "equity"]


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account as a leg names it; opened by the first entry that does.

    code: lower-case words divided by slashes, the currency last: `receivable/mtn/GBP`.
    party: whom a balance is with, None for an account of our own (`revenue/voice/GBP`).
    """

    code: str
    kind: AccountKind
    party: PartyId | None
    currency: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account and where it stands. legs: how many it has had, numbered without a gap."""

    code: str
    kind: AccountKind
    party: PartyId | None
    balance: Money
    legs: int


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of an entry to be made: an account, or the code of one that is open already.

    amount: positive debits the account, negative credits it; never zero.
    """

    account: AccountSpec | str
    amount: Money


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be made: two or more legs in one currency that add up to zero.

    key: the caller's idempotency key. kind: what happened, in lower-case words with hyphens:
    `invoice`, `payment`, `netting`. ref: the number of the paper that it books, document that
    paper's SHA-256 in hexadecimal. words: what a reader of the journal sees. effective_at:
    when it happened, as the paper says, which is not when it was posted.
    reverses: the entry that this one takes back; see `actions.reverse`.
    """

    id: EntryId
    key: str
    kind: str
    ref: str
    document: str
    words: str
    effective_at: Instant
    legs: tuple[Leg, ...]
    reverses: EntryId | None = None


@dataclass(frozen=True, slots=True)
class PostedLeg:
    """A leg as it stands in the books.

    sequence: the leg's number on its account, from 1 without a gap. balance: the account's
    balance after it.
    """

    account: AccountSpec
    amount: Money
    sequence: int
    balance: Money


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it stands in the journal.

    number: its place in the journal, from 1 without a gap. request: the SHA-256 of what was
    asked under its key. batch: the link of the chain that seals it. posted_at: when these
    books learned of it.
    """

    number: int
    id: EntryId
    key: str
    request: str
    kind: str
    ref: str
    document: str
    words: str
    effective_at: Instant
    posted_at: Instant
    batch: int
    reverses: EntryId | None
    legs: tuple[PostedLeg, ...]


class HoldState(StrEnum):
    """active: counts against the limit. posted: what it was held for is in the books now.
    voided: given up. expired: its time ran out.
    """

    ACTIVE = "active"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


HOLD_STATES = StateGraph(
    thing="hold",
    start=HoldState.ACTIVE,
    moves={
        HoldState.ACTIVE: frozenset({HoldState.POSTED, HoldState.VOIDED, HoldState.EXPIRED}),
        HoldState.POSTED: frozenset(),
        HoldState.VOIDED: frozenset(),
        HoldState.EXPIRED: frozenset(),
    },
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A part of a party's credit, kept for something that is not in the books yet.

    limit: the credit limit under which it was placed, None for none. expires_at None: stands
    until it is posted or voided. moved_at: when it left the state active, which it does once.
    """

    id: HoldId
    key: str
    party: PartyId
    amount: Money
    limit: Money | None
    ref: str
    placed_at: Instant
    expires_at: Instant | None
    state: HoldState
    moved_at: Instant | None


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many batches and entries it seals, and its last hash.

    hash: 64 hexadecimal digits; all zero while the books are empty. Two operators who have
    told each other their heads can each prove later that nothing before them was altered.
    """

    batches: int
    entries: int
    hash: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A link of the chain as stored: its entries, and what was computed when it was sealed.

    last_entry: the number of its last entry. digests: one of 32 bytes for each entry, in
    order. hash: of the previous hash, position, posted_at and digests.
    """

    position: int
    posted_at: Instant
    last_entry: int
    digests: bytes
    previous: bytes
    hash: bytes
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing found wrong. entry: the entry concerned, where one can be named."""

    batch: int
    entry: EntryId | None
    words: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the whole chain found. batches: how many were read and found right.

    head: the hash of the last of them.
    """

    ok: bool
    batches: int
    head: str
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Turnover:
    """By how much all that took effect in a month (UTC) moved an account. month: its first day."""

    code: str
    month: date
    amount: Money
