"""Files of events and of what was rated of them, in batches that lie in arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hansa.lifecycle.rating.model.book import LINE_KEY, LINE_SUM
from hansa.lifecycle.rating.store.files import whole

Columns = Mapping[str, NDArray[Any]]

BATCH = 262_144
"""Events in a batch: what is rated of them fits beside the book."""


def batches(source: Path, columns: Sequence[str]) -> Iterator[Columns]:
    """A file's columns, some hundred thousand rows at a time."""
    with pq.ParquetFile(source, memory_map=True) as given:
        for batch in given.iter_batches(BATCH, columns=list(columns), use_threads=False):
            yield {name: batch[name].to_numpy() for name in columns}


class Sink:
    """A file that is being written, each column in an encoding of its own."""

    def __init__(self, path: Path, encodings: Mapping[str, str]) -> None:
        self._path = path
        self._encodings = encodings
        self._writer: pq.ParquetWriter | None = None

    def write(self, rows: Columns) -> None:
        """Adds a batch; the first one says which columns there are."""
        table = pa.table(dict(rows))
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path,
                table.schema,
                compression="snappy",
                use_dictionary=[name for name in rows if name not in self._encodings],
                column_encoding=dict(self._encodings),
                write_statistics=False,
            )
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


@contextmanager
def written(path: Path, encodings: Mapping[str, str]) -> Iterator[Sink]:
    """A file of batches, RATED or LINES; it has its name only once it is whole."""
    with whole(path) as aside:
        sink = Sink(aside, encodings)
        try:
            yield sink
        finally:
            sink.close()


RATED = dict.fromkeys(("event_id", "price_id", "billed_s"), "DELTA_BINARY_PACKED") | dict.fromkeys(
    ("charge", "amount", "share"), "BYTE_STREAM_SPLIT"
)
"""What was measured to be quick and small for rated rows; a dictionary for the other columns."""

LINES = dict.fromkeys((*LINE_KEY, *LINE_SUM), "DELTA_BINARY_PACKED")
"""The same for lines."""


def write_table(path: Path, columns: Columns) -> None:
    """A table of a book, for engines that read it from a file."""
    with whole(path) as aside:
        pq.write_table(pa.table(dict(columns)), aside, compression="zstd")


def read(path: Path, columns: Sequence[str] | None = None) -> Mapping[str, NDArray[np.int64]]:
    """A whole file's columns."""
    table = pq.read_table(path, columns=columns and list(columns))
    return {name: table[name].to_numpy() for name in table.column_names}


def strings(texts: Sequence[str]) -> Any:
    """Texts as an Arrow array."""
    return pa.array(texts, pa.string())


def where(path: Path, column: str, value: int) -> Sequence[Mapping[str, Any]]:
    """The rows of a file that have this value in a column."""
    rows: list[dict[str, Any]] = pq.read_table(path, filters=[(column, "=", value)]).to_pylist()
    return rows
