"""One month of one holding: its stretches, each rated by its tariff, nothing left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hansa.federation.contract import DeckTariff, SeatTariff, UsageRecord
from hansa.foundation.documents import Json
from hansa.foundation.money import Rate, Rounding, price_nano
from hansa.foundation.readings import Reading
from hansa.foundation.time import TICK, Instant, Period, instant_name, midnight
from hansa.lifecycle.inventory.model import Spell
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.model.measured import Seats
from hansa.lifecycle.rating.rules.calls import Deck, voice
from hansa.lifecycle.rating.rules.decks import Sold, deck
from hansa.lifecycle.rating.rules.octets import percentile, volume
from hansa.lifecycle.rating.rules.parts import (
    DAY,
    Stretch,
    stretches,
)
from hansa.lifecycle.rating.rules.tiers import Step, steps

MEASURED = frozenset({"percentile", "volume", "seats"})
"""The kinds of tariff that charge what is measured at points of a network."""
MEASURED_RULES = frozenset({"percentile-95", "volume", "seats"})
"""The rules that a line of them may name in its reason."""

Events = Callable[[Stretch], Sequence[Sold]]
"""What the events of a stretch that is charged by a deck come to."""


def no_events(_stretch: Stretch) -> Sequence[Sold]:
    """Of a holding for which there are none."""
    return ()


def rate_month(
    spells: Sequence[Spell],
    records: Sequence[UsageRecord],
    month: Period,
    *,
    events: Events = no_events,
    measured: Sequence[RatedLine] | None = None,
) -> tuple[RatedLine, ...]:
    """Every charge for usage of one holding in a calendar month.

    A record counts once, whatever comes twice under its id. Where the tariff changes within
    the month, each stretch is rated apart and its lines after the first are named `…@START`.
    measured: what its stretches come to that are charged by what is measured at points; None
    for a holding whose records say that too.
    """
    known = tuple({record.id: record for record in records}.values())
    lines: list[RatedLine] = []
    for number, stretch in enumerate(stretches(spells, month)):
        if measured is not None and stretch.tariff.kind in MEASURED:
            continue
        suffix = f"@{instant_name(stretch.part.start)}" if number else ""
        if isinstance(stretch.tariff, DeckTariff):
            found = deck(stretch.tariff, events(stretch), stretch)
        else:
            found = rate(known, stretch)
        lines += [replace(line, label=f"{line.label}{suffix}") for line in found]
    return (*lines, *(measured or ()))


def rate(records: Sequence[UsageRecord], stretch: Stretch) -> tuple[RatedLine, ...]:
    """The charges of one stretch. Records of other times are left out; a record within it that
    the tariff cannot price is listed in the line `unrated`.
    """
    here = [record for record in records if _touches(record.reading, stretch.part)]
    lines = _RULES[stretch.tariff.kind](stretch.tariff, here, stretch)
    return _labelled((*lines, *_unrated(here, stretch)), here)


def _labelled(
    lines: tuple[RatedLine, ...], records: Sequence[UsageRecord]
) -> tuple[RatedLine, ...]:
    """The lines, whose reasons say how much of what they were rated from was simulated, if any."""
    simulated = sum(record.measured is False for record in records)
    if not simulated:
        return lines
    words = f"{simulated} of {len(records)} records"
    return tuple(replace(line, reason={**line.reason, "simulated": words}) for line in lines)


def seats(
    tariff: SeatTariff, records: Sequence[UsageRecord], stretch: Stretch
) -> tuple[RatedLine, ...]:
    """What `seats_of` says of these records."""
    days: defaultdict[Instant, int] = defaultdict(int)
    for record in records:
        if record.reading.kind == "seats":
            days[midnight(record.reading.day)] += record.reading.seats
    if not days:
        return ()
    peak, last = max(sorted(days), key=days.__getitem__), max(days)
    found = Seats(len(days), peak.date(), days[peak], last.date(), days[last])
    return seats_of(tariff, found, stretch)


def seats_of(tariff: SeatTariff, found: Seats, stretch: Stretch) -> tuple[RatedLine, ...]:
    """Seats of the peak day or of the last day, in tiers, for the stretch's share of the month."""
    peak = tariff.basis == "peak"
    at, count = (found.peak_day, found.peak) if peak else (found.last_day, found.last)
    base: Mapping[str, Json] = {
        "rule": "seats",
        "basis": tariff.basis,
        "day": f"{at:%Y-%m-%d}",
        "seats": count,
        "days": found.days,
        "mode": tariff.mode,
        "currency": stretch.currency,
        "share_of_month": str(stretch.share),
    }
    return tuple(
        _seat_line(step, base, stretch) for step in steps(tariff.tiers, tariff.mode, Decimal(count))
    )


def _seat_line(step: Step, base: Mapping[str, Json], stretch: Stretch) -> RatedLine:
    tier = f"{step.above + 1}-{step.up_to}" if step.up_to is not None else f"{step.above + 1}+"
    nano = 0
    if step.rate is not None:
        nano = price_nano(
            Rate(step.rate, stretch.currency),
            Fraction(step.quantity) * stretch.share,
            rounding=Rounding.HALF_UP,
        )
    reason = {
        **base,
        "tier": tier,
        "rate_per_seat": str(step.rate) if step.rate is not None else "none: above the last tier",
        "arithmetic": f"{step.quantity} x {step.rate or 0} x {stretch.share!s}",
    }
    return RatedLine(
        f"seats/{tier}", f"Seats, {tier}", step.quantity, "seat", nano, stretch.currency, reason
    )


def _unrated(records: Sequence[UsageRecord], stretch: Stretch) -> tuple[RatedLine, ...]:
    """One line without a price that names every record the tariff cannot price."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    deck = Deck(stretch.tariff) if stretch.tariff.kind == "voice" else None
    for record in records:
        reading = record.reading
        if reading.kind != _READS[stretch.tariff.kind]:
            by_reason["the tariff does not price this kind of reading"].append(record.id)
        elif reading.kind == "call" and deck is not None and deck.band(reading.called) is None:
            by_reason["no prefix of the tariff fits the called number"].append(record.id)
    if not by_reason:
        return ()
    count = sum(map(len, by_reason.values()))
    return (
        RatedLine(
            label="unrated",
            description="Usage without a price",
            quantity=Decimal(count),
            unit="record",
            nano=0,
            currency=stretch.currency,
            reason={
                "rule": "unrated",
                "records": {why: by_reason[why] for why in sorted(by_reason)},
            },
        ),
    )


_RULES: Mapping[str, Callable[..., tuple[RatedLine, ...]]] = {
    "percentile": percentile,
    "voice": voice,
    "seats": seats,
    "volume": volume,
}
_READS: Mapping[str, str] = {
    "percentile": "octets",
    "voice": "call",
    "seats": "seats",
    "volume": "octets",
}


def _touches(reading: Reading, part: Period) -> bool:
    """A call counts where it was answered, seats where the day ended, octets slot by slot."""
    if reading.kind == "call":
        return part.holds(reading.answered_at)
    start = midnight(reading.day)
    if reading.kind == "seats":
        return part.holds(start + DAY - TICK)
    return part.meet(start, start + timedelta(days=1)) is not None
