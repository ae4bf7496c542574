"""A month's lines: those of all its files, added up; found again by leg."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from hansa.lifecycle.rating.store import dialect
from hansa.lifecycle.rating.store.files import whole

MEMORY = "700MB"


def merge(parts: Sequence[Path], prices: Path, to: Path) -> None:
    """Adds up files of lines, in bounded memory. prices: price_id, code and destination."""
    with whole(to) as aside, duckdb.connect(config={"memory_limit": MEMORY}) as db:
        db.read_parquet([str(part) for part in parts]).create_view("parts")
        db.read_parquet(str(prices)).create_view("prices")
        sql = dialect.text("month", "duckdb")
        db.execute(f"copy ({sql}) to ? (format parquet, row_group_size 20000)", [str(aside)])


def counted(rated: Path) -> tuple[int, int, int]:
    """Of rated rows: how many events, of how many of them some leg has no price, how many rows."""
    with duckdb.connect(config={"memory_limit": MEMORY}) as db:
        db.read_parquet(str(rated)).create_view("rated")
        found: list[tuple[int, int, int]] = db.execute(
            """select count(distinct event_id), count(distinct event_id) filter (price_id < 0),
                      count(*) from rated"""
        ).fetchall()
    return found[0]


def charged(events: Path, rated: Path, legs: Sequence[int], to: Path) -> None:
    """The calls of these legs with what each was charged, as a file."""
    with whole(to) as aside, duckdb.connect(config={"memory_limit": MEMORY}) as db:
        db.read_parquet(str(events)).create_view("events")
        db.read_parquet(str(rated)).create_view("rated")
        db.execute(
            """copy (
                 select source_ref, event_id, calling, called, answered_us, duration_s,
                        case when price_id >= 0 then amount end as amount_nano
                   from events join rated using (event_id) where list_contains(?, leg_id)
               ) to ? (format parquet)""",
            [list(legs), str(aside)],
        )


def of_leg(merged: Path, leg: int) -> Sequence[dict[str, Any]]:
    """The lines of one leg, as `month.sql` names their columns."""
    found = pq.read_table(merged, filters=[("leg_id", "=", leg)])
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows
