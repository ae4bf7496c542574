"""An invoice as it is printed."""

from __future__ import annotations

from dataclasses import replace

from hansa.foundation.ids import BillId
from hansa.foundation.money import add_up
from hansa.foundation.site import Site
from hansa.lifecycle.billing import rules
from hansa.lifecycle.billing.model import Bill, BillState
from tests.lifecycle.billing.examples import (
    ALLIANCE,
    BT,
    MTN,
    MTN_PARTY,
    NOVEMBER,
    REVERSE,
    SHOP,
    SHOP_PARTY,
    day,
    holding,
    spell,
    usage,
)

INVOICE = """\
INVOICE MTN-2026-000001

From      MTN Business (ZA, tax number 4987654321)
To        Protea Stores (Pty) Ltd (ZA, tax number 4012345678)
Period    2026-11 (UTC)
Issued    2026-12-01 06:00 UTC
Currency  ZAR

Description                                                 Quantity  Unit             Net  Tax %     Tax
---------------------------------------------------------------------------------------------------------
SA Connect (Sandton), one-off                                      1  item          900.00  15.00  135.00
SA Connect (Sandton), 2026-11-16 00:00 to 2026-12-01 00:00         1  part month  1,500.00  15.00  225.00
SA Connect (Sandton), calls to gh                               12.5  min            12.35  15.00    1.85
SA Connect, 2026-11                                                1  month         100.00   0.00    0.00

Tax             Rate %       Net     Tax  Legend
---------------------------------------------------------------------------------------------
reverse-charge    0.00    100.00    0.00  Reverse charge: the recipient accounts for the tax.
standard         15.00  2,412.35  361.85

Net        2,512.35
Tax          361.85
Total ZAR  2,874.20
"""  # noqa: E501


def bill() -> Bill:
    site = Site("jnb", "Sandton", "ZA", "Johannesburg")
    first = holding(spell(day(16), one_off=90_000), site=site)
    second = holding(spell(day(1), monthly=10_000, tax=REVERSE), id="hld_2")
    lines = (
        *rules.lines(first, [usage("gh", "12.345")], NOVEMBER),
        *rules.lines(second, (), NOVEMBER),
    )
    return Bill(
        id=BillId("bil_1"),
        kind_of="services",
        issuer=MTN,
        buyer=SHOP,
        agreement=None,
        period=NOVEMBER,
        currency="ZAR",
        lines=lines,
        net=add_up((line.net for line in lines), "ZAR"),
        tax=add_up((line.tax for line in lines), "ZAR"),
        state=BillState.SENT,
        made_at=day(1, 5, month=12),
        number="MTN-2026-000001",
        issued_at=day(1, 6, month=12),
    )


def test_an_invoice_is_aligned_and_complete() -> None:
    assert rules.paper(bill(), issuer=MTN_PARTY, buyer=SHOP_PARTY) == INVOICE


def test_a_draft_says_that_it_is_one() -> None:
    draft = replace(
        bill(), state=BillState.NEW, number="", issued_at=None, buyer=BT, agreement=ALLIANCE
    )
    text = rules.paper(draft, issuer=MTN_PARTY, buyer=SHOP_PARTY)
    assert text.startswith("DRAFT bil_1\n")
    assert "Issued     not yet\n" in text
    assert "Agreement  agr_1 version 1\n" in text


def test_tax_totals_are_sums_of_rounded_lines() -> None:
    """Three lines of 0.33 at 15% owe 0.05 each, not 0.15 of 0.99 rounded again."""
    lines = rules.lines(
        holding(spell(day(1), monthly=0)), [usage(name, "0.33") for name in "abc"], NOVEMBER
    )
    (total,) = rules.tax_totals(lines)
    assert (str(total.net), str(total.tax)) == ("0.99 ZAR", "0.15 ZAR")
