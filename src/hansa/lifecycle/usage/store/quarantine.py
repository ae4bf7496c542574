"""Records that were set aside, in a Parquet file for each delivery that has some."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from hansa.lifecycle.usage.model import Bad, Fault
from hansa.lifecycle.usage.store import events

PLACES = b"hansa.places"
"""Under which key a file keeps where each field is among the source's columns."""

FULL = 1 << 16
"""Records that are held in memory at most."""

SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("field", pa.string(), nullable=False),
        pa.field("month", pa.string(), nullable=False),
        pa.field("raw", pa.binary(), nullable=False),
    ]
)


class Quarantine:
    """Takes the bad records of one delivery; there is a file only when there are some."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.rows = 0
        self.places: Mapping[str, int] = {}
        self._waiting: list[Bad] = []
        self._out: events.Aside | None = None

    def add(self, bad: Bad) -> None:
        self._waiting.append(bad)
        self.rows += 1
        if len(self._waiting) >= FULL:
            self._flush()

    def finish(self) -> None:
        """When this returns, what was added is on the disk."""
        self._flush()
        if self._out:
            self._out.finish()

    def drop(self) -> None:
        """Leaves nothing of what was written."""
        if self._out:
            self._out.drop()

    def _flush(self) -> None:
        if not self._waiting:
            return
        if self._out is None:
            said = json.dumps(dict(self.places)).encode()
            self._out = events.Aside(self.place, SCHEMA.with_metadata({PLACES: said}))
        rows = [
            {
                "row": one.row,
                "reason": one.fault.value,
                "field": one.field,
                "month": one.month,
                "raw": one.raw,
            }
            for one in self._waiting
        ]
        self._out.write(pa.Table.from_pylist(rows, schema=SCHEMA))
        self._waiting = []


def read(place: Path) -> Iterator[Bad]:
    """What was set aside, in the order of its rows. Raises `usage-file-damaged`."""
    for table in events.batches(place):
        for row in table.to_pylist():
            yield Bad(row["row"], Fault(row["reason"]), row["field"], row["month"], row["raw"])


def places(place: Path) -> Mapping[str, int]:
    """Where each field is among the source's columns. Raises `usage-file-damaged`."""
    said: Any = events.metadata(place).get(PLACES, b"{}")
    found: Mapping[str, int] = json.loads(said)
    return found
