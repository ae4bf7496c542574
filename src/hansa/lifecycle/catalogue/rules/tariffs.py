"""What is wrong with a tariff, so that no month is rated by one that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hansa.federation.contract import (
    DeckTariff,
    PercentileTariff,
    SeatTariff,
    Tariff,
    Tier,
    VoiceBand,
    VoiceTariff,
    VolumeTariff,
)

DECIMALS_MAX = 9
"""Usage is rated in billionths: a rate with more decimals could not be charged as it is written."""

AMOUNT_MAX = Decimal(10) ** 12
"""Rates and commitments are below this, so that a month's line fits its column."""

PREFIX_MAX = 15
"""Digits of the longest number (ITU-T E.164)."""

DAY_H = 24
WHOLE_BP = 10_000

Fault = tuple[str, str]
"""Where, as a path within the tariff with places from 0, and what is wrong there."""


def faults(tariff: Tariff) -> Iterator[Fault]:
    """Everything that is wrong with a tariff, in the order in which it is written."""
    return _CHECKS[tariff.kind](tariff)


def _percentile(tariff: PercentileTariff) -> Iterator[Fault]:
    yield from _amount("rate_per_mbps", tariff.rate_per_mbps)
    yield from _not_negative("commit_mbps", tariff.commit_mbps)


def _voice(tariff: VoiceTariff) -> Iterator[Fault]:
    if not tariff.bands:
        yield "bands", "it has no bands, so no call has a price"
    seen: dict[str, int] = {}
    for place, band in enumerate(tariff.bands):
        first = seen.setdefault(band.prefix, place)
        if first != place:
            yield (
                f"bands.{place}.prefix",
                f"band {place + 1} has the prefix {band.prefix!r}, which band {first + 1} has too",
            )
        yield from _band(f"bands.{place}", place + 1, band)
    try:
        ZoneInfo(tariff.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "zone", f"{tariff.zone!r} is no time zone of the IANA database"
    for name, hour in (("peak_from_h", tariff.peak_from_h), ("peak_to_h", tariff.peak_to_h)):
        if not 0 <= hour <= DAY_H:
            yield name, f"{name} is {hour}, not an hour from 0 to {DAY_H}"
    if tariff.peak_from_h > tariff.peak_to_h:
        yield (
            "peak_to_h",
            f"peak ends at {tariff.peak_to_h} h, before it begins at {tariff.peak_from_h} h",
        )


def _band(at: str, number: int, band: VoiceBand) -> Iterator[Fault]:
    """An empty prefix is the price of all numbers that no other band fits."""
    digits = band.prefix
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= PREFIX_MAX):
        yield (
            f"{at}.prefix",
            f"the prefix {digits!r} of band {number} is not at most {PREFIX_MAX} digits",
        )
    for name in ("peak_per_min", "offpeak_per_min", "setup"):
        yield from _amount(f"{at}.{name}", getattr(band, name))
    for name in ("first_s", "next_s"):
        seconds = getattr(band, name)
        if seconds <= 0:
            yield f"{at}.{name}", f"{name} of band {number} is {seconds}, not above zero"


def _seats(tariff: SeatTariff) -> Iterator[Fault]:
    yield from _tiers(tariff.tiers)


def _volume(tariff: VolumeTariff) -> Iterator[Fault]:
    yield from _not_negative("included_gb", tariff.included_gb)
    yield from _tiers(tariff.tiers)


def _deck(tariff: DeckTariff) -> Iterator[Fault]:
    if not tariff.deck.strip():
        yield "deck", "it names no deck"
    if tariff.tiers:
        yield from _tiers(tariff.tiers)
    for place, tier in enumerate(tariff.tiers):
        if tier.rate.is_finite() and tier.rate > 1:
            yield f"tiers.{place}.rate", f"tier {place + 1} takes off {tier.rate}, more than all"
    if tariff.commit is not None:
        yield from _amount("commit", tariff.commit)
    if not 0 <= tariff.commission_bp <= WHOLE_BP:
        yield (
            "commission_bp",
            f"a commission of {tariff.commission_bp} basis points is not in 0 to {WHOLE_BP}",
        )
    if tariff.conversion is not None and not tariff.conversion.source.strip():
        yield "conversion.source", "it names no source of reference rates"


def _tiers(tiers: Sequence[Tier]) -> Iterator[Fault]:
    """Rising, each step once, and the last without an end: what is above it would be a hole."""
    if not tiers:
        yield "tiers", "it has no tiers, so nothing has a price"
        return
    above = 0
    for place, tier in enumerate(tiers):
        at, last = f"tiers.{place}", place == len(tiers) - 1
        yield from _amount(f"{at}.rate", tier.rate)
        if tier.up_to is None:
            if not last:
                yield f"{at}.up_to", f"tier {place + 1} has no end, so those after it are never met"
                return
        elif tier.up_to <= above:
            yield (
                f"{at}.up_to",
                f"tier {place + 1} ends at {tier.up_to}, not above {above} where it begins",
            )
        else:
            above = tier.up_to
            if last:
                yield (
                    f"{at}.up_to",
                    f"the last tier ends at {tier.up_to}, and what is above it has no price",
                )


def _amount(at: str, amount: Decimal) -> Iterator[Fault]:
    if not amount.is_finite():
        yield at, f"{amount} is no amount"
    elif amount < 0:
        yield at, f"{amount} is negative"
    elif amount >= AMOUNT_MAX:
        yield at, f"{amount} is not below {AMOUNT_MAX}"
    elif -int(amount.as_tuple().exponent) > DECIMALS_MAX:
        yield at, f"{amount} has more than {DECIMALS_MAX} decimals"


def _not_negative(at: str, number: int) -> Iterator[Fault]:
    if number < 0:
        yield at, f"{number} is negative"


_CHECKS: dict[str, Callable[[Any], Iterator[Fault]]] = {
    "percentile": _percentile,
    "voice": _voice,
    "seats": _seats,
    "volume": _volume,
    "deck": _deck,
}
