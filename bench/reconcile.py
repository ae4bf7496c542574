"""How fast call records of two partners are reconciled, and whether what was planted is found.

Makes two sets of call records with planted differences of every class, from a seed, lays them
side by side with `reconcile`, and compares each difference that it reports with what was
planted. The peer is one full outer join of the same two files in DuckDB on rounded keys (times
to four seconds): it counts what has no partner and says no more. Prints one JSON object.

Example:
    .venv/bin/python bench/reconcile.py --calls 10000000 > reconcile.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
from memory import peak_mb

from hansa.lifecycle.settlement.actions.reconciling import reconcile
from hansa.lifecycle.settlement.model import Reconciliation, Tolerance

MAKE_OURS = """
copy (
with e as (select i, hash(i + seed) as h, hash(i * 31 + 7 + seed) as g,
                  case when i % 50 = 1 then i - 1 else i end as j
             from range(calls) r(i)),
x as (select *, hash(j * 3 + 1 + seed) as a, hash(j * 5 + 2 + seed) as b,
             hash(j * 7 + 3 + seed) as c from e),
y as (select i, (a % 20)::int as route, 27000000000 + (a % 1000000)::bigint as calling,
             (case b % 4 when 0 then 44 when 1 then 234 when 2 then 49 else 33 end) * 10000000000
                 + (b // 4 % 90000)::bigint * 1000 as called,
             1793491200 + (c % 2592000)::bigint
                 + case when i % 50 = 1 then 10 + (g % 20)::bigint else 0 end as s,
             (case when h % 5 = 0 then 3 + (h // 5) % 10 else 3 + (h // 5) % 900 end)::int as d
        from x)
select i as event_id, route as route_id, calling::varchar as calling, called::varchar as called,
       s * 1000000 + (i % 1000000)::bigint as answered_us, d as duration_s,
       d * (1000000 + called // 10000000000 * 1000) as amount_nano
from y order by route, called, s
) to 'OURS' (format parquet, compression zstd)
"""
"""Two in a hundred are redials of the same numbers 10 to 29 seconds later."""

MAKE_THEIRS = """
create temp table planted as
with a as (select *, answered_us // 1000000 as s, hash(event_id * 3 + 7 + seed) % 100000 as k,
                  hash(event_id * 5 + 1 + seed) % 1000 as g,
                  hash(event_id * 7 + 2 + seed) % 1000 as u from 'OURS'),
y as (select *, case when k < 500 then 'missing-there' when k < 800 then 'duration'
                     when k < 1000 then 'price' when k < 1100 then 'duplicate-there'
                     when route_id = 7 and s between 1794268800 and 1794527999 then 'shift'
                     else '' end as class from a)
select event_id, class, route_id, calling, called, amount_nano // duration_s as a_second,
       s + case when class = 'shift' then 3600 else 0 end
         + case when g < 850 then 0 when g < 920 then 1 when g < 980 then -1 when g < 990 then 2
                else -2 end as s,
       duration_s + case when class = 'duration' then 30 when class = 'price' or u < 950 then 0
                         when u < 975 then 1 else -1 end as d
from y;
copy (
select 't' || event_id as source_ref, route_id, calling, called, s * 1000000 as answered_us,
       d::int as duration_s,
       case when class = 'price' then a_second * d * 11 // 10 else a_second * d end as amount_nano
from planted where class <> 'missing-there'
union all
select 'd' || event_id, route_id, calling, called, s * 1000000, d::int, a_second * d
from planted where class = 'duplicate-there'
union all
select 'n' || event_id, route_id, calling, (called::bigint + 1)::varchar, s * 1000000, d::int,
       a_second * d
from planted where event_id % 250 = 3
order by route_id, called, answered_us
) to 'THEIRS' (format parquet, compression zstd)
"""
"""Durations of what was priced wrongly agree: a second more or less may explain an amount."""

PEER = """
select count(*) filter (where o.called is not null and t.called is not null),
       count(*) filter (where t.called is null), count(*) filter (where o.called is null)
from 'OURS' o full outer join 'THEIRS' t
  on o.calling = t.calling and o.called = t.called
 and o.answered_us // 4000000 = t.answered_us // 4000000
"""


def machine() -> dict[str, Any]:
    return {
        "processors": os.cpu_count(),
        "load": [f"{one:.2f}" for one in os.getloadavg()],
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
    }


def make(folder: Path, calls: int, seed: int) -> tuple[Path, Path, dict[str, set[str]]]:
    """Both files, and of each class what was planted: names of records, theirs or else ours."""
    ours, theirs = folder / "ours.parquet", folder / "theirs.parquet"
    with duckdb.connect(config={"memory_limit": "6GB", "temp_directory": str(folder)}) as made:
        for sql in (MAKE_OURS, MAKE_THEIRS):
            for word, put in (
                ("OURS", str(ours)),
                ("THEIRS", str(theirs)),
                ("range(calls)", f"range({calls})"),
                ("seed", str(seed)),
            ):
                sql = sql.replace(word, put)  # noqa: PLW2901 - the same text, filled in
            made.execute(sql)
        rows = made.execute("select class, event_id from planted where class <> ''").fetchall()
        extra = made.execute("select event_id from planted where event_id % 250 = 3").fetchall()
    planted: dict[str, set[str]] = {"missing-here": {f"n{one}" for (one,) in extra}}
    for name, event in rows:
        mark = "" if name == "missing-there" else "t"
        planted.setdefault(name, set()).add(f"{mark}{event}")
    return ours, theirs, planted


def judge(found: Reconciliation, differences: Path, planted: dict[str, set[str]]) -> dict[str, Any]:
    """By class: planted, reported, and planted ones that were not reported as what they are."""
    said: dict[str, set[str]] = {}
    table = pq.read_table(differences, columns=["class", "ours_ref", "theirs_ref"])
    for row in table.to_pylist():
        said.setdefault(row["class"], set()).add(row["theirs_ref"] or row["ours_ref"])
    shifted = {one.name: one.records for one in found.classes}.get("shift", 0)
    judged: dict[str, Any] = {}
    for name in sorted(planted.keys() | said.keys()):
        want, got = planted.get(name, set()), said.get(name, set())
        if name == "duplicate-there":  # which of two equal records is the surplus one is open
            want, got = ({one[1:] for one in each} for each in (want, got))
        lost = abs(len(want) - shifted) if name == "shift" else len(want - got)
        judged[name] = {
            "planted": len(want),
            "found": shifted if name == "shift" else len(got),
            "lost": lost,
            "wrongly": 0 if name == "shift" else len(got - want),
        }
    return judged


def peer(ours: Path, theirs: Path, folder: Path, memory_mb: int) -> dict[str, Any]:
    """One full outer join on rounded keys."""
    config = {"memory_limit": f"{memory_mb}MB", "temp_directory": str(folder)}
    with duckdb.connect(config=config) as joined:
        began, cpu = time.perf_counter(), time.process_time()
        sql = PEER.replace("OURS", str(ours)).replace("THEIRS", str(theirs))
        both, only_ours, only_theirs = joined.execute(sql).fetchall()[0]
        return {
            "wall_s": round(time.perf_counter() - began, 2),
            "cpu_s": round(time.process_time() - cpu, 2),
            "paired": both,
            "only_ours": only_ours,
            "only_theirs": only_theirs,
        }


def main() -> int:
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--calls", type=int, default=10_000_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--memory", type=int, default=2048, metavar="MB")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs, planted = make(folder, given.calls, given.seed)
        print("made", machine()["load"], file=sys.stderr)
        before, runs, peers = machine(), [], []
        for number in range(given.rounds):
            began, cpu = time.perf_counter(), time.process_time()
            found, place = reconcile(
                ours=[ours],
                theirs=[theirs],
                currency="USD",
                to=folder / str(number),
                tolerance=Tolerance(calls_bp=0, seconds_bp=0, amount_bp=0),
                memory_mb=given.memory,
                progress=lambda stage, *_: print(stage, file=sys.stderr),
            )
            runs.append(
                {
                    "wall_s": round(time.perf_counter() - began, 2),
                    "cpu_s": round(time.process_time() - cpu, 2),
                }
            )
            peak = peak_mb()
            peers.append(peer(ours, theirs, folder, given.memory))
        judged = judge(found, place / "differences.parquet", planted)
    best, best_peer = (min(each, key=lambda one: one["wall_s"]) for each in (runs, peers))
    said = {
        "machine": before,
        "load_after": machine()["load"],
        "rows": [found.rows_ours, found.rows_theirs],
        "memory_mb": given.memory,
        "reconcile": runs,
        "peak_mb": peak,
        "peer": peers,
        "peer_over_ours": round(best_peer["wall_s"] / best["wall_s"], 2),
        "shifts": [[one.shift_s, one.records] for one in found.shifts],
        "classes": judged,
    }
    print(json.dumps(said, indent=2))
    return int(any(one["lost"] for one in judged.values()))


if __name__ == "__main__":
    raise SystemExit(main())
