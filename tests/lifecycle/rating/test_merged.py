"""A month's lines are those of all its files, added up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hansa.lifecycle.rating.model.book import LINE_KEY, LINE_SUM
from hansa.lifecycle.rating.store import merged, parquet

PRICES = 50


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    ids = np.arange(PRICES)
    named = {
        "price_id": ids,
        "code": parquet.strings([f"27{one}" for one in ids]),
        "destination": parquet.strings([f"to {one}" for one in ids]),
    }
    parquet.write_table(tmp_path / "prices.parquet", named)
    return tmp_path / "prices.parquet"


def lines(path: Path, rng: np.random.Generator, many: int, legs: int) -> list[list[int]]:
    """Writes a file of lines, in two batches; gives its rows."""
    key = [rng.integers(-1, most, many) for most in (legs, PRICES, 2)]
    rows = np.stack([*key, *rng.integers(0, 10**12, (len(LINE_SUM), many))])
    with parquet.written(path, parquet.LINES) as out:
        for half in (rows[:, : many // 2], rows[:, many // 2 :]):
            out.write(dict(zip((*LINE_KEY, *LINE_SUM), half, strict=True)))
    found: list[list[int]] = rows.T.tolist()
    return found


@pytest.mark.parametrize("legs", [1, 2, 3, 40])
def test_lines_of_all_files_are_added_up_in_order(prices: Path, tmp_path: Path, legs: int) -> None:
    rng = np.random.default_rng(legs)
    parts = [tmp_path / f"{number}.lines.parquet" for number in range(3)]
    sums: dict[tuple[int, ...], Counter[str]] = {}
    for part in parts:
        for leg, price, band, *values in lines(part, rng, 4_000, legs):
            if price >= 0:
                more = dict(zip(LINE_SUM, values, strict=True))
                sums.setdefault((leg, price, band), Counter()).update(more)
    merged.merge(parts, prices, tmp_path / "month.parquet")
    found = pq.read_table(tmp_path / "month.parquet").to_pylist()
    assert [tuple(row[name] for name in LINE_KEY) for row in found] == sorted(sums)
    for row in found:
        key = tuple(row[name] for name in LINE_KEY)
        assert {name: row[name] for name in LINE_SUM} == dict(sums[key])
        assert (row["code"], row["destination"]) == (f"27{key[1]}", f"to {key[1]}")
    assert merged.of_leg(tmp_path / "month.parquet", 0) == [r for r in found if r["leg_id"] == 0]
    assert {path.name for path in tmp_path.iterdir()} == {
        "prices.parquet", "month.parquet", *(part.name for part in parts),
    }  # fmt: skip


def test_a_month_of_no_lines_is_an_empty_file(prices: Path, tmp_path: Path) -> None:
    lines(tmp_path / "part", np.random.default_rng(0), 0, 1)
    merged.merge([tmp_path / "part"], prices, tmp_path / "month.parquet")
    assert merged.of_leg(tmp_path / "month.parquet", 0) == []
