"""The rater against its slow twin, on thousands of events that nobody chose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.drivers.imagined import Dice
from hansa.federation.contract import (
    PercentileTariff,
    SeatTariff,
    Tariff,
    Tier,
    TierMode,
    UsageRecord,
    VoiceBand,
    VoiceTariff,
    VolumeTariff,
)
from hansa.foundation.readings import Call
from hansa.foundation.time import TICK, Period
from hansa.lifecycle.rating.rules.rate import rate
from tests.lifecycle.rating import twin
from tests.lifecycle.rating.samples import NOVEMBER, octets, records, seats, stretch

MONTHS = (NOVEMBER, Period.month(2026, 12), Period.month(2028, 2))
ZONES = ("UTC", "Africa/Johannesburg", "Europe/London", "America/Sao_Paulo", "Asia/Kathmandu")

amounts = st.decimals(min_value=0, max_value=100, places=9, allow_nan=False, allow_infinity=False)
months = st.sampled_from(MONTHS)
seeds = st.integers(0, 2**32)


@st.composite
def parts(draw: st.DrawFn, month: Period) -> Period:
    """The whole month, or a part of it that starts and ends at odd moments."""
    if draw(st.booleans()):
        return month
    length = (month.end - month.start) // TICK
    start = draw(st.integers(0, length - 1))
    end = draw(st.integers(start + 1, length))
    return Period(
        month.start + timedelta(microseconds=start), month.start + timedelta(microseconds=end)
    )


@st.composite
def ladders(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.integers(1, 400), max_size=4)))
    return tuple(Tier(bound, draw(amounts)) for bound in [*bounds, None])


def compare(tariff: Tariff, usage: list[UsageRecord], part: Period, month: Period) -> int:
    """The lines of both, with zero quantities of no price left out; returns how many there are."""
    lines = {
        line.label: (Fraction(line.quantity), line.nano)
        for line in rate(usage, stretch(tariff, part, month))
    }
    assert lines == twin.rate(tariff, usage, part, month)
    return len(lines)


@given(month=months, seed=seeds, rate=amounts, commit=st.integers(0, 300), data=st.data())
@settings(max_examples=25, deadline=None)
def test_percentile(
    month: Period, seed: int, rate: Decimal, commit: int, data: st.DataObject
) -> None:
    part = data.draw(parts(month))
    lost = data.draw(st.sampled_from([0, 2, 5, 9]))
    usage = octets(_counts(seed, lost, 20 * 10**9), month)
    assert compare(PercentileTariff(rate, commit), usage, part, month) == 1


def _counts(seed: int, lost: int, most: int) -> Callable[[int], tuple[int | None, int | None]]:
    dice = Dice(str(seed), "twin")

    def count(slot: int) -> tuple[int | None, int | None]:
        drawn = dice.octets(slot, count=16)
        pair = [int.from_bytes(drawn[at : at + 7], "big") % most for at in (0, 7)]
        missing = [drawn[at] % 100 < lost for at in (14, 15)]
        one, other = (None if gone else value for value, gone in zip(pair, missing, strict=True))
        return one, other

    return count


@given(
    month=months,
    seed=seeds,
    included=st.integers(0, 200_000),
    ladder=ladders(),
    mode=st.sampled_from(["graduated", "retroactive"]),
    data=st.data(),
)
@settings(max_examples=20, deadline=None)
def test_volume(
    month: Period,
    seed: int,
    included: int,
    ladder: tuple[Tier, ...],
    mode: TierMode,
    data: st.DataObject,
) -> None:
    most = data.draw(st.sampled_from([10**4, 10**7, 2 * 10**10]))
    usage = octets(_counts(seed, 1, most), month)
    compare(VolumeTariff(included, ladder, mode), usage, data.draw(parts(month)), month)


@given(
    month=months,
    counts=st.lists(st.integers(0, 600), max_size=28),
    basis=st.sampled_from(["peak", "month-end"]),
    ladder=ladders(),
    mode=st.sampled_from(["graduated", "retroactive"]),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_seats(
    month: Period,
    counts: list[int],
    basis: str,
    ladder: tuple[Tier, ...],
    mode: TierMode,
    data: st.DataObject,
) -> None:
    tariff = SeatTariff(basis, ladder, mode)  # type: ignore[arg-type]
    compare(tariff, seats(counts, month), data.draw(parts(month)), month)


increments = st.sampled_from([(1, 1), (6, 6), (30, 6), (60, 1), (60, 60), (7, 13)])


@st.composite
def decks(draw: st.DrawFn) -> VoiceTariff:
    """Prefixes that nest: digits 0 to 3 only, so that many calls have several that fit."""
    prefixes = draw(st.sets(st.text("0123", min_size=1, max_size=6), min_size=1, max_size=30))
    bands = []
    for prefix in sorted(prefixes):
        first, following = draw(increments)
        bands.append(
            VoiceBand(
                prefix,
                f"to {draw(st.integers(1, 9))}",
                draw(amounts),
                draw(amounts),
                first,
                following,
                draw(st.sampled_from([Decimal(0), Decimal("0.015"), Decimal("0.0000000005")])),
            )
        )
    opens = draw(st.integers(0, 23))
    return VoiceTariff(
        tuple(bands), draw(st.sampled_from(ZONES)), opens, draw(st.integers(opens, 24))
    )


AWKWARD = (0, 0, 1, 5, 6, 7, 30, 31, 59, 60, 61, 119, 120, 121, 205, 3599, 3600, 7261)


def calls(seed: int, month: Period, count: int) -> list[UsageRecord]:
    """So many calls in and around the month, many of them at its very edges."""
    dice = Dice(str(seed), "calls")
    found = []
    length_s = (month.end - month.start) // timedelta(seconds=1)
    for number in range(count):
        second = dice.number("at", number, below=length_s + 7200) - 3600
        if not dice.number("edge", number, below=10):
            second = (0, -1, length_s, length_s - 1)[number % 4]
        digits = f"{dice.number('to', number, below=4**8)}"
        called = "+" + "".join(str(int(digit) % 4) for digit in digits)
        duration = dice.number("for", number, below=4000)
        if not dice.number("awkward", number, below=2):
            duration = AWKWARD[duration % len(AWKWARD)]
        at = month.start + timedelta(seconds=second)
        found.append(Call(at, "+27101234567", called, duration))
    return records(found)


@given(month=months, seed=seeds, tariff=decks(), data=st.data())
@settings(max_examples=80, deadline=None)
def test_voice(month: Period, seed: int, tariff: VoiceTariff, data: st.DataObject) -> None:
    """80 decks with 400 calls each."""
    compare(tariff, calls(seed, month, 400), data.draw(parts(month)), month)
