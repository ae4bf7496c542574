"""Files on their way in: one at a time, each as it was when it was first looked at."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from hansa.foundation import disk
from hansa.foundation.errors import HansaError, Refused, TryLater

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
            left = place.name.startswith(disk.ASIDE)
            if left or str(place.relative_to(folder)) not in named:
                place.unlink(missing_ok=True)
                swept += 1
    return swept


# --- files of our own ---------------------------------------------------------------------------


def keep_replay(folder: Path, content: bytes) -> Path:
    """Keeps a file of corrected records, under the name of its content."""
    place = _replay(folder, hashlib.sha256(content).hexdigest())
    disk.put(place, content)
    return place


def replay(folder: Path, sha256: str) -> bytes:
    """A file of corrected records. Raises HansaError `usage-file-damaged`."""
    place = _replay(folder, sha256)
    try:
        content = place.read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise HansaError(
            "usage-file-damaged",
            f"The file of corrected records {place} is not what it was; bring it back from a copy.",
            field="usage",
        )
    return content


def _replay(folder: Path, sha256: str) -> Path:
    return folder / QUARANTINE / f"replay-{sha256}.jsonl"


# --- what comes as a stream ---------------------------------------------------------------------


class Spool:
    """A part of a stream on the disk, until it has been taken in.

    Whose process lives holds a lock on it; without, it was left behind and is anybody's.
    """

    def __init__(self, folder: Path, layout: bytes) -> None:
        top = folder / EVENTS / ".spool"
        top.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=top, suffix=".part")
        self.place = Path(name)
        self.size = 0
        self._file = os.fdopen(handle, "wb")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        with _beside(self.place).open("wb") as beside:
            beside.write(layout)
            beside.flush()
            os.fsync(beside.fileno())
        disk.sync(top)

    def write(self, octets: bytes) -> None:
        """When this returns, they survive a power cut."""
        self._file.write(octets)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.size += len(octets)

    def close(self, *, taken: bool) -> None:
        """taken: it is not needed any more."""
        if taken:
            forget(self.place)
        self._file.close()


def left(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Parts of streams that a process left when it was killed, with their layouts."""
    for place in sorted((folder / EVENTS / ".spool").glob("*.part")):
        try:
            with place.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield place, _beside(place).read_bytes()
        except (BlockingIOError, FileNotFoundError):
            continue


def forget(place: Path) -> None:
    """Removes a part of a stream: it has been taken in."""
    place.unlink(missing_ok=True)
    _beside(place).unlink(missing_ok=True)


def _beside(place: Path) -> Path:
    return place.with_suffix(".json")
