"""What a stretch's samples, volumes and snapshots come to: all that its charges are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hansa.foundation.time import Instant


@dataclass(frozen=True, slots=True)
class Direction:
    """The samples of one direction. free: how many of the highest are not charged.

    total: octets of all of them. octets, at: the highest sample that is not free, the earliest
    of equal ones; None when there are no samples.
    """

    samples: int = 0
    total: int = 0
    free: int = 0
    octets: int | None = None
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Octets:
    """Both directions. slots: how many samples a direction has on the days that were polled."""

    inward: Direction = Direction()
    outward: Direction = Direction()
    slots: int = 0


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats by day. days: with a snapshot. peak: the most, on the first day that had so many."""

    days: int
    peak_day: date
    peak: int
    last_day: date
    last: int


@dataclass(frozen=True, slots=True)
class Measured:
    """How far a month's samples, sessions and seats are added up.

    files: with events of the month; added_files: of these. events, charged: in the files added;
    the rest is of points that are no holding's then, or whose tariff is not for them.
    """

    month: str
    files: int
    added_files: int
    holdings: int
    events: int
    charged: int
