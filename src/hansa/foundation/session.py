"""A connection that speaks in as few breaths as it can.

What nobody waits for is kept back and goes out together with the next statement that somebody
does wait for, at the latest with the commit; so does the beginning of a transaction. The server
answers all of it in one round trip (libpq's pipeline mode). Every statement is prepared when it
is first used. An error of a statement that was kept back is raised by the one it went out with.
"""

from __future__ import annotations

import re
import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import abc, errors, pq
from psycopg.adapt import PyFormat, Transformer

Row = TypeVar("Row")
Params = Sequence[Any] | Mapping[str, Any]

PREPARED_MAX = 500
"""Statements that a connection keeps prepared: all that a node has, and some to spare."""

_MARK = re.compile(r"%(?:%|(?:\((\w+)\))?([sbt]))")
_FORMATS = {"s": PyFormat.AUTO, "b": PyFormat.BINARY, "t": PyFormat.TEXT}
_WELL = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})
_OPEN = frozenset({pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR})


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement with its marks numbered. names: of its parameters in order, if they have any."""

    sql: bytes
    formats: tuple[PyFormat, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> _Text:
    formats: list[PyFormat] = []
    names: list[str] = []

    def mark(found: re.Match[str]) -> str:
        name, kind = found.groups()
        if kind is None:
            return "%"
        if name is not None and name in names:
            return f"${names.index(name) + 1}"
        if name is not None:
            names.append(name)
        formats.append(_FORMATS[kind])
        return f"${len(formats)}"

    return _Text(_MARK.sub(mark, sql).encode(), tuple(formats), tuple(names))


@dataclass(slots=True)
class _Prepared:
    """columns: their names, known from the first answer on."""

    name: bytes
    columns: tuple[str, ...] | None = None


@dataclass(slots=True, eq=False)
class _Statement:
    """A statement on its way, and what it is known as to the server once it has been."""

    text: _Text
    values: Sequence[Any]
    types: tuple[int, ...]
    formats: Sequence[int] | None
    prepared: _Prepared | None = None


class Session(psycopg.Connection[dict[str, Any]]):
    """A connection for `hansa.foundation.database`.

    used_at_s: on the machine's monotonic clock. memory: what the process has read of what never
    changes, None while the transaction may not see all of it. at_once: every exchange is a
    transaction of its own, as the server makes one of all that it gets in one breath. worker:
    who works here looks itself for what is due once it has committed.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.used_at_s = 0.0
        self.memory: dict[str, Any] | None = None
        self.at_once = False
        self.worker = False
        self._waiting: list[_Statement] = []
        self._known: dict[tuple[bytes, tuple[int, ...]], _Prepared] = {}
        self._named = 0
        self._savepoints = 0
        self._adapter: abc.Transformer = Transformer(self)

    # --- what stores may do ---------------------------------------------------------------------

    def send(self, sql: str, params: Params = ()) -> None:
        """Runs a statement at some time before the transaction ends."""
        self._waiting.append(self._statement(sql, params))

    def count(self, sql: str, params: Params = ()) -> int:
        """Runs a statement now; how many rows it touched."""
        return self._ask(sql, params)[0].command_tuples or 0

    def rows(
        self, sql: str, params: Params, make: Callable[[dict[str, Any]], Any] | None = None
    ) -> list[Any]:
        """Runs a statement now; every row as a dict, or as what `make` makes of one."""
        result, statement = self._ask(sql, params)
        prepared = statement.prepared
        columns = prepared.columns if prepared is not None else None
        if columns is None:
            names = (result.fname(place) or b"" for place in range(result.nfields))
            columns = tuple(name.decode() for name in names)
            if prepared is not None:
                prepared.columns = columns
        self._adapter.set_pgresult(result)

        def row(values: Sequence[Any]) -> Any:
            found = dict(zip(columns, values, strict=True))
            return found if make is None else make(found)

        return self._adapter.load_rows(0, result.ntuples, row)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What the block wrote is rolled back when it raises; its errors are raised in it."""
        self._savepoints += 1
        name = f"s{self._savepoints}"
        marker = self._statement(f"savepoint {name}", ())
        self._waiting.append(marker)
        try:
            yield
            if self._waiting[-1:] == [marker]:  # nothing was done
                self._waiting.pop()
                return
            outstanding = bool(self._waiting)
            self.send(f"release savepoint {name}")
            if outstanding:
                self.flush()
        except BaseException:
            if marker in self._waiting:  # nothing of the block has gone out
                del self._waiting[self._waiting.index(marker) :]
            else:
                self._waiting.clear()
                self.send(f"rollback to savepoint {name}")
                self.send(f"release savepoint {name}")
            raise

    # --- the transaction ------------------------------------------------------------------------

    def flush(self) -> None:
        """Sends what has been kept back, and raises what is wrong with it."""
        if self._waiting:
            self._exchange()

    def commit(self) -> None:
        """Ends the transaction, if there is one, with all that has been kept back."""
        if self.at_once:
            self.flush()
        elif self._waiting or self.pgconn.transaction_status in _OPEN:
            self.send("commit")
            self._exchange()

    def rollback(self) -> None:
        """Forgets what has been kept back, and all that was written since the last commit."""
        self._waiting.clear()
        if self.pgconn.transaction_status in _OPEN:
            self.send("rollback")
            self._exchange()

    def execute(self, *given: Any, **named: Any) -> psycopg.Cursor[dict[str, Any]]:
        """As psycopg has it, after what has been kept back."""
        self.flush()
        return super().execute(*given, **named)

    # --- inside ---------------------------------------------------------------------------------

    def _statement(self, sql: str, params: Params) -> _Statement:
        text = _numbered(sql)
        adapter = self._adapter
        given = [params[name] for name in text.names] if isinstance(params, Mapping) else params
        if len(given) != len(text.formats):
            raise errors.ProgrammingError(
                f"the statement has {len(text.formats)} parameters and {len(given)} were given"
            )
        values = adapter.dump_sequence(given, text.formats)
        return _Statement(text, values, tuple(adapter.types or ()), adapter.formats)

    def _ask(self, sql: str, params: Params) -> tuple[pq.abc.PGresult, _Statement]:
        statement = self._statement(sql, params)
        self._waiting.append(statement)
        return self._exchange(), statement

    def _exchange(self) -> pq.abc.PGresult:
        """Sends all that waits, within a transaction; the result of the last statement."""
        pgconn = self.pgconn
        statements, self._waiting = self._waiting, []
        if not self.at_once and pgconn.transaction_status == pq.TransactionStatus.IDLE:
            statements.insert(0, self._statement("begin", ()))
        new: list[tuple[bytes, tuple[int, ...]]] = []
        pgconn.enter_pipeline_mode()
        try:
            expected = sum(self._put(statement, new) for statement in statements)
            pgconn.pipeline_sync()
            results = self._results(expected)
        except BaseException:
            self._forget(new)
            raise
        pgconn.exit_pipeline_mode()
        wrong = next((found for found in results if found.status not in _WELL), None)
        if wrong is not None:
            self._forget(new)
            raise errors.error_from_result(wrong, encoding="utf-8")
        return results[-1]

    def _put(self, statement: _Statement, new: list[tuple[bytes, tuple[int, ...]]]) -> int:
        """Puts a statement on its way; how many results it will have."""
        pgconn, text = self.pgconn, statement.text
        key = text.sql, statement.types
        prepared = self._known.get(key)
        messages = 1
        if prepared is None and len(self._known) >= PREPARED_MAX:
            pgconn.send_query_params(text.sql, statement.values, statement.types, statement.formats)
            return 1
        if prepared is None:
            self._named += 1
            prepared = self._known[key] = _Prepared(b"s%d" % self._named)
            new.append(key)
            pgconn.send_prepare(prepared.name, text.sql, statement.types)
            messages = 2
        statement.prepared = prepared
        pgconn.send_query_prepared(prepared.name, statement.values, statement.formats)
        return messages

    def _results(self, expected: int) -> list[pq.abc.PGresult]:
        """Waits for so many results, and for the server's word that there is nothing more."""
        pgconn = self.pgconn
        poll = select.poll()
        poll.register(pgconn.socket, select.POLLIN | select.POLLOUT)
        while pgconn.flush():  # the server may be waiting for us to read before it reads on
            if any(event & select.POLLIN for _, event in poll.poll()):
                pgconn.consume_input()
        poll.modify(pgconn.socket, select.POLLIN)
        results: list[pq.abc.PGresult] = []
        while True:
            while pgconn.is_busy():
                poll.poll()
                pgconn.consume_input()
            found = pgconn.get_result()
            if found is None:  # the end of one statement's results
                if pgconn.status == pq.ConnStatus.BAD:
                    raise errors.OperationalError("the connection is lost")
            elif found.status == pq.ExecStatus.PIPELINE_SYNC:
                return results[:expected]
            else:
                results.append(found)

    def _forget(self, new: Sequence[tuple[bytes, tuple[int, ...]]]) -> None:
        """What may not have been prepared, since something went wrong, is prepared anew."""
        for key in new:
            self._known.pop(key, None)
