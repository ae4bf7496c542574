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


def on_duckdb(
    name: str, *, files: Mapping[str, Sequence[Path]], tables: Mapping[str, Any], spill: Path
) -> list[dict[str, Any]]:
    """The rows of the text `name`. files, tables: what stands for each table of it."""
    config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": str(spill)}
    with duckdb.connect(config=config) as db:
        for table, paths in files.items():
            db.read_parquet([str(path) for path in paths]).create_view(table)
        for table, given in tables.items():
            db.register(table, given)
        rows: Any = db.sql(dialect.text(name, "duckdb")).to_arrow_table()
        found: list[dict[str, Any]] = rows.to_pylist()
        return found
