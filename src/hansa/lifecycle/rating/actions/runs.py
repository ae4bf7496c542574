"""Rating a month's events, file by file: to be interrupted and gone on with at any moment.

A file that was rated by the month's book is never rated by it again. Needs the extra `bulk`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from hansa.foundation.extras import need
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Clock, Period
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.rating.actions import books, engines, events
from hansa.lifecycle.rating.actions.engines import Engine
from hansa.lifecycle.rating.model.book import Book
from hansa.lifecycle.rating.model.events import EngineName, RatedFile, Run
from hansa.lifecycle.rating.store import runs as store
from hansa.lifecycle.usage.actions import events as usage
from hansa.lifecycle.usage.model import EventFile, EventKind

Progress = Callable[[int, int], None]
"""Is told how many events are rated, of how many."""


def rated_place(folder: Path, file: EventFile, book: str) -> tuple[Path, Path]:
    """Where the rated rows of a file are, and its lines. folder: the node's."""
    there = folder / "rating" / file.month / book
    return there / f"{file.delivery}.parquet", there / f"{file.delivery}.lines.parquet"


def status(tx: Transaction, *, month: Period) -> Run | None:
    """How far a month is rated by its book; None before one was chosen for it."""
    book = store.chosen(tx, month)
    if book is None:
        return None
    every = files(tx, month=month)
    done = store.files(tx, month.name, book)
    return Run(
        month=month.name,
        book=book,
        files=len(every),
        rated_files=len(done),
        events=sum(file.events for file in every),
        rated=sum(file.rated for file in done),
        no_price=sum(file.no_price for file in done),
    )


def files(tx: Transaction, *, month: Period) -> Sequence[EventFile]:
    """The files with calls of a month."""
    found = usage.files(tx, month=month.name, kind=EventKind.CALLS)
    return [file for file in found if file.events]


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run needs of the node."""

    begin: Begin
    us: PartyId
    folder: Path
    clock: Clock
    month: Period
    engine: EngineName
    master: str


def run(
    begin: Begin,
    *,
    us: PartyId,
    month: Period,
    folder: Path,
    clock: Clock,
    engine: EngineName = "kernel",
    master: str = "local[*]",
    anew: str = "",
    progress: Progress | None = None,
) -> Run:
    """Rates what is not rated of a month's events. folder: the node's; progress: per file.

    engine: what rates; master: where Spark is. anew: why a month that was rated for its bills is
    rated again by the prices as they are known now; without it such a month keeps its book.
    Raises HansaError `bulk-missing`, `spark-missing`, `usage-file-damaged`; NotFound and Refused
    as `books.gathered` and compiling do.
    """
    need("duckdb", "numba", "numpy", "pyarrow")
    work = _Work(begin, us, folder, clock, month, engine, master)
    chosen = _chosen(work, anew)
    with begin() as tx:
        done = {file.delivery for file in store.files(tx, month.name, chosen.id)}
        every = files(tx, month=month)
    left = [file for file in every if file.delivery not in done]
    total = sum(file.events for file in every)
    rated = total - sum(file.events for file in left)
    say = progress or _silent
    say(rated, total)
    for file in _each(work, chosen, left):
        rated += file.events
        say(rated, total)
    with begin() as tx:
        found = status(tx, month=month)
    assert found is not None
    return found


def _silent(_done: int, _of: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A book by which a run rates. codes_name: of the list that its codes are."""

    id: str
    codes_name: str
    book: Book

    def codes(self) -> usage.Known:
        """Its codes, to match events of another list anew."""
        return usage.ready(books.listed(self.codes_name, self.book))


def _chosen(work: _Work, anew: str) -> _Chosen:
    """The book by which the month is rated.

    Until the month is rated for its bills that is what is known now; after that the same book as
    then, so that late files alone are rated, unless it is to be rated anew.
    """
    with work.begin() as tx:
        before = store.chosen(tx, work.month)
        if before is not None and not anew and store.events_done(tx, work.month):
            book = books.load(work.folder, before)
            return _Chosen(before, store.codes_of(tx, before), book)
        made = books.gathered(tx, us=work.us, month=work.month, folder=work.folder)
        fresh = before != made.id
        if fresh:  # the numbers of its legs are kept with it
            store.put_book(tx, made.id, made.codes_name, work.clock.now())
    book = made.book()
    books.save(work.folder, made, book)
    if fresh:
        with work.begin() as tx:
            store.choose(tx, work.month, made.id, anew or "prices and routes", work.clock.now())
    return _Chosen(made.id, made.codes_name, book)


def _each(work: _Work, chosen: _Chosen, files: Sequence[EventFile]) -> Iterator[EventFile]:
    """Rates the files, several at a time; gives each when it is entered."""
    if not files:
        return
    with _engine(work, chosen.book) as engine, ThreadPoolExecutor(engine.at_once) as threads:
        waiting = {threads.submit(_rate, work, chosen, engine, file): file for file in files}
        try:
            for ended in as_completed(waiting):
                ended.result()
                yield waiting[ended]
        finally:
            for one in waiting:
                one.cancel()


def _engine(work: _Work, book: Book) -> AbstractContextManager[Engine]:
    aside = work.folder / "rating" / f"{work.engine}-{os.getpid()}"
    if work.engine == "duckdb":
        return engines.on_duckdb(book, folder=aside)
    if work.engine == "spark":
        return engines.on_spark(book, master=work.master, folder=aside)
    return engines.on_kernel(book)


def _rate(work: _Work, chosen: _Chosen, engine: Engine, file: EventFile) -> None:
    ready = file
    if file.codes != chosen.codes_name:
        ready = usage.rematch(work.begin, file=file, codes=chosen.codes(), folder=work.folder)
    rated_to, lines_to = rated_place(work.folder, file, chosen.id)
    _enter(work, chosen, file, engine.rate_file(work.folder / str(ready.path), rated_to, lines_to))


def _enter(work: _Work, chosen: _Chosen, file: EventFile, found: events.Outcome) -> None:
    with work.begin() as tx:
        entered = RatedFile(
            delivery=file.delivery,
            month=file.month,
            book=chosen.id,
            engine=work.engine,
            rows=found.rows,
            rated=found.events - found.unpriced,
            no_price=found.unpriced,
            rated_at=work.clock.now(),
        )
        store.put_file(tx, entered)
        usage.told(
            tx,
            delivery=file.delivery,
            month=file.month,
            rated=entered.rated,
            no_price=entered.no_price,
        )
