"""What holds of any books, however they came about."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.foundation.database import Database
from hansa.foundation.ids import EntryId, Ids
from hansa.foundation.money import Money, add_up
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger import rules
from hansa.ledger.model import Leg, NewEntry
from tests.conftest import seeded_entropy
from tests.ledger.book import check_books, entry, paper, spec

NOW = datetime(2026, 11, 30, tzinfo=UTC)

CODES = ("receivable/mtn", "receivable/bt", "payable/bt", "revenue/voice", "tax/output", "cash")


def instants() -> st.SearchStrategy[datetime]:
    naive = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1))
    return naive.map(lambda at: at.replace(tzinfo=UTC))


@st.composite
def entries(draw: st.DrawFn, number: int) -> NewEntry:
    """An entry of two to five legs on a handful of accounts, which one leg brings to zero."""
    currency = draw(st.sampled_from(["GBP", "EUR", "UGX"]))
    amounts = draw(
        st.lists(st.integers(-(10**12), 10**12).filter(bool), min_size=1, max_size=4).filter(
            lambda drawn: sum(drawn) != 0
        )
    )
    codes = [draw(st.sampled_from(CODES)) for _ in range(len(amounts) + 1)]
    text = st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20
    ).filter(lambda drawn: bool(drawn.strip()))
    return NewEntry(
        id=EntryId(f"ent_{number}"),
        key=f"key {number}",
        kind="invoice",
        ref=draw(text),
        document=paper(str(number)),
        words=draw(text),
        effective_at=draw(instants()),
        legs=tuple(
            Leg(spec(f"{code}/{currency}"), Money(minor, currency))
            for code, minor in zip(codes, [*amounts, -sum(amounts)], strict=True)
        ),
    )


@st.composite
def batches(draw: st.DrawFn) -> list[list[NewEntry]]:
    """Batches of entries, some of which come a second and a third time."""
    known: list[NewEntry] = []
    drawn = []
    for _ in range(draw(st.integers(1, 4))):
        batch = []
        for _ in range(draw(st.integers(1, 6))):
            again = draw(st.booleans())
            if known and again:
                batch.append(draw(st.sampled_from(known)))
            else:
                batch.append(draw(entries(len(known) + 1)))
                known.append(batch[-1])
        drawn.append(batch)
    return drawn


def in_vain(database: Database, work: Callable[[Transaction], None]) -> None:
    """Runs work in a transaction that is rolled back once its deferred rules have been held."""
    with database.begin() as tx:
        work(tx)
        connection = tx._connection
        assert isinstance(connection, psycopg.Connection)
        connection.execute("set constraints all immediate")
        connection.rollback()


@given(batches())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_entries_in_any_batches_with_any_repetition(
    database: Database, drawn: list[list[NewEntry]]
) -> None:
    def play(tx: Transaction) -> None:
        expected: dict[str, Money] = {}
        known: set[str] = set()
        for batch in drawn:
            before = ledger.head(tx)
            made = ledger.post(tx, entries=batch, now=NOW)
            for one, id in zip(batch, made, strict=True):
                assert (id is None) == (one.key in known), "None exactly for what is a repetition"
                if id is not None:
                    known.add(one.key)
                    for leg in one.legs:
                        assert not isinstance(leg.account, str)
                        zero = Money.zero(leg.amount.currency)
                        code = leg.account.code
                        expected[code] = expected.get(code, zero) + leg.amount
            added = len([id for id in made if id])
            after = ledger.head(tx)
            assert after.entries == before.entries + added
            assert after.batches == before.batches + (1 if added else 0)
        assert {a.code: a.balance for a in ledger.balances(tx)} == expected
        check_books(tx)
        again = [one for batch in drawn for one in batch]
        head = ledger.head(tx)
        assert set(ledger.post(tx, entries=again, now=NOW)) == {None}
        assert ledger.head(tx) == head

    in_vain(database, play)


@given(st.data())
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_the_journal_says_is_what_was_posted(database: Database, data: st.DataObject) -> None:
    posted = [data.draw(entries(number)) for number in range(1, data.draw(st.integers(2, 9)))]

    def play(tx: Transaction) -> None:
        ledger.post(tx, entries=posted, now=NOW)
        read = ledger.journal(tx)
        for one, line in zip(posted, read, strict=True):
            assert (line.id, line.key, line.kind, line.ref) == (one.id, one.key, one.kind, one.ref)
            assert (line.words, line.document) == (one.words, one.document)
            assert (line.effective_at, line.posted_at) == (one.effective_at, NOW)
            assert [(leg.account, leg.amount) for leg in line.legs] == [
                (leg.account, leg.amount) for leg in one.legs
            ]
            assert line.request == rules.request(one)
            assert ledger.get(tx, entry=one.id) == line == ledger.get_by_key(tx, key=one.key)
        page = ledger.journal(tx, limit=2, after=1)
        assert list(page) == list(read[1:3])

    in_vain(database, play)


@given(st.data())
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_reversal_leaves_every_balance_as_it_was(database: Database, data: st.DataObject) -> None:
    first = data.draw(entries(1))
    wrong = data.draw(entries(2))

    def play(tx: Transaction) -> None:
        ledger.post(tx, entries=[first], now=NOW)
        before = {a.code: a.balance for a in ledger.balances(tx)}
        ledger.post(tx, entries=[wrong], now=NOW)
        undo = ledger.reverse(
            tx, entry=wrong.id, id=EntryId("ent_3"), key="undo", now=NOW, words="Wrong"
        )
        assert undo is not None
        assert ledger.get(tx, entry=undo).reverses == wrong.id
        after = {a.code: a.balance for a in ledger.balances(tx) if a.balance}
        assert after == {code: balance for code, balance in before.items() if balance}
        check_books(tx)

    in_vain(database, play)


def at_once(*works: Callable[[], None]) -> None:
    """Runs each in its own thread, all from the same moment; raises what one of them raises."""
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        ready.wait()
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result()


def many(ids: Ids, name: str, count: int) -> list[NewEntry]:
    return [
        entry(
            ids,
            f"{name}-{number}",
            (f"receivable/p{number % 7}/GBP", 100 + number),
            (f"revenue/r{number % 5}/GBP", -100 - number),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("each_call", [1, 10])
def test_writers_on_the_same_accounts_do_not_disturb_each_other(
    database: Database, clock: SetClock, each_call: int
) -> None:
    """Each posts twice in a transaction, over accounts in opposite orders, and opens some."""

    def writer(name: str, *, backwards: bool) -> Callable[[], None]:
        ids = Ids(clock, seeded_entropy(name.encode()))
        mine = many(ids, name, 120)
        if backwards:
            mine.reverse()

        def work() -> None:
            for start in range(0, len(mine), 2 * each_call):
                with database.begin() as tx:
                    for at in (start, start + each_call):
                        made = ledger.post(tx, entries=mine[at : at + each_call], now=NOW)
                        assert None not in made

        return work

    at_once(*[writer(name, backwards=name < "c") for name in "abcd"])
    with database.begin() as tx:
        assert ledger.head(tx).entries == 480
        assert ledger.head(tx).batches == 480 / each_call
        check_books(tx)


def test_a_key_that_comes_from_two_sides_is_posted_once(
    database: Database, clock: SetClock
) -> None:
    made: dict[str, Sequence[EntryId | None]] = {}

    def writer(name: str) -> Callable[[], None]:
        mine = many(Ids(clock, seeded_entropy(name.encode())), "same", 60)

        def work() -> None:
            found: list[EntryId | None] = []
            for start in range(0, 60, 4):
                with database.begin() as tx:
                    found += ledger.post(tx, entries=mine[start : start + 4], now=NOW)
            made[name] = found

        return work

    at_once(writer("one"), writer("two"), writer("three"))
    for ids_of_key in zip(*made.values(), strict=True):
        assert len([id for id in ids_of_key if id is not None]) == 1
    with database.begin() as tx:
        check_books(tx)
        total = add_up([a.balance for a in ledger.balances(tx) if a.kind == "asset"], "GBP")
        assert total == Money(sum(100 + number for number in range(60)), "GBP")


def test_books_are_verified_while_others_write(database: Database, clock: SetClock) -> None:
    mine = many(Ids(clock, seeded_entropy(b"busy")), "busy", 200)

    def write() -> None:
        for one in mine:
            with database.begin() as tx:
                ledger.post(tx, entries=[one], now=NOW)

    def read() -> None:
        for _ in range(10):
            with database.begin() as tx:
                found = ledger.verify(tx)
            assert found.ok, found.fault

    at_once(write, read)
