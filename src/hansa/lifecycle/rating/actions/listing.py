"""The calls behind one line of a month, some at a time. Needs the extra `bulk`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hansa.foundation.errors import NotFound
from hansa.foundation.extras import need
from hansa.foundation.time import Instant, Period, instant_name
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.actions import runs
from hansa.lifecycle.rating.rules.decks import BANDS
from hansa.lifecycle.rating.rules.parts import stretches
from hansa.lifecycle.rating.store import runs as store

EPOCH = Period.month(1970, 1).start


@dataclass(frozen=True, slots=True)
class ChargedCall:
    """A call and what it costs. nano: billionths of the currency's major unit."""

    event: int
    calling: str
    called: str
    answered_at: Instant
    duration_s: int
    billed_s: int
    nano: int


@dataclass(frozen=True, slots=True)
class ChargedCalls:
    """Some of the calls of a line. total: how many there are; nano: what all of them come to."""

    calls: Sequence[ChargedCall]
    total: int
    nano: int


def calls(
    tx: Transaction,
    *,
    holding: HoldingRef,
    month: Period,
    label: str,
    folder: Path,
    offset: int = 0,
    limit: int,
) -> ChargedCalls:
    """The calls of one line by a deck, as they are rated now, in order of their numbers.

    label: of the rated line, `DESTINATION/TIME`. folder: the node's. Raises NotFound
    `holding-unknown`, `charge-unknown` for a line that has no calls; TryLater `events-unrated`.
    """
    need("duckdb", "numpy", "pyarrow")
    from hansa.lifecycle.rating.actions import lines
    from hansa.lifecycle.rating.store import merged

    place, at, since = label.partition("@")
    destination, _, when = place.rpartition("/")
    spells = inventory.get(tx, ref=holding).spells
    known = {
        instant_name(one.part.start) if number else "": one
        for number, one in enumerate(stretches(spells, month))
    }
    month_of_lines = lines.merged_file(tx, month=month, folder=folder)
    book = store.chosen(tx, month)
    stretch = known.get(since if at else "")
    leg = store.legs(tx, holding).get(stretch.part.start) if stretch else None
    if when not in BANDS or leg is None or month_of_lines is None or book is None:
        raise NotFound(
            "charge-unknown", f"Holding {holding.id} has no calls {label!r} in {month.name}."
        )
    band = BANDS.index(when)
    prices = [
        row["price_id"]
        for row in merged.of_leg(month_of_lines, leg)
        if row["destination"] == destination and row["band"] == band
    ]
    files = runs.files(tx, month=month)
    rated = [(folder / str(one.path), runs.rated_place(folder, one, book)[0]) for one in files]
    there = [pair for pair in rated if pair[1].exists()]
    rows, total, nano = merged.events(
        [events for events, _ in there],
        [done for _, done in there],
        leg=leg,
        band=band,
        prices=prices,
        offset=offset,
        limit=limit,
    )
    return ChargedCalls(
        calls=[
            ChargedCall(
                event=row["event_id"],
                calling=row["calling"],
                called=row["called"],
                answered_at=EPOCH + timedelta(microseconds=row["answered_us"]),
                duration_s=row["duration_s"],
                billed_s=row["billed_s"],
                nano=row["amount"],
            )
            for row in rows
        ],
        total=total,
        nano=nano,
    )
