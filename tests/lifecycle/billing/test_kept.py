"""A bill as it is kept says what the bill says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.foundation import packing
from hansa.foundation.ids import BillId, HoldingId, OfferCode, OrderId
from hansa.foundation.money import Money
from hansa.lifecycle.billing.model import Bill, BillLine, BillState, keep
from tests.lifecycle.billing.examples import ALLIANCE, BT, MTN, NOVEMBER, day

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LINES = st.lists(
    st.builds(
        BillLine,
        key=WORDS,
        offer=WORDS.map(OfferCode),
        description=WORDS,
        quantity=st.decimals(allow_nan=False, allow_infinity=False),
        unit=WORDS,
        net=st.builds(Money, st.integers(), st.just("ZAR")),
        tax=st.builds(Money, st.integers(), st.just("ZAR")),
        tax_code=st.sampled_from(["standard", "reverse-charge", "exempt"]),
        rate_bp=st.integers(0, 10_000),
        legend=WORDS,
        holding=st.none() | WORDS.map(HoldingId),
        order=st.none() | WORDS.map(OrderId),
        family=st.none() | st.sampled_from(["voice", "security"]),
    ),
    max_size=8,
)


ZERO = Money(0, "ZAR")


def bill(lines: list[BillLine]) -> Bill:
    return Bill(
        id=BillId("bil_1"),
        kind_of="services",
        issuer=MTN,
        buyer=BT,
        agreement=ALLIANCE,
        period=NOVEMBER,
        currency="ZAR",
        lines=tuple(lines),
        net=Money(1, "ZAR"),
        tax=Money(2, "ZAR"),
        state=BillState.NEW,
        made_at=day(2, month=12),
    )


@given(lines=LINES, items=st.integers(1, 4))
def test_nothing_is_lost_in_keeping_a_bill(lines: list[BillLine], items: int) -> None:
    made_of = bill(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "PART_ITEMS", items)
        made = keep(made_of)
    assert made.whole == made_of
    assert made.orders == sorted({one.order for one in lines if one.order is not None})
    assert made.income == {
        family or "other": sum(one.net.minor for one in lines if one.family == family)
        for family in sorted({one.family for one in lines}, key=str)
    }
    assert [(one.key, one.quantity, one.net) for one in made.packed.lines] == [
        (one.key, one.quantity, one.net) for one in lines
    ]


@pytest.mark.parametrize("change", [{"key": "b"}, {"rate_bp": 5}, {"order": None}, {"legend": "!"}])
def test_a_bill_with_another_line_has_another_fingerprint(change: dict[str, Any]) -> None:
    line = BillLine(
        "a", OfferCode("b"), "", Decimal(1), "", ZERO, ZERO, "standard", 0, order=OrderId("o")
    )
    assert keep(bill([line])).fingerprint == keep(bill([line])).fingerprint
    assert keep(bill([line])).fingerprint != keep(bill([replace(line, **change)])).fingerprint
