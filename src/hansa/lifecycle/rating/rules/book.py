"""The price book: decks, calendars, reference rates and legs compiled to small join tables.

Compiled once per version of what it is made of; rating is then equi-joins and whole numbers.
Amounts are billionths of a currency's major unit (nano), times seconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hansa.foundation.errors import Refused
from hansa.lifecycle.catalogue.model import DeckFacts
from hansa.lifecycle.rating.model.book import (
    ANY,
    CAL,
    CODE_BITS,
    DEAREST,
    FX_MOST,
    LEG,
    LONGEST_S,
    MOST,
    NO_ORIGIN,
    OFF_PEAK,
    ORIGIN,
    PEAK,
    PRICES,
    RATE,
    SLOT_S,
    WEEKDAYS,
    Book,
    Columns,
    FxDay,
    Ints,
    Leg,
    Rows,
    price_key,
)


def compiled(
    *,
    codes: Sequence[str],
    rows: Rows,
    decks: Sequence[DeckFacts],
    legs: Sequence[Leg],
    rates: Sequence[FxDay],
    first: date,
    last: date,
) -> Book:
    """The book for events of the days from first to last.

    Raises Refused `price-too-large` for a deck whose dearest call does not fit the arithmetic.
    """
    parents = nearest(codes)
    known = [_deck_rates(codes, parents, rows, facts) for facts in decks]
    _check_bounds(rows, decks, legs, rates)
    return Book(
        codes=codes,
        rate=_sorted(_joined([rate for rate, _ in known], RATE), "k", "from_s"),
        origin=_sorted(_joined([origin for _, origin in known], ORIGIN), "origin_k"),
        cal=_joined([_calendar(facts, first, last) for facts in decks], CAL),
        fx=_fx(rates, first, last),
        leg=_legs(legs),
    )


def nearest(codes: Sequence[str]) -> NDArray[np.int32]:
    """For each code the place of the longest other one that it begins with; -1 for none."""
    place = {code: at for at, code in enumerate(codes)}
    found = np.full(len(codes), -1, dtype=np.int32)
    for at, code in enumerate(codes):
        for length in range(len(code) - 1, 0, -1):
            above = place.get(code[:length])
            if above is not None:
                found[at] = above
                break
    return found


# --- prices -------------------------------------------------------------------------------------


def _deck_rates(
    codes: Sequence[str], parents: NDArray[np.int32], rows: Rows, facts: DeckFacts
) -> tuple[Columns, Columns]:
    """One deck's rows for every code that it prices, itself or by a shorter one; and callers."""
    own = np.flatnonzero(rows.values["deck"] == facts.number)
    place = np.zeros(len(rows.code), dtype=np.int64)
    place[own] = np.searchsorted(np.asarray(codes), rows.code[own])
    groups = sorted(facts.origins)
    by_origin = {name: own[rows.origin[own] == name] for name in ("", *groups)}
    order = _by_length(codes)
    edges = np.unique(
        np.concatenate([rows.values["from_s"][own], rows.values["to_s"][own]])
    ).tolist()
    numbers = [ANY, *range(1, len(groups) + 1), *([DEAREST] if groups else [])]
    if numbers[-1] == DEAREST and len(groups) >= DEAREST:
        raise Refused(
            "origins-too-many", f"{facts.name} has more than 254 origin groups.", field="origins"
        )
    runs = {number: _Run(len(codes)) for number in numbers}
    for start in edges:  # at the last one nothing is in force, which ends every run
        maps = _maps_at(start, rows, by_origin, place, order, parents)
        if groups:
            maps[DEAREST] = _dearest(list(maps.values()), rows)
        for number, found in maps.items():
            runs[number].go_on(start, found)
    parts = [run.ended(facts.number, number, rows) for number, run in runs.items()]
    return _joined(parts, RATE), _callers(codes, parents, order, facts, groups)


def _by_length(codes: Sequence[str]) -> Sequence[NDArray[np.int64]]:
    lengths = np.array([len(code) for code in codes], dtype=np.int64)
    return [np.flatnonzero(lengths == length) for length in range(1, max(lengths, default=0) + 1)]


def _maps_at(
    at: int,
    rows: Rows,
    by_origin: Mapping[str, NDArray[np.int64]],
    place: NDArray[np.int64],
    order: Sequence[NDArray[np.int64]],
    parents: NDArray[np.int32],
) -> dict[int, NDArray[np.int64]]:
    """For each group of callers the row of each code at a moment, -1 for none.

    The longest code decides, then whether it has a price for the group of its own.
    """

    def own(name: str, found: NDArray[np.int64]) -> None:
        these = by_origin[name]
        here = these[(rows.values["from_s"][these] <= at) & (rows.values["to_s"][these] > at)]
        found[place[here]] = here

    def inherited(found: NDArray[np.int64]) -> NDArray[np.int64]:
        for same_length in order:
            bare = same_length[(found[same_length] < 0) & (parents[same_length] >= 0)]
            found[bare] = found[parents[bare]]
        return found

    anyone = np.full(len(parents), -1, dtype=np.int64)
    own("", anyone)
    maps: dict[int, NDArray[np.int64]] = {}
    for number, name in enumerate([name for name in by_origin if name], 1):
        found = anyone.copy()
        own(name, found)
        maps[number] = inherited(found)
    return {ANY: inherited(anyone), **maps}


def _dearest(maps: Sequence[NDArray[np.int64]], rows: Rows) -> NDArray[np.int64]:
    """Of each code the row with the highest peak rate; of equal ones the first group's.

    Blocked rows have no price, whatever rate they name.
    """
    best = np.full(len(maps[0]), -1, dtype=np.int64)
    peak = rows.values["rate_peak"]
    for one in maps:
        sold = (one >= 0) & ~rows.blocked[one]
        better = sold & ((best < 0) | (peak[one] > peak[best]))
        best[better] = one[better]
    return best


class _Run:
    """The rows of one group of callers through time: a new line only where a row changes."""

    def __init__(self, n: int) -> None:
        self._now = np.full(n, -1, dtype=np.int64)
        self._since = np.zeros(n, dtype=np.int64)
        self._done: list[tuple[Ints, Ints, Ints, Ints]] = []

    def go_on(self, at: int, found: NDArray[np.int64]) -> None:
        changed = np.flatnonzero(found != self._now)
        over = changed[self._now[changed] >= 0]
        self._done.append(
            (over, self._since[over], np.full(len(over), at, dtype=np.int64), self._now[over])
        )
        self._since[changed] = at
        self._now = found

    def ended(self, deck: int, group: int, rows: Rows) -> Columns:
        if not self._done:
            return {name: np.empty(0, dtype=np.int64) for name in RATE}
        code, from_s, to_s, row = (np.concatenate(part) for part in zip(*self._done, strict=True))
        sold = ~rows.blocked[row]
        row = row[sold]
        return {
            "k": price_key(deck, group, 0) + code[sold],
            "from_s": from_s[sold],
            "to_s": to_s[sold],
            **{name: rows.values[name][row] for name in ("price_id", *PRICES)},
        }


def _callers(
    codes: Sequence[str],
    parents: NDArray[np.int32],
    order: Sequence[NDArray[np.int64]],
    facts: DeckFacts,
    groups: Sequence[str],
) -> Columns:
    """The group of each code of callers, where it is not any."""
    if not groups:
        return {name: np.empty(0, dtype=np.int64) for name in ORIGIN}
    place = {code: at for at, code in enumerate(codes)}
    found = np.zeros(len(codes), dtype=np.int64)
    for number, name in enumerate(groups, 1):
        for code in facts.origins[name]:
            found[place[code]] = number
    for same_length in order:
        bare = same_length[(found[same_length] == ANY) & (parents[same_length] >= 0)]
        found[bare] = found[parents[bare]]
    told = np.flatnonzero(found)
    return {
        "origin_k": (facts.number << CODE_BITS) + np.concatenate([[NO_ORIGIN], told]) - NO_ORIGIN,
        "grp": np.concatenate([[DEAREST], found[told]]),
    }


# --- calendars, rates, legs ---------------------------------------------------------------------


def _calendar(facts: DeckFacts, first: date, last: date) -> Columns:
    """Peak or off-peak for each quarter of an hour, whatever the zone's clocks do.

    Raises Refused `zone-unknown` for a zone of no place.
    """
    try:
        zone = ZoneInfo(facts.zone)
    except (OSError, ValueError):
        raise Refused(
            "zone-unknown", f"{facts.zone!r} is not a time zone of IANA's list.", field="zone"
        ) from None
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) // SLOT_S
    slots = np.arange(start, start + ((last - first).days + 1) * 86_400 // SLOT_S)
    bands = np.fromiter((_band(facts, zone, slot) for slot in slots.tolist()), dtype=np.int64)
    return {"cal_k": (facts.number << 32) + slots, "band": bands}


def _band(facts: DeckFacts, zone: ZoneInfo, slot: int) -> int:
    there = datetime.fromtimestamp(slot * SLOT_S, zone)
    peak = (
        facts.peak_from_h <= there.hour < facts.peak_to_h
        and there.weekday() < WEEKDAYS
        and there.date() not in facts.holidays
    )
    return PEAK if peak else OFF_PEAK


def _fx(rates: Sequence[FxDay], first: date, last: date) -> Columns:
    """Rates by series and day. Series 0 is one for one, so that every leg has a rate."""
    days = [first + timedelta(days=day) for day in range((last - first).days + 1)]
    every = [*(FxDay(0, day, 1, 1) for day in days), *rates]
    epoch = date(1970, 1, 1)
    made = {
        "fx_k": [(one.fx << 32) + (one.day - epoch).days for one in every],
        "fx_n": [one.n for one in every],
        "fx_d": [one.d for one in every],
    }
    return _sorted(
        {name: np.array(column, dtype=np.int64) for name, column in made.items()}, "fx_k"
    )


def _legs(legs: Sequence[Leg]) -> Columns:
    made = sorted(
        (one.route, one.hop, one.leg, one.deck, one.from_s, one.to_s, one.fx, one.share_bp)
        for one in legs
    )
    table = np.array(made, dtype=np.int64).reshape(len(made), len(LEG))
    return {name: table[:, at].copy() for at, name in enumerate(LEG)}


def _check_bounds(
    rows: Rows, decks: Sequence[DeckFacts], legs: Sequence[Leg], rates: Sequence[FxDay]
) -> None:
    """The dearest call that may come in must fit 64 bits at every step, converted too, and no
    part of it may be more than all.
    """
    for leg in legs:
        if not 0 <= leg.share_bp <= 10_000:
            raise Refused(
                "rate-out-of-range",
                f"A commission is 0 to 10000 hundredths of a percent, not {leg.share_bp}.",
                field="commission_bp",
            )
    highest = {0: 1}
    for one in rates:
        if not 0 < one.n < FX_MOST or not 0 < one.d <= 10**8:
            raise Refused(
                "rate-out-of-range", f"The rate of {one.day} is out of range.", field="rates"
            )
        highest[one.fx] = max(highest.get(one.fx, 1), -(-one.n // one.d))
    values = rows.values
    for facts in decks:
        own = values["deck"] == facts.number
        if not own.any():
            continue
        rate, setup, minimum, first, following = (
            int(values[name][own].max())
            for name in ("rate_peak", "setup", "minimum", "first_s", "next_s")
        )
        rate = max(rate, int(values["rate_off"][own].max()))
        billed = max(LONGEST_S, first) + following
        dearest = max(rate * -(-billed // 60) + setup, minimum)
        by = max((highest.get(leg.fx, 1) for leg in legs if leg.deck == facts.number), default=1)
        if rate > MOST // 120 or dearest * by > MOST:
            raise Refused(
                "price-too-large",
                f"A call at the dearest price of {facts.name} comes to more than can be rated; "
                "check the unit of its rates.",
                field="rate",
            )


def _joined(parts: Sequence[Columns], names: Sequence[str]) -> Columns:
    if not parts:
        return {name: np.empty(0, dtype=np.int64) for name in names}
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _sorted(table: Columns, *by: str) -> Columns:
    order = np.lexsort([table[name] for name in reversed(by)])
    return {name: column[order] for name, column in table.items()}
