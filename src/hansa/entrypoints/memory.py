"""How a process that runs for long looks after its memory."""

from __future__ import annotations

import gc

FIRST = 20_000
"""How many things are made before the youngest are looked through; most are gone by then."""


def settle() -> None:
    """Called once all is built: what is there now stays, and is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(FIRST, 20, 50)
