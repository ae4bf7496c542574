"""Databases for tests, made once and emptied between tests: far quicker than making each anew.

A database that comes back equals a fresh copy of its template: every table has the rows that
the migrations left in it, every sequence stands where they left it, and no session is open.
One whose tables, triggers or functions were altered, or that grew large, is dropped instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from hansa.foundation.database import Database
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.roles import NODE
from hansa.foundation.transaction import Transaction

Connection = psycopg.Connection[tuple[Any, ...]]

GROWTH_MAX = 32 << 20
"""A database that has grown by more octets than this is not worth emptying."""

TABLES = """
select oid::regclass::text from pg_class
where relkind = 'r' and relnamespace = 'public'::regnamespace order by oid
"""
SEQUENCES = """
select oid::regclass::text, pg_sequence_last_value(oid), seqstart
from pg_class join pg_sequence on seqrelid = oid
where relnamespace = 'public'::regnamespace order by oid
"""
SHAPE = " union all ".join(
    f"select '{catalog}', count(*), max(xmin::text::bigint) from {catalog}"
    for catalog in (
        "pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_event_trigger",
        "pg_extension", "pg_index", "pg_namespace", "pg_policy", "pg_proc", "pg_rewrite",
        "pg_trigger", "pg_type",
    )
)  # fmt: skip
"""How many rows the catalogues have, and which transaction wrote there last."""

OTHERS = """
select bool_and(pg_terminate_backend(pid, 10000)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Imprint:
    """What the template holds. rows: of each table, as `copy` writes them."""

    shape: list[tuple[Any, ...]]
    rows: dict[str, bytes]
    sequences: list[tuple[str, int | None, int]]
    size: int

    @staticmethod
    def of(connection: Connection) -> Imprint:
        tables = [name for (name,) in connection.execute(TABLES).fetchall()]
        return Imprint(
            shape=connection.execute(SHAPE).fetchall(),
            rows={name: _copied(connection, name) for name in tables},
            sequences=connection.execute(SEQUENCES).fetchall(),
            size=_size(connection),
        )

    def is_restorable(self, connection: Connection) -> bool:
        """Whether the database has its old shape and is still worth emptying."""
        same = connection.execute(SHAPE).fetchall() == self.shape
        return same and _size(connection) <= self.size + GROWTH_MAX

    def restore(self, connection: Connection) -> None:
        """Puts every row and sequence back; the shape must be as it was."""
        with connection.transaction():
            # Past the triggers that keep records, and in any order of foreign keys.
            connection.execute("set local session_replication_role = replica")
            connection.execute("; ".join(f"delete from {name}" for name in self.rows))
            for name, rows in self.rows.items():
                if rows:
                    with connection.cursor().copy(f"copy {name} from stdin") as copy:
                        copy.write(rows)
            for name, last, start in self.sequences:
                called = last is not None
                connection.execute("select setval(%s, %s, %s)", (name, last or start, called))


@contextmanager
def unbound(url: str) -> Iterator[Transaction]:
    """A transaction of the superuser whom this URL names, to do what no node may."""
    database = Database(url, connections_max=1, role=None)
    database.open()
    try:
        with database.begin() as tx:
            yield tx
    finally:
        database.close()


def _copied(connection: Connection, table: str) -> bytes:
    with connection.cursor().copy(f"copy {table} to stdout") as copy:
        return b"".join(bytes(part) for part in copy)


def _size(connection: Connection) -> int:
    row = connection.execute("select pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


class Pool:
    """Copies of one template on one server, lent to tests. role: as which they are used."""

    def __init__(self, server: EmbeddedServer, template: str, *, role: str | None = NODE) -> None:
        self._server = server
        self._template = template
        self._role = role
        with psycopg.connect(server.url(template)) as connection:
            self._imprint = Imprint.of(connection)
        self._numbers = itertools.count(1)
        self._free: list[tuple[str, Connection]] = []

    @contextmanager
    def lend(self) -> Iterator[Callable[[], Database]]:
        """Each call of what it gives opens another database; all come back with the block's end."""
        lent: list[tuple[str, Connection, Database]] = []

        def another() -> Database:
            name, keeper = self._free.pop() if self._free else self._make()
            database = Database(self._server.url(name), role=self._role)
            lent.append((name, keeper, database))
            database.open()
            return database

        try:
            yield another
        finally:
            for name, keeper, database in reversed(lent):
                database.close()
                self._take_back(name, keeper)

    def close(self) -> None:
        for name, keeper in self._free:
            self._drop(name, keeper)
        self._free.clear()

    def _make(self) -> tuple[str, Connection]:
        name = f"{self._template}_{next(self._numbers)}"
        self._server.create_database(name, template=self._template)
        return name, psycopg.connect(self._server.url(name), autocommit=True)

    def _take_back(self, name: str, keeper: Connection) -> None:
        keeper.execute(OTHERS)
        if self._imprint.is_restorable(keeper):
            self._imprint.restore(keeper)
            self._free.append((name, keeper))
        else:
            self._drop(name, keeper)

    def _drop(self, name: str, keeper: Connection) -> None:
        keeper.close()
        self._server.drop_database(name)
