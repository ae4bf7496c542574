"""A peer of matching: PostgreSQL finds the longest prefix of each number by an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import traffic

from hansa.foundation.embedded import EmbeddedServer


@contextmanager
def server(folder: Path) -> Iterator[Callable[[Path, int], int]]:
    """A server with the codes in it; what it gives looks up a sample's numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    started = EmbeddedServer(folder / "data")
    started.start()
    try:
        with psycopg.connect(started.url("postgres"), autocommit=True) as connection:
            connection.execute("create table code (code text primary key)")
            with connection.cursor().copy("copy code from stdin") as copy:
                for code in traffic.prices().codes:
                    copy.write_row((code,))
            connection.execute("analyze code")

            def look_up(raw: Path, sample: int) -> int:
                numbers = pq.read_table(raw, columns=["called"]).slice(0, sample)
                connection.execute("create temp table call (called text)")
                with connection.cursor().copy("copy call from stdin") as copy:
                    for number in numbers["called"].to_pylist():
                        copy.write_row((number,))
                found = connection.execute(
                    """select count(c.code) from call left join lateral (
                           select code from code
                           where code = any (array(select left(called, n)
                                                   from generate_series(1, 9) n))
                           order by length(code) desc limit 1) c on true"""
                ).fetchone()
                assert found is not None and found[0] > 0
                return sample

            yield look_up
    finally:
        started.stop()
