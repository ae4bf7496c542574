"""The book of a month: every deck, holding, route and reference rate that its events meet.

Needs the extra `bulk`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hansa.federation.contract import Conversion, DeckTariff
from hansa.foundation import documents
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.actions import prices
from hansa.lifecycle.catalogue.model import DeckFacts
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef
from hansa.lifecycle.rating.model.book import PRICES, Book, FxDay, Leg, Rows
from hansa.lifecycle.rating.rules import book as rules
from hansa.lifecycle.rating.rules import decks as deck_rules
from hansa.lifecycle.rating.rules.parts import Stretch, stretches
from hansa.lifecycle.rating.store import parquet, runs
from hansa.lifecycle.usage.actions import trunks as usage
from hansa.lifecycle.usage.model import Trunk


@dataclass(frozen=True, slots=True)
class Ingredients:
    """All that a month's book is compiled of. id: of just these. codes: the name of their list."""

    id: str
    codes_name: str
    codes: Sequence[str]
    rows: Rows
    decks: Sequence[DeckFacts]
    legs: Sequence[Leg]
    rates: Sequence[FxDay]
    days: Sequence[date]
    named: Mapping[str, NDArray[Any]]
    """Of each price: price_id, code, destination, deck, version and row."""

    def book(self) -> Book:
        """The compiled book. Raises Refused as `rules.book.compiled` does."""
        return rules.compiled(
            codes=self.codes,
            rows=self.rows,
            decks=self.decks,
            legs=self.legs,
            rates=self.rates,
            first=self.days[0],
            last=self.days[-1],
        )


def by_deck(tx: Transaction, *, us: PartyId, month: Period) -> Sequence[tuple[Holding, Stretch]]:
    """What is sold and bought by a deck in a month, stretch by stretch."""
    held = [*inventory.sold(tx, us=us, period=month), *inventory.bought(tx, us=us, period=month)]
    return [
        (holding, stretch)
        for holding in held
        for stretch in stretches(holding.spells, month)
        if isinstance(stretch.tariff, DeckTariff)
    ]


def gathered(tx: Transaction, *, us: PartyId, month: Period, folder: Path) -> Ingredients:
    """What the month's book is made of, as it is now. folder: the node's.

    Raises NotFound `deck-unknown` for a tariff by a deck that we do not have, and `rate-missing`.
    """
    table = prices.price_rows(tx, folder=folder)
    codes = prices.codes(tx, folder=folder)
    decks = prices.deck_facts(tx)
    rows = Rows(
        code=np.asarray(table["code"].to_pylist(), dtype=np.str_),
        origin=np.asarray(table["origin"].to_pylist(), dtype=np.str_),
        blocked=table["blocked"].to_numpy(),
        values={
            name: table[name].to_numpy().astype(np.int64)
            for name in ("deck", "price_id", "from_s", "to_s", *PRICES)
        },
    )
    held = by_deck(tx, us=us, month=month)
    series = _series(held, decks)
    legs = list(_legs(tx, held, decks, series))
    rates = [
        FxDay(number, day, *deck_rules.scaled(rate))
        for (base, quote, conversion), number in series.items()
        for day, rate in _rates(tx, base, quote, conversion, month).items()
    ]
    days = deck_rules.days_of(month)
    return Ingredients(
        id=_id(codes.name, rows, decks, legs, rates, days),
        codes_name=codes.name,
        codes=codes.codes.to_pylist(),
        rows=rows,
        decks=decks,
        legs=legs,
        rates=rates,
        days=days,
        named={name: table[name].to_numpy() for name in NAMED},
    )


NAMED = ("price_id", "code", "destination", "deck", "version", "row")


def _id(
    codes: str,
    rows: Rows,
    decks: Sequence[DeckFacts],
    legs: Sequence[Leg],
    rates: Sequence[FxDay],
    days: Sequence[date],
) -> str:
    """A digest of all that a book is made of: the same things, the same book."""
    found = hashlib.sha256(codes.encode())
    for text in (rows.code, rows.origin):
        found.update("\0".join(text.tolist()).encode())
    found.update(rows.blocked.tobytes())
    for column in rows.values.values():
        found.update(np.ascontiguousarray(column).tobytes())
    for facts in (*decks, *legs, *rates):
        found.update(documents.canonical(documents.write(facts)))
    found.update(f"{days[0]}/{days[-1]}".encode())
    return found.hexdigest()[:32]


# --- legs ---------------------------------------------------------------------------------------

Series = Mapping[tuple[str, str, Conversion], int]


def deck_of(decks: Sequence[DeckFacts], holding: HoldingRef, tariff: DeckTariff) -> DeckFacts:
    """The deck of a tariff: its seller's of that name. Raises NotFound `deck-unknown`."""
    for facts in decks:
        if facts.name == tariff.deck and facts.seller == holding.seller:
            return facts
    raise NotFound(
        "deck-unknown",
        f"There is no deck {tariff.deck} of {holding.seller}, by which {holding.id} is charged; "
        "import it and publish it.",
        field="deck",
    )


def _series(held: Sequence[tuple[Holding, Stretch]], decks: Sequence[DeckFacts]) -> Series:
    """A number for each way in which charges are converted."""
    wanted = {
        (facts.currency, stretch.currency, tariff.conversion)
        for holding, stretch in held
        for tariff in [stretch.tariff]
        if isinstance(tariff, DeckTariff)
        for facts in [deck_of(decks, holding.ref, tariff)]
        if facts.currency != stretch.currency
    }
    for base, quote, conversion in wanted:
        if conversion is None:
            raise NotFound(
                "rate-missing",
                f"Charges in {base} are owed in {quote}, and the tariff does not say by which "
                "reference rates they are converted.",
                field="tariff.conversion",
            )
    known = [(a, b, one) for a, b, one in wanted if one is not None]
    order = sorted(known, key=lambda one: (one[0], one[1], one[2].source, one[2].day))
    return {one: number for number, one in enumerate(order, 1)}


def _rates(
    tx: Transaction, base: str, quote: str, conversion: Conversion, month: Period
) -> Mapping[date, Fraction]:
    published: dict[date, Decimal] = {}
    for day in deck_rules.days_of(month):
        published[day] = catalogue.reference_rate(
            tx, base=base, quote=quote, day=day, source=conversion.source
        ).rate
    return deck_rules.rates_by_day(conversion.day, published)


def _legs(
    tx: Transaction,
    held: Sequence[tuple[Holding, Stretch]],
    decks: Sequence[DeckFacts],
    series: Series,
) -> Iterator[Leg]:
    """For each route the holding that it comes in by, then the one that it goes out by."""
    trunks: dict[tuple[str, str], list[Trunk]] = {}
    for trunk in usage.trunks(tx):
        trunks.setdefault((trunk.name, trunk.side), []).append(trunk)
    of: dict[HoldingRef, list[Stretch]] = {}
    for holding, stretch in held:
        of.setdefault(holding.ref, []).append(stretch)
    numbers = {
        (holding.ref, stretch.part.start): runs.leg(tx, holding.ref, stretch.part.start)
        for holding, stretch in held
    }
    for route in usage.routes(tx):
        ways = (trunks.get((route.trunk_in, "in"), ()), trunks.get((route.trunk_out, "out"), ()))
        for hop, way in enumerate(ways, 1):
            for trunk in way:
                for stretch in of.get(trunk.holding, ()):
                    part = stretch.part.meet(trunk.start, trunk.end)
                    tariff = stretch.tariff
                    if part is None or not isinstance(tariff, DeckTariff):
                        continue
                    facts = deck_of(decks, trunk.holding, tariff)
                    fx = 0
                    if tariff.conversion is not None and facts.currency != stretch.currency:
                        fx = series[facts.currency, stretch.currency, tariff.conversion]
                    yield Leg(
                        route=route.route_id,
                        hop=hop,
                        leg=numbers[trunk.holding, stretch.part.start],
                        deck=facts.number,
                        from_s=_seconds(part.start),
                        to_s=_seconds(part.end),
                        fx=fx,
                        share_bp=tariff.commission_bp,
                    )


def _seconds(at: Instant) -> int:
    """Whole seconds since 1970, rounded up: a call counts by the second of its answer."""
    return -(-(at - EPOCH) // SECOND)


SECOND = timedelta(seconds=1)
EPOCH = Period.month(1970, 1).start


# --- on the disk --------------------------------------------------------------------------------


def place(folder: Path, book: str) -> Path:
    """Where a book's tables are, in a node's folder."""
    return folder.joinpath("rating", "books", book)


def save(folder: Path, made: Ingredients, tables: Book) -> None:
    """Writes a book's tables, for later runs, other engines, and those who ask why."""
    there = place(folder, made.id)
    if there.joinpath(WHOLE).exists():
        return
    for name, columns in tables.tables.items():
        parquet.write_table(there.joinpath(f"{name}.parquet"), columns)
    parquet.write_table(there.joinpath(PRICES_FILE), made.named)
    parquet.write_table(there.joinpath(WHOLE), {"code": np.asarray(tables.codes, dtype=np.object_)})


def load(folder: Path, book: str) -> Book:
    """A book as it was saved. Raises NotFound `book-missing`."""
    there = place(folder, book)
    if not there.joinpath(WHOLE).exists():
        raise NotFound(
            "book-missing",
            f"The book {book} is not in {there}; bring it back from a copy, or rate the month "
            "anew.",
            field="book",
        )
    tables = {name: parquet.read(there.joinpath(f"{name}.parquet")) for name in TABLES}
    return Book(codes=parquet.read(there.joinpath(WHOLE))["code"].tolist(), **tables)


WHOLE = "codes.parquet"
"""Written last: a book that has it is whole."""
PRICES_FILE = "prices.parquet"
TABLES = ("rate", "origin", "cal", "fx", "leg")


def listed(name: str, book: Book) -> prices.Codes:
    """A book's list of codes, as decks hand it over."""
    return prices.Codes(name, parquet.strings(book.codes))
