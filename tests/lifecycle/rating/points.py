"""Made-up holdings that are measured at points of a network, and what was read there. Seeded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hansa.federation.contract import (
    PercentileTariff,
    SeatTariff,
    Tariff,
    Tier,
    UsageRecord,
    VolumeTariff,
)
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.readings import SAMPLES_A_DAY, OctetDay, Reading, SeatDay
from hansa.foundation.time import TICK, Period, midnight
from hansa.lifecycle.inventory.model import HoldingRef, Spell
from hansa.lifecycle.rating.actions.measures import EPOCH, Metered, Readings
from hansa.lifecycle.usage.actions import events
from hansa.lifecycle.usage.model import EventKind, Trunk
from tests.lifecycle.rating.samples import spell

MONTHS = (Period.month(2026, 11), Period.month(2026, 12), Period.month(2028, 2))
LADDER = (Tier(20, Decimal("1.5")), Tier(90, Decimal("0.7")), Tier(None, Decimal("0.123456789")))
TARIFFS: Sequence[Tariff] = (
    PercentileTariff(Decimal("3.75"), 40),
    PercentileTariff(Decimal("0.000000001"), 0),
    VolumeTariff(1, LADDER, "graduated"),
    VolumeTariff(0, LADDER, "retroactive"),
    SeatTariff("peak", LADDER, "graduated"),
    SeatTariff("month-end", LADDER, "retroactive"),
)
MOST = (10, 10**6, 2 * 10**9)
"""Octets of five minutes: few, so that many are equal; some; many."""


@dataclass(frozen=True, slots=True)
class Town:
    """Holdings and readings, and the same readings as records of each holding."""

    month: Period
    metered: Sequence[Metered]
    readings: Readings
    records: dict[HoldingRef, list[UsageRecord]]


def measured(seed: int, folder: Path, holdings: int = 12) -> Town:
    """Two points at most for each holding; polls missed one by one, and for whole days."""
    dice = np.random.default_rng(seed)
    month = MONTHS[int(dice.integers(0, len(MONTHS)))]
    metered: list[Metered] = []
    records: dict[HoldingRef, list[UsageRecord]] = {}
    samples: list[dict[str, Any]] = []
    seats: list[dict[str, Any]] = []
    for number in range(holdings):
        ref = HoldingRef(PartyId("op"), HoldingId(f"hld_{number}"))
        names = [f"port-{number}-{one}" for one in range(int(dice.integers(1, 3)))]
        points = [Trunk(name, "in", ref, EPOCH) for name in names]
        spells = _spells(dice, month, number)
        metered.append(Metered(ref, spells, points))
        tariff = spells[0].terms.tariff
        of: list[Reading] = []
        for name in names:
            if isinstance(tariff, SeatTariff):
                of += _seat_days(dice, month, name, seats)
            else:
                of += _octet_days(dice, month, name, samples)
        records[ref] = [UsageRecord(f"{ref.id}/{at}", ref.id, one) for at, one in enumerate(of)]
    paths = [folder / name for name in ("samples.parquet", "seats.parquet")]
    for path, kind, rows in zip(
        paths, (EventKind.SAMPLES, EventKind.SEATS), (samples, seats), strict=True
    ):
        full = [{"event_id": at, "key": at, **row} for at, row in enumerate(rows)]
        events.write(path, kind, pa.Table.from_pylist(full, events.schema(kind)))
    return Town(month, metered, Readings([paths[0]], [paths[1]]), records)


def _spells(dice: np.random.Generator, month: Period, number: int) -> list[Spell]:
    """The whole month; or a part of it; or two tariffs of a kind that follow each other."""
    length = (month.end - month.start) // TICK
    first, then = (month.start + int(at) * TICK for at in sorted(dice.integers(0, length, 2)))
    if dice.random() < 0.3:  # at the very edge of slots and days
        first = midnight(first.date())
        then = midnight(then.date()) + timedelta(minutes=5 * int(dice.integers(1, 9)))
    pair = number % 3 * 2
    one, other = TARIFFS[pair], TARIFFS[pair + 1]
    if pair == 2 and number % 2:
        one, other = other, PercentileTariff(Decimal(2), 1)
    return (
        [spell(EPOCH, None, one)],
        [spell(first, then + TICK, one)],
        [spell(EPOCH, then, one), spell(then, None, other, "2")],
    )[int(dice.integers(0, 3))]


def _octet_days(
    dice: np.random.Generator, month: Period, point: str, rows: list[dict[str, Any]]
) -> list[Reading]:
    lost = float(dice.choice([0, 0.01, 0.05, 0.09]))
    most = int(dice.choice(MOST))
    days: list[Reading] = []
    for day in month.days():
        if dice.random() < 0.03:
            continue
        counts = dice.integers(0, most, (2, SAMPLES_A_DAY)).tolist()
        missed = dice.random((2, SAMPLES_A_DAY)) < lost
        both = [
            [None if gone else count for count, gone in zip(*way, strict=True)]
            for way in zip(counts, missed.tolist(), strict=True)
        ]
        days.append(OctetDay(day, tuple(both[0]), tuple(both[1])))
        start = int(midnight(day).timestamp())
        told = [
            {"point": point, "slot_s": start + 300 * slot, "octets_in": one, "octets_out": other}
            for slot, (one, other) in enumerate(zip(*both, strict=True))
        ]
        # A poll that nobody answered has a row without counts, or no row at all.
        rows += [row for row in told if row["octets_in"] is not None or row["octets_out"]
                 is not None or row["slot_s"] % 600]  # fmt: skip
    return days


def _seat_days(
    dice: np.random.Generator, month: Period, point: str, rows: list[dict[str, Any]]
) -> list[Reading]:
    days: list[Reading] = []
    for day in month.days():
        if dice.random() < 0.1:
            continue
        count = int(dice.integers(0, 120))
        days.append(SeatDay(day, count))
        rows.append({"point": point, "day": day, "seats": count})
    return days


def days_since(day: date) -> int:
    return (midnight(day) - EPOCH).days
