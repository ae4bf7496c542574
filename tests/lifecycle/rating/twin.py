"""A second rater, slow and plain, written from the words of the rules and not from the code.

It walks every sample, every call and every unit one by one. It shares nothing with the rater
but the values that pass between operators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

from hansa.federation.contract import (
    PercentileTariff,
    SeatTariff,
    Tariff,
    Tier,
    UsageRecord,
    VoiceTariff,
    VolumeTariff,
)
from hansa.foundation.readings import Call, OctetDay, SeatDay
from hansa.foundation.time import Period

Charges = Mapping[str, tuple[Fraction, int]]
"""By label: the quantity and the charge in billionths."""


def rate(tariff: Tariff, records: Sequence[UsageRecord], part: Period, month: Period) -> Charges:
    if isinstance(tariff, PercentileTariff):
        return _percentile(tariff, records, part, month)
    if isinstance(tariff, VoiceTariff):
        return _voice(tariff, records, part)
    if isinstance(tariff, SeatTariff):
        return _seats(tariff, records, part, month)
    assert isinstance(tariff, VolumeTariff)
    return _volume(tariff, records, part, month)


def _half_up(value: Fraction, digits: int) -> Decimal:
    """To so many decimals, halves up, by the decimal module."""
    with localcontext() as context:
        context.prec = 120
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _nano(value: Fraction) -> int:
    return int(_half_up(value * 10**9, 0))


def _share(part: Period, month: Period) -> Fraction:
    return Fraction((part.end - part.start) / timedelta(microseconds=1)) / Fraction(
        (month.end - month.start) / timedelta(microseconds=1)
    )


def _samples(
    records: Sequence[UsageRecord], part: Period
) -> tuple[list[int | None], list[int | None]]:
    inward: dict[datetime, int | None] = {}
    outward: dict[datetime, int | None] = {}
    for record in records:
        day = record.reading
        if not isinstance(day, OctetDay):
            continue
        at = datetime.fromisoformat(f"{day.day.isoformat()}T00:00:00+00:00")
        for one, other in zip(day.octets_in, day.octets_out, strict=True):
            if part.start <= at < part.end:
                for known, count in ((inward, one), (outward, other)):
                    before = known.get(at, 0)
                    known[at] = None if before is None or count is None else before + count
            at += timedelta(seconds=300)
    return list(inward.values()), list(outward.values())


def _percentile(
    tariff: PercentileTariff, records: Sequence[UsageRecord], part: Period, month: Period
) -> Charges:
    expected = 0
    at = month.start
    while at < month.end:
        expected += part.start <= at < part.end
        at += timedelta(minutes=5)
    billed = Decimal(tariff.commit_mbps)
    directions = [
        sorted(count for count in direction if count is not None)
        for direction in _samples(records, part)
    ]
    enough = expected and all(
        Fraction(len(known), expected) >= Fraction(95, 100) for known in directions
    )
    for known in directions if enough else ():
        place = len(known) - len(known) * 5 // 100  # this many from below, the rest is free
        mbps = Fraction(known[place - 1]) * 8 / 300 / 1_000_000
        billed = max(billed, _half_up(mbps, 3))
    charge = Fraction(billed) * Fraction(tariff.rate_per_mbps) * _share(part, month)
    return {"p95": (Fraction(billed), _nano(charge))}


def _voice(tariff: VoiceTariff, records: Sequence[UsageRecord], part: Period) -> Charges:
    zone = ZoneInfo(tariff.zone)
    found: dict[str, tuple[Fraction, int]] = {}
    for record in records:
        call = record.reading
        if not isinstance(call, Call) or not part.start <= call.answered_at < part.end:
            continue
        fitting = [band for band in tariff.bands if call.called[1:].startswith(band.prefix)]
        if not fitting:
            count, _ = found.get("unrated", (Fraction(0), 0))
            found["unrated"] = (count + 1, 0)
            continue
        band = max(fitting, key=lambda one: len(one.prefix))
        local = call.answered_at.astimezone(zone)
        working = local.strftime("%a") in {"Mon", "Tue", "Wed", "Thu", "Fri"}
        peak = working and tariff.peak_from_h <= int(local.strftime("%H")) < tariff.peak_to_h
        seconds = 0
        if call.duration_s > 0:
            seconds = band.first_s
            while seconds < call.duration_s:
                seconds += band.next_s
        rate = band.peak_per_min if peak else band.offpeak_per_min
        nano = _nano(Fraction(rate) * seconds / 60)
        if seconds:
            nano += _nano(Fraction(band.setup))
        label = f"{band.destination}/{'peak' if peak else 'off-peak'}"
        quantity, charge = found.get(label, (Fraction(0), 0))
        found[label] = (quantity + seconds, charge + nano)
    return found


def _bounds(tiers: Sequence[Tier]) -> list[tuple[int, int | None, Decimal]]:
    lowest = [0] + [tier.up_to or 0 for tier in tiers[:-1]]
    return [(low, tier.up_to, tier.rate) for low, tier in zip(lowest, tiers, strict=True)]


def _tiered(
    tiers: Sequence[Tier], mode: str, quantity: Fraction
) -> list[tuple[int, int | None, Fraction, Decimal]]:
    found = []
    for low, high, rate in _bounds(tiers):
        inside = quantity > low and (high is None or quantity <= high)
        if mode == "retroactive" and inside:
            found.append((low, high, quantity, rate))
        if mode == "graduated" and quantity > low:
            top = quantity if high is None or quantity < high else Fraction(high)
            found.append((low, high, top - low, rate))
    return found


def _seats(
    tariff: SeatTariff, records: Sequence[UsageRecord], part: Period, month: Period
) -> Charges:
    days: dict[str, int] = {}
    for record in records:
        day = record.reading
        if isinstance(day, SeatDay):
            almost = datetime.fromisoformat(f"{day.day.isoformat()}T23:59:59.999999+00:00")
            if part.start <= almost < part.end:
                days[day.day.isoformat()] = days.get(day.day.isoformat(), 0) + day.seats
    if not days:
        return {}
    seats = max(days.values()) if tariff.basis == "peak" else days[max(days)]
    return {
        f"seats/{low + 1}-{high}" if high is not None else f"seats/{low + 1}+": (
            quantity,
            _nano(quantity * Fraction(rate) * _share(part, month)),
        )
        for low, high, quantity, rate in _tiered(tariff.tiers, tariff.mode, Fraction(seats))
    }


def _volume(
    tariff: VolumeTariff, records: Sequence[UsageRecord], part: Period, month: Period
) -> Charges:
    counts = [count for direction in _samples(records, part) for count in direction]
    if not counts:
        return {}
    used = sum(count for count in counts if count is not None)
    allowance = int(_half_up(tariff.included_gb * _share(part, month) * 10**9, 0))
    found = {"gb/included": (Fraction(min(used, allowance), 10**9), 0)}
    above = Fraction(max(used - allowance, 0), 10**9)
    for low, high, quantity, rate in _tiered(tariff.tiers, tariff.mode, above):
        label = f"gb/{low}-{high}" if high is not None else f"gb/{low}+"
        found[label] = (quantity, _nano(quantity * Fraction(rate)))
    return found
