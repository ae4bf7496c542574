"""Two sets of call records laid side by side: every class found, priced, and always alike."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hansa.foundation.errors import Refused
from hansa.lifecycle.settlement.actions.reconciling import reconcile, summary
from hansa.lifecycle.settlement.model import ClassTotal, ClockShift, Reconciliation, Tolerance

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("duckdb")

START_S = 1793491200  # 2026-11-01
HOUR_S = 3600
DAY_S = 24 * HOUR_S
RATE = 10_000_000
STRICT = Tolerance(calls_bp=0, seconds_bp=0, amount_bp=0)

Row = dict[str, Any]


def call(number: int, *, at_s: int, duration_s: int = 60, **more: Any) -> Row:
    return {
        "source_ref": f"r{number}",
        "calling": str(27_000_000_000 + number % 500),
        "called": str(44_200_000_000 + number * 7919 % 1000),
        "answered_us": at_s * 1_000_000 + 250_000,
        "duration_s": duration_s,
        "amount_nano": duration_s * RATE,
        **more,
    }


def month(days: int = 5, a_day: int = 200) -> list[Row]:
    return [
        call(
            day * a_day + place,
            at_s=START_S + day * DAY_S + place * (DAY_S // a_day) + place % 7,
            duration_s=30 + (place * 37) % 900,
        )
        for day in range(days)
        for place in range(a_day)
    ]


def moved(row: Row, *, by_s: int = 0, lasts_s: int = 0, **more: Any) -> Row:
    lasting = row["duration_s"] + lasts_s
    return {
        **row,
        "answered_us": row["answered_us"] + by_s * 1_000_000,
        "duration_s": lasting,
        "amount_nano": lasting * RATE,
        "source_ref": f"t{row['source_ref']}",
        **more,
    }


def parquet(place: Path, rows: Iterable[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), place)
    return place


def run(
    folder: Path, ours: list[Row], theirs: list[Row], tolerance: Tolerance = STRICT, **how: Any
) -> tuple[Reconciliation, list[Row]]:
    found, place = reconcile(
        ours=[parquet(folder / "ours.parquet", ours)],
        theirs=[parquet(folder / "theirs.parquet", theirs)],
        currency="GBP",
        to=folder / "results",
        tolerance=tolerance,
        **how,
    )
    assert summary(place) == found
    return found, pq.read_table(place / "differences.parquet").to_pylist()


def shuffled(rows: list[Row], seed: int) -> list[Row]:
    return sorted(rows, key=lambda row: hashlib.sha256(f"{seed}{row}".encode()).digest())


def counts(found: Reconciliation) -> Mapping[str, int]:
    return {one.name: one.records for one in found.classes}


def planted() -> tuple[list[Row], list[Row]]:
    """A month with one difference of every kind, and jitter within tolerance."""
    ours = month()
    theirs = [
        moved(row, by_s=(0, 1, -1, 2, 0)[place % 5], lasts_s=(0, 0, 1)[place % 3])
        for place, row in enumerate(ours)
    ]
    theirs[100] = moved(ours[100], lasts_s=45)
    theirs[200] = moved(ours[200], amount_nano=ours[200]["amount_nano"] * 2)
    theirs.append({**theirs[300], "source_ref": "twice"})
    theirs.append(moved(theirs[310], by_s=1, source_ref="nearly-twice"))
    theirs.append(call(9_999_999, at_s=START_S + 100, called="44999"))
    del theirs[400]
    ours.append({**ours[500], "source_ref": "ours-twice"})
    return ours, theirs


def test_every_planted_difference_is_found_and_priced(tmp_path: Path) -> None:
    ours, theirs = planted()
    found, rows = run(tmp_path, ours, theirs)
    said = {(row["class"], row["ours_ref"], row["theirs_ref"]): row for row in rows}
    assert set(said) == {
        ("duration", "r100", "tr100"),
        ("price", "r200", "tr200"),
        ("duplicate-there", None, "tr300"),
        ("duplicate-there", None, said_ref(said, "310")),
        ("missing-here", None, "r9999999"),
        ("missing-there", "r400", None),
        ("duplicate-here", said_ref(said, "500"), None),
    }
    price = {key[0]: row["difference_nano"] for key, row in said.items()}
    assert price["duration"] == 45 * RATE
    assert price["price"] == ours[200]["amount_nano"]
    assert price["missing-there"] == -ours[400]["amount_nano"]
    assert price["missing-here"] == 60 * RATE
    assert counts(found)["exact"] + counts(found)["within"] == 1000 - 3
    total = sum(one.difference_nano for one in found.classes)
    assert total == found.difference_nano, "the classes explain all that the days differ by"
    assert (found.rows_ours, found.rows_theirs) == (len(ours), len(theirs))


def said_ref(said: Iterable[tuple[str, str | None, str | None]], part: str) -> str | None:
    """Which of two records of the same call is the surplus one is no matter of right."""
    (found,) = {
        ref
        for kind, *refs in said
        if kind.startswith("duplicate")
        for ref in refs
        if ref and (part in ref or "twice" in ref)
        and not (part == "310" and ref in ("tr300", "twice"))
        and not (part == "310" and ref in ("r500", "ours-twice"))
        and not (part == "500" and ref not in ("r500", "ours-twice"))
    }  # fmt: skip
    return found


@pytest.mark.parametrize("seed", range(4))
def test_order_of_rows_and_threads_change_nothing(tmp_path: Path, seed: int) -> None:
    ours, theirs = planted()
    redials = [moved(row, by_s=3, source_ref=f"again{n}") for n, row in enumerate(ours[:80])]
    ours += redials
    theirs += [moved(row, by_s=1) for row in redials[:60]]
    found, rows = run(tmp_path, ours, theirs)
    ours, theirs = shuffled(ours, seed), shuffled(theirs, seed)
    again, same = run(tmp_path, ours, theirs, threads=1 + seed, memory_mb=256 + seed)
    assert same == rows
    assert again.written == found.written
    assert replace(again, ours=found.ours, theirs=found.theirs) == found


def test_a_wrong_clock_is_one_finding(tmp_path: Path) -> None:
    ours = month(days=6)
    wrong = range(400, 800)
    theirs = [
        moved(row, by_s=(-HOUR_S // 2 if place in wrong else 0) + place % 2)
        for place, row in enumerate(ours)
    ]
    found, rows = run(tmp_path, ours, theirs, Tolerance())
    first, last = (ours[place]["answered_us"] // 1_000_000 for place in (wrong[0], wrong[-1]))
    assert found.shifts == (ClockShift(-1800, first, last, 400),)
    assert rows == []
    assert {one.off for one in found.days} == {"", "calls", "times"}


def test_a_month_that_agrees_needs_no_look_at_records(tmp_path: Path) -> None:
    ours = month()
    theirs = [moved(row, by_s=1) for row in ours]
    found, rows = run(tmp_path, ours, theirs, Tolerance())
    assert [one.off for one in found.days] == [""] * 5
    assert rows == []
    assert counts(found) == {"exact": 0}


def test_only_bad_days_are_looked_at_and_neighbours_are_matched(tmp_path: Path) -> None:
    ours = [*month(), call(77, at_s=START_S + 3 * DAY_S - 1)]
    theirs = [moved(row, by_s=1) for row in ours]
    del theirs[250:260]
    found, rows = run(
        tmp_path, ours, theirs, Tolerance(calls_bp=100, seconds_bp=100, amount_bp=100)
    )
    assert [bool(one.off) for one in found.days] == [False, True, False, False, False]
    assert {row["class"] for row in rows} == {"missing-there"}
    assert sorted(row["ours_ref"] for row in rows) == sorted(f"r{n}" for n in range(250, 260))


def test_records_without_amounts_are_counted_not_priced(tmp_path: Path) -> None:
    ours = month(days=1)
    theirs = [{k: v for k, v in row.items() if k != "amount_nano"} for row in ours[1:]]
    found, rows = run(tmp_path, ours, theirs)
    assert [row["class"] for row in rows] == ["missing-there"]
    assert rows[0]["difference_nano"] == -ours[0]["amount_nano"]
    assert ClassTotal("exact", 199, 0, 0, 0) in found.classes


def test_a_busy_pair_of_numbers_does_not_explode(tmp_path: Path) -> None:
    ours = [
        call(1, at_s=START_S + n, duration_s=1 + n * 37 % 600, source_ref=f"b{n}")
        for n in range(20_000)
    ]
    theirs = [moved(row, by_s=1) for row in ours[:-1]]
    found, rows = run(tmp_path, ours, theirs)
    assert [row["ours_ref"] for row in rows] == ["b19999"]
    assert counts(found) == {"exact": 0, "missing-there": 1, "within": 19_999}


def test_records_of_many_files_and_parts_keep_their_names(tmp_path: Path) -> None:
    ours = month(days=3)
    theirs = [moved(row) for row in ours if row["source_ref"] not in {"r0", "r77", "r599"}]
    files = []
    for number in range(3):
        place = tmp_path / f"theirs-{number}.parquet"
        pq.write_table(pa.Table.from_pylist(theirs[number::3]), place, row_group_size=50)
        files.append(place)
    pq.write_table(pa.Table.from_pylist(ours), tmp_path / "ours.parquet", row_group_size=7)
    found, place = reconcile(
        ours=[tmp_path / "ours.parquet"],
        theirs=files,
        currency="GBP",
        to=tmp_path / "results",
        tolerance=STRICT,
    )
    rows = pq.read_table(place / "differences.parquet").to_pylist()
    assert {row["ours_ref"] for row in rows} == {"r0", "r77", "r599"}
    assert (found.rows_ours, found.rows_theirs) == (600, 597)


def test_a_side_without_records(tmp_path: Path) -> None:
    empty = pq.read_table(parquet(tmp_path / "one.parquet", [call(1, at_s=START_S)])).slice(0, 0)
    pq.write_table(empty, tmp_path / "empty.parquet")
    found, _ = reconcile(
        ours=[tmp_path / "empty.parquet"],
        theirs=[tmp_path / "one.parquet"],
        currency="GBP",
        to=tmp_path / "results",
    )
    assert counts(found) == {"exact": 0, "missing-here": 1}


def test_numbers_are_compared_digit_by_digit(tmp_path: Path) -> None:
    """Zeros count, before and behind; a caller may be unknown; wide and narrow columns fit."""
    called = ["0", "00", "5", "05", "50", "500000000000000", "050000000000000"]
    ours = [call(at, at_s=START_S, called=one, calling="") for at, one in enumerate(called)]
    theirs = [
        {**moved(row), "calling": None, "called": one}
        for row, one in zip(ours, called[::-1], strict=True)
    ]
    found, rows = run(tmp_path, [*ours, call(9, at_s=START_S, called="7")], theirs)
    assert counts(found) == {"exact": 7, "missing-there": 1}
    found, rows = run(tmp_path, ours[:4], theirs[:4])
    assert {row["called"] for row in rows if row["class"] == "missing-there"} == {"0", "00", "5"}
    integers = pa.table(
        {
            "called": pa.array([44, 5], pa.int64()),
            "answered_us": pa.array([START_S * 1_000_000] * 2, pa.int64()),
            "duration_s": pa.array([60, 60], pa.uint16()),
        }
    )
    pq.write_table(integers, tmp_path / "integers.parquet")
    found, _ = reconcile(
        ours=[tmp_path / "integers.parquet"],
        theirs=[parquet(tmp_path / "theirs.parquet", [call(1, at_s=START_S, called="5")])],
        currency="GBP",
        to=tmp_path / "results",
        tolerance=replace(STRICT, with_calling=False),
    )
    assert counts(found) == {"exact": 1, "missing-there": 1}


@pytest.mark.parametrize(
    "called", ["", "+27", " 27", "27 ", "2 7", "2_7", "2.7", "-27", "0x1b", "1e3", "٢٧", "1" * 16]
)
def test_what_is_no_number_is_not_taken_for_one(tmp_path: Path, called: str) -> None:
    found, _ = run(tmp_path, [call(1, at_s=START_S)], [call(1, at_s=START_S, called=called)])
    assert [one.why for one in found.unreadable] == ["called is no number of at most 15 digits"]
    found, _ = run(tmp_path, [call(1, at_s=START_S)], [call(1, at_s=START_S, calling=called)])
    assert len(found.unreadable) == bool(called)


# --- bad input ----------------------------------------------------------------------------------


def as_csv(
    place: Path, rows: Iterable[Mapping[str, Any]], columns: list[str] | None = None
) -> Path:
    rows = list(rows)
    with place.open("w", newline="") as file:
        out = csv.DictWriter(file, columns or list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return place


def test_bad_rows_of_a_csv_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    ours = month(days=1)
    theirs: list[Row] = [dict(row) for row in ours]
    theirs[3]["duration_s"] = -5
    theirs[10]["called"] = "4420x"
    theirs[20]["answered_us"] = 17
    theirs[30]["amount_nano"] = "12.5"
    theirs[40]["called"] = "0e2"
    place = as_csv(tmp_path / "theirs.csv", theirs)
    lines = place.read_text().splitlines()
    lines[6] += ",too,many"
    place.write_text("\n".join(lines) + "\n")
    found, _ = reconcile(
        ours=[parquet(tmp_path / "ours.parquet", ours)],
        theirs=[place],
        currency="GBP",
        to=tmp_path / "results",
        tolerance=STRICT,
    )
    assert [(one.row, one.why.split()[0]) for one in found.unreadable] == [
        (4, "duration_s"), (6, "the"), (11, "called"), (21, "answered_us"), (31, "amount_nano"),
        (41, "called"),
    ]  # fmt: skip
    assert {one.file for one in found.unreadable} == {"theirs.csv"}
    assert (found.rows_theirs, found.unreadable_theirs) == (200, 6)
    assert counts(found) == {"exact": 194, "missing-there": 6}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda place: place.write_bytes(place.read_bytes()[:-200]), "records-unreadable"),
        (lambda place: place.write_bytes(b"nonsense"), "records-unreadable"),
        (lambda place: place.unlink(), "records-unreadable"),
        (lambda place: pq.write_table(pa.table({"called": ["44"]}), place), "records-columns"),
        (
            lambda place: pq.write_table(
                pa.table({"called": ["44"], "answered_us": [1], "duration_s": [1.5]}), place
            ),
            "records-columns",
        ),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, spoil: Any, code: str) -> None:
    ours, bad = (parquet(tmp_path / f"{name}.parquet", month(1)) for name in ("ours", "bad"))
    spoil(bad)
    with pytest.raises(Refused, match=r"bad\.parquet") as caught:
        reconcile(ours=[ours], theirs=[bad], currency="GBP", to=tmp_path / "results")
    assert caught.value.code == code
    left = tmp_path / "results"
    assert not left.exists() or list(left.iterdir()) == []


def test_the_summary_is_plain_json(tmp_path: Path) -> None:
    found, place = reconcile(
        ours=[parquet(tmp_path / "a.parquet", month(1))],
        theirs=[parquet(tmp_path / "b.parquet", month(1))],
        currency="GBP",
        to=tmp_path,
    )
    assert json.loads((place / "summary.json").read_text())["currency"] == found.currency
    with pytest.raises(Refused, match="time_s"):
        reconcile(ours=[], theirs=[], currency="GBP", to=tmp_path, tolerance=Tolerance(time_s=-1))
