"""Call records read from Parquet as whole numbers, part by part, on all cores.

A number is its digits, filled up with zeros behind them to 15, times 16 with how many they are;
when a call was and how long it lasted is one number, seconds since 1970 times 2**20 with the
seconds that it lasted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Done = TypeVar("Done")

NEEDED = ("called", "answered_us", "duration_s")
REFS = ("source_ref", "event_id")

FIRST_S, LAST_S, LONGEST_S = 946_684_800, 4_102_444_799, 604_800
DIGITS_MAX = 15
SHOWN = 100
"""So many of the rows that cannot be read are named."""

SCHEMA = pa.schema(
    [
        ("p", pa.int64()),
        ("q", pa.int64()),
        ("sd", pa.int64()),
        ("m", pa.int64()),
        ("g", pa.string()),
        ("n", pa.uint32()),
    ]
)
"""calling, called, when and how long, amount, destination, and the row among all of a side."""

NAMED = pa.schema([("n", pa.uint32()), ("ref", pa.string())])


@dataclass(frozen=True, slots=True)
class _Part:
    """A row group. begin: its first row among all of the side."""

    file: int
    group: int
    begin: int
    rows: int


class Records:
    """The records of one side. rows: in all files. wrong: those left out, the first of each part:
    the place of a file, the row in it from 0, and why.
    """

    def __init__(self, files: Sequence[Path], *, with_calling: bool, threads: int) -> None:
        self.rows = 0
        self.wrong: list[tuple[int, int, str]] = []
        self._files = files
        self._metadata = [pq.read_metadata(file) for file in files]
        self._with_calling = with_calling
        self._threads = threads
        self._parts: list[_Part] = []
        self._begins = []
        for number, metadata in enumerate(self._metadata):
            self._begins.append(self.rows)
            for group in range(metadata.num_row_groups):
                rows = metadata.row_group(group).num_rows
                self._parts.append(_Part(number, group, self.rows, rows))
                self.rows += rows

    def read(self) -> Any:
        """All that can be read, as a stream of batches of SCHEMA in any order."""

        def batches() -> Iterator[Any]:
            for table in self._each(self._numbers):
                yield from table.to_batches()

        return pa.RecordBatchReader.from_batches(SCHEMA, batches())

    def refs(self, rows: Any) -> Any:
        """What the source called these rows (`n`, rising), as a table n, ref."""

        def named(part: _Part) -> Any:
            low, high = np.searchsorted(rows, [part.begin, part.begin + part.rows])
            here = rows[low:high]
            given = self._given(part, REFS) if len(here) else None
            if given is None or not given.num_columns:
                return pa.table([here, pa.nulls(len(here), pa.string())], schema=NAMED)
            found = given.take(pa.array(here - part.begin))
            ref = pc.coalesce(*(found[name].cast(pa.string()) for name in found.column_names))
            return pa.table([here, ref], schema=NAMED)

        return pa.concat_tables([NAMED.empty_table(), *self._each(named)])

    # --- inside -------------------------------------------------------------------------------

    def _each(self, do: Callable[[_Part], Done]) -> Iterator[Done]:
        """What comes of each part, in order; few more are done than are taken."""
        with ThreadPoolExecutor(self._threads) as threads:
            ahead: deque[Future[Done]] = deque()
            for part in self._parts:
                ahead.append(threads.submit(do, part))
                if len(ahead) > self._threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _given(self, part: _Part, names: Sequence[str]) -> Any:
        with pq.ParquetFile(self._files[part.file], metadata=self._metadata[part.file]) as file:
            known = [name for name in names if name in file.schema_arrow.names]
            return file.read_row_group(part.group, columns=known, use_threads=False)

    def _numbers(self, part: _Part) -> Any:
        given = self._given(part, (*NEEDED, "amount_nano", "destination", *self._calling()))
        rows = given.num_rows
        q, called = _number(given["called"], least=1)
        p: Any = pa.repeat(pa.scalar(0, pa.int64()), rows)
        calling: Any = pa.repeat(pa.scalar(True), rows)
        if "calling" in given.column_names:
            p, calling = _number(given["calling"], least=0)
        s = pc.divide(_whole(given["answered_us"]), 1_000_000)
        d = _whole(given["duration_s"])
        m: Any = pa.nulls(rows, pa.int64())
        priced: Any = pa.repeat(pa.scalar(True), rows)
        if "amount_nano" in given.column_names:
            m = _whole(given["amount_nano"])
            priced = pc.or_(pc.is_valid(m), pc.is_null(given["amount_nano"]))
        g: Any = pa.nulls(rows, pa.string())
        if "destination" in given.column_names:
            g = given["destination"].cast(pa.string())
        made = pa.table(
            [p, q, pc.add(pc.multiply(s, 1 << 20), d), m, g, _counted(part)], schema=SCHEMA
        )
        checks = {
            f"called is no number of at most {DIGITS_MAX} digits": called,
            f"calling is no number of at most {DIGITS_MAX} digits": calling,
            "answered_us is no time between 2000 and 2100": _between(s, FIRST_S, LAST_S),
            f"duration_s is not from 0 to {LONGEST_S}": _between(d, 0, LONGEST_S),
            "amount_nano is no whole number": priced,
        }
        return self._good(part, made, checks)

    def _calling(self) -> Sequence[str]:
        return ("calling",) if self._with_calling else ()

    def _good(self, part: _Part, made: Any, checks: dict[str, Any]) -> Any:
        """The rows that are as they should be; what is wrong with the others is noted."""
        if all(pc.all(good).as_py() for good in checks.values()):
            return made
        every = np.ones(made.num_rows, bool)
        for why, good in checks.items():
            bad = every & ~np.asarray(good)
            begin = part.begin - self._begins[part.file]
            self.wrong += [
                (part.file, int(row) + begin, why) for row in np.flatnonzero(bad)[:SHOWN]
            ]
            every &= ~bad
        return made.filter(pa.array(every))


def _counted(part: _Part) -> Any:
    return pa.array(np.arange(part.begin, part.begin + part.rows, dtype=np.uint32))


def _number(column: Any, *, least: int) -> tuple[Any, Any]:
    """Strings of digits as numbers, and which of them are some, of at least so many digits."""
    text = column.cast(pa.string()).fill_null("" if least == 0 else "?")
    length = pc.binary_length(text)
    good = pc.and_(pc.ascii_is_decimal(text), pc.less_equal(length, DIGITS_MAX))
    digits = text if pc.all(good).as_py() else pc.if_else(good, text, "0")
    if least == 0:
        good = pc.or_(good, pc.equal(length, 0))
    many = np.minimum(np.asarray(length), DIGITS_MAX)
    number = np.asarray(pc.cast(digits, pa.uint64())).astype(np.int64)
    return pa.array(number * SIXTEEN_TO_BEYOND[many] + many), good


SIXTEEN_TO_BEYOND = 16 * 10 ** np.arange(DIGITS_MAX, -1, -1)
"""What a number of so many digits is multiplied by."""


def _whole(column: Any) -> Any:
    """Whole numbers, of text too; null for what is none."""
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    text = column.cast(pa.string())
    digits = pc.if_else(pc.starts_with(text, "-"), pc.utf8_slice_codeunits(text, 1), text)
    good = pc.and_(pc.ascii_is_decimal(digits), pc.less_equal(pc.binary_length(digits), 18))
    return pc.cast(pc.if_else(good, text, pa.scalar(None, pa.string())), pa.int64())


def countable(kind: Any) -> bool:
    """Whether a column of this type can hold whole numbers: as such, or as text."""
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary, pa.types.is_null)
    return pa.types.is_integer(kind) or any(one(kind) for one in text)


def _between(column: Any, least: int, most: int) -> Any:
    fits = pc.and_(pc.greater_equal(column, least), pc.less_equal(column, most))
    return fits.fill_null(False)
