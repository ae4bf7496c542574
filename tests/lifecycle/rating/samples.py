"""Usage and tariffs for the tests of rating."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hansa.federation.contract import (
    Tariff,
    Tax,
    Terms,
    Tier,
    UsageRecord,
    VoiceBand,
    VoiceTariff,
)
from hansa.foundation.ids import HoldingId, OrderId
from hansa.foundation.money import Money
from hansa.foundation.readings import SAMPLES_A_DAY, Call, OctetDay, Reading, SeatDay
from hansa.foundation.time import Instant, Period
from hansa.lifecycle.inventory.model import Spell
from hansa.lifecycle.rating.rules.parts import Stretch

NOVEMBER = Period.month(2026, 11)
DECEMBER = Period.month(2026, 12)
MBPS = 37_500_000
"""Octets that 1 Mbit/s carries in five minutes."""

HOLDING = HoldingId("hld_1")


def records(readings: Iterable[Reading]) -> list[UsageRecord]:
    return [
        UsageRecord(f"{HOLDING}/{number}", HOLDING, reading)
        for number, reading in enumerate(readings)
    ]


def octets(
    count: Callable[[int], tuple[int | None, int | None]], month: Period = NOVEMBER
) -> list[UsageRecord]:
    """A month of samples: `count` gives in and out of the n-th slot of the month."""
    days = []
    for number, day in enumerate(month.days()):
        pairs = [count(number * SAMPLES_A_DAY + slot) for slot in range(SAMPLES_A_DAY)]
        days.append(OctetDay(day, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)))
    return records(days)


def call(
    called: str, duration_s: int = 60, at: Instant = datetime(2026, 11, 4, 10, tzinfo=UTC)
) -> Call:
    return Call(at, "+27101234567", called, duration_s)


def seats(by_day: Sequence[int], month: Period = NOVEMBER) -> list[UsageRecord]:
    first = month.start.date()
    return records(
        SeatDay(first + timedelta(days=number), count) for number, count in enumerate(by_day)
    )


def stretch(tariff: Tariff, part: Period = NOVEMBER, month: Period = NOVEMBER) -> Stretch:
    return Stretch(part, month, tariff, "GBP")


def spell(start: Instant, end: Instant | None, tariff: Tariff | None, order: str = "1") -> Spell:
    money = Money.zero("GBP")
    return Spell(
        start=start,
        end=end,
        order=OrderId(order),
        characteristics={},
        quantity=1,
        terms=Terms(money, money, tariff),
        tax=Tax("exempt", 0),
    )


def tiers(*bounds: tuple[int | None, str]) -> tuple[Tier, ...]:
    return tuple(Tier(up_to, Decimal(rate)) for up_to, rate in bounds)


def band(
    prefix: str,
    destination: str,
    rate: str = "0.06",
    increments: tuple[int, int] = (1, 1),
    *,
    off_peak: str | None = None,
    setup: str = "0",
) -> VoiceBand:
    return VoiceBand(
        prefix,
        destination,
        Decimal(rate),
        Decimal(off_peak or rate),
        *increments,
        setup=Decimal(setup),
    )


def deck(*bands: VoiceBand, zone: str = "UTC", peak: tuple[int, int] = (8, 18)) -> VoiceTariff:
    return VoiceTariff(bands, zone, *peak)


def noon(day: date) -> Instant:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
