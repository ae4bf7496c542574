"""Records of calls, as Kamailio writes them: a line for each, appended to files of its box.

Taken over as they are, they are what the usage room takes in by its layout `kamailio`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from hansa.drivers.lab import taken
from hansa.drivers.lab.box import Box
from hansa.foundation.readings import Call
from hansa.foundation.time import Instant, Period

SOURCE = "voice/cdr"
TIMES = 2
"""So many columns, from the first, are times."""

ALIKE = timedelta(seconds=5)
"""Clocks that are apart by no more go alike."""


def take_over(box: Box, folder: Path, *, ahead: timedelta = timedelta()) -> int:
    """Takes over what is new in a box; how many octets. ahead: see `clock_of`."""
    return sum(
        taken.take_over(box, f"{SOURCE}/{name}", folder, told=partial(on_clock, ahead))
        for name in sorted(box.try_run("ls", box.path(SOURCE)).out.split())
    )


def clock_of(box: Box, now: Instant) -> timedelta:
    """How far a caller's clock, which may be moved for a demonstration, is ahead of a box's."""
    ahead = now - datetime.fromtimestamp(int(box.run("date", "+%s")), UTC)
    whole = timedelta(seconds=ahead // timedelta(seconds=1))
    return whole if abs(whole) > ALIKE else timedelta()


def on_clock(ahead: timedelta, lines: str) -> str:
    """Lines with their times on a clock that is so far ahead; as they are where it is not."""
    if not ahead:
        return lines
    return "".join(_moved(line, ahead) for line in lines.splitlines(keepends=True))


def _moved(line: str, ahead: timedelta) -> str:
    *times, rest = line.split("|", TIMES)
    try:
        moved = [f"{datetime.fromisoformat(one) + ahead:%Y-%m-%d %H:%M:%S}" for one in times]
    except ValueError:
        return line
    changed = "|".join([*moved, rest])
    return changed if len(changed) == len(line) else line


def calls(folder: Path, trunk: str, period: Period) -> Sequence[Call]:
    """The trunk's calls that were answered in the period, in the order of time.

    A line that a dying daemon has left unfinished is no call; the usage room sets it aside.
    """
    found = {
        (call.answered_at, id): call
        for file in sorted(folder.glob("*.log"))
        for line in file.read_text("utf-8").splitlines()
        for id, of, call in _read(line)
        if of == trunk and period.holds(call.answered_at)
    }
    return tuple(found[key] for key in sorted(found))


def _read(line: str) -> Iterator[tuple[str, str, Call]]:
    """A record's id, its trunk and its call. Durations are in seconds begun."""
    try:
        start, _, duration, id, trunk, calling, called = line.split("|")[:7]
        answered = datetime.fromisoformat(start).replace(tzinfo=UTC)
        whole, _, part = duration.partition(".")
        seconds = int(whole) + (int(part or 0) > 0)
    except ValueError:
        return
    yield id, trunk, Call(answered, calling, called, seconds)
