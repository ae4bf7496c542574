"""What a month costs, as tables that a product manager can read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation.contract import Tax
from hansa.foundation.ids import OfferCode, OrderId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant, Period
from hansa.lifecycle.billing import rules
from hansa.lifecycle.inventory.model import Holding
from hansa.lifecycle.order.model import Charge
from tests.lifecycle.billing.examples import (
    ALLIANCE,
    BT,
    MTN,
    NOVEMBER,
    REVERSE,
    SHOP,
    VAT,
    day,
    holding,
    spell,
    usage,
)

ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)


def nets(held: Holding, period: Period = NOVEMBER) -> dict[str, str]:
    """What each line of the month comes to, by the part of its key after the holding."""
    return {
        line.key.split("/", 1)[1].split("@")[0]: str(line.net)
        for line in rules.lines(held, (), period)
    }


@pytest.mark.parametrize(
    ("start", "end", "due"),
    [
        (day(1), None, "3,000.00 ZAR"),
        (day(1, month=10), None, "3,000.00 ZAR"),
        (day(16), None, "1,500.00 ZAR"),  # half of 30 days
        (day(30, 23), None, "4.17 ZAR"),  # one hour of 720: 4.1666…
        (day(1), day(2), "100.00 ZAR"),
        (day(10, 6), day(10, 12), "25.00 ZAR"),
        (day(1, month=10), day(1), None),  # ended where the month begins
        (day(1, month=12), None, None),  # begins where the month ends
    ],
)
def test_a_monthly_price_in_a_month_of_30_days(
    start: Instant, end: Instant | None, due: str | None
) -> None:
    assert nets(holding(spell(start, end))).get("monthly") == due


@pytest.mark.parametrize(
    ("year", "month", "monthly", "due"),
    [
        (2026, 2, 28_000, "10.00 GBP"),  # one day of 28
        (2028, 2, 29_000, "10.00 GBP"),  # one day of 29
        (2026, 12, 31_000, "10.00 GBP"),  # one day of 31
        (2026, 2, 10_000, "3.57 GBP"),  # 100 / 28 = 3.571…
        (2026, 12, 10_000, "3.23 GBP"),  # 100 / 31 = 3.225…
    ],
)
def test_the_last_day_of_a_month(year: int, month: int, monthly: int, due: str) -> None:
    period = Period.month(year, month)
    last = period.end - timedelta(days=1)
    held = holding(spell(last, monthly=monthly, currency="GBP"))
    assert nets(held, period)["monthly"] == due


@pytest.mark.parametrize(
    ("currency", "monthly", "due"),
    [
        # one day of 30: what a whole month costs, what a day does
        ("GBP", 15, "0.01 GBP"),  # 0.5 pence: halves go up
        ("GBP", 44, "0.01 GBP"),
        ("GBP", 45, "0.02 GBP"),
        ("JPY", 45, "2 JPY"),  # no minor unit: 1.5 yen
        ("UGX", 1_000_015, "33,334 UGX"),
        ("UGX", 1_000_005, "33,334 UGX"),  # 33,333.5
        ("KWD", 45, "0.002 KWD"),  # three decimals: 1.5 fils
        ("TND", 100_000, "3.333 TND"),
        ("GBP", -15, "-0.01 GBP"),  # a discount is rounded alike
    ],
)
def test_one_day_in_currencies_of_0_2_and_3_decimals(currency: str, monthly: int, due: str) -> None:
    held = holding(spell(day(30), monthly=monthly, currency=currency))
    assert nets(held)["monthly"] == due


def test_a_change_in_mid_month_is_two_lines_that_meet() -> None:
    held = holding(
        spell(day(1), day(11), monthly=300_000, order="ord_1"),
        spell(day(11), None, monthly=600_000, one_off=5_000, order="ord_2"),
    )
    found = rules.lines(held, (), NOVEMBER)
    assert [(line.key, str(line.net), line.order) for line in found] == [
        ("hld_1/monthly@2026-11-01T00:00:00Z", "1,000.00 ZAR", "ord_1"),
        ("hld_1/one-off@2026-11-11T00:00:00Z", "50.00 ZAR", "ord_2"),
        ("hld_1/monthly@2026-11-11T00:00:00Z", "4,000.00 ZAR", "ord_2"),
    ]
    assert "2026-11-11 00:00 to 2026-12-01 00:00" in found[2].description


def test_a_one_off_is_due_where_its_spell_starts() -> None:
    held = holding(spell(day(16), None, one_off=90_000, monthly=0))
    october, december = Period.month(2026, 10), Period.month(2026, 12)
    assert [nets(held, period) for period in (october, NOVEMBER, december)] == [
        {},
        {"one-off": "900.00 ZAR"},
        {},
    ]


def test_a_spell_that_lasted_no_time_costs_nothing() -> None:
    held = holding(spell(day(5), day(5), one_off=90_000), spell(day(5), None, monthly=30_000))
    assert nets(held) == {"monthly": "260.00 ZAR"}


def test_lines_that_round_to_zero_are_left_out() -> None:
    held = holding(spell(day(30, 23), None, monthly=100, one_off=0))
    assert rules.lines(held, [usage("za", "0.004"), usage("gh", "0.005")], NOVEMBER)[0].key == (
        "hld_1/usage/gh"
    )


def test_usage_is_rounded_once_a_line() -> None:
    held = holding(spell(ALWAYS, None, monthly=0))
    rated = [usage("za", "12.345"), usage("gh", "0.335000001"), usage("ng", "0.334999999")]
    assert [
        (line.key, str(line.net), str(line.tax), line.quantity, line.unit)
        for line in rules.lines(held, rated, NOVEMBER)
    ] == [
        ("hld_1/usage/gh", "0.34 ZAR", "0.05 ZAR", Decimal("12.5"), "min"),
        ("hld_1/usage/ng", "0.33 ZAR", "0.05 ZAR", Decimal("12.5"), "min"),
        ("hld_1/usage/za", "12.35 ZAR", "1.85 ZAR", Decimal("12.5"), "min"),
    ]


@pytest.mark.parametrize(
    ("net", "rate_bp", "tax"),
    [
        (1_000, 2_000, 200),
        (1_003, 1_500, 150),  # 150.45
        (1_010, 1_500, 152),  # 151.5 goes up
        (-1_010, 1_500, -152),
        (333, 0, 0),
        (999, 1_925, 192),  # 192.3
    ],
)
def test_tax_is_rounded_once_on_the_rounded_net(net: int, rate_bp: int, tax: int) -> None:
    assert rules.tax_on(Money(net, "GBP"), Tax("standard", rate_bp)) == Money(tax, "GBP")


def test_usage_is_taxed_by_the_last_spell_of_the_month() -> None:
    held = holding(
        spell(ALWAYS, day(11), monthly=0, tax=Tax("standard", 1_500), order="ord_1"),
        spell(day(11), day(1, month=12), monthly=0, tax=REVERSE, order="ord_2"),
        spell(day(1, month=12), None, monthly=0, order="ord_3"),
    )
    (line,) = rules.lines(held, [usage("za", "10")], NOVEMBER)
    assert (line.tax_code, line.legend, line.order) == ("reverse-charge", REVERSE.legend, "ord_2")


def test_a_key_names_the_instant_in_utc_wherever_it_was_read() -> None:
    there = datetime(2026, 11, 16, 10, tzinfo=timezone(timedelta(hours=2)))
    here = datetime(2026, 11, 16, 8, 0, 0, 250_000, tzinfo=UTC)
    keys = [
        line.key for at in (there, here) for line in rules.lines(holding(spell(at)), (), NOVEMBER)
    ]
    assert keys == [
        "hld_1/monthly@2026-11-16T08:00:00Z",
        "hld_1/monthly@2026-11-16T08:00:00.250000Z",
    ]


def test_a_part_of_a_month_does_not_reach_into_the_next() -> None:
    with pytest.raises(ValueError, match="more than one calendar month"):
        rules.share_of_month(Period(day(1), day(1, 0, month=12, minute=1)))


moments = st.integers(0, (NOVEMBER.end - NOVEMBER.start) // timedelta(microseconds=1)).map(
    lambda us: NOVEMBER.start + timedelta(microseconds=us)
)


@given(cuts=st.lists(moments, unique=True, max_size=6))
def test_shares_of_a_month_add_up_to_the_month(cuts: list[Instant]) -> None:
    edges = sorted({NOVEMBER.start, *cuts, NOVEMBER.end})
    parts = [Period(low, high) for low, high in pairwise(edges)]
    assert sum(map(rules.share_of_month, parts)) == Fraction(1)


@given(
    cuts=st.lists(moments, unique=True, min_size=1, max_size=6),
    monthly=st.integers(-(10**9), 10**9),
)
def test_cutting_a_month_moves_the_sum_by_less_than_a_unit_a_line(
    cuts: list[Instant], monthly: int
) -> None:
    edges = sorted({NOVEMBER.start, *cuts})
    ends = [*edges[1:], None]
    held = holding(
        *(spell(start, end, monthly=monthly) for start, end in zip(edges, ends, strict=True))
    )
    total = sum(line.net.minor for line in rules.lines(held, (), NOVEMBER))
    assert abs(total - monthly) <= len(edges)


def test_lines_are_gathered_by_counterparty_agreement_and_currency() -> None:
    ours = holding(spell(ALWAYS), id="hld_2", seller=BT, buyer=MTN, agreement=ALLIANCE)
    other = holding(
        spell(ALWAYS, currency="GBP"), id="hld_1", seller=BT, buyer=MTN, agreement=ALLIANCE
    )
    customer = holding(spell(ALWAYS), id="hld_3", seller=MTN, buyer=SHOP)
    priced = [(one, rules.lines(one, (), NOVEMBER)) for one in (customer, ours, other)]
    by_buyer = rules.gathered(priced, by="buyer")
    assert [(one.party, one.agreement, one.currency) for one in by_buyer] == [
        (MTN, ALLIANCE, "GBP"),
        (MTN, ALLIANCE, "ZAR"),
        (SHOP, None, "ZAR"),
    ]
    by_seller = rules.gathered(priced[1:], by="seller")
    assert {one.party for one in by_seller} == {BT}


def a_charge(item: str = "line-1", **changes: object) -> Charge:
    charge = Charge(
        seller=BT,
        order=OrderId("ord_1"),
        item=item,
        buyer=MTN,
        offer=OfferCode("sa-connect"),
        offer_name="SA Connect",
        family="connectivity",
        site="Durban",
        holding=None,
        quantity=2,
        net=Money(12_345, "ZAR"),
        tax=VAT,
        agreement=ALLIANCE,
        due_at=day(7, 13, minute=30),
    )
    return replace(charge, **changes)  # type: ignore[arg-type]


def test_what_was_cancelled_is_a_line_with_its_reason() -> None:
    line = rules.charge_line(a_charge())
    assert line.key == "ord_1/cancellation/line-1"
    assert line.description == (
        "SA Connect (Durban), cancelled on 2026-11-07 13:30 UTC after work on it had begun"
    )
    assert (line.quantity, line.unit) == (Decimal(2), "item")
    assert (line.net, line.tax) == (Money(12_345, "ZAR"), Money(1_852, "ZAR"))
    assert (line.order, line.holding, line.family) == ("ord_1", None, "connectivity")
    assert rules.charge_line(a_charge(site="")).description.startswith("SA Connect, cancelled")


def test_what_was_cancelled_goes_on_the_bill_of_its_agreement_and_currency() -> None:
    held = holding(spell(ALWAYS), id="hld_1", seller=BT, buyer=MTN, agreement=ALLIANCE)
    priced = [(held, rules.lines(held, (), NOVEMBER))]
    charges = [
        a_charge("a"),
        a_charge("b", agreement=replace(ALLIANCE, version=2)),
        a_charge("c", net=Money(1, "GBP")),
        a_charge("d", buyer=SHOP, agreement=None),
    ]
    found = rules.gathered(priced, charges, by="buyer")
    assert [
        (one.party, one.agreement and one.agreement.version, one.currency, len(one.lines))
        for one in found
    ] == [(MTN, 1, "GBP", 1), (MTN, 1, "ZAR", 2), (MTN, 2, "ZAR", 1), (SHOP, None, "ZAR", 1)]
    assert {one.party for one in rules.gathered((), charges, by="seller")} == {BT}


def test_both_sides_compute_the_same_lines() -> None:
    """The seller's book and the buyer's book hold the same holding: so do their lines."""
    sold = holding(spell(day(7, 13)), seller=BT, buyer=MTN, agreement=ALLIANCE)
    bought = holding(spell(day(7, 13)), seller=BT, buyer=MTN, agreement=ALLIANCE)
    rated = [usage("za", "1.5")]
    assert rules.lines(sold, rated, NOVEMBER) == rules.lines(bought, rated[::-1], NOVEMBER)
