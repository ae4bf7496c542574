"""Event files: Parquet with one schema for each kind of event."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hansa.foundation import disk
from hansa.foundation.errors import HansaError
from hansa.lifecycle.usage.model import COLUMNS, EventKind
from hansa.lifecycle.usage.store import arrow

ROW_GROUP = 1 << 17
"""Rows of a row group: what a reader takes at a time, and shares among its threads."""

RUN = 1 << 20
"""Rows that are put in order together."""

CODES = b"hansa.codes"
"""Under which key a file names the list of codes that it was matched to."""

SCHEMAS: Mapping[EventKind, Any] = {
    kind: pa.schema(
        [pa.field(one.name, pa.type_for_alias(one.type), nullable=one.optional) for one in columns]
    )
    for kind, columns in COLUMNS.items()
}

ORDER: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.CALLS: ("code_id", "route_id", "answered_us"),
    EventKind.SAMPLES: ("point", "slot_s"),
    EventKind.SEATS: ("point", "day"),
    EventKind.SESSIONS: ("nas", "session", "at_us"),
}

DENSE = ("key",)
"""Columns that do not get smaller by compression."""

REPEATED = ("route_id", "point", "nas", "status")
"""Columns of few values, which are written as a dictionary and references to it."""


class Aside:
    """A file that is written aside, to the disk, and only then under its name."""

    def __init__(self, place: Path, schema: Any) -> None:
        self.place = place
        self.schema = schema
        self.rows = 0
        self._aside = place.with_name(disk.ASIDE + place.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._aside.open("wb")
        self._out = pq.ParquetWriter(
            self._file,
            schema,
            compression={name: "none" if name in DENSE else "zstd" for name in schema.names},
            compression_level={name: 1 for name in schema.names if name not in DENSE},
            use_dictionary=[name for name in REPEATED if name in schema.names],
        )

    def write(self, table: Any) -> None:
        """Adds rows as they are."""
        self._out.write_table(table.cast(self.schema), row_group_size=ROW_GROUP)
        self.rows += table.num_rows

    def finish(self) -> None:
        """When this returns, the file is there and survives a power cut."""
        self._out.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._aside.rename(self.place)
        disk.sync(self.place.parent)

    def drop(self) -> None:
        """Leaves nothing of what was written."""
        if not self._file.closed:
            self._out.close()
            self._file.close()
        self._aside.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.drop()


class Writer(Aside):
    """Writes one event file. What is added together is put in order by itself, so the file is a
    row of ordered runs.
    """

    def __init__(self, place: Path, kind: EventKind, *, codes: str = "") -> None:
        super().__init__(place, SCHEMAS[kind].with_metadata({CODES: codes.encode()}))
        self.kind = kind
        self._waiting: list[Any] = []
        self._waiting_rows = 0

    def add(self, table: Any) -> None:
        """Adds rows of the kind's schema; they are written when a run is full."""
        self._waiting.append(table.select(self.schema.names))
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= RUN:
            self._flush()

    def finish(self) -> None:
        self._flush()
        super().finish()

    def _flush(self) -> None:
        if self._waiting:
            run = pa.concat_tables(self._waiting).combine_chunks()
            self._waiting, self._waiting_rows = [], 0
            run = run.take(order(run, self.kind))  # writing needs memory, too: one copy goes first
            self.write(run)


def order(table: Any, kind: EventKind) -> Any:
    """The places of a table's rows in the order of the kind."""
    if kind is EventKind.CALLS:
        quick = _order_of_calls(table)
        if quick is not None:
            return pa.array(quick)
    return pc.sort_indices(table, sort_keys=[(name, "ascending") for name in ORDER[kind]])


def _order_of_calls(table: Any) -> npt.NDArray[np.int64] | None:
    """By code, route and second, as one whole number each; None where they do not fit in it."""
    if not table.num_rows:
        return None
    code, route, at_us = (table[name].to_numpy() for name in ORDER[EventKind.CALLS])
    seconds = (at_us - at_us.min()) // 1_000_000
    widths = [int(one).bit_length() for one in (code.max() + 1, route.max(), seconds.max())]
    if sum(widths) > 62 or route.min() < 0:
        return None
    key = (code.astype(np.int64) + 1) << (widths[1] + widths[2])
    key |= route.astype(np.int64) << widths[2]
    key |= seconds
    return np.argsort(key, kind="stable")


def times(table: Any, kind: EventKind) -> npt.NDArray[np.int64]:
    """When each event was: microseconds since 1970."""
    if kind is EventKind.SAMPLES:
        return np.asarray(table["slot_s"].to_numpy() * 1_000_000, np.int64)
    if kind is EventKind.SEATS:
        days = table["day"].cast(pa.int32()).to_numpy().astype(np.int64)
        return np.asarray(days * 86_400_000_000, np.int64)
    column = "answered_us" if kind is EventKind.CALLS else "at_us"
    return np.asarray(table[column].to_numpy(), np.int64)


def made(
    kind: EventKind,
    columns: Mapping[str, Any],
    event_ids: npt.NDArray[np.int64],
    keep: npt.NDArray[np.bool_],
) -> Any:
    """Mediated columns as a table, of those events that are kept."""
    columns = {"event_id": event_ids, **columns}
    every = bool(keep.all())
    found = []
    for one in SCHEMAS[kind]:
        column = arrow.column(columns[one.name])
        if one.name == "source_ref":
            column = pc.if_else(pc.equal(column, ""), None, column)
        found.append(column if every else column.filter(pa.array(keep)))
    return pa.table(found, names=SCHEMAS[kind].names).cast(SCHEMAS[kind])


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
    return metadata(place).get(CODES, b"").decode()


def metadata(place: Path) -> Mapping[bytes, bytes]:
    """What a file says of itself beside its rows. Raises as `read` does."""
    with _undamaged(place):
        return pq.read_schema(place).metadata or {}


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
