"""Databases for tests, made once and emptied between tests: far quicker than making each anew.

A database that comes back equals a fresh copy of its template: every table has the rows that
the migrations left in it, every sequence stands where they left it, and no session is open.
One whose tables, triggers or functions were altered, or that grew large, is dropped instead.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg

from hansa.foundation.database import Database
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.roles import NODE
from hansa.foundation.transaction import Transaction

Connection = psycopg.Connection[tuple[Any, ...]]
Mark = tuple[int, int | None]
"""Of a table: how many rows it has, and the last transaction that wrote one of them. Of a
sequence: where it stands, and where it starts.
"""

GROWTH_MAX = 32 << 20
"""A database that has grown by more octets than this is not worth emptying."""

PATIENCE_S = 60.0
"""How long a session may take to end."""

TABLES = """
select oid::regclass::text from pg_class
where relkind = 'r' and relnamespace = 'public'::regnamespace order by oid
"""
SEQUENCES = """
select oid::regclass::text, pg_sequence_last_value(oid), seqstart
from pg_class join pg_sequence on seqrelid = oid
where relnamespace = 'public'::regnamespace
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

SIZE = "select pg_database_size(current_database())"
OTHERS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


def near(server: EmbeddedServer, database: str) -> str:
    """The superuser's URL by the server's socket, which takes less work than TCP."""
    return f"{server.url(database)}?host={quote(str((server.data / 'cluster').resolve()), safe='')}"


@dataclass(frozen=True)
class Imprint:
    """What a database holds. rows: of each table, as `copy` writes them."""

    shape: list[tuple[Any, ...]]
    rows: dict[str, bytes]
    sequences: dict[str, Mark]
    size: int

    @staticmethod
    def of(connection: Connection) -> Imprint:
        tables = [name for (name,) in connection.execute(TABLES).fetchall()]
        return Imprint(
            shape=connection.execute(SHAPE, prepare=True).fetchall(),
            rows={name: _copied(connection, name) for name in tables},
            sequences=_marks(connection, SEQUENCES),
            size=_size(connection),
        )


class Keeper:
    """Watches one database from a connection of its own, and puts it back to its imprint.

    imprint: what the database holds now, if that is known; no transaction may be open in it.
    A table holds what it held while it has as many rows, and no later transaction wrote one.
    """

    def __init__(self, url: str, imprint: Imprint | None = None) -> None:
        self.connection: Connection = psycopg.connect(url, autocommit=True)
        self.imprint = imprint or Imprint.of(self.connection)
        self._watch = " union all ".join(
            f"select '{name}', count(*), max(xmin::text::bigint) from {name}"
            for name in self.imprint.rows
        )
        self._known = {
            name: (mark, self.imprint.rows[name])
            for name, mark in _marks(self.connection, self._watch).items()
        }

    def close(self) -> None:
        self.connection.close()

    def end_others(self) -> None:
        """Ends every other session, and waits until it is gone."""
        until = time.monotonic() + PATIENCE_S
        while self.connection.execute(OTHERS, prepare=True).fetchone() != (0,):
            assert time.monotonic() < until, "a session does not end"
            time.sleep(0.0005)

    def is_restorable(self) -> bool:
        """Whether the database has its old shape and is still worth emptying."""
        same = self.connection.execute(SHAPE, prepare=True).fetchall() == self.imprint.shape
        return same and _size(self.connection) <= self.imprint.size + GROWTH_MAX

    def rows(self) -> dict[str, bytes]:
        """What every table holds now, as `copy` writes it."""
        for name, mark in _marks(self.connection, self._watch).items():
            if self._known[name][0] != mark:
                self._known[name] = mark, _copied(self.connection, name)
        return {name: rows for name, (_, rows) in self._known.items()}

    def restore(self) -> None:
        """Puts every row and sequence back; the shape must be as it was."""
        marks = _marks(self.connection, self._watch)
        changed = {
            name: rows
            for name, rows in self.imprint.rows.items()
            if self._known[name] != (marks[name], rows)
        }
        if changed:
            self._put_back(changed)
            marks = _marks(self.connection, self._watch)
            self._known |= {name: (marks[name], rows) for name, rows in changed.items()}
        for name, mark in _marks(self.connection, SEQUENCES).items():
            last, start = self.imprint.sequences[name]
            if mark != (last, start):
                called = last is not None
                self.connection.execute("select setval(%s, %s, %s)", (name, last or start, called))

    def _put_back(self, changed: Mapping[str, bytes]) -> None:
        with self._unchecked():
            self.connection.execute("; ".join(f"delete from {name}" for name in changed).encode())
        # What is read without an order is read as it lies: as in a new database.
        tables = ", ".join(changed)
        self.connection.execute(
            f"vacuum (process_toast off, skip_database_stats) {tables}".encode()
        )
        with self._unchecked():
            for name, rows in changed.items():
                if rows:
                    with self.connection.cursor().copy(f"copy {name} from stdin") as copy:
                        copy.write(rows)

    @contextmanager
    def _unchecked(self) -> Iterator[None]:
        """Past the triggers that keep records, and in any order of foreign keys."""
        with self.connection.transaction():
            self.connection.execute("set local session_replication_role = replica")
            yield


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


def _marks(connection: Connection, query: str) -> dict[str, Mark]:
    found = connection.execute(query.encode(), prepare=True).fetchall()
    return {name: (first, second) for name, first, second in found}


def _size(connection: Connection) -> int:
    row = connection.execute(SIZE, prepare=True).fetchone()
    assert row is not None
    return int(row[0])


class Pool:
    """Copies of one template on one server, lent to tests. role: as which they are used."""

    def __init__(self, server: EmbeddedServer, template: str, *, role: str | None = NODE) -> None:
        self._server = server
        self._template = template
        self._role = role
        with psycopg.connect(near(server, template)) as connection:
            self._imprint = Imprint.of(connection)
        self._numbers = itertools.count(1)
        self._free: list[tuple[str, Keeper]] = []

    @contextmanager
    def lend(self) -> Iterator[Callable[[], Database]]:
        """Each call of what it gives opens another database; all come back with the block's end."""
        lent: list[tuple[str, Keeper, Database]] = []

        def another() -> Database:
            name, keeper = self._free.pop() if self._free else self._make()
            database = Database(near(self._server, name), role=self._role)
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

    def _make(self) -> tuple[str, Keeper]:
        name = f"{self._template}_{next(self._numbers)}"
        self._server.create_database(name, template=self._template)
        return name, Keeper(near(self._server, name), self._imprint)

    def _take_back(self, name: str, keeper: Keeper) -> None:
        keeper.end_others()
        if keeper.is_restorable():
            keeper.restore()
            self._free.append((name, keeper))
        else:
            self._drop(name, keeper)

    def _drop(self, name: str, keeper: Keeper) -> None:
        keeper.close()
        self._server.drop_database(name)
