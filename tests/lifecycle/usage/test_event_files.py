"""Files of events: their columns, their order, and what is said of one that is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hansa.foundation.errors import HansaError
from hansa.lifecycle.usage.actions import events
from hansa.lifecycle.usage.model import COLUMNS, EventKind


def calls(*rows: tuple[int, int, int, int]) -> Any:
    """Calls of (event, route, code, second)."""
    return pa.table(
        {
            "event_id": [row[0] for row in rows],
            "source_ref": [None for _ in rows],
            "route_id": [row[1] for row in rows],
            "calling": ["" for _ in rows],
            "called": ["27115550000" for _ in rows],
            "answered_us": [row[3] * 1_000_000 for row in rows],
            "duration_s": [60 for _ in rows],
            "code_id": [row[2] for row in rows],
            "origin_id": [-1 for _ in rows],
            "key": [row[0] for row in rows],
        },
        schema=events.schema(EventKind.CALLS),
    )


def test_what_is_written_is_read_again_in_the_order_of_prices(tmp_path: Path) -> None:
    place = tmp_path / "2026-11" / "calls.parquet"
    rows = [(1, 2, 7, 30), (2, 1, 9, 10), (3, 1, -1, 20), (4, 1, 9, 5), (5, 1, 9, 2**33)]
    events.write(place, EventKind.CALLS, calls(*rows), codes="ab12")
    found = events.read(place)
    assert found["event_id"].to_pylist() == [3, 1, 4, 2, 5]
    assert found.schema.names == [one.name for one in COLUMNS[EventKind.CALLS]]
    assert events.codes_of(place) == "ab12"
    assert [one.name for one in place.parent.iterdir()] == ["calls.parquet"]


@pytest.mark.parametrize("kind", list(EventKind))
def test_a_file_of_nothing_has_its_columns_all_the_same(tmp_path: Path, kind: EventKind) -> None:
    place = tmp_path / "none.parquet"
    events.write(place, kind, events.schema(kind).empty_table())
    found = events.read(place)
    assert (found.num_rows, found.schema.names) == (0, [one.name for one in COLUMNS[kind]])


def test_numbers_too_large_for_one_key_are_ordered_all_the_same(tmp_path: Path) -> None:
    place = tmp_path / "calls.parquet"
    top = 2**31 - 2
    rows = [(1, top, top, 2**40), (2, top, 3, 5), (3, top, 3, 2), (4, 0, 1, 9)]
    events.write(place, EventKind.CALLS, calls(*rows))
    assert events.read(place)["event_id"].to_pylist() == [4, 3, 2, 1]


def test_nothing_is_left_of_a_file_that_could_not_be_finished(tmp_path: Path) -> None:
    place = tmp_path / "calls.parquet"
    wrong = calls((1, 1, 1, 1)).drop_columns(["called"])
    with pytest.raises(KeyError):
        events.write(place, EventKind.CALLS, wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keeps", [0, 3, 200, None])
def test_a_damaged_file_is_named(tmp_path: Path, keeps: int | None) -> None:
    place = tmp_path / "calls.parquet"
    events.write(place, EventKind.CALLS, calls(*((n, 1, n % 7, n) for n in range(100))))
    if keeps is None:
        place.unlink()
    else:
        place.write_bytes(place.read_bytes()[:keeps])
    with pytest.raises(HansaError, match="usage-file-damaged") as error:
        events.read(place)
    assert str(place) in error.value.words
