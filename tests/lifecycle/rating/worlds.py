"""Made-up decks, routes and calls for rating: seeded, small, and awkward on purpose.

Codes of few digits that nest in each other; prices that change, open, close and come back within
the month; callers with prices of their own; blocked codes; zones whose clocks go forward or back
in the month or stand at odd quarters of an hour; amounts that fall on halves; calls at the very
second of a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.foundation.ids import PartyId
from hansa.lifecycle.catalogue.model import DeckFacts
from hansa.lifecycle.rating.model.book import NO_ORIGIN, Book, FxDay, Leg, Rows
from hansa.lifecycle.rating.rules.book import compiled
from hansa.lifecycle.usage.actions.events import match
from tests.lifecycle.rating.events_twin import Call, Deck, Price, Twin

OPEN = 253_402_300_800
WEEK_S = 7 * 86_400

# Clocks change in Sao Paulo in the first two, at midnight; in London in the third and fifth.
MONTHS = ("2018-11", "2019-02", "2026-03", "2026-04", "2026-10", "2026-11", "2028-02")
ZONES = (
    "Africa/Johannesburg",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/London",
    "Pacific/Chatham",
    "UTC",
)
INCREMENTS = ((1, 1), (6, 6), (30, 6), (60, 1), (60, 60), (7, 13), (1, 86_400))
AWKWARD_S = np.array(
    [0, 0, 1, 1, 5, 6, 7, 20, 29, 30, 31, 36, 37, 59, 60, 61, 119, 120, 121, 205, 3600, WEEK_S]
)


@dataclass(frozen=True, slots=True)
class World:
    """Decks, legs and rates, and the pools of numbers that calls are drawn from."""

    first: date
    last: date
    codes: Sequence[str]
    decks: Sequence[Deck]
    legs: Sequence[Leg]
    rates: Sequence[FxDay]
    called: Sequence[str]
    calling: Sequence[str]
    moments: NDArray[np.int64]

    def book(self) -> Book:
        """Compiled, as a node does it."""
        return compiled(
            codes=self.codes,
            rows=rows(self.decks),
            decks=[facts(deck) for deck in self.decks],
            legs=self.legs,
            rates=self.rates,
            first=self.first,
            last=self.last,
        )

    def twin(self) -> Twin:
        rates = {(one.fx, one.day): Decimal(one.n) / Decimal(one.d) for one in self.rates}
        return Twin(self.decks, self.legs, rates, self.first, self.last)


def rows(decks: Sequence[Deck]) -> Rows:
    """The decks' prices as the columns that the book is made of."""
    prices = [(deck.number, price) for deck in decks for price in deck.prices]
    values = {
        "deck": [number for number, _ in prices],
        "price_id": [price.number for _, price in prices],
        "from_s": [price.start for _, price in prices],
        "to_s": [price.end for _, price in prices],
        "first_s": [price.first_s for _, price in prices],
        "next_s": [price.next_s for _, price in prices],
        "rate_peak": [int(price.peak.scaleb(9)) for _, price in prices],
        "rate_off": [int(price.off_peak.scaleb(9)) for _, price in prices],
        "setup": [int(price.setup.scaleb(9)) for _, price in prices],
        "minimum": [int(price.least.scaleb(9)) for _, price in prices],
    }
    return Rows(
        code=np.array([price.code for _, price in prices], dtype=np.str_),
        origin=np.array([price.origin for _, price in prices], dtype=np.str_),
        blocked=np.array([price.blocked for _, price in prices], dtype=np.bool_),
        values={name: np.array(column, dtype=np.int64) for name, column in values.items()},
    )


def facts(deck: Deck) -> DeckFacts:
    return DeckFacts(
        number=deck.number,
        name=f"deck-{deck.number}",
        seller=PartyId("op"),
        currency="EUR",
        zone=deck.zone,
        peak_from_h=deck.opens,
        peak_to_h=deck.closes,
        holidays=tuple(sorted(deck.holidays)),
        origins={name: tuple(codes) for name, codes in deck.groups.items()},
    )


# --- decks --------------------------------------------------------------------------------------


def world(seed: int, *, codes: int = 300, called: int = 1500) -> World:
    """A world of its own for each seed."""
    dice = np.random.default_rng(seed)
    start = datetime.fromisoformat(f"{dice.choice(MONTHS)}-01T00:00:00+00:00")
    end = (start + timedelta(days=31)).replace(day=1)
    month = (int(start.timestamp()), int(end.timestamp()))
    known = _codes(dice, codes)
    made: list[Deck] = []
    for number in range(1, int(dice.integers(2, 6))):
        prices = sum(len(deck.prices) for deck in made)
        made.append(_deck(dice, number, known, month, prices))
    legs = _legs(dice, [deck.number for deck in made], month)
    days = [(start + timedelta(days=day)).date() for day in range(-1, (end - start).days + 1)]
    union = {price.code for deck in made for price in deck.prices}
    union |= {code for deck in made for group in deck.groups.values() for code in group}
    return World(
        first=days[0],
        last=days[-1],
        codes=sorted(union),
        decks=made,
        legs=legs,
        rates=_rates(dice, days),
        called=_numbers(dice, known, called),
        calling=["", *_numbers(dice, known, called // 4)],
        moments=_moments(made, legs, month),
    )


def _codes(dice: np.random.Generator, wanted: int) -> Sequence[str]:
    """Digits 0 to 3 only, up to seven of them, so that most lie within others."""
    found: set[str] = set()
    while len(found) < wanted:
        length = int(dice.integers(1, 8))
        found.add("".join(map(str, dice.integers(0, 4, length).tolist())))
    return sorted(found)


def _deck(
    dice: np.random.Generator, number: int, codes: Sequence[str], month: tuple[int, int], used: int
) -> Deck:
    names = ["eea", "other", "sadc"][: int(dice.integers(0, 4))]
    owners = dice.permutation(len(codes))
    groups = {
        name: [codes[at] for at in owners[10 * place : 10 * place + int(dice.integers(1, 10))]]
        for place, name in enumerate(names)
    }
    prices: list[Price] = []
    for code in dice.permutation(codes)[
        : int(dice.integers(len(codes) // 4, len(codes) + 1))
    ].tolist():
        origins = [name for name in names if dice.random() < 0.3]
        if not origins or dice.random() < 0.8:
            origins.append("")
        for origin in origins:
            for since, until in _spells(dice, month):
                at = used + len(prices)
                prices.append(_price(dice, at, code, origin, since, until))
    opens = int(dice.integers(0, 12))
    first = datetime.fromtimestamp(month[0], UTC).date()
    return Deck(
        number=number,
        zone=str(dice.choice(ZONES)),
        opens=opens,
        closes=int(dice.integers(opens + 6, 25)),
        holidays=frozenset(first + timedelta(days=int(day)) for day in dice.integers(0, 28, 2)),
        groups=groups,
        prices=prices,
    )


def _spells(dice: np.random.Generator, month: tuple[int, int]) -> Sequence[tuple[int, int]]:
    """When a code of an origin has a price: always, or from, until or between changes."""
    changes = sorted(set((month[0] + dice.integers(0, 29 * 24, 3) * 3600).tolist()))
    kind = int(dice.integers(0, 10))
    if kind < 5:
        return [(0, OPEN)]
    if kind == 5:
        return [(changes[0], OPEN)]
    if kind == 6:
        return [(0, changes[0])]
    edges = [0, *changes, OPEN]
    spells = list(pairwise(edges))
    return spells if kind < 9 else spells[::2]


def _price(
    dice: np.random.Generator, number: int, code: str, origin: str, start: int, end: int
) -> Price:
    first, following = INCREMENTS[int(dice.integers(0, len(INCREMENTS)))]
    extra = int(dice.integers(0, 8))
    return Price(
        number=number,
        code=code,
        origin=origin,
        start=start,
        end=end,
        peak=_amount(dice),
        off_peak=_amount(dice),
        setup=_amount(dice) if extra == 0 else Decimal(0),
        least=_amount(dice) if extra <= 1 else Decimal(0),
        first_s=first,
        next_s=following,
        blocked=bool(dice.random() < 0.05),
    )


def _amount(dice: np.random.Generator) -> Decimal:
    """Of a major unit: usual prices, some billionths, odd thirties for halves, some hundreds."""
    kind = int(dice.integers(0, 10))
    most = 10**9 if kind < 5 else 10 if kind < 7 else 4 * 10**11
    nano = int(dice.integers(0, most))
    return Decimal(nano * 60 + 30 if kind in {3, 4, 6} else nano).scaleb(-9)


# --- routes, rates, moments ---------------------------------------------------------------------


def _legs(dice: np.random.Generator, decks: Sequence[int], month: tuple[int, int]) -> list[Leg]:
    """Routes 0 to 9 of up to three hops, each for ever or changing its holding in the month."""
    legs: list[Leg] = []
    for route in range(10):
        for hop in range(1, int(dice.integers(1, 5))):
            middle = month[0] + int(dice.integers(0, 29 * 86_400))
            fate = int(dice.integers(0, 6))
            spells = [(0, OPEN)] if fate < 4 else [(0, middle), (middle, OPEN)]
            if fate == 5:
                spells = spells[1:]
            for since, until in spells:
                deck, share = int(dice.choice(decks)), int(dice.integers(0, 10_001))
                fx = int(dice.integers(0, 4))
                legs.append(Leg(route, hop, len(legs), deck, since, until, fx, share))
    return legs


def _rates(dice: np.random.Generator, days: Sequence[date]) -> list[FxDay]:
    """A usual rate with eight decimals; one half, to fall on ties; a currency that lost much."""
    found: list[FxDay] = []
    for day in days:
        usual, much = int(dice.integers(10**7, 10**9)), int(dice.integers(1, 1800 * 10**4))
        found += [
            FxDay(1, day, usual, 10**8),
            FxDay(2, day, 5, 10),
            FxDay(3, day, much, 10 ** int(dice.integers(4, 9))),
        ]
    return [one for one in found if dice.random() < 0.97]


def _numbers(dice: np.random.Generator, codes: Sequence[str], wanted: int) -> Sequence[str]:
    """Codes and more digits; now and then too short for its code, or of no code at all."""
    found = []
    for code in dice.choice(np.array(codes), wanted).tolist():
        rest = "".join(map(str, dice.integers(0, 5, int(dice.integers(0, 9))).tolist()))
        found.append((code[: len(code) // 2], "99" + rest, code, code + rest)[_often_last(dice)])
    return found


def _often_last(dice: np.random.Generator) -> int:
    return min(3, int(dice.integers(0, 30)))


def _moments(decks: Sequence[Deck], legs: Sequence[Leg], month: tuple[int, int]) -> Any:
    """Seconds at which something changes: a price, a leg, the month, a clock, the hour."""
    found = {*month}
    found |= {at for deck in decks for price in deck.prices for at in (price.start, price.end)}
    found |= {at for leg in legs for at in (leg.from_s, leg.to_s)}
    found |= set(range(month[0] - 86_400, month[1] + 86_400, 900))
    return np.array(sorted(at for at in found if month[0] - 90_000 < at < month[1] + 90_000))


# --- calls --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of a world: as its network tells them, and as the columns that rating reads."""

    told: Sequence[Call]
    events: Mapping[str, NDArray[Any]]


def calls(world: World, count: int, seed: int) -> Calls:
    """So many calls. Half of them within a second of a moment at which something changes."""
    dice = np.random.default_rng([seed, count])
    called, calling = (dice.integers(0, len(pool), count) for pool in (world.called, world.calling))
    calling[dice.random(count) < 0.1] = 0
    route = dice.choice(12, count)
    low, high = int(world.moments[0]) - 90_000, int(world.moments[-1]) + 90_000
    at_us = dice.integers(low * 10**6, high * 10**6, count)
    near = dice.random(count) < 0.5
    beside = np.array([-1_000_000, -1, 0, 1, 1_000_000])
    at_us[near] = (
        dice.choice(world.moments, near.sum()) * 10**6 + beside[dice.integers(0, 5, near.sum())]
    )
    duration = dice.integers(0, 4000, count)
    odd = dice.random(count) < 0.4
    duration[odd] = dice.choice(AWKWARD_S, odd.sum())
    numbers = (world.called, world.calling)
    codes, origins = (match(world.codes, pool) for pool in numbers)
    origins[[not number for number in world.calling]] = NO_ORIGIN
    columns = (route, calling, called, at_us, duration)
    told = [
        Call(one, world.calling[by], world.called[to], at, long)
        for one, by, to, at, long in zip(*(part.tolist() for part in columns), strict=True)
    ]
    events: dict[str, NDArray[Any]] = {
        "event_id": np.arange(count, dtype=np.int64) + (seed << 32),
        "route_id": route.astype(np.int32),
        "code_id": codes[called],
        "origin_id": origins[calling],
        "answered_us": at_us,
        "duration_s": duration.astype(np.int32),
    }
    return Calls(told, events)
