"""What a holding's calls of a month were charged, call by call. Needs the extra `bulk`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hansa.federation.contract import DeckTariff
from hansa.foundation.errors import NotFound, TryLater
from hansa.foundation.extras import need
from hansa.foundation.time import Period
from hansa.foundation.transaction import Begin
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.actions import runs
from hansa.lifecycle.rating.rules.parts import stretches
from hansa.lifecycle.rating.store import runs as store


@dataclass(frozen=True, slots=True)
class Charged:
    """files: Parquet, a row for each call: columns of event files, and `amount_nano`, null for a
    call without a price. sources: the event files and rated files that they were made of.
    """

    files: Sequence[Path]
    sources: Sequence[Path]
    currency: str


def calls(begin: Begin, *, holding: HoldingRef, month: Period, folder: Path, to: Path) -> Charged:
    """The calls that a month charges a holding with, written into the folder `to`.

    folder: the node's. Raises NotFound `holding-unknown`, `charge-unknown` for one that has no
    calls by a deck; TryLater `events-unrated` while a file of the month is not rated.
    """
    need("duckdb", "numpy", "pyarrow")
    from hansa.lifecycle.rating.store import merged

    with begin() as tx:
        held = inventory.get(tx, ref=holding)
        legs = list(store.legs(tx, holding).values())
        found = runs.status(tx, month=month)
        files = runs.files(tx, month=month)
    parts = [one for one in stretches(held.spells, month) if isinstance(one.tariff, DeckTariff)]
    if not parts:
        raise NotFound(
            "charge-unknown",
            f"{holding.id} is not charged for calls by a deck in {month.name}.",
            field="holding",
        )
    if found is None or not found.done:
        raise TryLater(
            "events-unrated", f"The events of {month.name} are not rated yet.", field="period"
        )
    to.mkdir(parents=True, exist_ok=True)
    made, sources = [], []
    for file in files:
        rated, _ = runs.rated_place(folder, file, found.book)
        place = to / f"{file.delivery:08d}.parquet"
        merged.charged(folder / str(file.path), rated, legs, place)
        made.append(place)
        sources += [folder / str(file.path), rated]
    return Charged(made, sources, parts[-1].currency)
