"""Under which roles migrations and nodes work: on a server of our own, and on an operator's."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from hansa.foundation.database import Database, one_row, run
from hansa.foundation.embedded import EmbeddedServer, address
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.migrations import migrate
from hansa.foundation.party import Actor
from hansa.node import SCHEMAS

US, BUYER = PartyId("us"), PartyId("buyer")


@pytest.fixture(scope="module")
def fresh() -> Iterator[EmbeddedServer]:
    """A server on which nothing has been migrated yet."""
    folder = Path(tempfile.mkdtemp(prefix="hansa-roles-"))
    folder.chmod(0o711)
    try:
        with EmbeddedServer(folder / "data", durable=False) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def admin(server: EmbeddedServer, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for statement in statements:
            last = connection.execute(statement.encode())
        return last.fetchall() if last.description else []


def as_user(server: EmbeddedServer, database: str, user: str) -> str:
    parts = urlsplit(server.url(database))
    return urlunsplit(parts._replace(netloc=f"{user}:word@{parts.netloc.rpartition('@')[2]}"))


def works(url: str) -> None:
    """A node reads and writes there, and its guests find what is theirs."""
    database = Database(url, connections_max=2)
    database.open()
    try:
        with database.begin() as tx:
            run(tx, "insert into usage_period values ('2026-11', '2026-12-01Z')")
            assert one_row(tx, "select current_user::text as name") == {"name": "hansa_node"}
        with database.begin_for(Actor(BUYER, "partner"), us=US)() as tx:
            assert one_row(tx, "select current_user::text as name") == {"name": "hansa_guest"}
            assert one_row(tx, "select count(*) as n from usage_period") == {"n": 1}
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.begin() as tx:
            run(tx, "alter table usage_period disable row level security")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.begin() as tx:
            run(tx, "drop table usage_file")
    finally:
        database.close()


def test_many_databases_of_one_server_are_migrated_at_once(fresh: EmbeddedServer) -> None:
    """Roles belong to the server, so they are made once for all; whoever is second finds them."""
    names = [f"many_{number}" for number in range(4)]
    failed: list[Exception] = []

    def bring(name: str) -> None:
        try:
            migrate(fresh.url(name), SCHEMAS)
        except Exception as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    for name in names:
        fresh.create_database(name)
    threads = [threading.Thread(target=bring, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    works(address(fresh.data, names[0]))


def test_a_database_that_an_earlier_version_made_is_taken_over(fresh: EmbeddedServer) -> None:
    """Its tables belonged to the superuser; they are the owner's, and the node is let in."""
    fresh.create_database("older")
    with psycopg.connect(fresh.url("older"), autocommit=True) as connection:
        connection.execute("create extension btree_gist")
        connection.execute("create table kept (n bigint generated always as identity, t text)")
        connection.execute("insert into kept (t) values ('still here')")
        connection.execute("create view kept_too as select * from kept")
        connection.execute("create function kept_all() returns bigint language sql return 1")
    migrate(fresh.url("older"), SCHEMAS)
    with psycopg.connect(fresh.url("older")) as connection:
        owners = connection.execute(
            "select relowner::regrole::text from pg_class where relname like 'kept%' union "
            "select proowner::regrole::text from pg_proc where proname = 'kept_all'"
        ).fetchall()
        assert owners == [("hansa_owner",)]
    with psycopg.connect(address(fresh.data, "older")) as connection:
        assert connection.execute("select t from kept_too").fetchall() == [("still here",)]
    works(address(fresh.data, "older"))


def test_a_server_of_the_operators_own_with_two_users(fresh: EmbeddedServer) -> None:
    """As docs/settings.md says: one user owns the tables, the node connects as the other."""
    admin(
        fresh,
        "create role bt_owner login password 'word'",
        "grant hansa_node, hansa_guest, hansa_clerk to bt_owner with inherit false, set true",
        "create role bt login password 'word'",
        "grant hansa_node, hansa_guest to bt with inherit false, set true",
        "create database hansa_bt owner bt_owner",
        "revoke connect on database hansa_bt from public",
        "grant connect on database hansa_bt to bt",
    )
    migrate(as_user(fresh, "hansa_bt", "bt_owner"), SCHEMAS)
    assert migrate(as_user(fresh, "hansa_bt", "bt_owner"), SCHEMAS) == []
    works(as_user(fresh, "hansa_bt", "bt"))
    owners = "select distinct tableowner from pg_tables where schemaname = 'public'"
    with psycopg.connect(as_user(fresh, "hansa_bt", "bt_owner")) as connection:
        assert connection.execute(owners).fetchall() == [("bt_owner",)]
        assert connection.execute("select count(*) from usage_period").fetchone() == (0,), (
            "to their owner the tables look empty"
        )


def test_a_server_of_the_operators_own_with_one_user(fresh: EmbeddedServer) -> None:
    admin(
        fresh,
        "create role mtn login password 'word'",
        "grant hansa_node, hansa_guest, hansa_clerk to mtn with inherit false, set true",
        "create database hansa_mtn owner mtn",
    )
    migrate(as_user(fresh, "hansa_mtn", "mtn"), SCHEMAS)
    works(as_user(fresh, "hansa_mtn", "mtn"))


def test_a_user_without_the_roles_is_told_what_to_have_done(fresh: EmbeddedServer) -> None:
    admin(
        fresh,
        "create role poor login password 'word'",
        "create database hansa_poor owner poor",
    )
    with pytest.raises(Refused, match="database-roles") as refused:
        migrate(as_user(fresh, "hansa_poor", "poor"), SCHEMAS)
    assert 'grant "hansa_node" to "poor"' in refused.value.words


def test_a_migration_that_would_do_nothing_in_silence_fails(
    fresh: EmbeddedServer, tmp_path: Path
) -> None:
    """To their owner tables look empty, so that changing old rows has to say that it will."""
    fresh.create_database("silent")
    migrate(fresh.url("silent"), SCHEMAS)
    (tmp_path / "0001_change.sql").write_text("update usage_period set joined = false;")
    with pytest.raises(Refused, match="row-level security"):
        migrate(fresh.url("silent"), [*SCHEMAS, ("later", tmp_path)])
    (tmp_path / "0001_change.sql").write_text(
        "alter table usage_period no force row level security;"
        "update usage_period set joined = false;"
        "alter table usage_period force row level security;"
    )
    assert migrate(fresh.url("silent"), [*SCHEMAS, ("later", tmp_path)]) == [
        "later/0001_change.sql"
    ]
