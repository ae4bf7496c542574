"""What services carried: counters read off devices from time to time, written down as read.

Each service has a file of its own to which lines are added: a beginning, an end, or what the
counters of its interfaces said. Days of five-minute counts are worked out from it when they are
asked for; a day counts when it is over, and then for ever.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from hansa.foundation.readings import SAMPLES_A_DAY, OctetDay
from hansa.foundation.time import Instant, Period, midnight

SLOT = timedelta(minutes=5)
GAP_MAX = timedelta(minutes=7, seconds=30)
"""Two readings further apart than this do not tell when something was carried."""

TAIL = 4096
"""Octets in which the last line of a file lies."""

Counters = Mapping[str, tuple[int, int, int]]
"""By interface: its index, which is another when it was made anew, octets to the site, and from it.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a service's file. counters: None when it ended."""

    at: Instant
    counters: Counters | None


class Meters:
    """The files of all services in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(
        self,
        service: str,
        counters: Counters | None,
        *,
        now: Instant,
        after: timedelta | None = None,
    ) -> None:
        """Adds what counters say at a moment; None: it ends. What is older than the last is left
        out, or not younger by as much as `after`, and so is a second end.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._file(service).open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last = _last(file)
            over = last is None or last.counters is None
            soon = last is not None and not over and after is not None and now < last.at + after
            if (last is not None and now <= last.at) or (counters is None and over) or soon:
                return
            line = json.dumps({"at": now.isoformat(), "counters": counters}, sort_keys=True)
            start = b"" if _ends(file) else b"\n"  # a line that was cut off stays one by itself
            os.write(file.fileno(), start + f"{line}\n".encode())

    def entries(self, service: str) -> Sequence[Entry]:
        """All that was written of a service; empty if nothing was."""
        try:
            text = self._file(service).read_text()
        except FileNotFoundError:
            return ()
        return tuple(_entries(text))

    def readings(self, service: str, period: Period) -> Sequence[OctetDay]:
        """The days of a period that are over, in order."""
        return tuple(_days(self.entries(service), period))

    def _file(self, service: str) -> Path:
        return self._folder / f"{quote(service, safe='')}.jsonl"


def _last(file: BinaryIO) -> Entry | None:
    """The last whole line, without reading all that is before it."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
    found = list(_entries(file.read().decode(errors="replace")))
    return found[-1] if found else None


def _ends(file: BinaryIO) -> bool:
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _entries(text: str) -> Iterator[Entry]:
    """Every whole line; one that was cut off while it was written is none."""
    for line in text.splitlines():
        try:
            told = json.loads(line)
            at, counters = datetime.fromisoformat(told["at"]), told["counters"]
        except (ValueError, TypeError, KeyError):
            continue
        yield Entry(
            at.astimezone(UTC),
            None if counters is None else {one: (*of,) for one, of in counters.items()},
        )


def _days(entries: Sequence[Entry], period: Period) -> Iterable[OctetDay]:
    if not entries:
        return
    last = entries[-1]
    known = last.at if last.counters is not None else midnight(last.at.date()) + timedelta(days=1)
    found = _slots(entries)
    for day in period.days():
        start = midnight(day)
        if not period.holds(start) or start + timedelta(days=1) > known:
            continue
        if _there(entries, day):
            told = [found.get(start + slot * SLOT) for slot in range(SAMPLES_A_DAY)]
            yield OctetDay(
                day,
                tuple(None if one is None else one[0] for one in told),
                tuple(None if one is None else one[1] for one in told),
            )


def _there(entries: Sequence[Entry], day: date) -> bool:
    """Whether the service was there at some time of the day."""
    start, end = midnight(day), midnight(day) + timedelta(days=1)
    spans = [(one.at, other.at) for one, other in pairwise(entries) if one.counters is not None]
    return any(begun < end and ended > start for begun, ended in spans)


def _slots(entries: Sequence[Entry]) -> Mapping[Instant, tuple[int, int]]:
    """Octets to and from the site, by the start of the five minutes in which they went mostly."""
    found: dict[Instant, tuple[int, int]] = {}
    broken: set[Instant] = set()
    for one, other in pairwise(entries):
        if one.counters is None or other.counters is None or other.at - one.at > GAP_MAX:
            continue
        middle = one.at + (other.at - one.at) / 2
        slot = middle - (middle - midnight(middle.date())) % SLOT
        carried = _carried(one.counters, other.counters)
        if carried is None:
            broken.add(slot)
            continue
        before = found.get(slot, (0, 0))
        found[slot] = (before[0] + carried[0], before[1] + carried[1])
    return {slot: octets for slot, octets in found.items() if slot not in broken}


def _carried(was: Counters, now: Counters) -> tuple[int, int] | None:
    """What went between two readings; None when an interface was made anew in between."""
    if was.keys() != now.keys():
        return None
    pairs = [(was[name], now[name]) for name in now]
    if any(a[0] != b[0] or b[1] < a[1] or b[2] < a[2] for a, b in pairs):
        return None
    return sum(b[1] - a[1] for a, b in pairs), sum(b[2] - a[2] for a, b in pairs)
