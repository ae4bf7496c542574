"""Event files: Parquet with one schema for each kind of event."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hansa.foundation.errors import HansaError
from hansa.lifecycle.usage.model import COLUMNS, EventKind

ROW_GROUP = 1 << 17
"""Rows of a row group: what a reader takes at a time, and shares among its threads."""

CODES = b"hansa.codes"
"""Under which key a file names the list of codes that it was matched to."""

ASIDE = ".new-"
"""What the name of a file begins with that is not finished."""

SCHEMAS: Mapping[EventKind, Any] = {
    kind: pa.schema(
        [pa.field(one.name, pa.type_for_alias(one.type), nullable=one.optional) for one in columns]
    )
    for kind, columns in COLUMNS.items()
}

ORDER: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.CALLS: ("route_id", "code_id", "answered_us"),
    EventKind.SAMPLES: ("point", "slot_s"),
    EventKind.SEATS: ("point", "day"),
    EventKind.SESSIONS: ("nas", "session", "at_us"),
}

REPEATED = ("route_id", "code_id", "origin_id", "point", "nas", "status")
"""Columns of few values, which are written as a dictionary and references to it."""


class Writer:
    """Writes one event file: aside, to the disk, and only then under its name.

    What is added is put in order by itself, so the file is a row of ordered runs.
    """

    def __init__(self, place: Path, kind: EventKind, *, codes: str = "") -> None:
        self.place = place
        self.kind = kind
        self.rows = 0
        self._aside = place.with_name(ASIDE + place.name)
        self._schema = SCHEMAS[kind].with_metadata({CODES: codes.encode()})
        place.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._aside.open("wb")
        self._out = pq.ParquetWriter(
            self._file,
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in REPEATED if name in self._schema.names],
            write_statistics=True,
        )

    def add(self, table: Any) -> None:
        """Adds rows, in the order of the kind."""
        ordered = table.select(self._schema.names).take(order(table, self.kind))
        self._out.write_table(ordered.cast(self._schema), row_group_size=ROW_GROUP)
        self.rows += table.num_rows

    def finish(self) -> None:
        """When this returns, the file is there and survives a power cut."""
        self._out.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._aside.rename(self.place)
        sync(self.place.parent)

    def drop(self) -> None:
        """Leaves nothing of what was written."""
        self._out.close()
        self._file.close()
        self._aside.unlink(missing_ok=True)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.drop()


def order(table: Any, kind: EventKind) -> Any:
    """The places of a table's rows in the order of the kind."""
    if kind is EventKind.CALLS:
        quick = _order_of_calls(table)
        if quick is not None:
            return pa.array(quick)
    return pa.compute.sort_indices(table, sort_keys=[(name, "ascending") for name in ORDER[kind]])


def _order_of_calls(table: Any) -> npt.NDArray[np.int64] | None:
    """By route, code and second, as one whole number each; None where they do not fit in it."""
    if not table.num_rows:
        return None
    route, code, at_us = (table[name].to_numpy() for name in ORDER[EventKind.CALLS])
    seconds = (at_us - at_us.min()) // 1_000_000
    widths = [int(one).bit_length() for one in (route.max(), code.max() + 1, seconds.max())]
    if sum(widths) > 62 or route.min() < 0:
        return None
    key = route.astype(np.int64) << (widths[1] + widths[2])
    key |= (code.astype(np.int64) + 1) << widths[2]
    key |= seconds
    return np.argsort(key, kind="stable")


def read(place: Path) -> Any:
    """The whole of a file. Raises HansaError `usage-file-damaged`."""
    with _undamaged(place):
        return pq.ParquetFile(place).read()


def batches(place: Path, columns: list[str] | None = None) -> Iterator[Any]:
    """The file, a row group at a time, as tables. Raises as `read` does."""
    with _undamaged(place):
        file = pq.ParquetFile(place)
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=columns)


def codes_of(place: Path) -> str:
    """The name of the list of codes that a file was matched to. Raises as `read` does."""
    with _undamaged(place):
        said: bytes = (pq.read_schema(place).metadata or {}).get(CODES, b"")
        return said.decode()


def sync(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _undamaged(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        why = (
            "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        )
        raise HansaError(
            "usage-file-damaged",
            f"The usage file {place} {why}; bring it back from a copy.",
            field="usage",
        ) from error
