"""What is decided of events that were rated in bulk: which files by which book; adjustments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hansa.foundation.time import Instant
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.model.lines import RatedLine

RATE_EVENTS = "rating.events"
"""The task that rates what a month's files hold."""

EngineName = Literal["kernel", "duckdb", "spark"]


@dataclass(frozen=True, slots=True)
class RatedFile:
    """That a delivery's events of a month are rated by a book.

    rows: rated rows, one for each leg of each event. rated, no_price: events; of the latter some
    leg has no price.
    """

    delivery: int
    month: str
    book: str
    engine: str
    rows: int
    rated: int
    no_price: int
    rated_at: Instant


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a line of a month that was rated before comes to more, or less, now.

    line: its nano is the difference. number: counts the adjustments of that holding and month.
    charged_in: the month with whose lines it goes; None until then.
    """

    holding: HoldingRef
    usage_month: str
    number: int
    line: RatedLine
    made_at: Instant
    charged_in: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """How far the rating of a month's events is. files, events: in all; no_price: events of
    which some leg has no price.
    """

    month: str
    book: str
    files: int
    rated_files: int
    events: int
    rated: int
    no_price: int

    @property
    def done(self) -> bool:
        return self.rated_files == self.files
