"""Sums over all of the books."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.money import Money
from hansa.foundation.transaction import Begin
from hansa.ledger import actions as ledger
from hansa.ledger.model import Turnover
from tests.ledger.book import entry

NOW = datetime(2026, 12, 5, tzinfo=UTC)
MTN, BT = PartyId("mtn"), PartyId("bt")


def test_what_moved_an_account_month_by_month(begin: Begin, ids: Ids) -> None:
    days = [datetime(2026, 10, 31, 23, 59, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), NOW]
    sales = [
        entry(
            ids, f"INV-{at}", ("receivable/mtn/GBP", minor), ("revenue/voice/GBP", -minor), at=day
        )
        for at, (day, minor) in enumerate(zip(days, (1, 10, 100), strict=True))
    ]
    with begin() as tx:
        ledger.post(tx, entries=sales, now=NOW)
        found = ledger.turnover(tx, kind="income", since=days[1])
    assert found == [
        Turnover("revenue/voice/GBP", date(2026, 11, 1), Money(-10, "GBP")),
        Turnover("revenue/voice/GBP", date(2026, 12, 1), Money(-100, "GBP")),
    ]


def test_balances_are_added_up_by_what_they_are_and_never_across_currencies(
    begin: Begin, ids: Ids
) -> None:
    entries = [
        entry(ids, "1", ("receivable/mtn/GBP", 100), ("revenue/voice/GBP", -100)),
        entry(ids, "2", ("receivable/bt/GBP", 20), ("revenue/voice/GBP", -20)),
        entry(ids, "3", ("receivable/mtn/ZAR", 7), ("revenue/voice/ZAR", -7)),
        entry(ids, "4", ("cost/voice/GBP", 3), ("payable/bt/GBP", -3)),
    ]
    with begin() as tx:
        ledger.post(tx, entries=entries, now=NOW)
        assert ledger.together(tx, heads=("receivable", "payable")) == [
            ("payable", Money(-3, "GBP")),
            ("receivable", Money(120, "GBP")),
            ("receivable", Money(7, "ZAR")),
        ]
        of = [(MTN, "ZAR"), (BT, "GBP"), (BT, "EUR")]
        one_by_one = [ledger.exposure(tx, party=party, currency=unit) for party, unit in of]
        assert ledger.exposures(tx, of=of) == one_by_one
        assert one_by_one == [Money(7, "ZAR"), Money(20, "GBP"), Money(0, "EUR")]
        assert ledger.exposures(tx, of=[]) == []
