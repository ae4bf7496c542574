"""A database that a test is lent is as good as new, whatever the test before did to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hansa.foundation.database import Database, all_rows, one_row, run
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import BuyerKey
from hansa.foundation.time import SetClock
from tests import databases as subject
from tests.alliance import Alliance, chain
from tests.databases import Pool

SEEDED = "seeded"
"""A template that holds more than migrations leave: rows, and a sequence that has run."""


@pytest.fixture(scope="module")
def seeded(server: EmbeddedServer, template: str) -> Iterator[str]:
    server.create_database(SEEDED, template=template)
    with psycopg.connect(server.url(SEEDED)) as connection:
        connection.execute(
            "insert into ledger_account (code, kind, currency) values ('cash/GBP', 'asset', 'GBP')"
        )
        connection.execute("create table counted (n bigint generated always as identity, t text)")
        connection.execute("insert into counted (t) values ('one'), (E'two\\ttabs'), (null)")
    yield SEEDED
    server.drop_database(SEEDED)


@pytest.fixture
def small(server: EmbeddedServer, seeded: str) -> Iterator[Pool]:
    """A pool with nothing in it yet, so that what was lent is lent again."""
    made = Pool(server, seeded, role=None)
    yield made
    made.close()


def contents(url: str) -> dict[str, Any]:
    """Everything a database holds: rows, sequences, and the text of every rule about them."""
    with psycopg.connect(url) as connection:

        def asked(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        tables = [name for (name,) in asked(subject.TABLES)]
        return {
            "rows": {name: sorted(map(repr, asked(f"select * from {name}"))) for name in tables},
            "sequences": asked(subject.SEQUENCES),
            "columns": asked(
                "select attrelid, attnum, attname, atttypid, attnotnull, attisdropped "
                "from pg_attribute order by attrelid, attnum"
            ),
            "triggers": asked(
                "select oid, tgenabled, pg_get_triggerdef(oid) from pg_trigger order by oid"
            ),
            "functions": asked("select oid, proname, prosrc, proconfig from pg_proc order by oid"),
            "constraints": asked(
                "select oid, pg_get_constraintdef(oid) from pg_constraint order by oid"
            ),
            "indexes": asked(
                "select indexrelid, pg_get_indexdef(indexrelid) from pg_index order by indexrelid"
            ),
        }


def test_what_an_order_left_behind_is_gone(
    small: Pool, server: EmbeddedServer, seeded: str, tmp_path: Path, clock: SetClock
) -> None:
    """A line is sold by two operators and a ledger is written; their databases are lent again."""
    with small.lend() as databases:
        alliance = Alliance(databases, tmp_path, clock, b"left")
        front = chain(alliance, 2)
        quote = front.quote(alliance.need("Durban"))
        order = front.order(quote_id=quote.id, key=BuyerKey("k"))
        alliance.work()
        assert front.progress(order.id).provided
        urls = {node.database.url for node in alliance.nodes.values()}
        used = [sum(map(len, contents(url)["rows"].values())) for url in urls]
        assert min(used) > 40
        alliance.close()
    with small.lend() as databases:
        again = {databases().url for _ in range(2)}
        assert again == urls
        for url in again:
            assert contents(url) == contents(server.url(seeded))


def test_sequences_go_back_to_where_they_stood(small: Pool) -> None:
    for _ in range(2):
        with small.lend() as databases, databases().begin() as tx:
            run(tx, "delete from counted where n = 2")
            assert one_row(tx, "insert into counted default values returning n") == {"n": 4}
            assert one_row(
                tx,
                "insert into ledger_account (code, kind, currency) "
                "values ('rent/GBP', 'expense', 'GBP') returning id",
            ) == {"id": 2}


def test_rows_lie_as_they_would_in_a_new_database(small: Pool) -> None:
    """What a query leaves without an order is the same, whichever test came before."""
    seen = []
    for _ in range(3):
        with small.lend() as databases:
            database = databases()
            with database.begin() as tx:
                run(tx, "update counted set t = repeat(coalesce(t, ''), 90) || n")
                run(tx, "delete from counted where n = 1")
            with database.begin() as tx:
                run(tx, "insert into counted (t) select n::text from generate_series(1, 300) n")
                seen.append(all_rows(tx, "select ctid::text, n from counted"))
    assert seen[0] == seen[1] == seen[2]


def test_a_session_left_open_in_the_middle_of_a_change_is_ended(small: Pool) -> None:
    with small.lend() as databases:
        url = databases().url
        left = psycopg.connect(url)
        left.execute("delete from counted")
        left.execute("select pg_advisory_lock(7)")
    with pytest.raises(psycopg.OperationalError):
        left.execute("select 1")
    with small.lend() as databases:
        database = databases()
        assert database.url == url
        with database.begin() as tx:
            assert one_row(tx, "select count(*) from counted") == {"count": 3}
            assert one_row(tx, "select pg_try_advisory_lock(7) as free") == {"free": True}


ALTERATIONS = (
    "create table mine (n int)",
    "drop table counted",
    "alter table counted add extra text",
    "alter table ledger_leg disable trigger ledger_leg_fixed",
    "alter table ledger_leg drop constraint ledger_leg_amount_check",
    "drop index ledger_account_party",
    "create or replace function ledger_seal() returns trigger language plpgsql as 'begin end'",
)


def test_a_database_whose_rules_were_altered_is_not_lent_again(
    small: Pool, server: EmbeddedServer, seeded: str
) -> None:
    seen = []
    for alteration in ALTERATIONS:
        with small.lend() as databases:
            altered = databases()
            seen.append(altered.url)
            with altered.begin() as tx:
                run(tx, alteration)
    assert len(set(seen)) == len(ALTERATIONS)
    for url in seen:
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(url)
    with small.lend() as databases:
        assert contents(databases().url) == contents(server.url(seeded))


def test_a_database_that_grew_large_is_not_lent_again(
    small: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "GROWTH_MAX", 1 << 20)
    with small.lend() as databases:
        large = databases()
        with large.begin() as tx:
            run(tx, "insert into counted (t) select repeat('x', 500) from generate_series(1, 4000)")
    with small.lend() as databases:
        assert databases().url != large.url


def test_what_was_lent_comes_back_after_a_failure(small: Pool) -> None:
    with contextlib.suppress(ZeroDivisionError), small.lend() as databases:
        first = databases().url
        raise ZeroDivisionError
    with small.lend() as databases:
        assert databases().url == first


def test_two_at_a_time_are_two(databases: Callable[[], Database]) -> None:
    assert databases().url != databases().url
