"""A usage file: one holding's usage of one month, as its seller gave it."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.foundation.time import Instant, Period
from hansa.lifecycle.inventory.model import HoldingRef

COLLECT = "usage.collect"
CLOSE = "usage.close"


@dataclass(frozen=True, slots=True)
class UsageFile:
    """The manifest's entry of a file. The same usage again is the same file.

    sha256: of the file's bytes, lower-case hexadecimal; its name too. records: how many lines.
    path: relative to the usage folder. learned_at: when we had it. applied: it counts; False
    for content that came when the month was closed, or that was replaced before.
    """

    holding: HoldingRef
    period: Period
    sha256: str
    records: int
    path: str
    learned_at: Instant
    applied: bool
