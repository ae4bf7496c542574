"""Adds up samples, seats and volumes with DuckDB: the SQL texts themselves, run on all cores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from hansa.lifecycle.rating.store import dialect

MEMORY = "700MB"

METER = pa.schema(
    [("span", pa.int64()), ("point", pa.string())]
    + [
        (f"{name}_{unit}", pa.int64())
        for unit in ("s", "day")
        for name in ("since", "until", "from", "to")
    ]
)
VOLUMES = pa.schema(
    [
        ("point", pa.string()),
        ("day", pa.int64()),
        ("octets_in", pa.int64()),
        ("octets_out", pa.int64()),
    ]
)

Rows = Sequence[Mapping[str, Any]]


def meter(rows: Rows) -> Any:
    """Which points are which stretch's, as the table of that name."""
    return pa.Table.from_pylist(list(rows), METER)


def volumes(rows: Rows) -> Any:
    """What sessions carried, as the table of that name."""
    return pa.Table.from_pylist(list(rows), VOLUMES)


_EVENTS: Mapping[str, tuple[str, str]] = {
    "samples": (
        "select event_id, point, slot_s from events",
        "slot_s >= m.since_s and slot_s < m.until_s and slot_s >= m.from_s and slot_s < m.to_s",
    ),
    "seats": (
        "select event_id, point, date_diff('day', date '1970-01-01', day) as day from events",
        "day >= m.since_day and day < m.until_day and day >= m.from_day and day < m.to_day",
    ),
    "sessions": (
        """select event_id, at_us // 86400000000 as day, status in ('on', 'off') as of_server,
                  max(point) over (partition by nas, session) as point from events""",
        "day >= m.since_day and day < m.until_day and day >= m.from_day and day < m.to_day",
    ),
}
"""Of each kind its events with their points, and when such a point is a stretch's."""


def counted(kind: str, files: Sequence[Path], *, meter: Any, spill: Path) -> dict[int, int]:
    """By number of delivery: how many of its events are of a point in `meter` at their time."""
    events, within = _EVENTS[kind]
    also = "or of_server" if kind == "sessions" else ""
    with _opened(spill) as db:
        db.read_parquet([str(path) for path in files]).create_view("events")
        db.register("meter", meter)
        rows = db.execute(
            f"""with e as ({events})
                select event_id >> 32, count(*) from e
                where exists (select 1 from meter m where m.point = e.point and {within}) {also}
                group by all"""  # noqa: S608 - ours
        ).fetchall()
    return {int(delivery): int(count) for delivery, count in rows}


def points(files: Sequence[Path], *, spill: Path) -> frozenset[str]:
    """The points that event files name."""
    if not files:
        return frozenset()
    with _opened(spill) as db:
        db.read_parquet([str(path) for path in files], union_by_name=True).create_view("events")
        rows = db.execute("select distinct point from events").fetchall()
    return frozenset(point for (point,) in rows)


def _opened(spill: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": str(spill)}
    return duckdb.connect(config=config)


def on_duckdb(
    name: str, *, files: Mapping[str, Sequence[Path]], tables: Mapping[str, Any], spill: Path
) -> list[dict[str, Any]]:
    """The rows of the text `name`. files, tables: what stands for each table of it."""
    with _opened(spill) as db:
        for table, paths in files.items():
            db.read_parquet([str(path) for path in paths]).create_view(table)
        for table, given in tables.items():
            db.register(table, given)
        rows: Any = db.sql(dialect.text(name, "duckdb")).to_arrow_table()
        found: list[dict[str, Any]] = rows.to_pylist()
        return found
