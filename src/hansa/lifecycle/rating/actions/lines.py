"""What a month's rated events come to for one holding. Needs the extra `bulk`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from hansa.foundation.errors import TryLater
from hansa.foundation.time import Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.actions import books
from hansa.lifecycle.rating.rules.decks import Sold
from hansa.lifecycle.rating.rules.parts import Stretch
from hansa.lifecycle.rating.store import merged
from hansa.lifecycle.rating.store import runs as store


def sold(
    tx: Transaction, *, holding: HoldingRef, stretch: Stretch, month: Period, folder: Path
) -> Sequence[Sold]:
    """What the events of a stretch come to, price by price. folder: the node's.

    Raises TryLater `events-unrated` before the month has a book.
    """
    leg = store.legs(tx, holding).get(stretch.part.start)
    lines = merged_file(tx, month=month, folder=folder)
    if leg is None or lines is None:
        return ()
    return [
        Sold(**{name: row[name] for name in Sold.__slots__}) for row in merged.of_leg(lines, leg)
    ]


def merged_file(tx: Transaction, *, month: Period, folder: Path) -> Path | None:
    """The file of the month's lines by its book; made when it is not there. None: no events."""
    book = store.chosen(tx, month)
    if book is None:
        raise TryLater(
            "events-unrated", f"The events of {month.name} are not rated yet.", field="period"
        )
    rated = store.files(tx, month.name, book)
    if not rated:
        return None
    there = folder / "rating" / month.name / book
    of = hashlib.sha256(",".join(str(one.delivery) for one in rated).encode()).hexdigest()
    to = there / f"month-{of[:16]}.parquet"
    if not to.exists():
        parts = [there / f"{one.delivery}.lines.parquet" for one in rated]
        merged.merge(parts, books.place(folder, book) / books.PRICES_FILE, to)
    return to
