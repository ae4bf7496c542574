"""Plays a ledger written as text against the books, and holds it to what the text says.

A case is a file of paragraphs. A line that starts with a date makes an entry, its legs are
indented below it; the other words are below in `Player`. `->` says what must come of it.

    2026-11-30 invoice INV-1 "November"
        receivable/mtn/GBP   120.00
        revenue/voice/GBP   -120.00
        -> posted
    balance receivable/mtn/GBP 120.00
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hansa.foundation.errors import HansaError
from hansa.foundation.ids import EntryId, HoldId, Ids, PartyId
from hansa.foundation.money import Money, add_up
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import AccountKind, AccountSpec, Leg, NewEntry

KINDS: dict[str, AccountKind] = {
    "receivable": "asset",
    "settlement": "asset",
    "cash": "asset",
    "payable": "liability",
    "tax": "liability",
    "revenue": "income",
    "cost": "expense",
    "capital": "equity",
}
"""What kind of account the first word of its code makes it."""

WITH_PARTY = {"receivable", "settlement", "payable"}

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def spec(code: str) -> AccountSpec:
    """The account that a code stands for in these tests."""
    first, *rest = code.split("/")
    party = PartyId(rest[0]) if first in WITH_PARTY else None
    return AccountSpec(code, KINDS[first], party, code[-3:])


def paper(ref: str) -> str:
    """The fingerprint of a paper with this number."""
    return hashlib.sha256(ref.encode()).hexdigest()


def entry(
    ids: Ids,
    ref: str,
    *legs: tuple[str, int],
    key: str = "",
    kind: str = "invoice",
    words: str = "As agreed",
    at: Instant = datetime(2026, 11, 30, tzinfo=UTC),
) -> NewEntry:
    """An entry with legs given as (account code, minor units)."""
    return NewEntry(
        id=ids.new(EntryId),
        key=key or ref,
        kind=kind,
        ref=ref,
        document=paper(ref),
        words=words,
        effective_at=at,
        legs=tuple(Leg(spec(code), Money(minor, code[-3:])) for code, minor in legs),
    )


@dataclass(frozen=True, slots=True)
class Paragraph:
    """line: where it starts. head: its words. legs: what is indented. result: after `->`."""

    line: int
    head: tuple[str, ...]
    legs: tuple[tuple[str, str], ...]
    result: str


def paragraphs(text: str) -> Iterator[Paragraph]:
    """The paragraphs of a case; `;` starts a comment."""
    lines = [(n, raw.split(";")[0].rstrip()) for n, raw in enumerate(text.splitlines(), start=1)]
    lines = [(n, line) for n, line in lines if line]
    starts = [at for at, (_, line) in enumerate(lines) if not line.startswith(" ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        below = [line.strip() for _, line in lines[start + 1 : end]]
        head = tuple(shlex.split(lines[start][1]))
        results = [line[2:].strip() for line in below if line.startswith("->")]
        if "->" in head:
            results.append(" ".join(head[head.index("->") + 1 :]))
            head = head[: head.index("->")]
        pairs = [line.split() for line in below if not line.startswith("->")]
        yield Paragraph(
            lines[start][0],
            head,
            tuple((code, amount) for code, amount in pairs),
            results[0] if results else "",
        )


def instant(date: str) -> Instant:
    return datetime.fromisoformat(date).replace(tzinfo=UTC)


def amount(text: str, currency: str) -> Money:
    return Money.of(text.replace(",", ""), currency)


class Player:
    """Does what a case says, a transaction for each paragraph.

    entry: `DATE KIND REF "words" [key KEY] [no-paper]`. `DATE reverse REF "words" [key KEY]`.
    `hold KEY PARTY AMOUNT CURRENCY [limit AMOUNT] [until DATE] [on DATE]`, `void KEY`,
    `posted KEY`, `expire DATE`. `balance CODE AMOUNT`, `exposure PARTY CURRENCY AMOUNT`,
    `journal CODE REF…`, `agrees`: the chain verifies and balances add up to zero.
    """

    def __init__(self, begin: Begin, ids: Ids) -> None:
        self._begin = begin
        self._ids = ids
        self._entries: dict[str, EntryId] = {}
        self._holds: dict[str, HoldId] = {}

    def play(self, text: str) -> None:
        for paragraph in paragraphs(text):
            try:
                with self._begin() as tx:
                    result = self._one(tx, paragraph)
            except HansaError as error:
                result = f"refused {error.code}"
            expected = paragraph.result or ("posted" if paragraph.legs else "done")
            assert result == expected, f"line {paragraph.line}: {result}, not {expected}"

    def _one(self, tx: Transaction, paragraph: Paragraph) -> str:
        if not DATE.fullmatch(paragraph.head[0]):
            word, *rest = paragraph.head
            result: str = getattr(self, f"_{word}")(tx, *rest)
            return result
        date, kind, ref, words, *more = paragraph.head
        key = more[more.index("key") + 1] if "key" in more else f"{kind} {ref}"
        if kind == "reverse":
            made = ledger.reverse(
                tx,
                entry=self._entries.get(ref, EntryId("ent_none")),
                id=self._ids.new(EntryId),
                key=key,
                now=instant(date),
                words=words,
            )
            return "replayed" if made is None else "posted"
        new = NewEntry(
            id=self._ids.new(EntryId),
            key=key,
            kind=kind,
            ref=ref,
            document="" if "no-paper" in more else paper(ref),
            words=words,
            effective_at=instant(date),
            legs=tuple(
                Leg(code[1:] if code[0] == "=" else spec(code), amount(minor, code[-3:]))
                for code, minor in paragraph.legs
            ),
        )
        (made,) = ledger.post(tx, entries=[new], now=instant(date))
        if made is not None:
            self._entries[ref] = made
        return "replayed" if made is None else "posted"

    def _hold(self, tx: Transaction, key: str, party: str, minor: str, *more: str) -> str:
        currency = more[0]
        given = dict(zip(more[1::2], more[2::2], strict=True))
        limit = given.get("limit")
        until = given.get("until")
        held = ledger.hold(
            tx,
            id=self._ids.new(HoldId),
            key=key,
            party=PartyId(party),
            amount=amount(minor, currency),
            limit=None if limit is None else amount(limit, currency),
            ref=f"order of {party}",
            expires_at=None if until is None else instant(until),
            now=instant(given.get("on", "2026-11-02")),
        )
        self._holds[key] = held.id
        return held.state

    def _void(self, tx: Transaction, key: str) -> str:
        return ledger.void_hold(tx, id=self._holds[key], now=instant("2026-11-03")).state

    def _posted(self, tx: Transaction, key: str) -> str:
        return ledger.post_hold(tx, id=self._holds[key], now=instant("2026-11-03")).state

    def _expire(self, tx: Transaction, date: str) -> str:
        ended = ledger.expire_holds(tx, now=instant(date))
        return " ".join(sorted(key for key, id in self._holds.items() if id in ended)) or "none"

    def _balance(self, tx: Transaction, code: str, expected: str) -> str:
        stands = ledger.balance(tx, code=code)
        return "done" if stands == amount(expected, code[-3:]) else str(stands)

    def _exposure(self, tx: Transaction, party: str, currency: str, expected: str) -> str:
        stands = ledger.exposure(tx, party=PartyId(party), currency=currency)
        return "done" if stands == amount(expected, currency) else str(stands)

    def _journal(self, tx: Transaction, code: str, *refs: str) -> str:
        found = [line.ref for line in ledger.journal(tx, code=code)]
        return "done" if found == list(refs) else " ".join(found)

    def _agrees(self, tx: Transaction) -> str:
        check_books(tx)
        return "done"


def check_books(tx: Transaction) -> None:
    """What must hold of any books: the chain, zero in sum, legs counted without a gap."""
    verified = ledger.verify(tx)
    assert verified.ok, verified.fault
    head = ledger.head(tx)
    assert (verified.batches, verified.head) == (head.batches, head.hash)
    accounts = ledger.balances(tx)
    for currency in {account.balance.currency for account in accounts}:
        of_it = [a.balance for a in accounts if a.balance.currency == currency]
        assert not add_up(of_it, currency)
    everything = ledger.journal(tx, limit=100_000)
    assert [line.number for line in everything] == list(range(1, head.entries + 1))
    for account in accounts:
        legs = [leg for line in everything for leg in line.legs if leg.account.code == account.code]
        assert [leg.sequence for leg in legs] == list(range(1, account.legs + 1))
        running = running_balances([leg.amount for leg in legs], account.balance.currency)
        assert [leg.balance for leg in legs] == running
        assert account.balance == add_up([leg.amount for leg in legs], account.balance.currency)


def running_balances(amounts: Sequence[Money], currency: str) -> list[Money]:
    balances, balance = [], Money.zero(currency)
    for one in amounts:
        balance += one
        balances.append(balance)
    return balances
