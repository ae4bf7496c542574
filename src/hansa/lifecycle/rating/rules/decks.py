"""Calls by a deck: the lines of a month from what its events add up to; discounts, commitment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from hansa.federation.contract import DeckTariff
from hansa.foundation.documents import Json
from hansa.foundation.money import Rate, Rounding, price_nano, round_fraction
from hansa.foundation.time import Period
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.rules.calls import OFF_PEAK, PEAK
from hansa.lifecycle.rating.rules.parts import Stretch
from hansa.lifecycle.rating.rules.tiers import steps

BANDS = (PEAK, OFF_PEAK)
RULES = frozenset({"deck", "turnover-discount", "commitment"})
"""The rules that a line of calls by a deck may name in its reason."""
PREFIXES_SHOWN = 50
"""A line's reason names so many prices, those that cost most; it says how many there are."""


@dataclass(frozen=True, slots=True)
class Sold:
    """What one price came to in a stretch, at one time of day. amount: nano in the holding's
    currency; charge: in the deck's.
    """

    destination: str
    band: int
    code: str
    price_id: int
    calls: int
    charged_calls: int
    billed_s: int
    charge: int
    amount: int
    share: int


def deck(tariff: DeckTariff, sold: Sequence[Sold], stretch: Stretch) -> tuple[RatedLine, ...]:
    """A line for each destination and time of day, then discount and shortfall, if any."""
    by_line: defaultdict[tuple[str, int], list[Sold]] = defaultdict(list)
    for one in sold:
        by_line[one.destination, one.band].append(one)
    lines = [
        _line(tariff, destination, BANDS[band], alike, stretch)
        for (destination, band), alike in sorted(by_line.items())
    ]
    turnover = sum(line.nano for line in lines)
    less = _discount(tariff, turnover, stretch)
    return (*lines, *less, *_shortfall(tariff, turnover + sum(one.nano for one in less), stretch))


def _line(
    tariff: DeckTariff, destination: str, when: str, alike: Sequence[Sold], stretch: Stretch
) -> RatedLine:
    calls = sum(one.calls for one in alike)
    dearest = sorted(alike, key=lambda one: (-one.amount, one.price_id))[:PREFIXES_SHOWN]
    reason: Mapping[str, Json] = {
        "rule": "deck",
        "deck": tariff.deck,
        "destination": destination,
        "time": when,
        "currency": stretch.currency,
        "calls": calls,
        "charged_calls": sum(one.charged_calls for one in alike),
        "prices": len(alike),
        "commission_nano": sum(one.share for one in alike),
        "prefixes": [
            {
                "prefix": one.code,
                "price": one.price_id,
                "calls": one.calls,
                "billed_s": one.billed_s,
                "nano": one.amount,
            }
            for one in dearest
        ],
    }
    return RatedLine(
        label=f"{destination}/{when}",
        description=f"Calls to {destination}, {when}, {calls}",
        quantity=Decimal(sum(one.billed_s for one in alike)),
        unit="s",
        nano=sum(one.amount for one in alike),
        currency=stretch.currency,
        reason=reason,
    )


def _discount(tariff: DeckTariff, turnover: int, stretch: Stretch) -> tuple[RatedLine, ...]:
    """What the month's turnover earns: each slice at its tier's part, or all at the one reached."""
    found = steps(tariff.tiers, tariff.mode, Decimal(turnover).scaleb(-9))
    exact = sum((Fraction(one.quantity) * Fraction(one.rate or 0) for one in found), Fraction(0))
    nano = -round_fraction(exact * 10**9, Rounding.HALF_UP)
    if not nano:
        return ()
    reason: Mapping[str, Json] = {
        "rule": "turnover-discount",
        "mode": tariff.mode,
        "turnover": str(Decimal(turnover).scaleb(-9)),
        "steps": [f"{one.quantity} x {one.rate or 0}" for one in found],
        "currency": stretch.currency,
    }
    return (
        RatedLine(
            "discount", "Discount on turnover", Decimal(1), "month", nano, stretch.currency, reason
        ),
    )


def _shortfall(tariff: DeckTariff, charged: int, stretch: Stretch) -> tuple[RatedLine, ...]:
    """What is missing to the commitment, which is due for the stretch's share of the month."""
    if tariff.commit is None:
        return ()
    least = price_nano(
        Rate(tariff.commit, stretch.currency), stretch.share, rounding=Rounding.HALF_UP
    )
    if charged >= least:
        return ()
    reason: Mapping[str, Json] = {
        "rule": "commitment",
        "commit": str(tariff.commit),
        "share_of_month": str(stretch.share),
        "charged_nano": charged,
        "currency": stretch.currency,
    }
    return (
        RatedLine(
            "shortfall",
            "Shortfall to the commitment",
            Decimal(1),
            "month",
            least - charged,
            stretch.currency,
            reason,
        ),
    )


# --- conversion ---------------------------------------------------------------------------------


def days_of(month: Period) -> Sequence[date]:
    """The days of a calendar month, UTC."""
    first = month.start.date()
    return [first + timedelta(days=day) for day in range((month.end - month.start).days)]


def rates_by_day(
    day: Literal["usage", "month-end", "average"], published: Mapping[date, Decimal]
) -> Mapping[date, Fraction]:
    """The rate by which charges of each day are converted, exact.

    published: for every day of a month the rate in force.
    """
    if day == "usage":
        return {one: Fraction(rate) for one, rate in published.items()}
    if day == "month-end":
        last = Fraction(published[max(published)])
        return dict.fromkeys(published, last)
    mean = sum((Fraction(rate) for rate in published.values()), Fraction(0)) / len(published)
    return dict.fromkeys(published, mean)


def scaled(rate: Fraction) -> tuple[int, int]:
    """A rate as whole numbers n / d: d a power of ten up to 10**8, the largest with which n
    stays in bounds; rounded half up. Both sides of a trade find the same.
    """
    for digits in range(8, -1, -1):
        n = round_fraction(rate * 10**digits, Rounding.HALF_UP)
        if n < FX_ROOM:
            return n, int(10**digits)
    return n, 1


FX_ROOM = 2**63 // 2 // 10**8
"""Below this a numerator is within the bounds of a book (`rules/book.py`)."""
