"""Calls: longest prefix, increments, peak and off-peak, one rounding a call."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hansa.federation.contract import UsageRecord, VoiceBand, VoiceTariff
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.money import Rate, Rounding, price_nano
from hansa.foundation.time import Instant
from hansa.lifecycle.rating.model.lines import RatedLine, Reason
from hansa.lifecycle.rating.rules.parts import Stretch

PEAK, OFF_PEAK = "peak", "off-peak"
WEEKDAYS = 5


def billed_seconds(band: VoiceBand, duration_s: int) -> int:
    """Seconds charged: the first increment, then whole next ones; none for a call of none."""
    if duration_s <= 0:
        return 0
    beyond = max(0, duration_s - band.first_s)
    return band.first_s + -(-beyond // band.next_s) * band.next_s


def charge_nano(band: VoiceBand, when: str, duration_s: int, currency: str) -> int:
    """What one call costs, in billionths: its seconds rounded once, then its set-up."""
    billed = billed_seconds(band, duration_s)
    if not billed:
        return 0
    rate = band.peak_per_min if when == PEAK else band.offpeak_per_min
    seconds = price_nano(Rate(rate, currency), Fraction(billed, 60), rounding=Rounding.HALF_UP)
    return seconds + price_nano(Rate(band.setup, currency), 1, rounding=Rounding.HALF_UP)


class Deck:
    """A voice tariff, ready to be asked. Raises Refused `zone-unknown` for a zone of no place."""

    def __init__(self, tariff: VoiceTariff) -> None:
        self._tariff = tariff
        self._bands = {band.prefix: band for band in tariff.bands}
        self._longest = max((len(prefix) for prefix in self._bands), default=0)
        try:
            self._zone = ZoneInfo(tariff.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise Refused(
                "zone-unknown", f"{tariff.zone!r} is not a time zone of IANA's list.", field="zone"
            ) from None

    def band(self, called: str) -> VoiceBand | None:
        """The band of the longest prefix. Digits are compared as text: zeros count.

        None for a number that no prefix fits, or that is no number of digits.
        """
        digits = called.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            return None
        for length in range(min(self._longest, len(digits)), -1, -1):
            band = self._bands.get(digits[:length])
            if band is not None:
                return band
        return None

    def when(self, answered_at: Instant) -> str:
        """Peak or off-peak, by the clock of the deck's zone at the moment of answer."""
        there = answered_at.astimezone(self._zone)
        hours = self._tariff.peak_from_h <= there.hour < self._tariff.peak_to_h
        return PEAK if hours and there.weekday() < WEEKDAYS else OFF_PEAK


@dataclass(slots=True)
class _Sum:
    calls: int = 0
    seconds: int = 0
    billed_s: int = 0
    nano: int = 0

    def add(self, calls: int, seconds: int, billed_s: int, nano: int) -> None:
        self.calls += calls
        self.seconds += calls * seconds
        self.billed_s += calls * billed_s
        self.nano += calls * nano


def voice(
    tariff: VoiceTariff, records: Sequence[UsageRecord], stretch: Stretch
) -> tuple[RatedLine, ...]:
    """A line for each destination and time of day. A number without a price is not rated here."""
    deck = Deck(tariff)
    alike: Counter[tuple[str, str, int]] = Counter()
    for record in records:
        call = record.reading
        if call.kind == "call" and (band := deck.band(call.called)) is not None:
            alike[band.prefix, deck.when(call.answered_at), call.duration_s] += 1
    bands = {band.prefix: band for band in tariff.bands}
    lines: defaultdict[tuple[str, str], dict[str, _Sum]] = defaultdict(dict)
    longest: dict[tuple[str, str], tuple[int, str]] = {}
    for (prefix, when, duration_s), count in sorted(alike.items()):
        band, key = bands[prefix], (bands[prefix].destination, when)
        nano = charge_nano(band, when, duration_s, stretch.currency)
        total = lines[key].setdefault(prefix, _Sum())
        total.add(count, duration_s, billed_seconds(band, duration_s), nano)
        longest[key] = max(longest.get(key, (-1, "")), (duration_s, prefix))
    return tuple(
        _line(tariff, bands, key, by_prefix, longest[key], stretch.currency)
        for key, by_prefix in sorted(lines.items())
    )


def _line(
    tariff: VoiceTariff,
    bands: Mapping[str, VoiceBand],
    key: tuple[str, str],
    by_prefix: Mapping[str, _Sum],
    longest: tuple[int, str],
    currency: str,
) -> RatedLine:
    destination, when = key
    billed = sum(one.billed_s for one in by_prefix.values())
    calls = sum(one.calls for one in by_prefix.values())
    duration_s, prefix = longest
    reason: Reason = {
        "rule": "voice",
        "destination": destination,
        "time": when,
        "peak": f"Monday to Friday {tariff.peak_from_h:02d}:00 to {tariff.peak_to_h:02d}:00 "
        f"in {tariff.zone}, by the moment of answer",
        "currency": currency,
        "calls": calls,
        "prefixes": [
            _shown(bands[one], when, total, currency) for one, total in sorted(by_prefix.items())
        ],
        "example": _example(bands[prefix], when, duration_s, currency),
    }
    return RatedLine(
        label=f"{destination}/{when}",
        description=f"Calls to {destination}, {when}, {calls}",
        quantity=Decimal(billed),
        unit="s",
        nano=sum(one.nano for one in by_prefix.values()),
        currency=currency,
        reason=reason,
    )


def _shown(band: VoiceBand, when: str, total: _Sum, currency: str) -> Mapping[str, Json]:
    return {
        "prefix": band.prefix,
        "first_s": band.first_s,
        "next_s": band.next_s,
        "rate_per_min": str(band.peak_per_min if when == PEAK else band.offpeak_per_min),
        "setup": str(band.setup),
        "calls": total.calls,
        "seconds": total.seconds,
        "billed_s": total.billed_s,
        "nano": total.nano,
        "currency": currency,
    }


def _example(band: VoiceBand, when: str, duration_s: int, currency: str) -> Mapping[str, Json]:
    """The longest call of the line, worked out step by step."""
    billed = billed_seconds(band, duration_s)
    rate = band.peak_per_min if when == PEAK else band.offpeak_per_min
    nano = charge_nano(band, when, duration_s, currency)
    beyond = max(0, duration_s - band.first_s)
    return {
        "duration_s": duration_s,
        "prefix": band.prefix,
        "billed_s": billed,
        "seconds": f"{band.first_s} + {-(-beyond // band.next_s)} x {band.next_s} = {billed} s"
        if billed
        else "not charged: no seconds",
        "arithmetic": f"{billed} / 60 x {rate} + {band.setup} = {Decimal(nano).scaleb(-9)}"
        if billed
        else "0",
        "nano": nano,
    }
