"""What others may ask or do about rated usage."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from hansa.federation.contract import UsageRecord
from hansa.foundation.errors import NotFound, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.rules.parts import stretches
from hansa.lifecycle.rating.rules.rate import rate_month
from hansa.lifecycle.rating.store import tables as store
from hansa.lifecycle.usage.actions import months as usage

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


def to_rate(tx: Transaction, *, us: PartyId, period: Period) -> Sequence[Holding]:
    """What is still to be rated of a month: sold and bought, where usage has a price."""
    done = store.claimed(tx, period)
    held = [
        *inventory.sold(tx, us=us, period=period),
        *inventory.bought(tx, us=us, period=period),
    ]
    return [one for one in held if one.ref not in done and stretches(one.spells, period)]


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
    try:
        records = usage.records(tx, us=us, ref=holding.ref, period=period, folder=folder)
    except TryLater as not_ready:
        log.warning("%s is rated without usage: %s", period.name, not_ready)
        missing = True
    if store.claim(tx, holding.ref, period, missing=missing, now=now):
        store.insert(tx, holding.ref, period, rate_month(holding.spells, records, period))
    return store.lines(tx, holding.ref, period)


def close(tx: Transaction, *, period: Period, now: Instant) -> None:
    """Notes that every holding of the month is rated."""
    store.close_period(tx, period, now)
