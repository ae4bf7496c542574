"""How fast a carrier's call records come in, beside a plain loop over the same file.

Prints one JSON object; see bench/README.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
from memory import peak_mb

from hansa.foundation.database import Database
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.migrations import migrate
from hansa.lifecycle.catalogue.actions.prices import Codes
from hansa.lifecycle.usage.actions import events, intake
from hansa.lifecycle.usage.model import Delivery
from hansa.lifecycle.usage.rules.layouts import KNOWN
from hansa.node import SCHEMAS

NOW = datetime(2026, 12, 1, tzinfo=UTC)
START_US = 1_793_491_200_000_000  # 1 November 2026
MONTH_S = 30 * 86_400
CODES = 160_000
TRUNKS = 40
PIECE = 1_000_000


def codes_of(chance: np.random.Generator) -> list[str]:
    """Nested codes of 3 to 9 digits, as many as large price lists have."""
    heads = [str(number) for number in chance.integers(200, 999, 200)]
    found = set(heads)
    while len(found) < CODES:
        digits = chance.integers(0, 10, int(chance.integers(0, 7)))
        found.add(heads[int(chance.integers(len(heads)))] + "".join(map(str, digits)))
    return sorted(found)


def records(chance: np.random.Generator, codes: list[str], first: int, rows: int) -> Any:
    """Call records; some destinations have far more calls than others."""
    weight = chance.lognormal(0, 2, len(codes))
    known = pa.array(codes)
    sides = []
    for popular in (weight / weight.sum(), None):
        heads = known.take(pa.array(chance.choice(len(codes), rows, p=popular)))
        tails = pa.array(chance.integers(1_000_000, 9_999_999, rows)).cast(pa.string())
        sides.append(pa.compute.binary_join_element_wise("+", heads, tails, ""))
    at = START_US + chance.integers(0, MONTH_S, rows) * 1_000_000
    moments = pa.array(at).cast(pa.timestamp("us")).cast(pa.timestamp("s"))
    trunks = pa.array([f"trunk-{number:02d}" for number in range(TRUNKS)])
    return pa.table(
        {
            "id": pa.array(np.arange(first, first + rows)).cast(pa.string()),
            "calling": sides[1],
            "called": sides[0],
            "answered": pa.compute.strftime(moments, format="%Y-%m-%dT%H:%M:%S"),
            "duration": pa.array(np.minimum(chance.exponential(180, rows), 80_000).astype(int)),
            "trunk_in": trunks.take(pa.array(chance.integers(0, TRUNKS, rows))),
            "trunk_out": trunks.take(pa.array(chance.integers(0, TRUNKS, rows))),
        }
    )


def write(place: Path, codes: list[str], rows: int) -> None:
    chance = np.random.default_rng(7)
    with pa.OSFile(str(place), "wb") as out:
        for first in range(0, rows, PIECE):
            piece = records(chance, codes, first, min(PIECE, rows - first))
            pcsv.write_csv(
                piece, out, pcsv.WriteOptions(include_header=first == 0, quoting_style="none")
            )


def plain(place: Path, codes: list[str], rows_max: int) -> dict[str, float]:
    """What a plain loop does: csv, strptime, a dict walked down for the code, a set of ids."""
    known = {code: at for at, code in enumerate(codes)}
    seen, kept, rows = set(), [], 0
    began = perf_counter()
    with place.open(newline="") as file:
        for row in csv.DictReader(file):
            rows += 1
            if rows > rows_max:
                break
            found = []
            for number in (row["called"].lstrip("+"), row["calling"].lstrip("+")):
                end = len(number)
                while end and number[:end] not in known:
                    end -= 1
                found.append(known.get(number[:end], -1))
            at = datetime.strptime(row["answered"], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
            if row["id"] not in seen:
                seen.add(row["id"])
                kept.append((row["id"], at, int(row["duration"]), *found))
    took_s = perf_counter() - began
    return {"rows": len(kept), "rows_per_s": round(len(kept) / took_s)}


@contextmanager
def database(server: EmbeddedServer, name: str) -> Iterator[Database]:
    """A new database of a node."""
    server.create_database(name)
    migrate(server.url(name), SCHEMAS)
    made = Database(server.url(name))
    made.open()
    yield made
    made.close()


def warm(place: Path, codes: list[str], database: Database, folder: Path) -> None:
    """Takes a few records into another node, so that compiling is not measured."""
    small = folder / "small.csv"
    with place.open("rb") as whole:
        small.write_bytes(b"".join(whole.readline() for _ in range(1000)))
    took(database, small, events.ready(Codes("bench", pa.array(codes))), folder / "warm")


def measure(place: Path, codes: list[str], database: Database, folder: Path) -> dict[str, Any]:
    known = events.ready(Codes("bench", pa.array(codes)))
    before, began = process_time(), perf_counter()
    made, _ = took(database, place, known, folder / "node")
    wall_s, cpu_s = perf_counter() - began, process_time() - before
    again_began = perf_counter()
    took(database, place, known, folder / "node")
    again_s = perf_counter() - again_began
    return {
        "rows": made.rows,
        "events": made.events,
        "duplicate": made.duplicate,
        "quarantined": made.quarantined,
        "wall_s": round(wall_s, 2),
        "cpu_s": round(cpu_s, 2),
        "rows_per_s": round(made.rows / wall_s),
        "rows_per_cpu_s": round(made.rows / cpu_s),
        "same_file_again_s": round(again_s, 2),
        "peak_mb": peak_mb(),
        "source_mb": place.stat().st_size >> 20,
        "event_files_mb": sum(file.stat().st_size for file in (folder / "node").rglob("*.parquet"))
        >> 20,
    }


def took(
    database: Database, place: Path, known: events.Known, folder: Path
) -> tuple[Delivery, bool]:
    return intake.take(
        database.begin, place=place, layout=KNOWN["calls"], codes=known, folder=folder, now=NOW
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="Example: bench/intake.py --rows 20000000 > intake.json"
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--plain-rows", type=int, default=200_000)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hansa-bench-"))
    folder.chmod(0o711)
    try:
        codes = codes_of(np.random.default_rng(3))
        place = folder / "calls.csv"
        print(f"writing {asked.rows} call records", file=sys.stderr)
        write(place, codes, asked.rows)
        with EmbeddedServer(folder / "database") as server:
            with database(server, "warm") as other:
                warm(place, codes, other, folder)
            print("taking them in", file=sys.stderr)
            with database(server, "hansa") as ours_to_be:
                ours = measure(place, codes, ours_to_be, folder)
        print("the plain loop", file=sys.stderr)
        peer = plain(place, codes, asked.plain_rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ratio = round(ours["rows_per_s"] / peer["rows_per_s"], 1)
    print(json.dumps({"intake": ours, "plain": peer, "intake_over_plain": ratio}, indent=2))


if __name__ == "__main__":
    main()
