"""What billing does unasked: turns rated months into bills, buyer by buyer."""

from __future__ import annotations

from hansa.foundation.ids import BillId, Ids, PartyId
from hansa.foundation.money import add_up
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions
from hansa.lifecycle.billing.model import Bill, BillState, Group


def run(tx: Transaction, *, us: PartyId, ids: Ids, now: Instant, limit: int = 50) -> int:
    """Bills at most `limit` buyers' rated months; returns how many it billed, 0 when all are.

    An end customer's bill is final at once. A partner's stays a draft until its statement is
    confirmed (see settlement). A month in which nothing is due makes no bill.
    """
    done: list[BillId] = []
    months = 0
    for period in actions.unbilled_periods(tx, us=us):
        left = actions.unbilled(tx, us=us, period=period)
        for buyer in left[: limit - months]:
            if actions.claim(tx, us=us, buyer=buyer, period=period, now=now):
                done += _bill_month(tx, us=us, buyer=buyer, period=period, ids=ids, now=now)
            months += 1
            left = left[1:]
        if not left:
            actions.close(tx, us=us, period=period, now=now)
    actions.finalise_all(tx, bills=done, ids=ids, now=now)
    return months


def _bill_month(
    tx: Transaction, *, us: PartyId, buyer: PartyId, period: Period, ids: Ids, now: Instant
) -> list[BillId]:
    """Drafts a buyer's bills for the period; returns those that are to be final at once."""
    final: list[BillId] = []
    for group in actions.sold_lines(tx, us=us, buyer=buyer, period=period):
        made = actions.draft(tx, bill=_drafted(group, us=us, period=period, ids=ids, now=now))
        if group.agreement is None:
            final.append(made.id)
    return final


def _drafted(group: Group, *, us: PartyId, period: Period, ids: Ids, now: Instant) -> Bill:
    return Bill(
        id=ids.new(BillId),
        kind_of="services",
        issuer=us,
        buyer=group.party,
        agreement=group.agreement,
        period=period,
        currency=group.currency,
        lines=group.lines,
        net=add_up((line.net for line in group.lines), group.currency),
        tax=add_up((line.tax for line in group.lines), group.currency),
        state=BillState.NEW,
        made_at=now,
    )
