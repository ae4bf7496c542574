"""Data by octet counts: the 95th percentile, and gigabytes above an allowance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice

from hansa.federation.contract import PercentileTariff, UsageRecord, VolumeTariff
from hansa.foundation.documents import Json
from hansa.foundation.money import Rate, Rounding, price_nano, round_fraction
from hansa.foundation.readings import SAMPLES_A_DAY, OctetDay
from hansa.foundation.time import Instant, instant_name, midnight
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.model.measured import Direction, Octets
from hansa.lifecycle.rating.rules.parts import Stretch
from hansa.lifecycle.rating.rules.tiers import Step, steps

SLOT = timedelta(minutes=5)
COVERAGE_PERCENT = 95
"""Below this share of the expected samples only the commit is charged, and that is shown."""
DISCARDED_PERCENT = 5
THOUSANDTH = Decimal("0.001")
OCTETS_A_GB = 10**9


def to_mbps(octets: int) -> Decimal:
    """Octets of five minutes as Mbit/s, to a thousandth, halves up."""
    thousandths = Fraction(octets * 8 * 1000, 300 * 10**6)
    return Decimal(round_fraction(thousandths, Rounding.HALF_UP)) * THOUSANDTH


def percentile(
    tariff: PercentileTariff, records: Sequence[UsageRecord], stretch: Stretch
) -> tuple[RatedLine, ...]:
    """What `percentile_of` says of these records."""
    return percentile_of(tariff, octets(records, stretch), stretch)


def percentile_of(
    tariff: PercentileTariff, used: Octets, stretch: Stretch
) -> tuple[RatedLine, ...]:
    """max(commit, p95 in, p95 out) in Mbit/s times the monthly rate, for the stretch's share.

    Five-minute averages; the highest 5 % of each direction's samples are free. Samples that
    are missing are left out and shown; below 95 % of those expected the commit is charged.
    """
    expected = _expected(stretch)
    inward, outward = used.inward, used.outward
    fewest = min(inward.samples, outward.samples)
    low = fewest * 100 < expected * COVERAGE_PERCENT or not expected
    commit = Decimal(tariff.commit_mbps)
    billed = commit if low else max(commit, _mbps(inward), _mbps(outward))
    billed = billed.quantize(THOUSANDTH)
    nano = price_nano(
        Rate(tariff.rate_per_mbps, stretch.currency),
        Fraction(billed) * stretch.share,
        rounding=Rounding.HALF_UP,
    )
    reason: dict[str, Json] = {
        "rule": "percentile-95",
        "expected_samples": expected,
        "in": _shown(inward, expected),
        "out": _shown(outward, expected),
        "commit_mbps": tariff.commit_mbps,
        "billed_mbps": str(billed),
        "because": _because(low=low, billed=billed, commit=commit, inward=_mbps(inward)),
        "rate_per_mbps": str(tariff.rate_per_mbps),
        "currency": stretch.currency,
        "share_of_month": str(stretch.share),
        "arithmetic": f"{billed} Mbit/s x {tariff.rate_per_mbps} x {stretch.share!s}",
    }
    words = "95th percentile, commit only: too few samples" if low else "95th percentile"
    return (RatedLine("p95", words, billed, "Mbit/s", nano, stretch.currency, reason),)


def _because(*, low: bool, billed: Decimal, commit: Decimal, inward: Decimal) -> str:
    if low:
        return f"coverage below {COVERAGE_PERCENT} %: commit only"
    if billed == commit:
        return "commit"
    return "95th percentile in" if billed == inward else "95th percentile out"


def _shown(direction: Direction, expected: int) -> Mapping[str, Json]:
    if direction.octets is None or direction.at is None:
        return {"samples": 0, "missing": expected}
    return {
        "samples": direction.samples,
        "missing": expected - direction.samples,
        "free": direction.free,
        "octets": direction.octets,
        "at": instant_name(direction.at),
        "mbps": str(_mbps(direction)),
    }


def _mbps(direction: Direction) -> Decimal:
    """The 95th percentile in Mbit/s, to a thousandth, halves up."""
    return to_mbps(direction.octets) if direction.octets is not None else Decimal(0)


def volume(
    tariff: VolumeTariff, records: Sequence[UsageRecord], stretch: Stretch
) -> tuple[RatedLine, ...]:
    """What `volume_of` says of these records."""
    return volume_of(tariff, octets(records, stretch), stretch)


def volume_of(tariff: VolumeTariff, found: Octets, stretch: Stretch) -> tuple[RatedLine, ...]:
    """Gigabytes of both directions above the allowance, in tiers.

    The allowance is for a whole month; a stretch has its share, to the octet, halves up.
    """
    used = found.inward.total + found.outward.total
    if not found.slots and not used:
        return ()
    allowed = round_fraction(tariff.included_gb * OCTETS_A_GB * stretch.share, Rounding.HALF_UP)
    base: Mapping[str, Json] = {
        "rule": "volume",
        "octets": used,
        "missing_samples": 2 * found.slots - found.inward.samples - found.outward.samples,
        "included_gb": tariff.included_gb,
        "share_of_month": str(stretch.share),
        "allowance_octets": allowed,
        "currency": stretch.currency,
    }
    included = _gb(min(used, allowed))
    above = _gb(max(0, used - allowed))
    return (
        RatedLine(
            "gb/included", "Data within the allowance", included, "GB", 0, stretch.currency, base
        ),
        *(
            _volume_line(tariff, step, base, stretch)
            for step in steps(tariff.tiers, tariff.mode, above)
        ),
    )


def _volume_line(
    tariff: VolumeTariff, step: Step, base: Mapping[str, Json], stretch: Stretch
) -> RatedLine:
    tier = f"{step.above}-{step.up_to}" if step.up_to is not None else f"{step.above}+"
    nano = 0
    if step.rate is not None:
        nano = price_nano(
            Rate(step.rate, stretch.currency), Fraction(step.quantity), rounding=Rounding.HALF_UP
        )
    reason = {
        **base,
        "tier": tier,
        "mode": tariff.mode,
        "gb": str(step.quantity),
        "rate_per_gb": str(step.rate) if step.rate is not None else "none: above the last tier",
        "arithmetic": f"{step.quantity} GB x {step.rate or 0}",
    }
    words = f"Data above the allowance, {tier} GB"
    return RatedLine(f"gb/{tier}", words, step.quantity, "GB", nano, stretch.currency, reason)


def _gb(octets: int) -> Decimal:
    return Decimal(octets).scaleb(-9)


def octets(records: Sequence[UsageRecord], stretch: Stretch) -> Octets:
    """What the samples of a stretch come to."""
    days = _days(records, stretch)
    inward, outward = (_direction([(day.start, day.counts[way]) for day in days]) for way in (0, 1))
    return Octets(inward, outward, sum(len(day.counts[0]) for day in days))


# --- samples ------------------------------------------------------------------------------------

Counts = Sequence[int | None]
"""Octets slot by slot; None where the sample is missing."""


@dataclass(frozen=True, slots=True)
class _Day:
    """Samples in and out, one slot after the other. start: of the first slot."""

    start: Instant
    counts: tuple[Counts, Counts]


def _days(records: Sequence[UsageRecord], stretch: Stretch) -> Sequence[_Day]:
    """The slots that start in the stretch, day by day. Several lines' counts of one slot are
    added; one that is missing makes the sum missing.
    """
    polled: defaultdict[date, list[OctetDay]] = defaultdict(list)
    for record in records:
        if record.reading.kind == "octets":
            polled[record.reading.day].append(record.reading)
    found = []
    for day, readings in sorted(polled.items()):
        start = midnight(day)
        first, last = (
            min(max(_slots_until(at - start), 0), SAMPLES_A_DAY)
            for at in (stretch.part.start, stretch.part.end)
        )
        if first < last:
            inward = _added([reading.octets_in[first:last] for reading in readings])
            outward = _added([reading.octets_out[first:last] for reading in readings])
            found.append(_Day(start + first * SLOT, (inward, outward)))
    return found


def _added(lines: Sequence[Counts]) -> Counts:
    return lines[0] if len(lines) == 1 else [_sum(counts) for counts in zip(*lines, strict=True)]


def _sum(counts: Counts) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _direction(days: Sequence[tuple[Instant, Counts]]) -> Direction:
    """days: the start of the first slot, and the samples from there on."""
    known = [count for _, counts in days for count in counts if count is not None]
    if not known:
        return Direction()
    free = len(known) * DISCARDED_PERCENT // 100  # 432 of 8,640
    highest_first = sorted(known, reverse=True)
    charged = highest_first[free]
    times = (
        start + place * SLOT
        for start, counts in days
        for place, count in enumerate(counts)
        if count == charged
    )
    # Of equal samples the earliest are free first.
    at = next(islice(times, free - highest_first.index(charged), None))
    return Direction(len(known), sum(known), free, charged, at)


def _expected(stretch: Stretch) -> int:
    """How many slots start in the stretch."""
    start = stretch.month.start
    return _slots_until(stretch.part.end - start) - _slots_until(stretch.part.start - start)


def _slots_until(passed: timedelta) -> int:
    """How many slots have started when so much time has passed since one did."""
    return -(-passed // SLOT)
