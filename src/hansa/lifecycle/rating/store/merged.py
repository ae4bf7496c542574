"""A month's lines: those of all its files, added up; found again by leg."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from hansa.lifecycle.rating.store import dialect
from hansa.lifecycle.rating.store.files import whole

MEMORY = "600MB"
"""DuckDB spills to the disk beyond it; with it and what rating leaves, a process needs less than
1 GB.
"""

SLICES = 3
"""Into so many parts the legs are cut, and one is added up after the other, which needs a third of
the memory. A fixed number, so that the time grows with the lines.
"""

ROW_GROUP = 20_000


def merge(parts: Sequence[Path], prices: Path, to: Path) -> None:
    """Adds up files of lines, in bounded memory. prices: price_id, code and destination.

    On one thread: two would each hold nearly every line, and take twice the processor time.
    """
    pa.default_memory_pool().release_unused()  # what rating needed
    with whole(to) as aside, _bounded(f"{aside}-spill", threads=1) as db, ExitStack() as stack:
        db.read_parquet([str(part) for part in parts]).create_view("every")
        db.read_parquet(str(prices)).create_view("prices")
        writer = None
        for first, last in _slices(db):
            db.execute(
                f"""create or replace view parts as
                    select * from every where leg_id between {first} and {last}"""  # noqa: S608
            )
            found = db.sql(dialect.text("month", "duckdb")).to_arrow_reader(ROW_GROUP)
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(aside, found.schema))
            for batch in found:
                writer.write_batch(batch)


def _slices(db: duckdb.DuckDBPyConnection) -> Sequence[tuple[int, int]]:
    """The first and the last leg of each part, in order; one part when there are no lines."""
    found: list[tuple[int, int]] = db.execute(
        """select min(leg_id), max(leg_id)
             from (select leg_id, ntile(?) over (order by leg_id) as slice
                     from (select distinct leg_id from every))
            group by slice order by slice""",
        [SLICES],
    ).fetchall()
    return found or [(0, 0)]


def _bounded(spill: str, **more: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill, **more})


def counted(rated: Path) -> tuple[int, int, int]:
    """Of rated rows: how many events, of how many of them some leg has no price, how many rows."""
    with _bounded(f"{rated}-spill") as db:
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


def events(
    files: Sequence[Path],
    rated: Sequence[Path],
    *,
    leg: int,
    band: int,
    prices: Sequence[int],
    offset: int,
    limit: int,
) -> tuple[Sequence[dict[str, Any]], int, int]:
    """Some of the calls that a leg was charged for by these prices at one time of day, in order
    of their numbers; how many there are, and what all of them come to, nano.

    rated: of each of the files the rated rows.
    """
    with duckdb.connect(config={"memory_limit": MEMORY}) as db:
        db.read_parquet([str(one) for one in files]).create_view("events")
        db.read_parquet([str(one) for one in rated]).create_view("rated")
        which = {"leg": leg, "band": band, "prices": list(prices)}
        total = db.execute(
            """select count(*), coalesce(cast(sum(amount) as hugeint), 0) from rated
                where leg_id = $leg and band = $band and list_contains($prices, price_id)""",
            which,
        ).fetchall()[0]
        found = db.execute(
            """with picked as (
                    select event_id, billed_s, price_id, amount from rated
                     where leg_id = $leg and band = $band and list_contains($prices, price_id)
                     order by event_id limit $limit offset $offset)
                select event_id, calling, called, answered_us, duration_s, billed_s, price_id,
                       amount
                  from picked join events using (event_id) order by event_id""",
            which | {"limit": limit, "offset": offset},
        )
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return rows, int(total[0]), int(total[1])


def of_leg(merged: Path, leg: int) -> Sequence[dict[str, Any]]:
    """The lines of one leg, as `month.sql` names their columns."""
    found = pq.read_table(merged, filters=[("leg_id", "=", leg)])
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows
