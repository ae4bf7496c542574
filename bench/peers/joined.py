"""A peer of rating: one DuckDB query from raw calls, prefixes by a join for each length."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import traffic

from hansa.lifecycle.rating.store import dialect

LONGEST = 9


def rate(folder: Path, files: int, size: int) -> int:
    """Raw files to rated Parquet, then to lines; how many calls."""
    made = traffic.prices()
    db = duckdb.connect(
        config={
            "threads": os.cpu_count() or 1,
            "memory_limit": "4GB",
            "temp_directory": str(folder / "spill"),
            "preserve_insertion_order": "false",
        }
    )
    codes = pa.table({"code": pa.array(made.codes), "id": range(len(made.codes))})
    for name, table in (("codes", codes), *((n, pa.table(dict(c))) for n, c in tables(made))):
        db.register("given", table)
        db.execute(f"create table {name} as select * from given")
        db.unregister("given")
    db.execute(
        """create table known as
           select cast(code as bigint) * 16 + length(code) as k, cast(id as integer) as id
           from codes"""
    )
    joins = "\n".join(
        f"""left join known p{n} on p{n}.k = case when length(called) >= {n}
            then cast(left(called, {n}) as bigint) * 16 + {n} end"""
        for n in range(1, LONGEST + 1)
    )
    found = ", ".join(f"p{n}.id" for n in range(LONGEST, 0, -1))
    db.execute(
        f"""create view events as
            select event_id, route_id, cast(coalesce({found}, -1) as integer) as code_id,
                   cast(-1 as integer) as origin_id, answered_us, duration_s
            from read_parquet('{folder / "raw"}/raw-*.parquet') {joins}"""
    )
    to = folder / "script.parquet"
    db.execute(f"copy ({dialect.text('events', 'duckdb')}) to '{to}' (compression snappy)")
    db.execute(f"create view rated as select * from '{to}'")
    lines = folder / "script.lines.parquet"
    db.execute(f"copy ({dialect.text('lines', 'duckdb')}) to '{lines}'")
    db.close()
    return files * size


def tables(made: traffic.Prices) -> list[tuple[str, dict[str, pa.Array]]]:
    return [(name, dict(columns)) for name, columns in made.book().tables.items()]
