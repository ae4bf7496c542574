"""Rating of events in bulk: files of events in, files of rated events and of lines out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hansa.lifecycle.rating.model.book import EVENT
from hansa.lifecycle.rating.rules import kernel
from hansa.lifecycle.rating.store import parquet


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file. unpriced: events of which some leg has no price."""

    events: int
    unpriced: int
    rows: int


def rate_file(book: kernel.Packed, source: Path, *, rated_to: Path, lines_to: Path) -> Outcome:
    """Rates one file of events into rated rows and into lines, whatever order it is in.

    A leg, price and band may have several lines. Both files are there and whole when this
    returns. Memory is that of a batch, however many there are. Several threads may rate at a time.
    """
    events = unpriced = rows = 0
    with (
        parquet.written(lines_to, parquet.LINES) as lines,
        parquet.written(rated_to, parquet.RATED) as out,
    ):
        for batch in parquet.batches(source, EVENT):
            rated = kernel.rated(book, batch)
            out.write(rated.rows)
            lines.write(rated.lines)
            events += rated.events
            unpriced += rated.unpriced
            rows += len(rated.rows["event_id"])
    return Outcome(events=events, unpriced=unpriced, rows=rows)
