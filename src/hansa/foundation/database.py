"""The SQL that only stores may use: a pool, a transaction, and six ways to run a statement.

PostgreSQL 18 through psycopg 3. Parameters are never pasted into SQL. A statement whose outcome
nobody looks at is given to `send`: it costs no round trip of its own (see `session`).

Whoever the URL names, what is done is done as `hansa_node`, and what a partner or customer asks
for as `hansa_guest`, which sees and writes the rows of that party alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar, cast
from weakref import WeakSet

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from hansa.foundation.errors import TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor
from hansa.foundation.roles import GUEST, NODE
from hansa.foundation.session import Session
from hansa.foundation.transaction import Begin, Transaction

Row = TypeVar("Row")
Params = Sequence[Any] | Mapping[str, Any]

__all__ = [
    "Database", "Jsonb", "Wakeups", "all_rows", "is_workers", "lasting", "one_row", "records",
    "run", "savepoint", "send", "some_rows",
]  # fmt: skip

REMEMBERED_MAX = 500
"""How many things that never change a process remembers; the oldest go first."""

CHECKED_AFTER_S = 2.0
"""A connection that has been idle for longer is asked whether it still lives before it is used."""


class Database:
    """A pool of connections to one node's database.

    url: a libpq connection string. connections_max bounds what this process may hold. role: as
    which all is done that is not a guest's; None for the URL's user itself.
    """

    def __init__(self, url: str, *, connections_max: int = 12, role: str | None = NODE) -> None:
        self.url = url
        self._role = role
        self._sessions: WeakSet[Session] = WeakSet()
        self._memory: dict[str, Any] = {}
        self._pool: ConnectionPool[Session] = ConnectionPool(
            url,
            connection_class=Session,
            min_size=1,
            max_size=connections_max,
            open=False,
            timeout=20,
            kwargs={"row_factory": dict_row, "autocommit": False},
            check=_check,
            configure=self._configure,
        )

    @property
    def backends(self) -> frozenset[int]:
        """The server's processes that this pool speaks with: their notifications are our own."""
        return frozenset(one.pgconn.backend_pid for one in self._sessions if not one.closed)

    def open(self) -> None:
        """Connects; raises psycopg_pool.PoolTimeout when the server does not answer in 30 s."""
        self._pool.open(wait=True, timeout=30)

    def close(self) -> None:
        """Ends every connection; what is under way on one is rolled back."""
        self._pool.close()

    def _configure(self, connection: Session) -> None:
        """Times come back in UTC, wherever the server stands: ids and papers are made from them.

        Indexes are used where there are any: the plan of a prepared statement is kept, and one
        made while a table is small would go on reading it from end to end when it has grown.
        """
        connection.execute("set time zone 'UTC'")
        connection.execute("set enable_seqscan = off")
        _set_role(connection, self._role)
        connection.commit()
        self._sessions.add(connection)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        Raises TryLater `database-silent` when the server is gone, has no connection to give,
        or has ended a deadlock by ending us; the block has had no effect then.
        """
        with self._begun(None) as tx:
            yield tx

    @contextmanager
    def begin_work(self) -> Iterator[Transaction]:
        """As `begin`, for a worker: it need not be told of what it has itself made due."""
        with self._begun(None, worker=True) as tx:
            yield tx

    @contextmanager
    def at_once(self) -> Iterator[Transaction]:
        """For one question: what it asks is committed with its answer, in one round trip.

        Each statement that is waited for is a transaction of its own, with what was sent before
        it; what is sent last is committed at the end of the block. Raises as `begin` does.
        """
        with self._begun(None, at_once=True) as tx:
            yield tx

    def begin_for(self, actor: Actor, *, us: PartyId) -> Begin:
        """How transactions are opened for what this actor asks of us.

        Those of a partner or customer are a guest's from their first statement to their end,
        whatever it is that it asks for; those of our own staff are as `begin` opens them.
        """
        if actor.role == "operator":
            return self.begin
        guest = (GUEST, actor.party, us)
        return lambda: self._begun(guest)

    @contextmanager
    def _begun(
        self,
        guest: tuple[str, PartyId, PartyId] | None,
        *,
        at_once: bool = False,
        worker: bool = False,
    ) -> Iterator[Transaction]:
        """guest: role, party and operator, if the transaction is not the node's own."""
        try:
            with self._pool.connection() as connection:
                connection.memory = self._memory if guest is None else None
                connection.at_once = at_once
                connection.worker = worker
                if guest is not None:
                    connection.send(_AS_GUEST, guest)
                yield Transaction(connection)
                connection.used_at_s = monotonic()
        except psycopg.OperationalError as error:
            raise TryLater(
                "database-silent", "The node's database does not answer; try again.", after_s=1
            ) from error


def _check(connection: Session) -> None:
    if monotonic() - connection.used_at_s > CHECKED_AFTER_S:
        ConnectionPool.check_connection(connection)


_AS_GUEST = """select set_config('role', %s, true), set_config('hansa.party', %s, true),
                      set_config('hansa.us', %s, true)"""
"""Holds until the transaction ends. It travels with the first statement, which it precedes."""


def _set_role(connection: psycopg.Connection[Any], role: str | None) -> None:
    if role is not None:
        connection.execute(SQL("set role {}").format(Identifier(role)))


def _session(tx: Transaction) -> Session:
    return cast("Session", tx._connection)


def lasting(tx: Transaction, id: str, read: Callable[[], Row | None]) -> Row | None:
    """What `read` finds under this id, which never changes once it is there.

    The process remembers it for its own transactions; a guest's always ask the database.
    """
    memory = _session(tx).memory
    if memory is None:
        return read()
    found: Row | None = memory.get(id)
    if found is None and (found := read()) is not None:
        if len(memory) >= REMEMBERED_MAX:
            memory.pop(next(iter(memory)), None)
        memory[id] = found
    return found


def is_workers(tx: Transaction) -> bool:
    """Whether who works here looks itself for what is due once it has committed."""
    return _session(tx).worker


def send(tx: Transaction, sql: str, params: Params = ()) -> None:
    """Runs one statement with the next that is waited for, or with the commit.

    An error that it raises is raised there, or at the end of the savepoint that it is in.
    """
    _session(tx).send(sql, params)


def run(tx: Transaction, sql: str, params: Params = ()) -> int:
    """Runs one statement; returns the number of rows it touched."""
    return _session(tx).count(sql, params)


def one_row(tx: Transaction, sql: str, params: Params = ()) -> dict[str, Any] | None:
    """The first row as a dict, or None."""
    rows = _session(tx).rows(sql, params)
    return rows[0] if rows else None


def all_rows(tx: Transaction, sql: str, params: Params = ()) -> list[dict[str, Any]]:
    """Every row as a dict."""
    return _session(tx).rows(sql, params)


def some_rows(
    tx: Transaction,
    sql: str,
    params: Mapping[str, Any],
    *,
    order: str,
    offset: int,
    limit: int | None,
) -> tuple[list[dict[str, Any]], int]:
    """Some of the rows of a query, in this order, and how many it has in all.

    limit: None for all that are left, 0 to learn only how many there are. Rows that do not fill
    their page are the last, and nothing is counted. Else to count costs no more than to count the
    tables: what a query only shows is left out by the server, but for a lateral join.
    """
    here = {**params, "offset": offset, "limit": limit}
    wanted = f"{sql} order by {order} offset %(offset)s limit %(limit)s"
    rows = all_rows(tx, wanted, here) if limit != 0 else []
    if (rows or not offset) and (limit is None or len(rows) < limit):
        return rows, offset + len(rows)
    count = one_row(tx, f"select count(*) as total from ({sql}) every", params)  # noqa: S608 - a store's
    assert count is not None
    return rows, count["total"]


def records(tx: Transaction, kind: type[Row], sql: str, params: Params = ()) -> list[Row]:
    """Every row as `kind`, whose field names are the column names."""
    return _session(tx).rows(sql, params, lambda row: kind(**row))


@contextmanager
def savepoint(tx: Transaction) -> Iterator[None]:
    """What the block wrote is rolled back when it raises; the transaction itself goes on."""
    with _session(tx).savepoint():
        yield


class Wakeups:
    """Listens on a channel, and may hold an advisory lock for as long as its process lives.

    lock: class and number of the lock, by which others see that this process is alive.
    """

    def __init__(self, url: str, channel: str, *, lock: tuple[int, int] | None = None) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        _set_role(self._connection, NODE)
        if lock is not None:
            self._connection.execute("select pg_advisory_lock(%s, %s)", lock)
        self._connection.execute(SQL("listen {}").format(Identifier(channel)))

    def __enter__(self) -> Wakeups:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def wait(self, timeout_s: float, *, deaf_to: Collection[int] = ()) -> frozenset[str]:
        """Waits for a notification; what was said, empty when nothing was in time.

        deaf_to: server processes whose notifications are not heard. Several may come at once.
        """
        notes = self._connection.notifies(timeout=timeout_s, stop_after=1)
        return frozenset(note.payload for note in notes if note.pid not in deaf_to)
