"""What the database itself refuses to whoever goes around the actions with plain SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from hansa.foundation.database import Database
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import HoldId, Ids, PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import SetClock
from hansa.ledger import actions as ledger
from tests.conftest import seeded_entropy
from tests.ledger.book import check_books, entry, spec

NOW = datetime(2026, 11, 30, tzinfo=UTC)

Connection = psycopg.Connection[tuple[Any, ...]]

ENTRY = """insert into ledger_entry
    (number, id, key, request, batch, kind, ref, document, words, effective_at, reverses)
    values ({number}, 'ent_{number}', 'raw {number}', sha256('r'), {batch}, 'invoice', 'INV-9',
            sha256('d'), 'By hand', '2026-11-30Z', {reverses});"""
LEGS = "insert into ledger_leg (entry, line, account, sequence, amount, balance) values {};"
SEAL = "insert into ledger_batch (posted_at) values ('2026-11-30Z');"


@pytest.fixture(scope="module")
def books(server: EmbeddedServer, template: str) -> Iterator[Database]:
    """Books of two entries on accounts numbered 1 to 3, which no test of this file alters.

    1 is receivable/mtn/GBP with a balance of 120.00 after two legs, 2 is revenue/voice/GBP,
    3 is receivable/mtn/EUR with nothing on it. mtn has a hold of 5.00 GBP.
    """
    server.create_database("test_offences", template=template)
    database = Database(server.url("test_offences"))
    database.open()
    ids = Ids(SetClock(NOW), seeded_entropy(b"offences"))
    with database.begin() as tx:
        for code in ("receivable/mtn/GBP", "revenue/voice/GBP", "receivable/mtn/EUR"):
            like = spec(code)
            ledger.account(tx, code=code, kind=like.kind, party=like.party, currency=code[-3:])
        for number, minor in enumerate((10000, 2000), start=1):
            legs = (("receivable/mtn/GBP", minor), ("revenue/voice/GBP", -minor))
            ledger.post(tx, entries=[entry(ids, f"INV-{number}", *legs)], now=NOW)
        ledger.hold(
            tx,
            id=ids.new(HoldId),
            key="hold",
            party=PartyId("mtn"),
            amount=Money(500, "GBP"),
            limit=None,
            ref="ORD-1",
            expires_at=None,
            now=NOW,
        )
        before = ledger.head(tx)
    yield database
    with database.begin() as tx:
        check_books(tx)
        assert ledger.head(tx) == before
    database.close()
    server.drop_database("test_offences")


@pytest.fixture
def raw(books: Database) -> Iterator[Connection]:
    """A connection with every right."""
    with psycopg.connect(books.url) as connection:
        yield connection
        connection.rollback()


def entry_sql(number: int = 3, batch: int = 3, reverses: str = "null") -> str:
    return ENTRY.format(number=number, batch=batch, reverses=reverses)


def posted(*legs: str, **given: Any) -> str:
    """An entry with these legs, sealed."""
    return entry_sql(**given) + LEGS.format(", ".join(legs)) + SEAL


GOOD = ("(3, 1, 1, 3, 100, 12100)", "(3, 2, 2, 3, -100, -12100)")

CHANGES = {
    f"{verb} {table}": statement.format(table=f"ledger_{table}", column=column)
    for table, column in {
        "account": "code",
        "entry": "words",
        "leg": "amount",
        "batch": "hash",
    }.items()
    for verb, statement in {
        "update": "update {table} set {column} = {column}",
        "delete": "delete from {table}",
        "truncate": "truncate {table} cascade",
        "merge": "merge into {table} t using {table} s on t.{column} = s.{column}"
        " when matched then update set {column} = s.{column}",
    }.items()
}

OFFENCES = {
    "an entry that does not balance": (
        posted("(3, 1, 1, 3, 100, 12100)", "(3, 2, 2, 3, -99, -12099)"),
        "ledger_leg_balanced",
    ),
    "an entry with one leg": (posted("(3, 1, 1, 3, 100, 12100)"), "ledger_leg_balanced"),
    "an entry with one leg of nothing": (
        posted("(3, 1, 1, 3, 0, 12000)"),
        "ledger_leg_amount_check",
    ),
    "an entry in two currencies": (
        posted("(3, 1, 1, 3, 100, 12100)", "(3, 2, 3, 1, -100, -100)"),
        "ledger_leg_balanced",
    ),
    "an entry whose legs come in two statements": (
        entry_sql() + LEGS.format(GOOD[0]) + LEGS.format(GOOD[1]) + SEAL,
        "ledger_leg_balanced",
    ),
    "an entry without legs": (entry_sql() + SEAL, "ledger_batch_whole"),
    "an entry that is not sealed": (
        entry_sql() + LEGS.format(", ".join(GOOD)),
        "ledger_entry_batch_fkey",
    ),
    "more legs for an entry that has some": (
        LEGS.format("(2, 3, 1, 3, 100, 12100), (2, 4, 2, 3, -100, -12100)"),
        "ledger_leg_balanced",
    ),
    "legs of no entry": (LEGS.format(", ".join(GOOD)), "ledger_leg_entry_fkey"),
    "legs on no account": (
        posted("(3, 1, 88, 1, 100, 100)", "(3, 2, 99, 1, -100, -100)"),
        "ledger_leg_account_fkey",
    ),
    "a sequence that leaves a gap": (
        posted("(3, 1, 1, 4, 100, 12100)", GOOD[1]),
        "ledger_leg_continues",
    ),
    "a sequence that was given before": (
        posted("(3, 1, 1, 2, 100, 12100)", GOOD[1]),
        "ledger_leg_account_sequence_key",
    ),
    "a balance that is not carried forward": (
        posted("(3, 1, 1, 3, 100, 100)", GOOD[1]),
        "ledger_leg_continues",
    ),
    "a first leg that does not start from zero": (
        posted("(3, 1, 3, 1, 100, 600)", "(3, 2, 3, 2, -100, 500)"),
        "ledger_leg_continues",
    ),
    "an entry number that leaves a gap": (
        posted(*[leg.replace("(3,", "(4,", 1) for leg in GOOD], number=4),
        "ledger_batch_whole",
    ),
    "an entry in a batch that is sealed": (posted(*GOOD, batch=2), "ledger_entry_open"),
    "an entry in a batch to come": (posted(*GOOD, batch=4), "ledger_entry_open"),
    "a batch without entries": (SEAL, "ledger_batch_whole"),
    "a reversal with other amounts": (posted(*GOOD, reverses="1"), "ledger_entry_opposite"),
    "a second reversal": (
        posted("(3, 1, 1, 3, -2000, 10000)", "(3, 2, 2, 3, 2000, -10000)", reverses="2")
        + posted(
            "(4, 1, 1, 4, -2000, 8000)",
            "(4, 2, 2, 4, 2000, -8000)",
            number=4,
            batch=4,
            reverses="2",
        ),
        "ledger_entry_reverses_key",
    ),
    "an account whose code names another currency": (
        "insert into ledger_account (code, kind, currency) values ('cash/GBP', 'asset', 'EUR')",
        "ledger_account_code",
    ),
    "a hold beyond its limit": (
        """insert into ledger_hold (id, key, party, currency, amount, credit_limit, ref,
               placed_at) values ('hol_9', 'raw', 'mtn', 'GBP', 501, 13000, 'ORD-9', now())""",
        "ledger_hold_within_limit",
    ),
    "a hold that starts at its end": (
        """insert into ledger_hold (id, key, party, currency, amount, ref, placed_at, state,
               moved_at) values ('hol_9', 'raw', 'mtn', 'GBP', 1, 'O', now(), 'voided', now())""",
        "ledger_hold_starts_active",
    ),
    "a hold that ends without a time": (
        "update ledger_hold set state = 'voided'",
        "ledger_hold_check1",
    ),
}

HOLD_CHANGES = {
    "another amount": "update ledger_hold set amount = 1",
    "another amount at its end": "update ledger_hold set amount = 1, state = 'voided',"
    " moved_at = now()",
    "a second move": "update ledger_hold set state = 'voided', moved_at = now();"
    " update ledger_hold set state = 'posted', moved_at = now()",
    "a way back": "update ledger_hold set state = 'voided', moved_at = now();"
    " update ledger_hold set state = 'active', moved_at = null",
    "delete": "delete from ledger_hold",
    "truncate": "truncate ledger_hold",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES.keys())
def test_nothing_in_the_books_is_ever_changed(raw: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is never changed"):
        raw.execute(statement.encode())


@pytest.mark.parametrize("statement", HOLD_CHANGES.values(), ids=HOLD_CHANGES.keys())
def test_a_hold_only_moves_once(raw: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(statement.encode())


@pytest.mark.parametrize(("statements", "constraint"), OFFENCES.values(), ids=OFFENCES.keys())
def test_the_database_refuses(raw: Connection, statements: str, constraint: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError) as refused:
        raw.execute(statements.encode())
        raw.commit()
    assert refused.value.diag.constraint_name == constraint


def test_an_entry_made_by_hand_that_keeps_every_rule_is_an_entry(
    database: Database, ids: Ids
) -> None:
    """The rules are in the tables, so whoever keeps them needs no function of ours."""
    legs = (("receivable/mtn/GBP", 12000), ("revenue/voice/GBP", -12000))
    with database.begin() as tx:
        ledger.post(tx, entries=[entry(ids, "INV-1", *legs)], now=NOW)
    with psycopg.connect(database.url) as connection:
        hand = posted(
            "(2, 1, 1, 2, -12000, 0)", "(2, 2, 2, 2, 12000, 0)", number=2, batch=2, reverses="1"
        )
        connection.execute(hand.encode())
    with database.begin() as tx:
        check_books(tx)
        assert ledger.head(tx).entries == 2
        assert not ledger.balance(tx, code="receivable/mtn/GBP")
