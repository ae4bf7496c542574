"""Events rated in bulk: the compiled kernel and the SQL text on DuckDB say the same of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hansa.foundation.ids import PartyId
from hansa.lifecycle.catalogue.model import DeckFacts
from hansa.lifecycle.rating.actions import events as rating
from hansa.lifecycle.rating.model.book import (
    NO_ORIGIN,
    UNKNOWN_ORIGIN,
    Book,
    FxDay,
    Leg,
    Rows,
)
from hansa.lifecycle.rating.rules import kernel
from hansa.lifecycle.rating.rules.book import compiled
from hansa.lifecycle.rating.store import parquet
from hansa.lifecycle.rating.store.duck import Duck

OPEN = 253_402_300_800
MTN, BT = 1, 2
NANO = 10**9


def at(text: str) -> int:
    """Seconds of a moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


# Both decks' rows, as a person would read them: deck, code, origin, from, to, rate a minute at
# peak and off-peak, set-up, least, increments.
ROWS = [
    (MTN, "27", "", "2026-01-01", None, "0.12", "0.10", "0", "0", 60, 1),
    (MTN, "2782", "", "2026-01-01", "2026-10-15", "0.30", "0.25", "0", "0", 60, 60),
    (MTN, "2782", "", "2026-10-15", None, "0.33", "0.25", "0", "0", 60, 60),
    (MTN, "44", "", "2026-01-01", None, "0.019", "0.0125", "0.01", "0.05", 1, 1),
    (MTN, "44", "sadc", "2026-01-01", None, "0.5", "0.4", "0", "0", 1, 1),
    (BT, "27", "", "2026-01-01", None, "0.1", "0.1", "0", "0", 30, 6),
    (BT, "44", "", "2026-01-01", None, "0.0071", "0.0071", "0", "0", 1, 1),
]
CODES = sorted({"27", "2782", "44", "26", "1"})
DECKS = [
    DeckFacts(
        *(MTN, "mtn-az", PartyId("mtn"), "ZAR", "Africa/Johannesburg", 7, 19),
        holidays=(),
        origins={"sadc": ("26",)},
    ),
    DeckFacts(
        *(BT, "bt-az", PartyId("bt"), "GBP", "Europe/London", 8, 18),
        holidays=(date(2026, 10, 26),),
        origins={},
    ),
]
LEGS = [
    Leg(route=7, hop=1, leg=0, deck=MTN, from_s=0, to_s=OPEN),
    Leg(route=7, hop=2, leg=1, deck=BT, from_s=0, to_s=OPEN, fx=1, share_bp=1250),
    Leg(route=8, hop=1, leg=2, deck=BT, from_s=at("2026-10-10"), to_s=OPEN),
]
RATES = [FxDay(1, date(2026, 10, day), 23_456_789 * 100 + day, 10**8) for day in range(1, 32)]


def nano(text: str) -> int:
    whole, _, rest = text.partition(".")
    return int(whole) * NANO + int(rest.ljust(9, "0"))


def rows(given: Sequence[tuple[Any, ...]] = ROWS) -> Rows:
    columns = list(zip(*given, strict=True))
    numbers: dict[str, NDArray[np.int64]] = {
        "deck": np.array(columns[0]),
        "price_id": np.arange(len(given)),
        "from_s": np.array([at(text) for text in columns[3]]),
        "to_s": np.array([at(text) if text else OPEN for text in columns[4]]),
        "first_s": np.array(columns[9]),
        "next_s": np.array(columns[10]),
    }
    for place, name in enumerate(("rate_peak", "rate_off", "setup", "minimum"), 5):
        numbers[name] = np.array([nano(text) for text in columns[place]])
    return Rows(
        code=np.array(columns[1]),
        origin=np.array(columns[2]),
        blocked=np.zeros(len(given), dtype=bool),
        values=numbers,
    )


@pytest.fixture(scope="module")
def book() -> Book:
    return compiled(
        codes=CODES,
        rows=rows(),
        decks=DECKS,
        legs=LEGS,
        rates=RATES,
        first=date(2026, 10, 1),
        last=date(2026, 10, 31),
    )


def events(*calls: tuple[int, str, str, str, int]) -> Mapping[str, NDArray[Any]]:
    """Calls as (route, calling code, called code, answered, seconds); '' for none."""
    place = {code: at for at, code in enumerate(CODES)}
    caller = {"": NO_ORIGIN, "?": UNKNOWN_ORIGIN, **place}
    return {
        "event_id": np.arange(len(calls), dtype=np.int64),
        "route_id": np.array([call[0] for call in calls], dtype=np.int32),
        "code_id": np.array([place.get(call[2], -1) for call in calls], dtype=np.int32),
        "origin_id": np.array([caller[call[1]] for call in calls], dtype=np.int32),
        "answered_us": np.array([at(call[3]) * 1_000_000 + 999_999 for call in calls]),
        "duration_s": np.array([call[4] for call in calls], dtype=np.int32),
    }


def rated(book: Book, *calls: tuple[int, str, str, str, int]) -> list[tuple[int, ...]]:
    """event, hop, price row, band, billed seconds, charge, amount, share: row by row."""
    found = kernel.rated(kernel.packed(book), events(*calls)).rows
    names = ("event_id", "hop", "price_id", "band", "billed_s", "charge", "amount", "share")
    return list(zip(*(found[name].tolist() for name in names), strict=True))


def test_a_call_is_rated_once_for_each_leg_of_its_route(book: Book) -> None:
    # Tuesday 13 October, 10:00 in Johannesburg and 09:00 in London: peak in both.
    sold, bought = rated(book, (7, "?", "2782", "2026-10-13T08:00", 61))
    # Two minutes at 0.30; BT has no price for 2782 but one for 27: 30 s + 6 x 6 s at 0.1.
    assert sold == (0, 1, 1, 0, 120, 600_000_000, 600_000_000, 0)
    converted = 110_000_000 * (2_345_678_900 + 13) / 10**8
    assert bought[:6] == (0, 2, 5, 0, 66, 110_000_000)
    assert bought[6] == round(converted) == 2_580_246_804
    assert bought[7] == 322_530_851  # an eighth, rounded half up


@pytest.mark.parametrize(
    ("why", "call", "price", "band", "billed", "charge"),
    [
        ("the deck in force", (7, "?", "2782", "2026-10-15T08:00", 1), 2, 0, 60, "0.33"),
        ("Saturday is off-peak", (7, "?", "27", "2026-10-17T10:00", 61), 0, 1, 61, "0.101666667"),
        ("19:00 there is off-peak", (7, "?", "27", "2026-10-13T17:00", 60), 0, 1, 60, "0.1"),
        ("an unanswered call is free", (7, "?", "27", "2026-10-13T08:00", 0), 0, 0, 0, "0"),
        ("set-up, and the least", (7, "?", "44", "2026-10-13T08:00", 1), 3, 0, 1, "0.05"),
        ("a group has its own", (7, "26", "44", "2026-10-13T08:00", 6), 4, 0, 6, "0.05"),
        ("no caller: the dearest", (7, "", "44", "2026-10-13T08:00", 60), 4, 0, 60, "0.5"),
        ("a group without: as everyone", (7, "26", "2782", "2026-10-13T08:00", 1), 1, 0, 60, "0.3"),
        ("no code, no price", (7, "?", "", "2026-10-13T08:00", 60), -1, -1, 0, "0"),
        ("no price for that code", (7, "?", "1", "2026-10-13T08:00", 60), -1, -1, 0, "0"),
        ("before the leg was in force", (8, "?", "27", "2026-10-09T08:00", 60), -1, -1, 0, "0"),
        ("a bank holiday in London", (8, "?", "27", "2026-10-26T10:00", 60), 5, 1, 60, "0.1"),
        ("a route that leads nowhere", (99, "?", "27", "2026-10-13T08:00", 60), -1, -1, 0, "0"),
    ],
)  # fmt: skip
def test_prices(
    book: Book,
    why: str,
    call: tuple[int, str, str, str, int],
    price: int,
    band: int,
    billed: int,
    charge: str,
) -> None:
    first = rated(book, call)[0]
    assert first[2:6] == (price, band, billed, nano(charge)), why


def test_duckdb_says_the_same_of_random_events(book: Book, tmp_path: Path) -> None:
    rng = np.random.default_rng(20261101)
    many = 20_000
    given: dict[str, NDArray[Any]] = {
        "event_id": np.arange(many),
        "route_id": rng.choice([7, 8, 9, 12], many, p=[0.6, 0.3, 0.05, 0.05]).astype(np.int32),
        "code_id": rng.integers(-1, len(CODES), many).astype(np.int32),
        "origin_id": rng.integers(NO_ORIGIN, len(CODES), many).astype(np.int32),
        "answered_us": rng.integers(at("2026-09-30"), at("2026-11-02"), many) * 1_000_000,
        "duration_s": np.maximum(0, rng.integers(-20, 400, many)).astype(np.int32),
    }
    source = tmp_path / "events.parquet"
    parquet.write_table(source, given)
    outcome = rating.rate_file(
        kernel.packed(book),
        source,
        rated_to=tmp_path / "kernel.parquet",
        lines_to=tmp_path / "kernel-lines.parquet",
    )
    duck = Duck(book, threads=2, spill=tmp_path / "spill")
    duck.rate_file(source, tmp_path / "duck.parquet", tmp_path / "duck-lines.parquet")
    duck.close()
    ours, theirs = (parquet.read(tmp_path / f"{name}.parquet") for name in ("kernel", "duck"))
    assert table(ours) == table(theirs)
    assert outcome.events == many
    assert outcome.rows == len(ours["hop"]) > many
    assert outcome.unpriced == len(set(ours["event_id"][ours["price_id"] < 0].tolist())) > 0
    ours, theirs = (parquet.read(tmp_path / f"{name}-lines.parquet") for name in ("kernel", "duck"))
    assert summed(ours) == summed(theirs)


def table(columns: Mapping[str, NDArray[Any]]) -> list[tuple[int, ...]]:
    return sorted(zip(*(columns[name].tolist() for name in sorted(columns)), strict=True))


def summed(columns: Mapping[str, NDArray[Any]]) -> dict[tuple[int, ...], list[int]]:
    found: dict[tuple[int, ...], list[int]] = {}
    for leg, price, band, *sums in zip(*(part.tolist() for part in columns.values()), strict=True):
        before = found.get((leg, price, band), [0] * len(sums))
        found[leg, price, band] = [a + b for a, b in zip(before, sums, strict=True)]
    return found


def test_a_failure_leaves_no_file(book: Book, tmp_path: Path) -> None:
    given = dict(events((7, "?", "27", "2026-10-13T08:00", 1)))
    del given["code_id"]
    parquet.write_table(tmp_path / "events.parquet", given)
    with pytest.raises(Exception, match="code_id"):
        rating.rate_file(
            kernel.packed(book),
            tmp_path / "events.parquet",
            rated_to=tmp_path / "rated" / "one.parquet",
            lines_to=tmp_path / "lines" / "one.parquet",
        )
    assert list(tmp_path.glob("*/*")) == []
