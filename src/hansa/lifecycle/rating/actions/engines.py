"""Rating on an engine that is chosen: the same events give the same files on each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hansa.foundation.extras import need_spark
from hansa.lifecycle.rating.actions import events
from hansa.lifecycle.rating.actions.events import Outcome
from hansa.lifecycle.rating.actions.measures import Run
from hansa.lifecycle.rating.store import merged

if TYPE_CHECKING:
    from hansa.lifecycle.rating.model.book import Book
    from hansa.lifecycle.rating.rules.kernel import Packed


class Engine(Protocol):
    """What rates by one book until it is let go."""

    @property
    def at_once(self) -> int:
        """How many threads may rate a file each."""

    def rate_file(self, source: Path, rated_to: Path, lines_to: Path) -> Outcome:
        """Rates one file of events; both files are there and whole when it returns."""


@contextmanager
def on_kernel(book: Book) -> Iterator[Engine]:
    """The compiled kernel: what a node uses."""
    from hansa.lifecycle.rating.rules import kernel

    yield _Kernel(kernel.packed(book))


@dataclass(frozen=True, slots=True)
class _Kernel:
    book: Packed
    at_once: int = os.cpu_count() or 1

    def rate_file(self, source: Path, rated_to: Path, lines_to: Path) -> Outcome:
        return events.rate_file(self.book, source, rated_to=rated_to, lines_to=lines_to)


class _Writes(Protocol):
    def rate_file(self, source: Path, rated_to: Path, lines_to: Path) -> None: ...


@dataclass(frozen=True, slots=True)
class _Counted:
    """An engine that writes, and what it has written counted after it."""

    engine: _Writes
    at_once: int

    def rate_file(self, source: Path, rated_to: Path, lines_to: Path) -> Outcome:
        self.engine.rate_file(source, rated_to, lines_to)
        return Outcome(*merged.counted(rated_to))


@contextmanager
def on_duckdb(book: Book, *, folder: Path) -> Iterator[Engine]:
    """DuckDB, which takes all cores for one file. folder: where it spills."""
    from hansa.lifecycle.rating.store.duck import Duck

    engine = Duck(book, threads=os.cpu_count() or 1, spill=folder)
    try:
        yield _Counted(engine, at_once=1)
    finally:
        engine.close()


@contextmanager
def on_spark(book: Book, *, master: str, folder: Path) -> Iterator[Engine]:
    """Apache Spark, started here (`local[4]`) or asked where it runs (`spark://host:7077`).

    folder: for what is laid aside; it is gone at the end, and so is the Java process. Files and
    folder have the same paths on every machine of the cluster. Raises HansaError
    `spark-missing`, `bulk-missing`.
    """
    need_spark()
    from hansa.lifecycle.rating.store.spark import Spark

    engine = Spark(book, master=master, folder=folder)
    try:
        yield _Counted(engine, at_once=SPARK_FILES)
    finally:
        engine.close()


@contextmanager
def measure_on_spark(*, master: str, folder: Path) -> Iterator[Run]:
    """What `measures.lines` may be given as `run`: Apache Spark, as `on_spark` has it."""
    need_spark()
    from hansa.lifecycle.rating.store.spark import Spark

    engine = Spark(None, master=master, folder=folder)
    try:
        yield engine.measure
    finally:
        engine.close()


SPARK_FILES = 8
"""How many files a cluster is given at a time: one is one task."""
