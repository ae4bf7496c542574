"""Files on their way in: one at a time, each as it was when it was first looked at."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from hansa.foundation.errors import Refused, TryLater
from hansa.lifecycle.usage.store import events

EVENTS, QUARANTINE = "events", "quarantine"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else takes files into this node meanwhile; ends with the process, however it ends."""
    place = folder / EVENTS / ".lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(place: Path) -> tuple[str, tuple[int, int]]:
    """SHA-256 of a file, and by what it is known that nobody has written to it since.

    Raises Refused `file-unreadable`.
    """
    try:
        with place.open("rb") as file:
            state = stamp(place)
            return hashlib.file_digest(file, "sha256").hexdigest(), state
    except OSError as error:
        raise Refused(
            "file-unreadable", f"{place} cannot be read: {error.strerror}.", field="file"
        ) from error


def stamp(place: Path) -> tuple[int, int]:
    """Size and time of the last change."""
    found = place.stat()
    return found.st_size, found.st_mtime_ns


def unchanged(place: Path, state: tuple[int, int]) -> None:
    """Raises TryLater `file-growing` when the file was written to since."""
    if stamp(place) != state:
        raise TryLater(
            "file-growing", f"{place} is still being written; try again when it is whole.",
            field="file",
        )  # fmt: skip


def sweep(folder: Path, *, named: Collection[str]) -> int:
    """Removes what an interrupted run left; how many files. named: by the manifest.

    To be called alone.
    """
    swept = 0
    for top in (EVENTS, QUARANTINE):
        for place in (folder / top).rglob("*.parquet"):
            left = place.name.startswith(events.ASIDE)
            if left or str(place.relative_to(folder)) not in named:
                place.unlink(missing_ok=True)
                swept += 1
    return swept
