"""Statements that nobody waits for go out with the next one, and their errors come back there."""

from __future__ import annotations

import psycopg
import pytest

from hansa.foundation.database import (
    Database,
    all_rows,
    lasting,
    one_row,
    records,
    run,
    savepoint,
    send,
    some_rows,
)
from hansa.foundation.transaction import Begin, Transaction


@pytest.fixture
def notes(stage_database: Database) -> Database:
    with stage_database.begin() as tx:
        run(tx, "create table if not exists note (id integer primary key, words text)")
        run(tx, "delete from note")
    return stage_database


def ids(tx: Transaction) -> list[int]:
    return [row["id"] for row in all_rows(tx, "select id from note order by id")]


def add(tx: Transaction, number: int) -> None:
    send(tx, "insert into note values (%s, %s)", (number, "100 %"))


def test_what_is_sent_is_there_for_the_next_statement(notes: Database) -> None:
    with notes.begin() as tx:
        add(tx, 1)
        add(tx, 2)
        assert ids(tx) == [1, 2]
        add(tx, 3)
    with notes.begin() as tx:
        assert ids(tx) == [1, 2, 3]


def test_what_is_sent_last_fails_the_commit(notes: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), notes.begin() as tx:
        add(tx, 1)
        add(tx, 1)
    with notes.begin() as tx:
        assert ids(tx) == []


def test_an_error_ends_the_transaction_and_not_the_connection(notes: Database) -> None:
    for _ in range(3):  # the statements were prepared, or not, by the one that failed
        with pytest.raises(psycopg.errors.UniqueViolation), notes.begin() as tx:
            add(tx, 1)
            add(tx, 1)
            ids(tx)
        with pytest.raises(psycopg.errors.SyntaxError), notes.begin() as tx:
            send(tx, "selct 1")
            ids(tx)
    with notes.begin() as tx:
        assert one_row(tx, "select 1 as one") == {"one": 1}


def test_a_block_that_raises_leaves_nothing(notes: Database) -> None:
    with pytest.raises(RuntimeError), notes.begin() as tx:
        add(tx, 1)
        assert ids(tx) == [1]
        add(tx, 2)
        raise RuntimeError
    with notes.begin() as tx:
        assert ids(tx) == []


def test_the_errors_of_a_savepoint_are_raised_in_it(notes: Database) -> None:
    with notes.begin() as tx:
        add(tx, 1)
        with pytest.raises(psycopg.errors.UniqueViolation), savepoint(tx):
            add(tx, 2)
            add(tx, 1)
        assert ids(tx) == [1]
        with pytest.raises(RuntimeError), savepoint(tx):
            add(tx, 3)
            raise RuntimeError  # nothing of the block has gone out
        with savepoint(tx):
            pass
        with pytest.raises(RuntimeError), savepoint(tx):
            add(tx, 4)
            assert ids(tx) == [1, 4]
            raise RuntimeError
        with savepoint(tx):
            add(tx, 5)
            with pytest.raises(RuntimeError), savepoint(tx):
                assert ids(tx) == [1, 5]
                add(tx, 6)
                raise RuntimeError
    with notes.begin() as tx:
        assert ids(tx) == [1, 5]


def test_parameters_by_place_and_by_name(notes: Database) -> None:
    with notes.begin() as tx:
        row = one_row(
            tx,
            "select %(a)s::int + %(a)s::int as twice, %(b)s::text as b, 7 %% 4 as rest",
            {"b": "x", "a": 2, "unused": 0},
        )
        assert row == {"twice": 4, "b": "x", "rest": 3}
        assert one_row(tx, "select %s::int as a, %b::int[] as b", (1, [2, 3])) == {
            "a": 1,
            "b": [2, 3],
        }
        assert records(tx, complex, "select 1 as real, 2 as imag") == [complex(1, 2)]
        assert run(tx, "update note set words = 'x'") == 0
        with pytest.raises(psycopg.ProgrammingError):
            one_row(tx, "select %s", (1, 2))


def test_more_than_a_socket_holds_goes_both_ways(notes: Database) -> None:
    long = "x" * 4_000_000
    with notes.begin() as tx:
        for number in range(5):
            send(tx, "select %s::text", (f"{number}{long}",))
        assert one_row(tx, "select length(%s::text) as n", (long,)) == {"n": len(long)}


def test_a_single_question_is_committed_with_its_answer(notes: Database) -> None:
    with notes.at_once() as tx:
        send(tx, "select set_config('hansa.note', 'so long', true)")
        assert run(tx, "insert into note values (1, current_setting('hansa.note'))") == 1
        with notes.begin() as other:
            assert ids(other) == [1]
        assert one_row(tx, "select current_setting('hansa.note') as said") == {"said": ""}
        add(tx, 2)
    with notes.begin() as tx:
        assert ids(tx) == [1, 2]
    with pytest.raises(RuntimeError), notes.at_once() as tx:
        add(tx, 3)
        raise RuntimeError
    with notes.begin() as tx:
        assert ids(tx) == [1, 2]


def test_what_never_changes_is_asked_once(notes: Database) -> None:
    asked = []

    def read() -> str | None:
        asked.append(1)
        return "it" if len(asked) > 1 else None

    def look(begin: Begin) -> str | None:
        with begin() as tx:
            return lasting(tx, "qte_1", read)

    assert [look(notes.begin) for _ in range(4)] == [None, "it", "it", "it"]
    assert len(asked) == 2


def test_some_rows_come_with_how_many_there_are(notes: Database) -> None:
    wanted = "select id from note where id > %(after)s"
    with notes.begin() as tx:
        for number in range(1, 8):
            add(tx, number)
        after = {"after": 2}
        rows, total = some_rows(tx, wanted, after, order="id desc", offset=1, limit=2)
        assert ([row["id"] for row in rows], total) == ([6, 5], 5)
        rows, total = some_rows(tx, wanted, after, order="id", offset=9, limit=2)
        assert (rows, total) == ([], 5)
        assert some_rows(tx, wanted, after, order="id", offset=0, limit=0) == ([], 5)
        assert some_rows(tx, wanted, {"after": 7}, order="id", offset=0, limit=2) == ([], 0)
        rows, total = some_rows(tx, wanted, after, order="id", offset=4, limit=2)
        assert ([row["id"] for row in rows], total) == ([7], 5)
        rows, total = some_rows(tx, wanted, after, order="id", offset=3, limit=None)
        assert ([row["id"] for row in rows], total) == ([6, 7], 5)
