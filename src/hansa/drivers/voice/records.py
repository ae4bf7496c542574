"""Records of calls, taken over from the controller's files into the driver's folder.

Kamailio appends to files that are gone with the lab. What it has added is written down here as
further files that are whole lines, never change, and are taken in by the usage room as they are
(layout `kamailio`); together they are what was written, each line once.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hansa.drivers.lab.box import Box
from hansa.foundation.readings import Call
from hansa.foundation.time import Period

SOURCE = "voice/cdr"
_NAME = re.compile(r"(?P<of>.+)\.(?P<start>[0-9]{12})\.log")


def collect(box: Box, folder: Path) -> int:
    """Takes over what is new in a box; how many octets. Killed in the middle, nothing is lost and
    nothing comes twice.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    origin = (box.read("voice/origin") or "").strip()
    new = 0
    with alone(folder / ".lock"):
        for name in sorted(box.try_run("ls", box.path(SOURCE)).out.split()):
            of = f"{origin}.{name.removesuffix('.log')}"
            start = _taken(folder, of)
            while text := _lines(box.read(f"{SOURCE}/{name}", start=start)):
                content = text.encode()
                _write(folder / f"{of}.{start:012}.log", content)
                start += len(content)
                new += len(content)
    return new


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


def _taken(folder: Path, of: str) -> int:
    """How much of a file has been taken over."""
    ends = [
        int(found["start"]) + file.stat().st_size
        for file in folder.glob(f"{of}.*.log")
        if (found := _NAME.fullmatch(file.name)) and found["of"] == of
    ]
    return max(ends, default=0)


def _lines(text: str | None) -> str:
    """As much as is whole lines."""
    return (text or "")[: (text or "").rfind("\n") + 1]


def _write(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".new")
    with draft.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(file)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One at a time, among threads and processes; freed by the kernel on a kill."""
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
