"""What devices write down of use, taken over into a folder that outlives the lab.

Devices add lines to files in their boxes, which are gone with the lab. What they have added is
written down here as further files that are whole lines and never change; together they are what
was written, each line once.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hansa.drivers.lab.box import Box

ORIGIN = "origin"
"""The file with the mark of a box."""

_NAME = re.compile(r"(?P<of>.+)\.(?P<start>[0-9]{12})\.log")


def mark(box: Box) -> None:
    """Gives a box a name that none has had before, in this lab or another; once. For one caller
    at a time.
    """
    if box.read(ORIGIN) is None:
        box.write(ORIGIN, box.run("cat", "/proc/sys/kernel/random/uuid"))


def take_over(
    box: Box, file: str, folder: Path, *, head: str = "", told: Callable[[str], str] = str
) -> int:
    """Takes over what was added to a file of a marked box; how many octets. Killed in the middle,
    nothing is lost and nothing comes twice.

    head: goes before the lines of each file. told: what is written of lines, as long as they are.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    of = f"{(box.read(ORIGIN) or '').strip()}.{Path(file).stem}"
    new = 0
    with alone(folder / ".lock"):
        start = _taken(folder, of, len(head))
        while text := _lines(box.read(file, start=start)):
            _write(folder / f"{of}.{start:012}.log", f"{head}{told(text)}".encode())
            length = len(text.encode())
            start, new = start + length, new + length
    return new


def _taken(folder: Path, of: str, head: int) -> int:
    """How much of a file has been taken over."""
    ends = [
        int(found["start"]) + file.stat().st_size - head
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
