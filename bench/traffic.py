"""Made-up traffic for benches: decks, routes and call records in the shapes of real ones. Seeded.

160,000 nested codes below real country codes; six decks of 50,000 to 160,000 rows, a tenth
re-priced, some opened and closed in the month; peak and off-peak in six zones; 200 routes with
three legs each; calls with log-normal popularity of codes, a twentieth of no duration, a few in
a thousand to numbers without a price or too short. Nothing of it is a measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hansa.foundation.ids import PartyId
from hansa.lifecycle.catalogue.model import DeckFacts
from hansa.lifecycle.rating.model.book import Book, FxDay, Leg, Rows
from hansa.lifecycle.rating.rules.book import compiled

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
ROUTES = 200
DECKS = (
    (1, 160_000, "USD", "America/New_York"),
    (2, 150_000, "EUR", "Europe/Paris"),
    (3, 120_000, "USD", "Europe/London"),
    (4, 100_000, "GBP", "Africa/Johannesburg"),
    (5, 80_000, "EUR", "America/Sao_Paulo"),
    (6, 50_000, "USD", "UTC"),
)
INCREMENTS = ((60, 60), (60, 1), (30, 6), (1, 1), (6, 6))
OPEN = 253_402_300_800
COUNTRIES = [
    str(code)
    for first, last in (
        *((1, 1), (7, 7), (20, 20), (27, 27), (30, 34), (36, 36), (39, 41), (43, 49), (51, 58)),
        *((60, 66), (81, 82), (84, 84), (86, 86), (90, 95), (98, 98), (211, 213), (216, 216)),
        *((218, 218), (220, 258), (260, 268), (351, 359), (370, 377), (380, 382), (385, 387)),
        *((420, 421), (501, 507), (591, 593), (595, 598), (852, 853), (855, 856), (880, 880)),
        *((886, 886), (960, 968), (970, 977), (992, 996), (998, 998)),
    )
    for code in range(first, last + 1)
]


@dataclass(frozen=True, slots=True)
class Prices:
    """What the events are priced by. rows: how many price rows there are."""

    codes: Sequence[str]
    rows: Rows
    decks: Sequence[DeckFacts]
    legs: Sequence[Leg]
    rates: Sequence[FxDay]

    def book(self) -> Book:
        """The compiled book for the month."""
        return compiled(
            codes=self.codes,
            rows=self.rows,
            decks=self.decks,
            legs=self.legs,
            rates=self.rates,
            first=FIRST - timedelta(days=1),
            last=LAST + timedelta(days=1),
        )


def prices(seed: int = 7, scale: float = 1.0) -> Prices:
    """Decks, routes and rates; scale: of the numbers of codes."""
    rng = np.random.default_rng(seed)
    codes = _codes(rng, int(160_000 * scale))
    parts = [
        part for number, size, *_ in DECKS for part in _deck(rng, codes, number, int(size * scale))
    ]
    code = np.concatenate([part["code"] for part in parts])
    values = {
        name: np.concatenate([part[name] for part in parts]).astype(np.int64)
        for name in parts[0]
        if name != "code"
    }
    values["price_id"] = np.arange(len(code), dtype=np.int64)
    return Prices(
        codes=codes.tolist(),
        rows=Rows(code, np.full(len(code), ""), np.zeros(len(code), dtype=bool), values),
        decks=[
            DeckFacts(number, f"deck-{number}", PartyId("op"), currency, zone, 8, 20, (), {})
            for number, _, currency, zone in DECKS
        ],
        legs=list(_legs(rng)),
        rates=list(_rates(rng)),
    )


def _codes(rng: np.random.Generator, wanted: int) -> np.ndarray:
    weights = rng.dirichlet(np.full(len(COUNTRIES), 0.25))
    found = set(COUNTRIES)
    while len(found) < wanted:
        for country, many in zip(COUNTRIES, rng.multinomial(wanted, weights), strict=True):
            longest = 9 - len(country)
            for digits in rng.integers(0, 10**7, many).tolist():
                length = int(rng.integers(1, longest))
                found.add(country + str(digits).zfill(7)[:length])
                if len(found) == wanted:
                    return np.array(sorted(found))
    return np.array(sorted(found))


def _deck(
    rng: np.random.Generator, codes: np.ndarray, number: int, size: int
) -> Iterator[dict[str, np.ndarray]]:
    roots = codes[np.char.str_len(codes) <= 3]
    mine = codes if size >= len(codes) else np.union1d(roots, rng.choice(codes, size, False))
    n = len(mine)
    rate = (
        np.maximum(1000, np.exp(rng.normal(-3.2, 1.3, n)) * 10**9).astype(np.int64) // 1000 * 1000
    )
    first, following = np.array(INCREMENTS)[rng.choice(5, n, p=[0.1, 0.25, 0.1, 0.5, 0.05])].T
    setup = np.where(rng.random(n) < 0.05, 10_000_000, 0)
    middle = int(datetime(2026, 10, 8 + 2 * number, tzinfo=UTC).timestamp())
    fate, long = rng.random(n), np.char.str_len(mine) > 3
    repriced = fate < 0.10
    opened = (fate >= 0.10) & (fate < 0.12) & long
    closed = (fate >= 0.12) & (fate < 0.13) & long
    steady = ~(repriced | opened | closed)

    def part(mask: np.ndarray, start: int, end: int, factor: int = 100) -> dict[str, np.ndarray]:
        price = rate[mask] * factor // 100
        many = int(mask.sum())
        return {
            "code": mine[mask],
            "deck": np.full(many, number),
            "from_s": np.full(many, start),
            "to_s": np.full(many, end),
            "rate_peak": price,
            "rate_off": price * 8 // 10,
            "setup": setup[mask],
            "minimum": np.zeros(many),
            "first_s": first[mask],
            "next_s": following[mask],
        }

    yield part(steady, 0, OPEN)
    yield part(repriced, 0, middle)
    yield part(repriced, middle, OPEN, int(rng.integers(80, 120)))
    yield part(opened, middle, OPEN)
    yield part(closed, 0, middle)


def _legs(rng: np.random.Generator) -> Iterator[Leg]:
    for route in range(ROUTES):
        for hop, (one, other) in enumerate(((1, 2), (3, 4), (5, 6)), 1):
            deck = int(rng.choice([one, other]))
            currency = next(currency for number, _, currency, _ in DECKS if number == deck)
            share = int(rng.integers(0, 1500))
            fx = ("EUR", "USD", "GBP").index(currency)
            yield Leg(route, hop, deck, deck, 0, OPEN, fx, share)


def _rates(rng: np.random.Generator) -> Iterator[FxDay]:
    for series, base in ((1, 0.92), (2, 1.17)):
        for day in range(-1, 33):
            rate = round(base * (1 + rng.normal(0, 0.003)) * 10**8)
            yield FxDay(series, FIRST + timedelta(days=day), rate, 10**8)


PROFILE = np.array(
    [2, 1.5, 1, 1, 1, 2, 5, 9, 13, 16, 17, 16, 14, 15, 16, 15, 14, 14, 15, 16, 14, 10, 6, 3]
)


def events(codes: Sequence[str], number: int, size: int, files: int) -> pa.Table:
    """One file's events, as they come: by time, `called` as text, nothing matched yet."""
    rng = np.random.default_rng(1000 + number)
    known = np.array(codes)
    leaves = known[np.char.str_len(known) >= 4]
    weights = np.exp(np.random.default_rng(99).normal(0, 2.5, len(leaves)))
    chosen = leaves[rng.choice(len(leaves), size, p=weights / weights.sum())]
    rest = rng.integers(10**7, 10**8, size).astype(str)
    called = np.char.add(chosen, rest)
    odd = rng.random(size)
    called[odd < 0.003] = "999000123"
    called[(odd >= 0.003) & (odd < 0.004)] = "27"
    month_s = 86_400 * 31
    begin = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()) + number * (month_s // files)
    hours = np.repeat(PROFILE / PROFILE.sum(), 1)
    at = begin + rng.integers(0, month_s // files, size) // 86_400 * 86_400
    at = at + rng.choice(24, size, p=hours) * 3600 + rng.integers(0, 3600, size)
    at = np.minimum(at, begin + month_s // files - 1)
    silent = rng.random(size) < 0.05
    length = np.where(silent, 0, np.clip(np.exp(rng.normal(4.2, 1.2, size)), 1, 14_400))
    order = np.argsort(at)
    return pa.table(
        {
            "event_id": np.arange(size, dtype=np.int64) + (number << 32),
            "route_id": rng.integers(0, ROUTES, size).astype(np.int32),
            "calling": pa.array(rng.integers(10**10, 9 * 10**11, size)[order]).cast(pa.string()),
            "called": pa.array(called[order].tolist(), pa.string()),
            "answered_us": at[order] * 1_000_000,
            "duration_s": length[order].astype(np.int32),
        }
    )


def write(folder: Path, codes: Sequence[str], *, files: int, size: int) -> list[Path]:
    """Writes raw files of events, as a mediation would be given them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(files):
        path = folder / f"raw-{number:03d}.parquet"
        if not path.exists():
            pq.write_table(events(codes, number, size, files), path, compression="zstd")
        made.append(path)
    return made
