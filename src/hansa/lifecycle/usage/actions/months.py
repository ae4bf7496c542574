"""What others may ask or do about usage."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from hansa.federation.contract import UsageRecord
from hansa.foundation.errors import NotFound, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef
from hansa.lifecycle.usage.actions import trunks
from hansa.lifecycle.usage.model import UsageFile
from hansa.lifecycle.usage.rules import months as rules
from hansa.lifecycle.usage.store import months as store

log = logging.getLogger(__name__)


def records(
    tx: Transaction, *, us: PartyId, ref: HoldingRef, period: Period, folder: Path
) -> Sequence[UsageRecord]:
    """All usage of a holding in a month, in time order.

    Of what we hold: as its seller gave it. Of what we sell: that of the metered holdings it
    stands on, under its own name. folder: where usage files are kept.

    Raises NotFound `holding-unknown`; TryLater `usage-not-ready` before the month is over and
    while some of it has not come.
    """
    holding = inventory.get(tx, ref=ref)
    if not rules.live(holding, period):
        return ()
    if not store.is_opened(tx, period):
        raise _not_ready(holding, period)
    if holding.buyer == us:
        return () if _recorded_here(tx, holding, period) else _kept(tx, holding, period, folder)
    below = [_kept(tx, one, period, folder) for one in _metered(tx, holding, period)]
    return rules.handed_on(chain.from_iterable(below), holding=holding, period=period)


def of_buyer(
    tx: Transaction, *, us: PartyId, buyer: PartyId | None, period: Period | None, folder: Path
) -> Sequence[UsageRecord]:
    """Usage of all that a buyer (or anyone) holds from us in a month, by holding and time.

    period None: the last month whose usage is all in. Raises TryLater `usage-not-ready`.
    """
    if period is None:
        closed = store.periods(tx, closed=True)
        if not closed:
            return ()
        period = closed[-1]
    return [
        record
        for holding in inventory.sold(tx, us=us, buyer=buyer, period=period)
        for record in records(tx, us=us, ref=holding.ref, period=period, folder=folder)
    ]


def record(
    tx: Transaction, *, us: PartyId, buyer: PartyId | None, id: str, folder: Path
) -> UsageRecord:
    """One record of the months that are closed, the newest looked at first.

    Raises NotFound `usage-unknown`.
    """
    for period in reversed(store.periods(tx, closed=True)):
        for one in of_buyer(tx, us=us, buyer=buyer, period=period, folder=folder):
            if one.id == id:
                return one
    raise NotFound("usage-unknown", f"You have used nothing under {id}.", field="id")


def sources(tx: Transaction, *, us: PartyId, period: Period) -> Sequence[Holding]:
    """Whose usage is collected for a month: what we hold, of our own network or of partners,
    that is metered for something we sell or whose usage has a price. By seller and id. Calls
    by a deck, and what is measured at points of our network, come from records of our own.
    """
    at = trunks.points(tx, period=period)
    found: dict[HoldingRef, Holding] = {}
    for sold in inventory.sold(tx, us=us, period=period):
        found |= {one.ref: one for one in _metered(tx, sold, period)}
    held = chain(
        inventory.bought(tx, us=us, period=period), inventory.own(tx, us=us, period=period)
    )
    found |= {one.ref: one for one in held if rules.tariffed(one, period, at_points=one.ref in at)}
    return [found[ref] for ref in sorted(found, key=lambda ref: (ref.seller, ref.id))]


def missing(tx: Transaction, *, us: PartyId, period: Period) -> Sequence[Holding]:
    """The sources whose usage of the month has not come."""
    have = {file.holding for file in store.files(tx, period=period, applied=True)}
    return [one for one in sources(tx, us=us, period=period) if one.ref not in have]


def enter(tx: Transaction, *, file: UsageFile) -> bool:
    """Enters a file in the manifest; returns whether it counts.

    The same file again changes nothing. Before the month is closed a newer file takes the
    older one's place; after that it is kept, and does not count.
    """
    holding, period = file.holding, file.period
    counts = store.applied(tx, holding, period)
    if counts is not None and counts.sha256 == file.sha256:
        return True
    if store.is_closed(tx, period, locked=True):
        if store.put_file(tx, replace(file, applied=False)):
            log.warning(
                "usage of %s/%s came after %s was closed; kept in %s, not applied",
                holding.seller,
                holding.id,
                period.name,
                file.path,
            )
        return False
    store.set_aside(tx, holding, period)
    if not store.put_file(tx, replace(file, applied=True)):
        store.count_again(tx, file)
    return True


def close(tx: Transaction, *, period: Period, now: Instant) -> None:
    """Notes that all usage of the month is in."""
    store.close_period(tx, period, now)


def closed(tx: Transaction, *, period: Period) -> bool:
    """Whether all usage of the month is in."""
    return store.is_closed(tx, period)


def closed_periods(tx: Transaction) -> Sequence[Period]:
    """The months whose usage is all in, in order."""
    return store.periods(tx, closed=True)


def files(tx: Transaction, *, period: Period | None = None) -> Sequence[UsageFile]:
    """The manifest: every usage file, also those that do not count."""
    return store.files(tx, period=period)


def _metered(tx: Transaction, holding: Holding, period: Period) -> Sequence[Holding]:
    return [
        lower
        for support, lower in inventory.below(tx, ref=holding.ref)
        if support.metered and rules.live(lower, period) and not rules.by_deck(lower)
    ]


def _recorded_here(tx: Transaction, holding: Holding, period: Period) -> bool:
    """Whether its usage is known from our own network's records, and its seller was not asked."""
    at = holding.ref in trunks.points(tx, period=period)
    return (
        rules.priced(holding, period)
        and not rules.tariffed(holding, period, at_points=at)
        and store.applied(tx, holding.ref, period) is None
    )


def _kept(tx: Transaction, holding: Holding, period: Period, folder: Path) -> Sequence[UsageRecord]:
    file = store.applied(tx, holding.ref, period)
    if file is None:
        raise _not_ready(holding, period)
    return rules.from_lines(store.content(folder, file))


def _not_ready(holding: Holding, period: Period) -> TryLater:
    return TryLater(
        "usage-not-ready",
        f"Usage of {holding.ref.id} in {period.name} is not complete yet; ask again.",
        field="period",
        after_s=1,
    )
