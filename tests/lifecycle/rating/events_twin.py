"""A second rater of events, slow and plain, written from the words of the rules and not the code.

It walks the digits of each called number through the decks' own rows, looks at a clock on the
wall of the deck's zone, and counts in decimals of the currency's unit. It shares nothing with
the kernel and the SQL text but the values that they are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache
from zoneinfo import ZoneInfo

from hansa.lifecycle.rating.model.book import Leg

NANO = Decimal("0.000000001")
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
ZERO, ONE, MINUTE = Decimal(0), Decimal(1), Decimal(60)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Row = tuple[int, int, int, int, int, int, int, int]
"""hop, leg, price, band (0 peak, 1 off-peak), billed seconds; charge, amount, share in nano."""


@dataclass(frozen=True, slots=True)
class Price:
    """A row of a deck. Amounts in major units: a minute at peak and off-peak, set-up, least.

    origin: a group of callers, '' for any. In force from `start` up to `end`, seconds of UTC.
    """

    number: int
    code: str
    origin: str
    start: int
    end: int
    peak: Decimal
    off_peak: Decimal
    setup: Decimal
    least: Decimal
    first_s: int
    next_s: int
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Deck:
    """A seller's prices. Peak: Monday to Friday, from `opens` up to `closes` o'clock in `zone`."""

    number: int
    zone: str
    opens: int
    closes: int
    holidays: frozenset[date]
    groups: Mapping[str, Sequence[str]]
    prices: Sequence[Price]


@dataclass(frozen=True, slots=True)
class Call:
    """One event, as the network's own systems tell it."""

    route: int
    calling: str
    called: str
    answered_us: int
    duration_s: int


class Twin:
    """Rates calls. first, last: the days that the book was made for.

    rates: units of the amount's currency for one of the charge's, by series and day.
    """

    def __init__(
        self,
        decks: Sequence[Deck],
        legs: Sequence[Leg],
        rates: Mapping[tuple[int, date], Decimal],
        first: date,
        last: date,
    ) -> None:
        self._decks = {deck.number: deck for deck in decks}
        self._zones = {deck.number: ZoneInfo(deck.zone) for deck in decks}
        self._rows: dict[int, dict[str, list[Price]]] = {deck.number: {} for deck in decks}
        for deck in decks:
            for price in deck.prices:
                self._rows[deck.number].setdefault(price.code, []).append(price)
        self._longest = {
            number: max(map(len, rows), default=0) for number, rows in self._rows.items()
        }
        self._routes: dict[int, list[Leg]] = {}
        for leg in sorted(legs, key=lambda one: one.hop):
            self._routes.setdefault(leg.route, []).append(leg)
        self._rates, self._first, self._last = rates, first, last
        self._group = cache(self._group_of)

    def rate(self, call: Call) -> Iterator[Row]:
        """What a call costs on each leg of its route that is in force; at least one row."""
        at = call.answered_us // 1_000_000
        here = [leg for leg in self._routes.get(call.route, ()) if leg.from_s <= at < leg.to_s]
        for leg in here:
            yield self._on(leg, call, at)
        if not here:
            yield 0, -1, -1, -1, 0, 0, 0, 0

    def _on(self, leg: Leg, call: Call, at: int) -> Row:
        deck = self._decks[leg.deck]
        price = self._price(deck, call, at)
        day = datetime.fromtimestamp(at, UTC).date()
        by = ONE if leg.fx == 0 else self._rates.get((leg.fx, day))
        if price is None or by is None or not self._first <= day <= self._last:
            return leg.hop, leg.leg, -1, -1, 0, 0, 0, 0
        band = 0 if self._is_peak(deck, at) else 1
        billed, charge = 0, ZERO
        if call.duration_s > 0:
            billed = price.first_s
            if call.duration_s > billed:
                begun = -((billed - call.duration_s) // price.next_s)
                billed += begun * price.next_s
            rate = price.off_peak if band else price.peak
            talk = half_up(EXACT.divide(EXACT.multiply(rate, Decimal(billed)), MINUTE))
            charge = max(price.setup + talk, price.least)
        amount = half_up(EXACT.multiply(charge, by))
        share = half_up(EXACT.multiply(amount, Decimal(leg.share_bp).scaleb(-4)))
        return leg.hop, leg.leg, price.number, band, billed, nano(charge), nano(amount), nano(share)

    def _price(self, deck: Deck, call: Call, at: int) -> Price | None:
        """What the deck sells the call at; None where it has no price, or has blocked it."""
        if call.calling or not deck.groups:
            found = [self._in_force(deck, call.called, self._group(deck.number, call.calling), at)]
        else:  # nobody knows who calls: the dearest of all callers, the first of equal ones
            found = [
                self._in_force(deck, call.called, group, at) for group in ("", *sorted(deck.groups))
            ]
        sold = [price for price in found if price is not None and not price.blocked]
        return max(sold, key=lambda price: price.peak, default=None)

    def _in_force(self, deck: Deck, called: str, group: str, at: int) -> Price | None:
        """The longest code with a price then for this group of callers, or else for any."""
        rows = self._rows[deck.number]
        for length in range(min(len(called), self._longest[deck.number]), 0, -1):
            anyone = None
            for price in rows.get(called[:length], ()):
                if price.start <= at < price.end:
                    if price.origin == group:
                        return price
                    if not price.origin:
                        anyone = price
            if anyone is not None:
                return anyone
        return None

    def _group_of(self, number: int, calling: str) -> str:
        """The group with the longest code that the calling number begins with; '' for none."""
        best, group = "", ""
        for name, codes in self._decks[number].groups.items():
            for code in codes:
                if calling.startswith(code) and len(code) > len(best):
                    best, group = code, name
        return group

    def _is_peak(self, deck: Deck, at: int) -> bool:
        there = datetime.fromtimestamp(at, self._zones[deck.number])
        return (
            DAYS[there.weekday()] not in {"Saturday", "Sunday"}
            and deck.opens <= there.hour < deck.closes
            and there.date() not in deck.holidays
        )


def half_up(amount: Decimal) -> Decimal:
    """To a billionth, halves up."""
    return amount.quantize(NANO, ROUND_HALF_UP, EXACT)


def nano(amount: Decimal) -> int:
    return int(amount.scaleb(9, EXACT))
