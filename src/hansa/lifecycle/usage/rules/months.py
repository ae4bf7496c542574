"""Which months are due, what a usage file holds, and what of it belongs to whom."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hansa.federation.contract import (
    DeckTariff,
    PercentileTariff,
    SeatTariff,
    Tariff,
    UsageRecord,
    VolumeTariff,
)
from hansa.foundation import documents
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import HoldingId
from hansa.foundation.readings import OctetDay, Reading
from hansa.foundation.time import Instant, Period
from hansa.lifecycle.inventory.model import Holding

SLOT = timedelta(minutes=5)


def months_due(*, first: Instant, opened: Sequence[Period], now: Instant) -> Iterator[Period]:
    """Every calendar month from the one of `first` that is over at `now` and not opened yet."""
    known = {period.start for period in opened}
    month = Period.month_of(first)
    while month.end <= now:
        if month.start not in known:
            yield month
        month = Period.month_of(month.end)


def live(holding: Holding, period: Period) -> bool:
    """Whether the holding is held in any part of the period."""
    return period.meet(holding.started, holding.ended) is not None


MEASURED = (PercentileTariff, VolumeTariff, SeatTariff)
"""Tariffs of what a network measures at points: ports, lines, users, services."""


def tariffed(holding: Holding, period: Period, *, at_points: bool = False) -> bool:
    """Whether usage of the holding has a price in any part of the period and is asked for. What
    comes from the network's own records is not: calls by a deck, and what is measured at points.
    """
    ours = (DeckTariff, *MEASURED) if at_points else DeckTariff
    return any(one is not None and not isinstance(one, ours) for one in _tariffs(holding, period))


def priced(holding: Holding, period: Period) -> bool:
    """Whether usage of the holding has a price in any part of the period."""
    return any(one is not None for one in _tariffs(holding, period))


def measured(holding: Holding, period: Period) -> bool:
    """Whether any of the holding's tariffs in the period prices what is measured at points."""
    return any(isinstance(one, MEASURED) for one in _tariffs(holding, period))


def _tariffs(holding: Holding, period: Period) -> Iterator[Tariff | None]:
    for spell in holding.spells:
        if period.meet(spell.start, spell.end) is not None:
            yield spell.terms.tariff


def by_deck(holding: Holding) -> bool:
    """Whether all that a holding's usage ever cost is by a deck."""
    tariffs = [spell.terms.tariff for spell in holding.spells if spell.terms.tariff]
    return bool(tariffs) and all(isinstance(one, DeckTariff) for one in tariffs)


# --- files --------------------------------------------------------------------------------------


def to_lines(records: Iterable[UsageRecord]) -> bytes:
    """The bytes of a usage file: JSON Lines, each in its one canonical form."""
    return b"".join(documents.canonical(documents.write(one)) + b"\n" for one in records)


def from_lines(content: bytes) -> tuple[UsageRecord, ...]:
    """The records of a usage file, in its order."""
    return tuple(
        documents.read(UsageRecord, json.loads(line), what="usage record")
        for line in content.splitlines()
    )


def check(records: Sequence[UsageRecord], *, holding: HoldingId, period: Period) -> None:
    """Raises `usage-invalid` for usage that cannot be true: of another holding or time, two
    records under one id, or not in time order.
    """
    seen: set[str] = set()
    before: Instant | None = None
    for record in records:
        at = moment(record.reading)
        wrong = None
        if record.holding != holding:
            wrong = f"is of holding {record.holding}, not {holding}"
        elif record.id in seen:
            wrong = "comes twice"
        elif not period.holds(at):
            wrong = f"is of {at:%Y-%m-%d %H:%M} UTC, not of {period.name}"
        elif before is not None and at < before:
            wrong = "is not in time order"
        if wrong is not None:
            raise HansaError("usage-invalid", f"Usage record {record.id} {wrong}.", field="usage")
        seen.add(record.id)
        before = at


def moment(reading: Reading) -> Instant:
    """When a reading counts: a call when it was answered, a day at its first instant."""
    if reading.kind == "call":
        return reading.answered_at
    return datetime(reading.day.year, reading.day.month, reading.day.day, tzinfo=UTC)


# --- whose it is --------------------------------------------------------------------------------


def handed_on(
    records: Iterable[UsageRecord], *, holding: Holding, period: Period
) -> tuple[UsageRecord, ...]:
    """Usage measured below as usage of the holding that stands on it, in time order.

    Ids stay as given where it was measured. What was before the holding began or after it
    ended is left out.
    """
    life = period.meet(holding.started, holding.ended)
    if life is None:
        return ()
    kept = [
        replace(record, holding=holding.ref.id, reading=reading)
        for record in records
        for reading in [_within(record.reading, life)]
        if reading is not None
    ]
    return tuple(sorted(kept, key=lambda record: (moment(record.reading), record.id)))


def _within(reading: Reading, life: Period) -> Reading | None:
    if reading.kind == "call":
        return reading if life.holds(reading.answered_at) else None
    start = moment(reading)
    if reading.kind == "seats":
        end_of_day = start + timedelta(days=1) - timedelta.resolution
        return reading if life.holds(end_of_day) else None
    return _cut(reading, start, life)


def _cut(reading: OctetDay, start: Instant, life: Period) -> OctetDay | None:
    """The day without the slots that start outside of the holding's life."""
    last = start + (len(reading.octets_in) - 1) * SLOT
    if life.holds(start) and life.holds(last):
        return reading
    inside = [life.holds(start + slot * SLOT) for slot in range(len(reading.octets_in))]
    if not any(inside):
        return None
    return replace(
        reading,
        octets_in=tuple(
            count if keep else None for count, keep in zip(reading.octets_in, inside, strict=True)
        ),
        octets_out=tuple(
            count if keep else None for count, keep in zip(reading.octets_out, inside, strict=True)
        ),
    )
