"""Files that are whole or not there, and survive a power cut."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

ASIDE = ".new-"
"""What the name of a file begins with that is not finished."""


def put(place: Path, content: bytes) -> None:
    """Puts a file into its folder, which is made if need be, in place of what bears its name.

    Whoever is killed, the old one is there or the new one. Only its owner can read it.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=place.parent, prefix=ASIDE)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    Path(aside).rename(place)
    sync(place.parent)


def sync(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
