"""Rates files of events with DuckDB: the SQL texts themselves, run on all cores."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from hansa.lifecycle.rating.model.book import Book
from hansa.lifecycle.rating.store import dialect
from hansa.lifecycle.rating.store.files import whole

MEMORY = "700MB"
"""DuckDB spills to the disk beyond it."""


class Duck:
    """One DuckDB with a book in it. Not for use by several threads at once."""

    def __init__(self, book: Book, *, threads: int, spill: Path) -> None:
        spill.mkdir(parents=True, exist_ok=True)
        self._db = duckdb.connect(
            config={
                "threads": threads,
                "memory_limit": MEMORY,
                "temp_directory": str(spill),
                "preserve_insertion_order": "false",
            }
        )
        for name, columns in book.tables.items():
            table = pa.table(dict(columns))
            self._db.register("given", table)
            self._db.execute(f"create table {name} as select * from given")  # noqa: S608 - ours
            self._db.unregister("given")

    def rate_file(self, source: Path, rated_to: Path, lines_to: Path) -> None:
        """Rates one file of events into rated rows and into lines, as the kernel does."""
        with whole(rated_to) as aside:
            self._copy("events", "events", source, aside, "snappy")
        with whole(lines_to) as aside:
            self._copy("lines", "rated", rated_to, aside, "zstd")

    def _copy(self, name: str, given: str, source: Path, to: Path, codec: str) -> None:
        self._db.read_parquet(str(source)).create_view(given, replace=True)
        sql = dialect.text(name, "duckdb")
        self._db.execute(f"copy ({sql}) to ? (format parquet, compression {codec})", [str(to)])

    def close(self) -> None:
        """Frees its memory."""
        self._db.close()
