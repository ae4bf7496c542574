"""What rating does unasked: rates each month whose usage is all in."""

from __future__ import annotations

from pathlib import Path

from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.rating.actions import months as actions
from hansa.lifecycle.usage.actions import months as usage


def run(tx: Transaction, *, us: PartyId, now: Instant, folder: Path, limit: int = 50) -> int:
    """Rates at most `limit` holdings of the first month that is closed and not rated.

    Returns how many things it did, 0 when there was nothing. folder: where usage files are.
    """
    rated = set(actions.rated_periods(tx))
    for period in usage.closed_periods(tx):
        if period in rated:
            continue
        left = actions.to_rate(tx, us=us, period=period)
        for holding in left[:limit]:
            actions.rate(tx, us=us, holding=holding, period=period, folder=folder, now=now)
        if len(left) <= limit:
            actions.close(tx, period=period, now=now)
        return len(left[:limit]) + 1
    return 0
