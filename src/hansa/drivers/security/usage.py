"""Seats in use, day by day: those that were set on the device as the day ended.

A seat is a right, like a licence: it counts from when it was set to when it was changed or taken
away, whether anybody sat there or not. Clients are not counted for money: an address is not a
person, and whoever shares one would be missed.

One file a service lies in the driver's own folder, a line for each setting, and outlives the lab.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from hansa.foundation.readings import SeatDay
from hansa.foundation.time import Instant, Period, midnight


@dataclass(frozen=True, slots=True)
class Setting:
    """How many seats there are from `at` on."""

    at: Instant
    seats: int


class Seats:
    """What was set, and when; `folder` is made when something first is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def set(self, service: str, seats: int, *, now: Instant) -> None:
        """Has the service have so many seats from now on; already so writes nothing."""
        if not seats and not self._file(service).exists():
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._file(service), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a") as out:
            fcntl.flock(out, fcntl.LOCK_EX)
            history = self.history(service)
            if (history[-1].seats if history else 0) == seats:
                return
            # what was killed in the middle of its line ends here, and is not read
            torn = not self._file(service).read_text().endswith("\n") and bool(out.tell())
            at = max(now, history[-1].at) if history else now
            line = json.dumps({"at": at.isoformat(), "seats": seats})
            out.write("\n" * torn + line + "\n")
            out.flush()
            os.fsync(out.fileno())

    def history(self, service: str) -> list[Setting]:
        """Every setting, in time order; empty when it was never there."""
        return list(self._read(service))

    def days(self, service: str, period: Period) -> Iterator[SeatDay]:
        """The days of the period at whose end there were seats, with how many."""
        history = self.history(service)
        if not history:
            return
        for day in period.days():
            if not period.holds(midnight(day)):
                continue
            end = midnight(day) + timedelta(days=1)
            before = [one.seats for one in history if one.at < end]
            if before and before[-1]:
                yield SeatDay(day, before[-1])

    def _read(self, service: str) -> Iterator[Setting]:
        try:
            lines = self._file(service).read_text().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                one = json.loads(line)
            except ValueError:
                continue
            yield Setting(datetime.fromisoformat(one["at"]), one["seats"])

    def _file(self, service: str) -> Path:
        return self._folder / f"{quote(service, safe='')}.seats"
