"""The same arithmetic as the SQL text of rating, compiled for this machine: bit for bit equal.

Works through a batch of events that lie in arrays, without a lock and without Python's objects.
Events sorted by code find the price rows that they need beside each other; unsorted ones are
rated alike, only slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hansa.foundation.extras import compiled
from hansa.lifecycle.rating.model.book import (
    CODE_BITS,
    EVENT,
    GROUPS,
    LINE_KEY,
    LINE_SUM,
    NO_ORIGIN,
    RATED,
    Book,
    Ints,
)

Array = NDArray[Any]

NONE: Final = -2
"""A sum that is not open yet."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A book as the kernel reads it: tables in which a row is found by its place.

    first: where the rows of a slot (deck and group of callers) and code begin in `rows`, whose
    columns are from, to, peak, off-peak, set-up, least, both increments in one, price. slot: of
    a deck and group, -1 for none. callers: a deck's row in `caller`, which has the group of each
    origin. band: by deck and quarter of an hour from slot_0, -1 for none. fx: numerator and
    denominator by series and day from day_0, 0 for none. legs: as in the book, those of a route
    from leg_first.
    """

    first: Array
    rows: Array
    slot: Array
    callers: Array
    caller: Array
    codes: int
    band: Array
    slot_0: int
    fx: Array
    day_0: int
    leg_first: Array
    legs: Array
    leg_most: int


def packed(book: Book) -> Packed:
    """A book's tables as arrays that are found by place instead of by a join."""
    codes = len(book.codes)
    decks = 1 + max(int(part.max(initial=0)) for part in _decks(book))
    keys, first = book.rate["k"] >> CODE_BITS, [np.zeros(0, dtype=np.int64)]
    slot = np.full((decks, GROUPS), -1, dtype=np.int32)
    for number, key in enumerate(np.unique(keys).tolist()):
        slot[divmod(key, GROUPS)] = number
        wanted = (key << CODE_BITS) + np.arange(codes + 1)
        first.append(np.searchsorted(book.rate["k"], wanted))
    plain = ("from_s", "to_s", "rate_peak", "rate_off", "setup", "minimum")
    steps = (book.rate["first_s"] << 32) + book.rate["next_s"]
    callers, caller = _callers(book, decks, codes)
    band, slot_0 = _grid(book.cal["cal_k"], book.cal["band"], rows=decks, empty=-1)
    n, day_0 = _grid(book.fx["fx_k"], book.fx["fx_n"], rows=0, empty=0)
    d, _ = _grid(book.fx["fx_k"], book.fx["fx_d"], rows=0, empty=0)
    routes = int(book.leg["leg_route"].max(initial=-1)) + 2
    return Packed(
        first=np.concatenate(first).astype(np.int32),
        rows=np.stack([*(book.rate[name] for name in plain), steps, book.rate["price_id"]], axis=1),
        slot=slot,
        callers=callers,
        caller=caller,
        codes=codes,
        band=band.astype(np.int8),
        slot_0=slot_0,
        fx=np.stack([n, d], axis=2),
        day_0=day_0,
        leg_first=np.searchsorted(book.leg["leg_route"], np.arange(routes)).astype(np.int32),
        legs=np.stack(list(book.leg.values()), axis=1),
        leg_most=int(book.leg["leg_id"].max(initial=0)),
    )


def _decks(book: Book) -> list[Ints]:
    return [
        book.rate["k"] >> CODE_BITS + 8,
        book.origin["origin_k"] >> CODE_BITS,
        book.cal["cal_k"] >> 32,
        book.leg["deck"],
    ]


def _callers(book: Book, decks: int, codes: int) -> tuple[Array, Array]:
    of = book.origin["origin_k"] >> CODE_BITS
    row_of = np.full(decks, -1, dtype=np.int32)
    found = np.unique(of)
    row_of[found] = np.arange(len(found))
    caller = np.zeros((len(found), codes - NO_ORIGIN), dtype=np.uint8)
    caller[row_of[of], book.origin["origin_k"] & (1 << CODE_BITS) - 1] = book.origin["grp"]
    return row_of, caller


def _grid(keys: Ints, values: Ints, *, rows: int, empty: int) -> tuple[Ints, int]:
    """Values of keys (row << 32) + column as a table, and the number of its first column."""
    row, column = keys >> 32, keys & 0xFFFFFFFF
    start = int(column.min(initial=2**32))
    width = int(column.max(initial=start - 1)) - start + 1
    table = np.full((max(rows, int(row.max(initial=0)) + 1), width), empty, dtype=np.int64)
    table[row, column - start] = values
    return table, start


@dataclass(frozen=True, slots=True)
class Rated:
    """What a batch of events comes to.

    rows: the columns RATED. lines: the columns LINE_KEY and LINE_SUM; the same key may come
    more than once. events, unpriced: how many there were, and of how many some leg has no price.
    """

    rows: Mapping[str, Array]
    lines: Mapping[str, Array]
    events: int
    unpriced: int


_TYPES = dict.fromkeys(("hop", "band"), np.int8) | dict.fromkeys(
    ("leg_id", "price_id", "billed_s"), np.int32
)


def rated(book: Packed, events: Mapping[str, Array]) -> Rated:
    """Rates a batch of events: the columns EVENT, arrays of one length."""
    given = [events[name] for name in EVENT]
    room = int(_rooms(book.leg_first, events["route_id"]))
    out = {name: np.empty(room, dtype=_TYPES.get(name, np.int64)) for name in RATED}
    lines = np.empty((room + 1, len(LINE_KEY) + len(LINE_SUM)), dtype=np.int64)
    found = (book.first, book.rows, book.slot, book.callers, book.caller, book.codes)
    when = (book.band, book.slot_0, book.fx, book.day_0)
    legs = (book.leg_first, book.legs)
    sums = np.full(((book.leg_most + 2) * 3, 7), NONE, dtype=np.int64)
    every: list[Any] = [*given, *found, *when, *legs, sums, *out.values(), lines]
    used, ended, unpriced = _rate(*every)
    return Rated(
        rows={name: column[:used] for name, column in out.items()},
        lines=dict(zip((*LINE_KEY, *LINE_SUM), lines[:ended].T, strict=True)),
        events=len(given[0]),
        unpriced=unpriced,
    )


@compiled
def _rooms(leg_first, route):  # type: ignore[no-untyped-def]
    """How many rows these events may come to."""
    room = 0
    for r in route:
        known = 0 <= r < len(leg_first) - 1
        room += max(1, leg_first[r + 1] - leg_first[r]) if known else 1
    return room


@compiled
def _price_row(first, rows, slot, codes, deck, group, code, start_s):  # type: ignore[no-untyped-def]
    """The row in force for a deck, group of callers and code; -1 for none."""
    if code < 0 or slot[deck, group] < 0:
        return -1
    place = slot[deck, group] * (codes + 1) + code
    for r in range(first[place], first[place + 1]):
        if rows[r, 0] <= start_s < rows[r, 1]:
            return r
    return -1


@compiled
def _charge(row, duration, band):  # type: ignore[no-untyped-def]
    """The seconds charged and what they cost: whole minutes, the rest rounded half up, set-up."""
    if duration == 0:
        return np.int64(0), np.int64(0)
    billed, next_s = row[6] >> 32, row[6] & 0xFFFFFFFF
    if duration > billed:
        billed += (duration - billed + next_s - 1) // next_s * next_s
    rate = row[2] if band == 0 else row[3]
    charge = row[4] + rate * (billed // 60) + (rate * (billed % 60) * 2 + 60) // 120
    return billed, max(charge, row[5])


@compiled
def _rate(  # type: ignore[no-untyped-def]
    event_id, route_id, code_id, origin_id, answered_us, duration_s,
    first, rows, slot, callers, caller, codes, band_at, slot_0, fx, day_0, leg_first, legs, sums,
    o_event, o_hop, o_leg, o_price, o_band, o_billed, o_charge, o_amount, o_share, lines,
):  # fmt: skip
    used = ended = unpriced = 0
    for i in range(len(event_id)):
        start_s = answered_us[i] // 1000000
        slot_at, day = start_s // 900 - slot_0, start_s // 86400 - day_0
        begin = end = 0
        if 0 <= route_id[i] < len(leg_first) - 1:
            begin, end = leg_first[route_id[i]], leg_first[route_id[i] + 1]
        before = used
        missing = False
        for at in range(begin, end + 1):
            if at < end and not legs[at, 4] <= start_s < legs[at, 5]:
                continue
            if at == end and used > before:
                break  # else no leg is in force: the event keeps one row without a price
            hop, leg, share_bp = np.int64(0), np.int64(-1), np.int64(0)
            row, band, n, d = -1, -1, np.int64(0), np.int64(0)
            if at < end:
                hop, leg, deck, series, share_bp = (
                    legs[at, 1], legs[at, 2], legs[at, 3], legs[at, 6], legs[at, 7],
                )  # fmt: skip
                group = caller[callers[deck], origin_id[i] + 2] if callers[deck] >= 0 else 0
                row = _price_row(first, rows, slot, codes, deck, group, code_id[i], start_s)
                band = band_at[deck, slot_at] if 0 <= slot_at < band_at.shape[1] else -1
                if 0 <= day < fx.shape[1] and series < fx.shape[0]:
                    n, d = fx[series, day, 0], fx[series, day, 1]
            price = np.int64(-1)
            billed = charge = amount = share = np.int64(0)
            if row >= 0 and band >= 0 and d > 0:
                price = rows[row, 7]
                billed, charge = _charge(rows[row], np.int64(duration_s[i]), band)
                amount = charge // d * n + (charge % d * n * 2 + d) // (d * 2)
                share = amount // 10000 * share_bp
                share += (amount % 10000 * share_bp * 2 + 10000) // 20000
            else:
                band = -1
                missing = True
            o_event[used], o_hop[used], o_leg[used] = event_id[i], hop, leg
            o_price[used], o_band[used], o_billed[used] = price, band, billed
            o_charge[used], o_amount[used], o_share[used] = charge, amount, share
            used += 1
            place = (leg + 1) * 3 + band + 1
            full = sums[place, 3] + charge < 0 or sums[place, 4] + amount < 0  # past 64 bits
            if sums[place, 6] != price or full:
                ended = _end(sums, lines, ended, place)
                sums[place, 6] = price
            _add(sums[place], billed, charge, amount, share)
        unpriced += missing
    for left in range(len(sums)):
        ended = _end(sums, lines, ended, left)
    return used, ended, unpriced


@compiled
def _add(sums, billed, charge, amount, share):  # type: ignore[no-untyped-def]
    """One more call in the sum that is open for its leg and band."""
    sums[0] += 1
    sums[1] += billed > 0
    sums[2] += billed
    sums[3] += charge
    sums[4] += amount
    sums[5] += share


@compiled
def _end(sums, lines, ended, place):  # type: ignore[no-untyped-def]
    """Writes the sum that is open as a line, and opens an empty one."""
    if sums[place, 6] != NONE:
        lines[ended, 0], lines[ended, 1] = place // 3 - 1, sums[place, 6]
        lines[ended, 2] = place % 3 - 1
        lines[ended, 3:9] = sums[place, 0:6]
        ended += 1
    sums[place, 0:6] = 0
    sums[place, 6] = NONE
    return ended
