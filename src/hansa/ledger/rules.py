"""What an entry, an account and a hold must be like, and how the chain is recomputed.

The database holds the same rules (schema/0001_ledger.sql). Here they speak: every refusal
says what is wrong in words. The walk along the chain is written from the description of the
format and shares no code with the SQL that sealed it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hansa.foundation.documents import fingerprint
from hansa.foundation.errors import Refused
from hansa.foundation.ids import EntryId
from hansa.foundation.money import Money, add_up, minor_digits
from hansa.foundation.time import Instant
from hansa.ledger.model import (
    GENESIS,
    AccountSpec,
    Batch,
    Entry,
    Fault,
    Head,
    Hold,
    Leg,
    NewEntry,
    Verification,
)

AMOUNT_MAX = 10**15
"""Largest leg or hold in minor units: room for thousands of them in a 64-bit balance."""

LEGS_MAX = 1000
TEXT_MAX = 200
WORDS_MAX = 500

_CODE = re.compile(r"[a-z0-9_.-]+(/[a-z0-9_.-]+)*/[A-Z]{3}")
_KIND = re.compile(r"[a-z][a-z-]{0,39}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# --- what may be asked ------------------------------------------------------------------------


def check_account(spec: AccountSpec, *, field: str = "account") -> None:
    """Raises Refused `account-code`, or `currency-unknown`."""
    minor_digits(spec.currency)
    if (
        not _CODE.fullmatch(spec.code)
        or not spec.code.endswith("/" + spec.currency)
        or len(spec.code) > TEXT_MAX
    ):
        raise Refused(
            "account-code",
            f"{spec.code!r} is no account code for {spec.currency}: write lower-case words "
            f"divided by slashes and the currency last, as in receivable/mtn/{spec.currency}.",
            field=field,
        )


def check_entries(entries: Sequence[NewEntry]) -> None:
    """Raises Refused with the first thing that is wrong with an entry; see `actions.post`."""
    accounts: set[AccountSpec] = set()
    for number, entry in enumerate(entries):
        _check_entry(entry, f"entries.{number}")
        _check_legs(entry.legs, entry.ref, f"entries.{number}.legs", accounts)


def _check_entry(entry: NewEntry, field: str) -> None:
    _check_instant(entry.effective_at)
    texts = {"key": TEXT_MAX, "ref": TEXT_MAX, "words": WORDS_MAX}
    for name, longest in texts.items():
        _check_text(getattr(entry, name), longest, f"{field}.{name}")
    if not _KIND.fullmatch(entry.kind):
        raise Refused(
            "entry-incomplete",
            f"{entry.kind!r} is no kind of entry: write lower-case words and hyphens.",
            field=f"{field}.kind",
        )
    if not _SHA256.fullmatch(entry.document):
        raise Refused(
            "document-missing",
            f"Entry {entry.ref} cites no paper: give the SHA-256 of the document that it books.",
            field=f"{field}.document",
        )


def _check_legs(legs: Sequence[Leg], ref: str, field: str, known: set[AccountSpec]) -> None:
    """known: accounts that were found well-formed; grows by those of these legs."""
    if not 2 <= len(legs) <= LEGS_MAX:
        raise Refused(
            "entry-legs",
            f"Entry {ref} has {len(legs)} legs: it needs two or more, and {LEGS_MAX} at most.",
            field=field,
        )
    for number, leg in enumerate(legs):
        where = f"{field}.{number}"
        code = leg.account if isinstance(leg.account, str) else leg.account.code
        if isinstance(leg.account, AccountSpec) and leg.account not in known:
            check_account(leg.account, field=f"{where}.account")
            known.add(leg.account)
        if code[-3:] != leg.amount.currency:
            raise Refused(
                "currency-mixed",
                f"Entry {ref} books {leg.amount.currency} on account {code}.",
                field=where,
            )
        if not leg.amount:
            raise Refused(
                "leg-zero", f"Entry {ref} has a leg of nothing: leave it out.", field=where
            )
        _check_size(leg.amount, where)
        if leg.amount.currency != legs[0].amount.currency:
            raise Refused(
                "currency-mixed",
                f"Entry {ref} mixes {legs[0].amount.currency} and {leg.amount.currency}: make "
                "one entry for each currency.",
                field=where,
            )
    total = add_up((leg.amount for leg in legs), legs[0].amount.currency)
    if total:
        raise Refused(
            "entry-unbalanced",
            f"The legs of entry {ref} add up to {total}, not to zero.",
            field=field,
        )


def _check_size(amount: Money, field: str) -> None:
    if abs(amount.minor) > AMOUNT_MAX:
        raise Refused(
            "amount-too-large",
            f"{amount} is more than these books take in one amount.",
            field=field,
        )


def _check_text(text: str, longest: int, field: str) -> None:
    if not _is_line(text, longest):
        raise Refused(
            "entry-incomplete",
            f"{field} must be one line of 1 to {longest} printable characters.",
            field=field,
        )


def _is_line(text: str, longest: int) -> bool:
    return bool(text.strip()) and len(text) <= longest and not _UNPRINTABLE.search(text)


def _check_instant(at: Instant) -> None:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")


def check_hold(hold: Hold) -> None:
    """Raises Refused with the first thing that is wrong with a hold; see `actions.hold`."""
    for name, text in (("key", hold.key), ("ref", hold.ref)):
        if not _is_line(text, TEXT_MAX):
            raise Refused(
                "hold-incomplete",
                f"A hold's {name} must be one line of 1 to {TEXT_MAX} printable characters.",
                field=name,
            )
    minor_digits(hold.amount.currency)
    if hold.amount.minor <= 0:
        raise Refused(
            "hold-amount",
            f"A hold of {hold.amount} holds nothing: ask for more than zero.",
            field="amount",
        )
    _check_size(hold.amount, "amount")
    if hold.limit is not None and hold.limit.currency != hold.amount.currency:
        raise Refused(
            "currency-mixed",
            f"A hold in {hold.amount.currency} cannot be measured by a limit in "
            f"{hold.limit.currency}.",
            field="limit",
        )
    if hold.expires_at is not None and hold.expires_at <= hold.placed_at:
        raise Refused(
            "hold-expired",
            f"The hold would have ended at {hold.expires_at:%Y-%m-%d %H:%M} UTC, before it began.",
            field="expires_at",
        )


def request(entry: NewEntry) -> str:
    """The SHA-256 of what an entry asks: everything but its id."""
    return fingerprint(
        [
            entry.kind,
            entry.ref,
            entry.document,
            entry.words,
            micros(entry.effective_at),
            entry.reverses,
            [
                [
                    leg.account if isinstance(leg.account, str) else leg.account.code,
                    leg.amount.minor,
                    leg.amount.currency,
                ]
                for leg in entry.legs
            ],
        ]
    )


# --- the chain --------------------------------------------------------------------------------


def micros(at: Instant) -> int:
    """Microseconds since 1970-01-01 UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def digest(entry: Entry) -> bytes:
    """SHA-256 of an entry: a line for each field, then one for each leg, in UTF-8."""
    lines = [
        str(entry.number),
        entry.id,
        entry.key,
        entry.request,
        entry.kind,
        entry.ref,
        entry.document,
        str(micros(entry.effective_at)),
        entry.reverses or "-",
        entry.words,
    ]
    for line, leg in enumerate(entry.legs, start=1):
        account = leg.account
        lines.append(
            f"{line} {account.code} {account.kind} {account.party or '-'} "
            f"{leg.sequence} {leg.amount.minor} {leg.balance.minor}"
        )
    return hashlib.sha256("\n".join(lines).encode()).digest()


def seal(previous: bytes, position: int, posted_at: Instant, digests: bytes) -> bytes:
    """The hash of a batch; the two numbers are eight bytes each, most significant first."""
    numbers = position.to_bytes(8, "big") + micros(posted_at).to_bytes(8, "big", signed=True)
    return hashlib.sha256(previous + numbers + digests).digest()


class Walk:
    """A walk along the chain from its beginning, one batch at a time.

    known: heads that were told to somebody earlier; the chain must lead through each.
    """

    def __init__(self, known: Sequence[Head] = ()) -> None:
        self._known: Mapping[int, str] = {head.batches: head.hash for head in known}
        self._position = 0
        self._hash = GENESIS
        self._last_entry = 0
        self._accounts: dict[str, tuple[int, int]] = {}

    def step(self, batch: Batch) -> Fault | None:
        """Holds the next batch against everything before it; None when all is well."""
        fault = self._link(batch) or self._entries(batch) or self._seal(batch)
        if fault is None:
            self._position = batch.position
            self._hash = batch.hash
            self._last_entry = batch.last_entry
        return fault

    def end(self, stray: EntryId | None) -> Fault | None:
        """What is wrong beyond the last batch. stray: an entry that no batch has."""
        if stray is not None:
            return Fault(self._position + 1, stray, f"Entry {stray} is in no batch of the chain.")
        beyond = [position for position in self._known if position > self._position]
        if beyond:
            return Fault(
                self._position + 1,
                None,
                f"The chain ends at batch {self._position}; it had {max(beyond)} once.",
            )
        return None

    def result(self, fault: Fault | None) -> Verification:
        return Verification(
            ok=fault is None, batches=self._position, head=self._hash.hex(), fault=fault
        )

    def _link(self, batch: Batch) -> Fault | None:
        due = self._position + 1
        if batch.position != due:
            return Fault(due, None, f"Batch {due} is missing; {batch.position} comes instead.")
        if batch.previous != self._hash:
            return Fault(
                due, None, f"Batch {due} does not follow the one before it: one was altered."
            )
        if len(batch.digests) != 32 * (batch.last_entry - self._last_entry):
            return Fault(due, None, f"Batch {due} does not have a digest for each entry.")
        return None

    def _entries(self, batch: Batch) -> Fault | None:
        stored = {entry.number: entry for entry in batch.entries}
        for place, number in enumerate(range(self._last_entry + 1, batch.last_entry + 1)):
            entry = stored.get(number)
            if entry is None:
                words = f"Entry number {number} is missing."
            elif digest(entry) != batch.digests[32 * place : 32 * place + 32]:
                words = f"Entry number {number} ({entry.id}) is not what was posted."
            elif entry.batch != batch.position:
                words = f"Entry number {number} ({entry.id}) claims batch {entry.batch}."
            else:
                words = self._books(entry)
            if words:
                return Fault(batch.position, None if entry is None else entry.id, words)
        return None

    def _books(self, entry: Entry) -> str:
        """What is wrong with an entry as bookkeeping, in words; empty when nothing is."""
        total = sum(leg.amount.minor for leg in entry.legs)
        currencies = {leg.amount.currency for leg in entry.legs}
        if total or len(entry.legs) < 2 or len(currencies) > 1:
            return f"Entry number {entry.number} ({entry.id}) does not balance."
        for leg in entry.legs:
            code = leg.account.code
            sequence, balance = self._accounts.get(code, (0, 0))
            if (leg.sequence, leg.balance.minor) != (sequence + 1, balance + leg.amount.minor):
                return f"Entry number {entry.number} ({entry.id}) does not continue account {code}."
            self._accounts[code] = (leg.sequence, leg.balance.minor)
        return ""

    def _seal(self, batch: Batch) -> Fault | None:
        """A wrong hash with right digests: the batch was altered together with its digests."""
        if seal(batch.previous, batch.position, batch.posted_at, batch.digests) != batch.hash:
            only = batch.entries[0].id if len(batch.entries) == 1 else None
            first, last = self._last_entry + 1, batch.last_entry
            return Fault(
                batch.position,
                only,
                f"The hash of batch {batch.position} is wrong: it, or one of the entries "
                f"number {first} to {last}, was altered.",
            )
        told = self._known.get(batch.position, batch.hash.hex())
        if told != batch.hash.hex():
            return Fault(
                batch.position,
                None,
                f"Batch {batch.position} has another hash than was told earlier: the chain up "
                "to it was rewritten.",
            )
        return None
