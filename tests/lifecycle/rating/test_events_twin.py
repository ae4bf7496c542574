"""Bulk rating against its slow twin: a million calls that nobody chose, not one difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hansa.foundation.errors import Refused
from hansa.lifecycle.rating.model.book import (
    FX_MOST,
    LINE_KEY,
    LINE_SUM,
    LONGEST_S,
    MOST,
    RATED,
    FxDay,
    Leg,
)
from hansa.lifecycle.rating.rules import kernel
from hansa.lifecycle.rating.store import parquet
from hansa.lifecycle.rating.store.duck import Duck
from tests.lifecycle.rating.events_twin import Call, Deck, Price
from tests.lifecycle.rating.worlds import OPEN, Calls, World, calls, world

pytestmark = pytest.mark.slow

WORLDS = 50
CALLS = 20_000
"""In each world: a million in all."""

Columns = Mapping[str, NDArray[Any]]


def expected(world: World, given: Calls) -> Columns:
    """What the twin says, in the columns of rated events."""
    twin = world.twin()
    found = [
        (event, *row)
        for event, call in zip(given.events["event_id"].tolist(), given.told, strict=True)
        for row in twin.rate(call)
    ]
    return dict(zip(RATED, np.array(found, dtype=np.int64).T, strict=True))


def differences(ours: Columns, theirs: Columns) -> list[str]:
    """In which rows and columns two tables of rated events differ; the first few."""
    if len(ours["event_id"]) != len(theirs["event_id"]):
        return [f"{len(ours['event_id'])} rows, {len(theirs['event_id'])} expected"]
    return [
        f"event {ours['event_id'][at]} hop {ours['hop'][at]}: {name} "
        f"{ours[name][at]}, {theirs[name][at]} expected"
        for name in RATED
        for at in np.flatnonzero(ours[name] != theirs[name])[:3].tolist()
    ]


@pytest.mark.parametrize("seed", range(WORLDS))
def test_kernel(seed: int) -> None:
    here = world(seed)
    given = calls(here, CALLS, seed)
    rated = kernel.rated(kernel.packed(here.book()), given.events)
    assert differences(rated.rows, expected(here, given)) == []
    assert rated.events == CALLS


def test_the_calls_are_worth_comparing() -> None:
    """Many have a price, in every band; some are free; some have no price."""
    here = world(1)
    rated = kernel.rated(kernel.packed(here.book()), calls(here, CALLS, 1).events)
    bands = np.bincount(rated.rows["band"] + 1, minlength=3) / len(rated.rows["band"])
    assert (bands > 0.1).all()
    assert 0.03 < (rated.rows["charge"][rated.rows["price_id"] >= 0] == 0).mean() < 0.5


# --- engines, orders, parts ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_duckdb(seed: int, tmp_path: Path) -> None:
    """Fifty thousand of them by the SQL text: the same rows, and the same lines."""
    here = world(seed)
    given = calls(here, 10_000, seed)
    rated = kernel.rated(kernel.packed(here.book()), given.events)
    parquet.write_table(tmp_path / "events", given.events)
    duck = Duck(here.book(), threads=2, spill=tmp_path / "spill")
    duck.rate_file(tmp_path / "events", tmp_path / "rated", tmp_path / "lines")
    duck.close()
    assert differences(ordered(parquet.read(tmp_path / "rated")), rated.rows) == []
    assert summed(parquet.read(tmp_path / "lines")) == summed(rated.lines)


def ordered(rows: Columns) -> Columns:
    order = np.lexsort([rows["hop"], rows["event_id"]])
    return {name: column[order] for name, column in rows.items()}


def summed(*parts: Columns) -> dict[tuple[int, ...], list[int]]:
    """Lines of one key added up, in Python's own numbers."""
    found: dict[tuple[int, ...], list[int]] = {}
    for part in parts:
        columns = [part[name].tolist() for name in (*LINE_KEY, *LINE_SUM)]
        for leg, price, band, *sums in zip(*columns, strict=True):
            before = found.get((leg, price, band), [0] * len(sums))
            found[leg, price, band] = [a + b for a, b in zip(before, sums, strict=True)]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_order_does_not_matter_and_parts_add_up(seed: int) -> None:
    here = world(seed)
    given = calls(here, CALLS, seed).events
    book = kernel.packed(here.book())
    whole = kernel.rated(book, given)
    dice = np.random.default_rng(seed)
    shuffled = dice.permutation(CALLS)
    mixed = kernel.rated(book, {name: column[shuffled] for name, column in given.items()})
    assert differences(ordered(mixed.rows), whole.rows) == []
    assert summed(mixed.lines) == summed(whole.lines)
    cuts = [0, *sorted(dice.integers(0, CALLS, 6).tolist()), CALLS]
    parts = [
        kernel.rated(book, {name: column[low:high] for name, column in given.items()})
        for low, high in pairwise(cuts)
    ]
    rows = {name: np.concatenate([part.rows[name] for part in parts]) for name in RATED}
    assert differences(rows, whole.rows) == []
    assert summed(*(part.lines for part in parts)) == summed(whole.lines)
    assert sum(part.unpriced for part in parts) == whole.unpriced


def test_lines_say_what_the_rows_say() -> None:
    here = world(4)
    rated = kernel.rated(kernel.packed(here.book()), calls(here, CALLS, 4).events)
    keys, inverse = np.unique(
        np.stack([rated.rows[name] for name in LINE_KEY]), axis=1, return_inverse=True
    )
    rows = {**rated.rows, "calls": np.ones_like(rated.rows["charge"])}
    rows["charged_calls"] = (rows["billed_s"] > 0).astype(np.int64)
    added = {key: [0] * len(LINE_SUM) for key in zip(*keys.tolist(), strict=True)}
    order = list(added)
    for place, name in enumerate(LINE_SUM):
        for line, value in zip(inverse.ravel().tolist(), rows[name].tolist(), strict=True):
            added[order[line]][place] += value
    assert summed(rated.lines) == added


# --- bounds -------------------------------------------------------------------------------------

NEW_YEAR = date(2026, 1, 1)
NOON_S = 1_767_268_800


def extreme(rate: int, by: FxDay | None = None, *, setup: int = 0, steps: int = 1) -> World:
    """One deck with one price, in billionths, and one leg, converted by a rate."""
    peak, before, nothing = (Decimal(value).scaleb(-9) for value in (rate, setup, 0))
    price = Price(0, "27", "", 0, OPEN, peak, nothing, before, nothing, 1, steps)
    deck = Deck(1, "UTC", 0, 24, frozenset(), {}, [price])
    leg = Leg(0, 1, 0, 1, 0, OPEN, 1 if by else 0, 10_000)
    return World(
        NEW_YEAR, NEW_YEAR, ["27"], [deck], [leg], [by] if by else [], ["27"], [""],
        np.array([NOON_S]),
    )  # fmt: skip


def dearest_minutes(steps: int) -> int:
    """What the longest call comes to, its last increment begun."""
    return -(-(LONGEST_S + steps) // 60)


@pytest.mark.parametrize("steps", [1, 60, 86_400])
@pytest.mark.parametrize(
    "by",
    [
        None,
        FxDay(1, NEW_YEAR, FX_MOST - 1, 10**8),
        FxDay(1, NEW_YEAR, FX_MOST - 1, 1),
        FxDay(1, NEW_YEAR, 1_479 * 10**7 + 9_999_999, 10**7),
        FxDay(1, NEW_YEAR, 1, 10**8),
    ],
)
def test_the_dearest_call_that_is_accepted_is_rated_exactly(by: FxDay | None, steps: int) -> None:
    times = max(1, -(-by.n // by.d)) if by else 1
    most, setup = divmod(MOST // times, dearest_minutes(steps))
    here = extreme(most, by, setup=setup, steps=steps)
    durations = [0, 1, 2, 59, 60, 61, LONGEST_S - 61, LONGEST_S - 1, LONGEST_S] * 3
    told = [Call(0, "1", "27", NOON_S * 10**6, duration) for duration in durations]
    many = len(told)
    events: dict[str, NDArray[Any]] = {
        "event_id": np.arange(many),
        "route_id": np.zeros(many, np.int32),
        "code_id": np.zeros(many, np.int32),
        "origin_id": np.full(many, -1, np.int32),
        "answered_us": np.full(many, NOON_S * 10**6),
        "duration_s": np.array(durations, np.int32),
    }
    rated = kernel.rated(kernel.packed(here.book()), events)
    rows = expected(here, Calls(told, events))
    assert differences(rated.rows, rows) == []
    assert sum(rows["charge"].tolist()) > MOST or times > 1  # the sum does not fit, only lines do
    lines = summed(rated.lines)[0, 0, 0]
    assert lines[3:] == [sum(rows[name].tolist()) for name in ("charge", "amount", "share")]


@pytest.mark.parametrize(
    "world",
    [
        extreme(MOST // dearest_minutes(1) + 1),
        extreme(MOST // dearest_minutes(1), setup=dearest_minutes(1)),
        extreme(MOST // 461 // dearest_minutes(1) + 1, FxDay(1, NEW_YEAR, 461 * 10**8, 10**8)),
        extreme(MOST // 461 // dearest_minutes(1) + 1, FxDay(1, NEW_YEAR, 460 * 10**8 + 1, 10**8)),
        extreme(MOST // dearest_minutes(86_400) + 1, steps=86_400),
    ],
)
def test_what_would_not_fit_is_refused(world: World) -> None:
    with pytest.raises(Refused) as refusal:
        world.book()
    assert refusal.value.code == "price-too-large"


@pytest.mark.parametrize("share_bp", [-1, 10_001])
def test_a_commission_is_a_part_of_the_whole(share_bp: int) -> None:
    world = extreme(1)
    legs = [replace(one, share_bp=share_bp) for one in world.legs]
    with pytest.raises(Refused) as refusal:
        replace(world, legs=legs).book()
    assert refusal.value.code == "rate-out-of-range"


@pytest.mark.parametrize(("n", "d"), [(FX_MOST, 10**8), (0, 1), (1, 0), (1, 10**9)])
def test_rates_out_of_range_are_refused(n: int, d: int) -> None:
    with pytest.raises(Refused) as refusal:
        extreme(1, FxDay(1, NEW_YEAR, n, d)).book()
    assert refusal.value.code == "rate-out-of-range"
