"""Instants, periods and clocks. All times are UTC inside; periods exclude their end.

Only entrypoints and the worker read a clock; everything else is handed `now`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from hansa.foundation.errors import Refused

Instant = datetime
"""A moment in UTC. Rooms receive it; they never make one from a clock."""

TICK = timedelta(microseconds=1)
"""The shortest time between two instants, here and in the database."""


def midnight(day: date) -> Instant:
    """The first instant of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def instant_name(at: Instant) -> str:
    """An instant as it is written for others: ISO 8601 in UTC, `2026-11-16T08:00:00Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Clock(Protocol):
    """Tells the time; the only source of `now`."""

    def now(self) -> Instant: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        return datetime.now(UTC)


class SetClock:
    """A clock that moves only when told; for tests."""

    def __init__(self, at: Instant) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


class ShiftedClock:
    """The machine's clock moved by the number of seconds written in a file.

    The demo plays a month in a minute with it. The file is shared by all nodes of a
    scenario; a node with such a clock says so in its status and its logs.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp = -1
        self._shift = timedelta()

    def now(self) -> Instant:
        stamp = self._file.stat().st_mtime_ns
        if stamp != self._stamp:
            self._shift = timedelta(seconds=int(self._file.read_text()))
            self._stamp = stamp
        return datetime.now(UTC) + self._shift


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to and excluding `end`, both UTC."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or self.end <= self.start:
            raise Refused(
                "period-invalid",
                f"{self.start} to {self.end} is no period: give two UTC times, the later one last.",
                field="period",
            )

    @classmethod
    def month(cls, year: int, month: int) -> Period:
        """One calendar month in UTC."""
        following = (year + month // 12, month % 12 + 1)
        return cls(datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC))

    @classmethod
    def parse(cls, text: str) -> Period:
        """A month written as `2026-11`; raises Refused `period-invalid` for anything else."""
        try:
            first = datetime.strptime(text, "%Y-%m")
        except ValueError:
            raise Refused(
                "period-invalid",
                f"{text!r} is no month; write it as 2026-11.",
                field="period",
            ) from None
        return cls.month(first.year, first.month)

    @classmethod
    def month_of(cls, instant: Instant) -> Period:
        """The calendar month in UTC in which the instant lies."""
        return cls.month(instant.year, instant.month)

    @property
    def name(self) -> str:
        """`2026-11` for a calendar month."""
        return f"{self.start:%Y-%m}"

    def share_of(self, whole: Period) -> Fraction:
        """How much of the whole this period lasts, exact to the microsecond."""
        return Fraction((self.end - self.start) // TICK, (whole.end - whole.start) // TICK)

    def holds(self, instant: Instant) -> bool:
        """Whether the instant lies within; the end does not."""
        return self.start <= instant < self.end

    def meet(self, start: Instant, end: Instant | None) -> Period | None:
        """The part of this period in which [start, end) lasts; None end means open."""
        low = max(self.start, start)
        high = self.end if end is None else min(self.end, end)
        return Period(low, high) if low < high else None

    def days(self) -> Iterator[date]:
        """Every UTC day that this period touches, in order."""
        day = self.start.date()
        while midnight(day) < self.end:
            yield day
            day += timedelta(days=1)
