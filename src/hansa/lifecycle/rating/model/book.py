"""What events are rated by: price rows, legs, reference rates, and the book compiled of them.

Arrays of 64-bit integers, column by column. Amounts are billionths of a currency's major unit
(nano), times seconds since 1970 in UTC. Needs the extra `bulk`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Columns = Mapping[str, Ints]

CODE_BITS = 24
"""A code's number takes so many bits of a price's key."""
GROUPS = 256
ANY, DEAREST = 0, 255
"""Origin groups: every caller; a caller who sends no number."""
UNKNOWN_ORIGIN, NO_ORIGIN = -1, -2
"""`origin_id` of a caller under no code that we know, and of one who sends no number."""
SLOT_S = 900
"""Calendars change at quarters of an hour: every zone's offset is a multiple of it."""
WEEKDAYS = 5
PEAK, OFF_PEAK = 0, 1
LONGEST_S = 7 * 86_400
"""A call may last so long; longer ones are refused when they come in."""
MOST = 2**63 - 1
FX_MOST = MOST // 2 // 10**8
"""The largest numerator of a reference rate, whose denominator is at most 10**8."""

PRICES = ("rate_peak", "rate_off", "setup", "minimum", "first_s", "next_s")
"""What a price row says of one call, in this order."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Price rows of all decks, column by column, each as long as the others.

    code, origin: strings; origin '' is any caller. values: `deck`, `price_id`, `from_s`, `to_s`
    (excluded) and PRICES. Rows of one deck, code and origin do not overlap in time.
    """

    code: NDArray[np.str_]
    origin: NDArray[np.str_]
    blocked: NDArray[np.bool_]
    values: Columns


@dataclass(frozen=True, slots=True)
class Leg:
    """One holding for which the events of a route are rated, in [from_s, to_s).

    hop: its place among the legs of the route, from 1. fx: which series of rates its charges
    are converted by, 0 for none. share_bp: hundredths of a percent of the amount.
    """

    route: int
    hop: int
    leg: int
    deck: int
    from_s: int
    to_s: int
    fx: int = 0
    share_bp: int = 0


@dataclass(frozen=True, slots=True)
class FxDay:
    """A rate on a day: n / d units of the amount's currency for one of the charge's.

    d: a power of ten up to 10**8; n below FX_MOST.
    """

    fx: int
    day: date
    n: int
    d: int


@dataclass(frozen=True, slots=True)
class Book:
    """What rating joins with. Tables are sorted by their keys.

    codes: the union of all codes; an event's `code_id` is a place in it.
    """

    codes: Sequence[str]
    rate: Columns
    origin: Columns
    cal: Columns
    fx: Columns
    leg: Columns

    @property
    def tables(self) -> Mapping[str, Columns]:
        """The tables by their names in the SQL text."""
        return {
            "rate": self.rate,
            "origin": self.origin,
            "cal": self.cal,
            "fx": self.fx,
            "leg": self.leg,
        }


RATE = ("k", "from_s", "to_s", "price_id", *PRICES)
ORIGIN = ("origin_k", "grp")
CAL = ("cal_k", "band")
LEG = ("leg_route", "hop", "leg_id", "deck", "leg_from", "leg_to", "fx_id", "share_bp")
"""The columns of a book's tables, by their names in the SQL text."""

EVENT = ("event_id", "route_id", "code_id", "origin_id", "answered_us", "duration_s")
"""The columns of a file of events that rating needs."""

RATED = ("event_id", "hop", "leg_id", "price_id", "band", "billed_s", "charge", "amount", "share")
"""The columns of a file of rated events, a row for each leg."""

LINE_KEY = ("leg_id", "price_id", "band")
LINE_SUM = ("calls", "charged_calls", "billed_s", "charge", "amount", "share")
"""The columns of a file of lines: what of rated rows is added up, and by what."""


def price_key(deck: int, group: int, code: int) -> int:
    """The key of a price row: deck, group of callers, code."""
    return ((deck * GROUPS + group) << CODE_BITS) + code
