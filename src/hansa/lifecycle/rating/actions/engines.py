"""Rating on an engine that is chosen: the same events give the same files on each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hansa.foundation.extras import need_spark

if TYPE_CHECKING:
    from hansa.lifecycle.rating.model.book import Book


class Engine(Protocol):
    """What rates by one book until it is let go."""

    def rate_file(self, source: Path, rated_to: Path, lines_to: Path) -> None:
        """Rates one file of events; both files are there and whole when it returns."""


@contextmanager
def on_spark(book: Book, *, master: str, folder: Path) -> Iterator[Engine]:
    """Apache Spark, started here (`local[4]`) or asked where it runs (`spark://host:7077`).

    folder: for what is laid aside; it is gone at the end, and so is the Java process. Files and
    folder have the same paths on every machine of the cluster. Several threads may rate at a
    time. Raises HansaError `spark-missing`, `bulk-missing`.
    """
    need_spark()
    from hansa.lifecycle.rating.store.spark import Spark

    engine = Spark(book, master=master, folder=folder)
    try:
        yield engine
    finally:
        engine.close()
