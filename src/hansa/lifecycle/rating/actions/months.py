"""What others may ask or do about rated usage."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from hansa.federation.contract import DeckTariff, UsageRecord
from hansa.foundation.errors import NotFound, TryLater
from hansa.foundation.extras import need
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef
from hansa.lifecycle.rating.actions import measuring
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.rules import decks
from hansa.lifecycle.rating.rules.decks import Sold
from hansa.lifecycle.rating.rules.parts import Stretch, stretches
from hansa.lifecycle.rating.rules.rate import MEASURED, rate_month
from hansa.lifecycle.rating.store import runs
from hansa.lifecycle.rating.store import tables as store
from hansa.lifecycle.usage.actions import events as deliveries
from hansa.lifecycle.usage.actions import months as usage
from hansa.lifecycle.usage.actions import trunks
from hansa.lifecycle.usage.model import EventKind

log = logging.getLogger(__name__)


def rated_periods(tx: Transaction) -> Sequence[Period]:
    """The months in which every holding is rated, in order."""
    return store.rated_periods(tx)


def is_rated(tx: Transaction, *, period: Period) -> bool:
    """Whether every holding of the month is rated."""
    return store.is_rated(tx, period)


def rated(tx: Transaction, *, holding: HoldingRef, period: Period) -> Sequence[RatedLine]:
    """The charges for usage of one holding in a month, by label; empty before it is rated."""
    return store.lines(tx, holding, period)


def charges(
    tx: Transaction, *, holdings: Sequence[HoldingRef], period: Period
) -> Mapping[HoldingRef, Sequence[RatedLine]]:
    """What `rated` gives, of many holdings at once and without the reasons, which are empty."""
    return store.charges(tx, holdings, period)


def explain(tx: Transaction, *, holding: HoldingRef, period: Period, label: str) -> RatedLine:
    """One charge with its reason. Raises NotFound `charge-unknown`."""
    for line in store.lines(tx, holding, period):
        if line.label == label:
            return line
    raise NotFound(
        "charge-unknown",
        f"Holding {holding.id} has no charge {label!r} in {period.name}.",
        field="label",
    )


def without_usage(tx: Transaction, *, period: Period) -> Sequence[HoldingRef]:
    """The holdings that were rated without usage because it had not come."""
    return store.without_usage(tx, period)


def events_wanted(tx: Transaction, *, us: PartyId, period: Period) -> bool:
    """Whether anything of the month is charged by the network's own events."""
    return calls_wanted(tx, us=us, period=period) or bool(trunks.measured(tx, us=us, period=period))


def calls_wanted(tx: Transaction, *, us: PartyId, period: Period) -> bool:
    """Whether anything of the month is charged by a deck, so that calls have to be rated."""
    held = [
        *inventory.sold(tx, us=us, period=period),
        *inventory.bought(tx, us=us, period=period),
    ]
    return any(
        isinstance(stretch.tariff, DeckTariff)
        for holding in held
        for stretch in stretches(holding.spells, period)
    )


def events_done(tx: Transaction, *, period: Period) -> bool:
    """Whether the month's events were rated for its bills."""
    return runs.events_done(tx, period)


def note_events(tx: Transaction, *, period: Period, now: Instant) -> None:
    """Notes that the month's events are rated for its bills."""
    runs.note_events(tx, period, now)


def late_deliveries(tx: Transaction, *, period: Period) -> Sequence[int]:
    """The deliveries with events of a month that are not in its charges, in order."""
    late = {file.delivery for file in measuring.left(tx, month=period)}
    book = runs.chosen(tx, period)
    if book is not None:
        done = {file.delivery for file in runs.files(tx, period.name, book)}
        files = deliveries.files(tx, month=period.name, kind=EventKind.CALLS)
        late |= {one.delivery for one in files if one.events and one.delivery not in done}
    return sorted(late)


def to_rate(tx: Transaction, *, us: PartyId, period: Period) -> Sequence[Holding]:
    """What is still to be rated of a month: sold and bought, where usage has a price; and what
    has none any more, but corrections of months when it had.
    """
    done = store.claimed(tx, period)
    held = [
        *inventory.sold(tx, us=us, period=period),
        *inventory.bought(tx, us=us, period=period),
    ]
    priced = {one.ref: one for one in held if stretches(one.spells, period)}
    for ref in runs.corrected(tx, before=period.name, charged_in=None):
        if ref not in priced:
            priced[ref] = inventory.get(tx, ref=ref)
    return [one for ref, one in priced.items() if ref not in done]


def ended(tx: Transaction, *, period: Period) -> Sequence[Holding]:
    """What had ended before a month and is charged in it, for corrections of earlier ones."""
    found = [
        inventory.get(tx, ref=ref)
        for ref in runs.corrected(tx, before=period.name, charged_in=period.name)
    ]
    return [one for one in found if period.meet(one.started, one.ended) is None]


def rate(
    tx: Transaction, *, us: PartyId, holding: Holding, period: Period, folder: Path, now: Instant
) -> Sequence[RatedLine]:
    """Rates one holding's month: what is sold at the terms it was sold at, what is bought at
    the terms it was bought at, by the same rules. Once: the same again changes nothing.

    folder: where usage files are kept. A holding whose usage has not come is rated without
    and shown by `without_usage`.
    """
    records: Sequence[UsageRecord] = ()
    missing = False
    measured = measuring.lines(tx, holding=holding.ref, month=period)
    known = {"deck"} if measured is None else {"deck", *MEASURED}
    if any(one.tariff.kind not in known for one in stretches(holding.spells, period)):
        try:
            records = usage.records(tx, us=us, ref=holding.ref, period=period, folder=folder)
        except TryLater as not_ready:
            log.warning("%s is rated without usage: %s", period.name, not_ready)
            missing = True
    if store.claim(tx, holding.ref, period, missing=missing, now=now):
        events = partial(_events, tx, holding.ref, period, folder.parent)
        found = rate_month(holding.spells, records, period, events=events, measured=measured)
        store.insert(tx, holding.ref, period, [*found, *_adjusted(tx, holding.ref, period)])
    return store.lines(tx, holding.ref, period)


def by_deck(
    tx: Transaction, *, holding: Holding, month: Period, folder: Path
) -> Sequence[RatedLine]:
    """What a holding's calls by a deck come to by the month's book as it is now.

    folder: the node's. Raises as `lines.sold` does.
    """
    events = partial(_events, tx, holding.ref, month, folder)
    found = rate_month(holding.spells, (), month, events=events)
    return [line for line in found if line.reason.get("rule") in decks.RULES]


def _events(
    tx: Transaction, holding: HoldingRef, month: Period, folder: Path, stretch: Stretch
) -> Sequence[Sold]:
    need("duckdb", "pyarrow")
    from hansa.lifecycle.rating.actions import lines

    return lines.sold(tx, holding=holding, stretch=stretch, month=month, folder=folder)


def _adjusted(tx: Transaction, holding: HoldingRef, month: Period) -> Sequence[RatedLine]:
    """What earlier months came to differently, charged now."""
    waiting = [
        one
        for one in runs.adjustments(tx, holding=holding, waiting=True)
        if one.usage_month < month.name
    ]
    runs.charge_in(tx, holding, month.name)
    return [one.line for one in waiting]


def close(tx: Transaction, *, period: Period, now: Instant) -> None:
    """Notes that every holding of the month is rated."""
    store.close_period(tx, period, now)
