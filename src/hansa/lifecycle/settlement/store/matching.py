"""Call records of both sides laid side by side with DuckDB, in bounded memory."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from hansa.foundation.errors import Refused
from hansa.lifecycle.settlement.model import (
    ClassTotal,
    ClockShift,
    DayTotals,
    RecordFile,
    RecordPair,
    Tolerance,
    Unreadable,
)
from hansa.lifecycle.settlement.store.records import DIGITS_MAX, NEEDED, Records, countable

Side = Literal["ours", "theirs"]
SIDES: tuple[Side, Side] = ("ours", "theirs")

MARGIN_S = 3600
"""How much of the days beside a bad one is looked at with it."""
MARGIN_MOVED_S = 15 * 3600
"""The same for a day whose calls lie at other times: a clock may be wrong there."""

STAGES = ("read", "sum up", "match exactly", "match nearly", "find doubles", "write")

Progress = Callable[[str, int, int], None]
"""Told what is done now, which stage that is, and of how many."""


def _blocks() -> dict[str, str]:
    text = Path(__file__).with_suffix(".sql").read_text()
    parts = [part.split("\n", 1) for part in text.split("-- name: ")[1:]]
    return {name.strip(): body.strip().rstrip(";") for name, body in parts}


class Matching:
    """One comparison. Not for use by several threads at once."""

    def __init__(
        self, tolerance: Tolerance, *, aside: Path, memory_mb: int, threads: int, progress: Progress
    ) -> None:
        self._aside = aside
        self._tolerance = tolerance
        self._progress = progress
        self._sql = _blocks()
        self._threads = threads
        self._lost: dict[str, list[int]] = {}
        self._records: dict[Side, Records] = {}
        self._good: dict[Side, int] = {}
        self._of: dict[Side, tuple[str, ...]] = {}
        self._db = duckdb.connect(
            config={
                "threads": threads,
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": str(aside / "spill"),
            }
        )
        width = max(60, 16 * tolerance.time_s)
        for name in ("time_s", "duration_s", "amount_nano", "calls_bp", "seconds_bp", "amount_bp",
                     "digits", "shift_least"):  # fmt: skip
            self._set(name, getattr(tolerance, name))
        self._set("with_calling", tolerance.with_calling)
        self._set("width", width)
        self._set("beyond", 10 ** (DIGITS_MAX - tolerance.digits))
        self._run("numbers")

    def close(self) -> None:
        """Frees its memory."""
        self._db.close()

    # --- what is read -------------------------------------------------------------------------

    def read(self, side: Side, files: Sequence[Path]) -> None:
        """Takes the files of one side, CSV with a heading or Parquet.

        Raises Refused `records-unreadable`, `records-columns`, each naming the file.
        """
        if side == SIDES[0]:
            self._stage("read")
        self._of[side] = tuple(file.name for file in files)
        ready = [
            self._csv(side, number, file) if file.suffix.lower() == ".csv" else file
            for number, file in enumerate(files)
        ]
        for file, place in zip(files, ready, strict=True):
            _check_columns(file, place)
        with_calling = self._tolerance.with_calling
        records = Records(ready, with_calling=with_calling, threads=self._threads)
        self._records[side] = records
        self._db.execute("set preserve_insertion_order = false")
        try:
            self._db.register("given", records.read())
            self._run("load", side)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise Refused(
                "records-unreadable",
                f"A file of {', '.join(self._of[side])} cannot be read: {_first(error)}.",
            ) from None
        self._db.unregister("given")
        self._good[side] = self._all("loaded", side)[0][0]

    def _csv(self, side: Side, number: int, file: Path) -> Path:
        """The file's rows as text, as Parquet; rows that are no rows of it are noted by line."""
        place = self._aside / f"{side}-{number}.parquet"
        self._db.execute("set preserve_insertion_order = true")
        try:
            given = self._db.read_csv(
                str(file), header=True, all_varchar=True, store_rejects=True, rejects_limit=0,
                delimiter=",", quotechar='"', escapechar='"',
            )  # fmt: skip
            given.write_parquet(str(place))
            lines = self._db.execute("select distinct line from reject_errors").fetchall()
            self._db.execute("drop table reject_errors; drop table reject_scans")
        except duckdb.Error as error:
            raise _unreadable(file, error) from None
        self._lost[file.name] = sorted(int(line) - 1 for (line,) in lines)
        return place

    # --- the steps ----------------------------------------------------------------------------

    def sum_up(self) -> None:
        """Adds up every day and destination."""
        self._stage("sum up")
        for side in SIDES:
            self._run("slots", side)
        rated = [self._db.execute(_RATED[side]).fetchall()[0][0] for side in SIDES]
        self._set("rated", all(rated))
        self._run("cells")

    def match(self) -> None:
        """Matches the records of the days that differ."""
        self._stage("match exactly")
        self._narrow()
        self._steps("exact", "twins")
        for side in SIDES:
            if self._all("several", side)[0][0]:
                self._run("twins_of", side)
        if self._count("select count(*) from twin"):
            self._steps("twins_paired", "twins_out", "twins_in")
        self._stage("match nearly")
        self._both("rest")
        self._run("edges")
        self._both("lone")
        self._steps("hits", "stretches", "shifted_edges", "alone", "contested")
        while self._count("select count(*) from contest"):
            self._steps("nearest", "paired", "taken")
        self._stage("find doubles")
        self._both("left", "doubles")
        self._run("found")
        for side in SIDES:
            self._run("wanted", side)
            rows = self._db.execute(self._text("picked", side)).fetchnumpy()["n"]
            self._db.register("named", self._records[side].refs(rows))
            self._run("refs", side)
            self._db.unregister("named")
        self._run("differences")

    def _narrow(self) -> None:
        """Forgets the records of days that agree, but for what lies beside a bad one."""
        bad = self._all("bad_days")
        self._run("bad_day")
        if bad:
            self._db.executemany("insert into bad_day values (?)", [(day,) for day, _ in bad])
        if self._all("mostly_good")[0][0]:
            self._set("margin", MARGIN_MOVED_S if any(moved for _, moved in bad) else MARGIN_S)
            self._both("narrow", "narrowed", "renamed")

    def write(self, folder: Path) -> tuple[RecordFile, ...]:
        """Writes the differences and the days; the same records give the same octets."""
        self._stage("write")
        self._db.execute("set preserve_insertion_order = true; set threads = 1")
        written = []
        for name, block in (("differences", "write_differences"), ("days", "write_days")):
            place = folder / f"{name}.parquet"
            self._db.execute(self._sql[block], [str(place)])
            written.append(fingerprint(place))
        return tuple(written)

    # --- what was found -----------------------------------------------------------------------

    def rows(self, side: Side) -> tuple[int, int]:
        """How many rows there were, and how many of them were left out."""
        lost = sum(len(lines) for name, lines in self._lost.items() if name in self._of[side])
        given = self._records[side].rows
        return given + lost, given - self._good[side] + lost

    def unreadable(self) -> tuple[Unreadable, ...]:
        """The first rows that were left out, in order."""
        found = []
        for side in SIDES:
            for place, row, why in self._records[side].wrong:
                name = self._of[side][place]
                found.append(Unreadable(name, self._row(name, row), why))
        for name, lines in self._lost.items():
            found += [Unreadable(name, line, "the row cannot be read") for line in lines[:100]]
        return tuple(sorted(found, key=lambda one: (one.file, one.row))[:100])

    def days(self) -> tuple[DayTotals, ...]:
        return tuple(DayTotals(*row) for row in self._all("days"))

    def classes(self) -> tuple[ClassTotal, ...]:
        """Every class that occurs, exact matches among them."""
        found = {row[0]: ClassTotal(row[0], *map(int, row[1:])) for row in self._all("classes")}
        plain = int(self._all("plain")[0][0])
        known = found.get("exact", ClassTotal("exact", 0, 0, 0, 0))
        found["exact"] = ClassTotal("exact", known.records + plain, 0, known.difference_nano, 0)
        return tuple(found[name] for name in sorted(found))

    def shifts(self) -> tuple[ClockShift, ...]:
        return tuple(ClockShift(*map(int, row)) for row in self._all("shifts"))

    def sample(self) -> tuple[RecordPair, ...]:
        return tuple(RecordPair(*row) for row in self._all("sample"))

    # --- inside -------------------------------------------------------------------------------

    def _row(self, name: str, number: int) -> int:
        """The row in the file as it came, of one among those that could be read; from 1."""
        row = number + 1
        lost = self._lost.get(name, [])
        while number + 1 + bisect_right(lost, row) != row:
            row = number + 1 + bisect_right(lost, row)
        return row

    def _set(self, name: str, value: bool | int) -> None:
        self._db.execute(f"set variable {name} = {value}")

    def _text(self, name: str, side: Side | None) -> str:
        text = self._sql[name]
        if side is None:
            return text
        mine, letter, other = ("a", "a", "b") if side == "ours" else ("b", "b", "a")
        for word, put in (
            ("SIDE", side), ("MINE", mine), ("OTHER", other),
            ("TIME", f"s{letter}"), ("LASTS", f"d{letter}"),
        ):  # fmt: skip
            text = text.replace(word, put)
        return text

    def _run(self, name: str, side: Side | None = None) -> None:
        self._db.execute(self._text(name, side))

    def _steps(self, *names: str) -> None:
        for name in names:
            self._run(name)

    def _both(self, *names: str) -> None:
        for side in SIDES:
            for name in names:
                self._run(name, side)

    def _all(self, name: str, side: Side | None = None) -> list[Any]:
        return self._db.execute(self._text(name, side)).fetchall()

    def _count(self, sql: str) -> int:
        return int(self._db.execute(sql).fetchall()[0][0])

    def _stage(self, name: str) -> None:
        self._progress(name, STAGES.index(name) + 1, len(STAGES))


_RATED = {
    "ours": "select sum(rated) > 0 from slot_of_ours",
    "theirs": "select sum(rated) > 0 from slot_of_theirs",
}


def _check_columns(file: Path, place: Path) -> None:
    """Raises Refused `records-unreadable`, `records-columns`."""
    try:
        schema = pq.read_schema(place)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from None
    missing = [name for name in NEEDED if name not in schema.names]
    if missing:
        raise Refused(
            "records-columns",
            f"{file.name} has no column {missing[0]}; it has {', '.join(schema.names)}.",
            field=missing[0],
        )
    for name in ("answered_us", "duration_s", "amount_nano"):
        if name in schema.names and not countable(schema.field(name).type):
            raise Refused(
                "records-columns",
                f"Column {name} of {file.name} is {schema.field(name).type}; whole numbers are "
                "wanted.",
                field=name,
            )


def fingerprint(place: Path) -> RecordFile:
    """A file by its content. Raises Refused `records-unreadable`."""
    try:
        with place.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return RecordFile(place.name, sha256, place.stat().st_size)
    except OSError as error:
        raise _unreadable(place, error) from None


def _unreadable(file: Path, error: Exception) -> Refused:
    return Refused("records-unreadable", f"{file.name} cannot be read: {_first(error)}.")


def _first(error: Exception) -> str:
    return str(error).split("\n", 1)[0].rstrip(".")
