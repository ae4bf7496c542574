"""How fast a month's calls are rated on three legs each, beside what else could do it.

Makes traffic (traffic.py: 2 million calls a file, 728,000 price rows in six decks, 200 routes of
three legs), takes it in (codes matched, rows put in order), and rates it from Parquet to rated
Parquet and invoice lines, each way in a process of its own:

  kernel    what a node does: the compiled kernel over Arrow batches
  duckdb    the same SQL text on DuckDB, from the same files

and from the calls as they come, with nothing matched:

  script    the shape that was measured before: prefix and price by joins in one DuckDB query
  python    a dictionary of codes and whole numbers, one call after the other (a sample)
  postgres  the longest prefix of each number looked up by an index (a sample; prefix alone)
  memory    the kernel with everything in memory: nothing read, nothing written: the limit

Prints one JSON object. Examples:
    .venv/bin/python bench/rating.py --events 20000000 > rating.json
    .venv/bin/python bench/rating.py --events 60000000 --ways kernel --keep /tmp/traffic
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from memory import peak_mb

FILE = 2_000_000
SAMPLE = 200_000
BATCH = 1 << 17
WAYS = ("intake", "kernel", "duckdb", "script", "python", "postgres", "memory")
TARGET = 2_000_000
TIMES = ("answered_us", "duration_s")
THREADS = os.cpu_count() or 1

Way = Callable[[Path, int], dict[str, Any]]


def prepared(folder: Path, files: int) -> None:
    """Makes raw files, the book, and where prices are from, unless they are there."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import traffic

    made = traffic.prices()
    traffic.write(folder / "raw", made.codes, files=files, size=FILE)
    if (folder / "prices.parquet").exists():
        return
    began = time.perf_counter()
    book = made.book()
    sys.stderr.write(f"book compiled in {time.perf_counter() - began:.1f} s\n")
    for name, columns in book.tables.items():
        pq.write_table(pa.table(dict(columns)), folder / f"book-{name}.parquet")
    pq.write_table(pa.table({"code": list(book.codes)}), folder / "book-codes.parquet")
    named = made.rows.code.tolist()
    prices = {
        "price_id": made.rows.values["price_id"],
        "code": named,
        "destination": [code[:3] for code in named],
    }
    pq.write_table(pa.table(prices), folder / "prices.parquet")


def book_of(folder: Path) -> Any:
    """The book as a node loads it."""
    from hansa.lifecycle.rating.model.book import Book
    from hansa.lifecycle.rating.store import parquet

    tables = {
        name: parquet.read(folder / f"book-{name}.parquet")
        for name in ("rate", "origin", "cal", "fx", "leg")
    }
    return Book(codes=parquet.read(folder / "book-codes.parquet")["code"].tolist(), **tables)


def intake(folder: Path, files: int) -> dict[str, Any]:
    """Matches every number and writes event files in order, as taking usage in does."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hansa.lifecycle.catalogue.actions.prices import Codes
    from hansa.lifecycle.usage.actions import events
    from hansa.lifecycle.usage.model import EventKind
    from hansa.lifecycle.usage.rules import prefix
    from hansa.lifecycle.usage.store import arrow
    from hansa.lifecycle.usage.store.events import Writer

    codes = pq.read_table(folder / "book-codes.parquet")["code"].combine_chunks()
    tree = events.ready(Codes("bench", codes)).prefixes

    def matched(batch: Any) -> Any:
        columns = {name: batch[name] for name in batch.schema.names}
        columns["source_ref"] = pa.nulls(len(batch), pa.string())
        for number, code in (("called", "code_id"), ("calling", "origin_id")):
            text = arrow.text(batch[number])
            columns[code] = pa.array(prefix.match(tree, text.offsets, text.data))
        columns["key"] = batch["event_id"]
        return pa.table(columns)

    def one(number: int) -> int:
        to = folder / "events" / f"{number}.parquet"
        with (
            pq.ParquetFile(folder / "raw" / f"raw-{number:03d}.parquet") as raw,
            Writer(to, EventKind.CALLS, codes="bench") as out,
        ):
            for batch in raw.iter_batches(BATCH, use_threads=False):
                out.add(matched(batch))
        return out.rows

    return timed(lambda: sum(each(one, files)))


def kernel(folder: Path, files: int) -> dict[str, Any]:
    """Rates with the kernel, files side by side."""

    from hansa.lifecycle.rating.actions import events
    from hansa.lifecycle.rating.rules import kernel as compiled

    book = compiled.packed(book_of(folder))

    def one(number: int) -> int:
        return events.rate_file(
            book,
            folder / "events" / f"{number}.parquet",
            rated_to=folder / "kernel" / f"{number}.parquet",
            lines_to=folder / "kernel" / f"{number}.lines.parquet",
        ).events

    one(0)  # compiled
    return timed(lambda: sum(each(one, files)), lambda: merged(folder, "kernel", files))


def duckdb(folder: Path, files: int) -> dict[str, Any]:
    """Rates with DuckDB, one file after the other, each on all cores."""

    from hansa.lifecycle.rating.store.duck import Duck

    duck = Duck(book_of(folder), threads=THREADS, spill=folder / "spill")

    def run() -> int:
        for number in range(files):
            duck.rate_file(
                folder / "events" / f"{number}.parquet",
                folder / "duckdb" / f"{number}.parquet",
                folder / "duckdb" / f"{number}.lines.parquet",
            )
        return files * FILE

    return timed(run, lambda: merged(folder, "duckdb", files))


def merged(folder: Path, way: str, files: int) -> int:
    """The month's invoice lines of all files' lines; how many they are."""
    import pyarrow.parquet as pq

    from hansa.lifecycle.rating.store import merged as store

    to = folder / f"{way}.lines.parquet"
    parts = [folder / way / f"{number}.lines.parquet" for number in range(files)]
    store.merge(parts, folder / "prices.parquet", to)
    found: int = pq.read_metadata(to).num_rows
    return found


def script(folder: Path, files: int) -> dict[str, Any]:
    """Prefix by three joins on fixed lengths, price, charge and lines in one query, from raw."""
    from peers import joined

    return timed(lambda: joined.rate(folder, files, FILE))


def python(folder: Path, files: int) -> dict[str, Any]:
    from peers import plain

    return timed(lambda: plain.rate(folder / "raw" / "raw-000.parquet", SAMPLE))


def postgres(folder: Path, files: int) -> dict[str, Any]:
    from peers import prefixes

    with prefixes.server(folder / "postgres") as look_up:
        return timed(lambda: look_up(folder / "raw" / "raw-000.parquet", SAMPLE))


def memory(folder: Path, files: int) -> dict[str, Any]:
    """All cores, arrays that are there, matching and rating: no file is read or written."""
    import numpy as np
    import pyarrow.parquet as pq

    from hansa.lifecycle.rating.rules import kernel as compiled
    from hansa.lifecycle.usage.rules import prefix
    from hansa.lifecycle.usage.store import arrow

    made = book_of(folder)
    book = compiled.packed(made)
    known = arrow.text(made.codes)
    tree = prefix.plant(known.offsets, known.data)
    table = pq.read_table(folder / "raw" / "raw-000.parquet").slice(0, FILE // 2)
    parts = [table.slice(at, 1 << 17) for at in range(0, len(table), 1 << 17)]
    given = [
        (
            arrow.text(part["called"]),
            {name: part[name].to_numpy() for name in ("event_id", "route_id", *TIMES)},
        )
        for part in parts
    ]

    def one(part: tuple[Any, dict[str, Any]]) -> int:
        numbers, columns = part
        columns["code_id"] = prefix.match(tree, numbers.offsets, numbers.data)
        columns["origin_id"] = np.full(len(columns["code_id"]), -1, dtype=np.int32)
        return compiled.rated(book, columns).events

    one(given[0])

    def run() -> int:
        with ThreadPoolExecutor(THREADS) as threads:
            return sum(threads.map(one, given))

    return timed(run)


def each(one: Callable[[int], int], files: int) -> list[int]:
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(one, range(files)))


def timed(run: Callable[[], int], after: Callable[[], int] | None = None) -> dict[str, Any]:
    """Wall and processor time of a run, and of what follows; calls a second over both."""
    began, cpu = time.perf_counter(), processor_s()
    events = run()
    middle = time.perf_counter()
    lines = after() if after else None
    took = time.perf_counter() - began
    found = {
        "events": events,
        "wall_s": round(took, 2),
        "cpu_s": round(processor_s() - cpu, 2),
        "events_per_s": round(events / took),
        "peak_mb": peak_mb(),
    }
    if lines is not None:
        found |= {"lines": lines, "lines_s": round(took - (middle - began), 2)}
    return found


def processor_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def same(folder: Path, files: int) -> bool:
    """Whether kernel and SQL text have written the same rated rows and the same lines."""
    import duckdb as engine

    with engine.connect(config={"memory_limit": "2GB"}) as db:
        found = []
        for way in ("kernel", "duckdb"):
            files_of = [str(folder / way / f"{number}.parquet") for number in range(files)]
            whole = (
                "select count(*), sum(hash(event_id, hop, leg_id, price_id, band, billed_s, charge,"
                f" amount, share)::hugeint) from read_parquet({files_of})"
            )
            lines = f"select count(*), sum(hash(x)::hugeint) from '{folder / way}.lines.parquet' x"
            found.append([db.execute(sql).fetchall() for sql in (whole, lines)])
        return bool(found[0] == found[1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--keep", type=Path, help="where traffic is kept for the next time")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    given = parser.parse_args()
    files = max(1, given.events // FILE)
    if given.alone:
        json.dump(globals()[given.alone](given.keep, files), sys.stdout)
        return
    folder = given.keep or Path(tempfile.mkdtemp(prefix="hansa-rating-"))
    try:
        report(folder, files, [way for way in WAYS if way in given.ways])
    finally:
        if not given.keep:
            shutil.rmtree(folder)


def report(folder: Path, files: int, ways: list[str]) -> None:
    sys.stderr.write(f"{files * FILE:,} calls ...\n")
    prepared(folder, files)
    found: dict[str, Mapping[str, Any]] = {}
    for way in ways:
        sys.stderr.write(f"{way} ...\n")
        command = [sys.executable, __file__, "--alone", way, "--keep", str(folder)]
        command += ["--events", str(files * FILE)]
        load = round(os.getloadavg()[0], 1)
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        found[way] = {**json.loads(answer.stdout), "load_before": load}
    ours = found.get("kernel", {}).get("events_per_s")
    result: dict[str, Any] = {
        "bench": "rating",
        "machine": {"cores": THREADS, "python": platform.python_version()},
        "ways": found,
    }
    if ours:
        result["kernel_over"] = {
            way: round(ours / one["events_per_s"], 2)
            for way, one in found.items()
            if way not in {"kernel", "intake"}
        }
        result["target"] = {"events_per_s": TARGET, "measured": ours, "met": ours >= TARGET}
    if {"kernel", "duckdb"} <= set(found):
        result["kernel_and_duckdb_equal"] = same(folder, files)
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
