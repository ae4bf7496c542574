"""Numbered files, each applied once, in order, and never changed afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.errors import Refused
from hansa.foundation.migrations import migrate


@pytest.fixture
def url(server: EmbeddedServer) -> Iterator[str]:
    server.create_database("migrations")
    yield server.url("migrations")
    server.drop_database("migrations")


@pytest.fixture
def rooms(tmp_path: Path) -> list[tuple[str, Path]]:
    """Two rooms, the second of which needs the first; and one that is not there yet."""
    order, billing = tmp_path / "order", tmp_path / "billing"
    order.mkdir()
    billing.mkdir()
    (order / "0001_order.sql").write_text("create table order_line (id int primary key);")
    (order / "0002_size.sql").write_text("alter table order_line add size int;")
    (billing / "0001_bill.sql").write_text(
        "create table billing_line (line int references order_line (id));\n"
        "create function half(n int) returns int language sql as $$ select n / 2 $$;"
    )
    return [("order", order), ("absent", tmp_path / "absent"), ("billing", billing)]


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select tablename from pg_tables where schemaname = 'public'"
        ).fetchall()
    return {row[0] for row in found} - {"migration"}


def test_applies_in_order_and_twice_is_once(url: str, rooms: list[tuple[str, Path]]) -> None:
    told: list[str] = []
    names = ["order/0001_order.sql", "order/0002_size.sql", "billing/0001_bill.sql"]
    assert migrate(url, rooms, progress=told.append) == names
    assert told == names
    assert tables(url) == {"order_line", "billing_line"}
    assert migrate(url, rooms) == []


def test_a_later_file_is_applied_alone(url: str, rooms: list[tuple[str, Path]]) -> None:
    migrate(url, rooms)
    (rooms[0][1] / "0003_more.sql").write_text("create table order_more ();")
    assert migrate(url, rooms) == ["order/0003_more.sql"]


def test_a_changed_file_is_refused(url: str, rooms: list[tuple[str, Path]]) -> None:
    migrate(url, rooms)
    with (rooms[0][1] / "0001_order.sql").open("a") as file:
        file.write("-- a second thought\n")
    (rooms[2][1] / "0002_more.sql").write_text("create table billing_more ();")
    with pytest.raises(Refused, match=r"migration-changed.*order/0001_order\.sql"):
        migrate(url, rooms)
    assert "billing_more" not in tables(url)


def test_a_file_that_is_gone_is_refused(url: str, rooms: list[tuple[str, Path]]) -> None:
    migrate(url, rooms)
    (rooms[0][1] / "0002_size.sql").unlink()
    with pytest.raises(Refused, match=r"migration-missing.*order/0002_size\.sql"):
        migrate(url, rooms)
    with pytest.raises(Refused, match="migration-missing"):
        migrate(url, rooms[1:])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("0004_jump.sql", "migration-gap"),
        ("0002_again.sql", "migration-gap"),
        ("3_short.sql", "migration-misnamed"),
        ("0003_Loud.sql", "migration-misnamed"),
    ],
)
def test_numbers_and_names_are_strict(
    url: str, rooms: list[tuple[str, Path]], name: str, code: str
) -> None:
    (rooms[0][1] / name).write_text("create table order_more ();")
    with pytest.raises(Refused, match=code):
        migrate(url, rooms)
    assert tables(url) == set()


def test_a_file_is_applied_whole_or_not_at_all(url: str, rooms: list[tuple[str, Path]]) -> None:
    bad = rooms[0][1] / "0003_bad.sql"
    bad.write_text("create table order_half (); create table order_line ();")
    with pytest.raises(Refused, match=r"migration-failed.*order/0003_bad\.sql.*already exists"):
        migrate(url, rooms)
    assert tables(url) == {"order_line"}
    bad.write_text("create table order_half ();")
    assert migrate(url, rooms) == ["order/0003_bad.sql", "billing/0001_bill.sql"]


def test_a_file_may_not_commit_by_itself(url: str, rooms: list[tuple[str, Path]]) -> None:
    (rooms[2][1] / "0002_sly.sql").write_text("create table billing_sly (); commit;")
    with pytest.raises(Refused, match="migration-commits"):
        migrate(url, rooms)
    assert tables(url) == set()


def test_two_at_once_do_it_once(url: str, rooms: list[tuple[str, Path]]) -> None:
    (rooms[0][1] / "0003_slow.sql").write_text("select pg_sleep(0.2);")
    applied: list[str] = []
    both = [threading.Thread(target=lambda: applied.extend(migrate(url, rooms))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(applied) == sorted(migration_names(rooms))


def migration_names(rooms: list[tuple[str, Path]]) -> list[str]:
    return [f"{room}/{path.name}" for room, folder in rooms for path in folder.glob("*.sql")]
