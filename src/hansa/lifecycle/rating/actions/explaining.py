"""Why one event costs what it does, step by step. Needs the extra `bulk`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hansa.foundation.errors import NotFound, TryLater
from hansa.foundation.extras import need
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import prices
from hansa.lifecycle.catalogue.model import PricedRow
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.actions import books, runs, samples
from hansa.lifecycle.rating.actions.samples import MeasuredExplained
from hansa.lifecycle.rating.model.book import Book
from hansa.lifecycle.rating.rules.decks import BANDS
from hansa.lifecycle.rating.store import parquet
from hansa.lifecycle.rating.store import runs as store
from hansa.lifecycle.usage.actions import events as usage
from hansa.lifecycle.usage.model import EventFile, EventKind

EPOCH = Period.month(1970, 1).start


@dataclass(frozen=True, slots=True)
class LegExplained:
    """One leg's charge. steps: in words, each with its numbers; the last says the charge.

    price: None where there is none. stored: whether the steps come to what was stored.
    """

    hop: int
    holding: HoldingRef | None
    price: PricedRow | None
    steps: tuple[str, ...]
    charge: Decimal
    amount: Decimal
    share: Decimal
    stored: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """An event and what it costs on each leg. code: the longest that the number begins with."""

    event: int
    delivery: int
    calling: str
    called: str
    answered_at: Instant
    duration_s: int
    code: str
    book: str
    legs: tuple[LegExplained, ...]


def explain(
    tx: Transaction, *, us: PartyId, event: int, folder: Path
) -> Explained | MeasuredExplained:
    """Every step of an event's charges. folder: the node's.

    Raises NotFound `event-unknown`; TryLater `events-unrated` before its month is rated.
    """
    need("duckdb", "numpy", "pyarrow")
    file, row = _event(tx, event, folder)
    if file.kind is not EventKind.CALLS:
        return samples.explain(tx, us=us, event=event, file=file, row=row)
    book = store.chosen(tx, Period.parse(file.month))
    rated_to = book and runs.rated_place(folder, file, book)[0]
    if not book or not rated_to or not rated_to.exists():
        raise TryLater("events-unrated", f"The events of {file.month} are not rated yet.")
    tables = books.load(folder, book)
    rows = sorted(parquet.where(rated_to, "event_id", event), key=lambda one: one["hop"])
    code = tables.codes[row["code_id"]] if row["code_id"] >= 0 else ""
    return Explained(
        event=event,
        delivery=file.delivery,
        calling=row["calling"],
        called=row["called"],
        answered_at=EPOCH + timedelta(microseconds=row["answered_us"]),
        duration_s=row["duration_s"],
        code=code,
        book=book,
        legs=tuple(_leg(tx, folder, tables, row, code, leg) for leg in rows),
    )


def _event(tx: Transaction, event: int, folder: Path) -> tuple[EventFile, Mapping[str, Any]]:
    for file in usage.files(tx, delivery=event >> 32):
        if file.path is not None:
            for row in parquet.where(folder / file.path, "event_id", event):
                return file, row
    raise NotFound(
        "event-unknown",
        f"No event has the number {event}; `hansa usage files` shows what has come in.",
        field="event",
    )


def _leg(
    tx: Transaction,
    folder: Path,
    tables: Book,
    row: Mapping[str, Any],
    code: str,
    leg: Mapping[str, Any],
) -> LegExplained:
    found = store.holding_of(tx, leg["leg_id"])
    holding = found[0] if found else None
    if leg["price_id"] < 0:
        why = (
            "no trunk of its route is a holding that is charged by a deck at that time"
            if holding is None
            else f"no price of the deck is in force for {code or 'a number without a code'}"
        )
        nothing = Decimal(0)
        return LegExplained(
            leg["hop"], holding, None, (f"not rated: {why}",), nothing, nothing, nothing, True
        )
    price = prices.row_of(tx, folder=folder, price_id=leg["price_id"])
    terms = _terms(tables, row, leg)
    steps, charge, amount, share = _steps(row, code, price, leg, terms)
    return LegExplained(
        hop=leg["hop"],
        holding=holding,
        price=price,
        steps=tuple(steps),
        charge=Decimal(charge).scaleb(-9),
        amount=Decimal(amount).scaleb(-9),
        share=Decimal(share).scaleb(-9),
        stored=(charge, amount, share) == (leg["charge"], leg["amount"], leg["share"]),
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """What of the book a leg was rated with, beside its price. Rates are nano for a minute."""

    rate: int
    setup: int
    minimum: int
    first_s: int
    next_s: int
    fx_n: int
    fx_d: int
    share_bp: int


def _terms(tables: Book, row: Mapping[str, Any], leg: Mapping[str, Any]) -> _Terms:
    at = int((tables.rate["price_id"] == leg["price_id"]).argmax())
    price = {name: int(column[at]) for name, column in tables.rate.items()}
    start_s = row["answered_us"] // 1_000_000
    mine = (
        (tables.leg["leg_route"] == row["route_id"])
        & (tables.leg["leg_id"] == leg["leg_id"])
        & (tables.leg["leg_from"] <= start_s)
        & (tables.leg["leg_to"] > start_s)
    )
    which = int(mine.argmax())
    series = int(tables.leg["fx_id"][which])
    day = int((tables.fx["fx_k"] == (series << 32) + start_s // 86_400).argmax())
    return _Terms(
        rate=price["rate_peak" if leg["band"] == 0 else "rate_off"],
        setup=price["setup"],
        minimum=price["minimum"],
        first_s=price["first_s"],
        next_s=price["next_s"],
        fx_n=int(tables.fx["fx_n"][day]),
        fx_d=int(tables.fx["fx_d"][day]),
        share_bp=int(tables.leg["share_bp"][which]),
    )


def _steps(
    row: Mapping[str, Any],
    code: str,
    price: PricedRow,
    leg: Mapping[str, Any],
    terms: _Terms,
) -> tuple[list[str], int, int, int]:
    """The steps in words and the charge, amount and share that they come to, nano."""
    duration, billed = row["duration_s"], 0
    if duration:
        more = -(-max(0, duration - terms.first_s) // terms.next_s)
        billed = terms.first_s + more * terms.next_s
    charge = 0
    if billed:
        exact = Decimal(terms.rate) * billed / 60
        rounded = (terms.rate * billed * 2 + 60) // 120
        charge = max(terms.setup + rounded, terms.minimum)
    amount = (charge * terms.fx_n * 2 + terms.fx_d) // (2 * terms.fx_d)
    share = (amount * terms.share_bp * 2 + 10_000) // 20_000
    steps = [
        f"{row['called']} begins with {code}, the longest code that any deck names",
        (
            f"the deck {price.deck} version {price.version}, row {price.row}, prices "
            f"{price.code} ({price.destination}) at that moment"
        ),
        (
            f"{BANDS[leg['band']]}: {_major(terms.rate)} a minute, set-up {_major(terms.setup)}, "
            f"at least {_major(terms.minimum)}"
        ),
        f"{duration} s are charged as {billed} s: {terms.first_s} s, then steps of {terms.next_s} s"
        if billed
        else "0 s: nothing is charged",
    ]
    if billed:
        steps.append(
            f"{billed} / 60 x {_major(terms.rate)} = {_major(exact)}, rounded half up to "
            f"{_major(rounded)}; with set-up and the least: {_major(charge)}"
        )
    if (terms.fx_n, terms.fx_d) != (1, 1):
        rate = Decimal(terms.fx_n) / terms.fx_d
        steps.append(f"{_major(charge)} x {rate} = {_major(amount)}, rounded half up")
    if terms.share_bp:
        steps.append(
            f"{Decimal(terms.share_bp).scaleb(-2)} % of {_major(amount)} = {_major(share)}"
        )
    return steps, charge, amount, share


def _major(nano: int | Decimal) -> str:
    """Billionths as major units, with all digits that say something."""
    return f"{Decimal(nano).scaleb(-9).normalize():f}"
