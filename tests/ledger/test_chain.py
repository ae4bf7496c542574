"""The chain finds what was altered behind the database's back, and says where."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from hansa.foundation.database import Database
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import EntryId, Ids, PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import SetClock
from hansa.ledger import actions as ledger
from hansa.ledger import rules
from hansa.ledger.model import AccountSpec, Entry, Fault, Head, NewEntry, PostedLeg, Verification
from hansa.ledger.store import chain
from tests.conftest import seeded_entropy
from tests.ledger.book import check_books, entry

NOW = datetime(2026, 11, 30, tzinfo=UTC)

DETACH = "set local session_replication_role = replica;"
"""What a superuser says to be rid of triggers and foreign keys."""


def fill(database: Database, ids: Ids) -> list[NewEntry]:
    """Three batches of four entries: numbers 1 to 4, 5 to 8, 9 to 12."""
    entries = [
        entry(
            ids,
            f"INV-{number}",
            ("receivable/mtn/GBP", 100 * number),
            ("revenue/voice/GBP", -90 * number),
            ("tax/output/GBP", -10 * number),
        )
        for number in range(1, 13)
    ]
    for start in (0, 4, 8):
        with database.begin() as tx:
            ledger.post(tx, entries=entries[start : start + 4], now=NOW)
    return entries


@pytest.fixture(scope="module")
def entries() -> list[NewEntry]:
    """What is in the books of this file; each test alters a copy."""
    return []


@pytest.fixture(scope="module")
def books(server: EmbeddedServer, template: str, entries: list[NewEntry]) -> Iterator[Database]:
    """Books with the entries, to be altered in transactions that are rolled back."""
    server.create_database("test_chain", template=template)
    database = Database(server.url("test_chain"), role=None)
    database.open()
    entries += fill(database, Ids(SetClock(NOW), seeded_entropy(b"chain")))
    assert verify(database).ok
    yield database
    assert verify(database).ok
    database.close()
    server.drop_database("test_chain")


def after(books: Database, statements: str) -> Verification:
    """What a walk says when a superuser has run the statements; nothing of it stays."""
    with books.begin() as tx:
        connection = tx._connection
        assert isinstance(connection, psycopg.Connection)
        connection.execute((DETACH + statements).encode())
        found = ledger.verify(tx)
        connection.rollback()
    return found


def tamper(database: Database, statements: str) -> None:
    """The same, for good."""
    with psycopg.connect(database.url) as connection:
        connection.execute((DETACH + statements).encode())


def verify(database: Database, *known: Head) -> Verification:
    with database.begin() as tx:
        return ledger.verify(tx, known=known)


ALTERED = {
    "an amount": "update ledger_leg set amount = amount + 1 where entry = 6 and line = 1",
    "two amounts that still balance": "update ledger_leg set amount = amount"
    " + case line when 1 then 5 else -5 end where entry = 6 and line in (1, 2)",
    "a balance": "update ledger_leg set balance = balance - 1 where entry = 6 and line = 3",
    "words": "update ledger_entry set words = 'As was agreed' where number = 6",
    "a paper": "update ledger_entry set document = sha256('another') where number = 6",
    "a date": "update ledger_entry set effective_at = effective_at + interval '1 us'"
    " where number = 6",
    "a key": "update ledger_entry set key = 'free again' where number = 6",
    "a leg, removed": "delete from ledger_leg where entry = 6 and line = 3",
    "all legs, removed": "delete from ledger_leg where entry = 6",
    "a leg, added": "insert into ledger_leg values (6, 4, 1, 99, 7, 7)",
    "the account of a leg": "update ledger_leg set account = 2, sequence = 99"
    " where entry = 6 and line = 1",
    "a link to another entry": "update ledger_entry set reverses = 1 where number = 6",
    "the digest as well": "update ledger_entry set words = 'x' where number = 6; update"
    " ledger_batch set digests = overlay(digests placing sha256('x') from 33) where position = 2",
    "the batch it is in": "update ledger_entry set batch = 3 where number = 6",
}


@pytest.mark.parametrize("statement", ALTERED.values(), ids=ALTERED.keys())
def test_the_entry_that_was_altered_is_named(database: Database, ids: Ids, statement: str) -> None:
    entries = fill(database, ids)
    assert verify(database).ok
    tamper(database, statement)
    found = verify(database)
    assert not found.ok
    assert found.batches == 1, "the first batch is right"
    assert found.fault is not None
    assert (found.fault.batch, found.fault.entry) == (2, entries[5].id), found.fault.words


def test_an_entry_that_was_removed_is_missed_by_its_number(books: Database) -> None:
    found = after(
        books, "delete from ledger_leg where entry = 6; delete from ledger_entry where number = 6"
    )
    assert found.fault == Fault(2, None, "Entry number 6 is missing.")


def test_an_entry_that_was_slipped_in_is_in_no_batch(books: Database) -> None:
    fault = after(
        books,
        """insert into ledger_entry select 13, 'ent_13', 'slipped in', request, 3, kind, ref,
               document, words, effective_at, null from ledger_entry where number = 12;
           insert into ledger_leg select 13, line, account, sequence + 1, amount, balance + amount
             from ledger_leg where entry = 12""",
    ).fault
    assert fault is not None
    assert fault.entry == "ent_13"


def test_legs_of_no_entry_are_found(books: Database) -> None:
    assert not after(books, "insert into ledger_leg values (99, 1, 1, 99, 7, 7)").ok


def test_the_first_entry_on_an_account_that_was_altered_is_named(
    books: Database, entries: list[NewEntry]
) -> None:
    fault = after(
        books, "update ledger_account set party = 'bt' where code = 'receivable/mtn/GBP'"
    ).fault
    assert fault is not None
    assert (fault.batch, fault.entry) == (1, entries[0].id)


BATCHES = {
    "its hash": "update ledger_batch set hash = sha256('x')",
    "its time": "update ledger_batch set posted_at = posted_at - interval '1 day'",
    "a digest alone": "update ledger_batch set digests = set_byte(digests, 0, 0)",
    "its length": "update ledger_batch set last_entry = 7",
    "its existence": "delete from ledger_batch",
}


@pytest.mark.parametrize("statement", BATCHES.values(), ids=BATCHES.keys())
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_the_batch_that_was_altered_is_named(books: Database, statement: str, batch: int) -> None:
    fault = after(books, f"{statement} where position = {batch}").fault
    assert fault is not None
    assert fault.batch == batch


RESEAL = """;
    update ledger_batch b set digests = anew.digests
      from ledger_digests(9, 12) as anew where b.position = 3;
    update ledger_batch set hash = sha256(previous || int8send(position)
           || int8send(ledger_micros(posted_at)) || digests) where position = 3"""

MISBOOKED = {
    "one amount and its balance": (
        "update ledger_leg set (amount, balance) = (amount + 1, balance + 1) where entry = 11",
        "does not balance",
    ),
    "a balance": (
        "update ledger_leg set balance = balance + 1 where entry = 11 and line = 3",
        "does not continue account tax/output/GBP",
    ),
    "a sequence": (
        "update ledger_leg set sequence = 99 where entry = 11 and line = 3",
        "does not continue account tax/output/GBP",
    ),
}


@pytest.mark.parametrize(("statement", "words"), MISBOOKED.values(), ids=MISBOOKED.keys())
def test_books_that_are_wrong_are_found_though_the_last_batch_is_sealed_anew(
    books: Database, entries: list[NewEntry], statement: str, words: str
) -> None:
    fault = after(books, statement + RESEAL).fault
    assert fault is not None
    assert fault.entry == entries[10].id
    assert words in fault.words


def test_a_batch_sealed_anew_breaks_the_one_after_it(books: Database) -> None:
    found = after(
        books,
        """update ledger_entry set words = 'Not as agreed' where number = 6;
           update ledger_batch b set digests = anew.digests
             from ledger_digests(5, 8) as anew where b.position = 2;
           update ledger_batch set hash = sha256(previous || int8send(position)
                  || int8send(ledger_micros(posted_at)) || digests) where position = 2""",
    )
    assert found.fault == Fault(
        3, None, "Batch 3 does not follow the one before it: one was altered."
    )


def test_books_rewritten_from_the_start_are_betrayed_by_a_head_told_earlier(
    database: Database, ids: Ids
) -> None:
    fill(database, ids)
    with database.begin() as tx:
        told = ledger.head(tx)
    assert verify(database, told).ok

    tamper(
        database,
        "truncate ledger_leg, ledger_entry, ledger_batch, ledger_account restart identity",
    )
    fill(database, ids)
    assert verify(database).ok, "in themselves the new books are right"
    fault = verify(database, told).fault
    assert fault is not None
    assert "rewritten" in fault.words

    tamper(
        database,
        """delete from ledger_batch where position = 3; delete from ledger_leg where entry > 8;
           delete from ledger_entry where number > 8""",
    )
    assert verify(database).ok, "so are books that lost their end"
    assert verify(database, told).fault == Fault(
        3, None, "The chain ends at batch 2; it had 3 once."
    )


def test_the_walk_reads_page_by_page(
    database: Database, ids: Ids, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, ids)
    monkeypatch.setattr(chain, "PAGE_ENTRIES", 5)
    with database.begin() as tx:
        check_books(tx)


def test_empty_books_are_right(database: Database) -> None:
    assert verify(database) == Verification(ok=True, batches=0, head="0" * 64, fault=None)


def test_the_format_of_the_chain_is_fixed() -> None:
    """What an auditor recomputes without any code of ours."""
    gbp = AccountSpec("receivable/mtn/GBP", "asset", PartyId("mtn"), "GBP")
    income = AccountSpec("revenue/voice/GBP", "income", None, "GBP")
    one = Entry(
        number=7,
        id=EntryId("ent_7"),
        key="nov",
        request="ab" * 32,
        kind="invoice",
        ref="INV-7",
        document="cd" * 32,
        words="Für November",
        effective_at=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        posted_at=NOW,
        batch=2,
        reverses=None,
        legs=(
            PostedLeg(gbp, Money(100, "GBP"), 1, Money(100, "GBP")),
            PostedLeg(income, Money(-100, "GBP"), 4, Money(-350, "GBP")),
        ),
    )
    text = (
        "7\nent_7\nnov\n" + "ab" * 32 + "\ninvoice\nINV-7\n" + "cd" * 32 + "\n1000000\n-\n"
        "Für November\n1 receivable/mtn/GBP asset mtn 1 100 100\n"
        "2 revenue/voice/GBP income - 4 -100 -350"
    )
    digest = hashlib.sha256(text.encode()).digest()
    assert rules.digest(one) == digest
    previous = hashlib.sha256(b"before").digest()
    eight = (2).to_bytes(8, "big") + (1_000_000).to_bytes(8, "big")
    sealed = rules.seal(previous, 2, one.effective_at, digest)
    assert sealed == hashlib.sha256(previous + eight + digest).digest()
