"""Bills that are looked through, some at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from hansa.foundation.errors import NotFound
from hansa.foundation.ids import BillId, Ids, OfferCode, PartyId
from hansa.foundation.money import Money, add_up
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.billing import actions
from hansa.lifecycle.billing.model import Bill, BillFilter, BillLine, BillState
from hansa.lifecycle.settlement.actions import looking
from tests.lifecycle.billing.examples import ALLIANCE, BT, MTN, NOVEMBER, day

SHOP = PartyId("shop")


def line(number: int, currency: str) -> BillLine:
    return BillLine(
        key=f"hld_{number}/monthly",
        offer=OfferCode("line"),
        description=f"Line {number}",
        quantity=Decimal(1),
        unit="month",
        net=Money(number, currency),
        tax=Money(0, currency),
        tax_code="exempt",
        rate_bp=0,
        family="voice",
    )


def bill(ids: Ids, lines: int, *, buyer: PartyId = SHOP, currency: str = "KWD") -> Bill:
    made = tuple(line(number, currency) for number in range(1, lines + 1))
    return Bill(
        id=ids.new(BillId),
        kind_of="services",
        issuer=MTN,
        buyer=buyer,
        agreement=None if buyer == SHOP else ALLIANCE,
        period=NOVEMBER,
        currency=currency,
        lines=made,
        net=add_up((one.net for one in made), currency),
        tax=Money(0, currency),
        state=BillState.NEW,
        made_at=day(2, month=12),
    )


@pytest.mark.parametrize("offset", [0, 498, 500, 1_000, 1_199, 5_000])
def test_some_lines_of_many_are_read_alone(begin: Begin, ids: Ids, offset: int) -> None:
    whole = bill(ids, 1_203)
    with begin() as tx:
        actions.draft(tx, bill=whole)
        found = actions.lines(tx, id=whole.id, offset=offset, limit=5)
        assert actions.bare(tx, id=whole.id) == replace(whole, lines=())
        with pytest.raises(NotFound, match="bill-unknown"):
            actions.bare(tx, id=BillId("bil_2"))
    assert found.total == 1_203
    wanted = [(one.key, one.net) for one in whole.lines[offset : offset + 5]]
    assert [(one.key, one.net) for one in found.things] == wanted


def test_bills_are_found_by_what_is_wanted_of_them(begin: Begin, ids: Ids, clock: SetClock) -> None:
    to_shop, to_bt = bill(ids, 2), bill(ids, 1, buyer=BT, currency="GBP")
    with begin() as tx:
        for one in (to_shop, to_bt):
            actions.draft(tx, bill=one)
        actions.finalise(tx, bill=to_shop.id, ids=ids, now=clock.now())

        def found(wanted: BillFilter) -> list[BillId]:
            return [one.id for one in actions.page(tx, wanted=wanted, limit=9).things]

        assert set(found(BillFilter())) == {to_shop.id, to_bt.id}
        assert found(BillFilter(party=BT)) == [to_bt.id]
        assert found(BillFilter(currency="KWD")) == [to_shop.id]
        assert found(BillFilter(sold_to="partners")) == [to_bt.id]
        assert found(BillFilter(states=frozenset({BillState.VALIDATED}))) == [to_shop.id]
        assert found(BillFilter(states=frozenset())) == []
        assert actions.page(tx, wanted=BillFilter(), offset=1, limit=1).total == 2


@pytest.mark.parametrize(("days", "age"), [(0, 0), (30, 0), (31, 1), (61, 2), (91, 3), (900, 3)])
def test_what_customers_owe_grows_old(
    begin: Begin, ids: Ids, clock: SetClock, days: int, age: int
) -> None:
    made = bill(ids, 4)
    with begin() as tx:
        actions.draft(tx, bill=made)
        assert looking.customers_ageing(tx, us=MTN, now=clock.now(), limit=9).things == []
        actions.finalise(tx, bill=made.id, ids=ids, now=clock.now())
        later = clock.now() + timedelta(days=days)
        (aged,) = looking.customers_ageing(tx, us=MTN, now=later, limit=9).things
    wanted = [Money(0, "KWD")] * 4
    wanted[age] = Money(10, "KWD")
    assert (aged.party, list(aged.ages), aged.total) == (SHOP, wanted, Money(10, "KWD"))
