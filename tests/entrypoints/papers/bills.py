"""Final bills that show every way of being taxed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from hansa.entrypoints.papers.invoice import Side
from hansa.federation.contract import AgreementRef
from hansa.foundation.ids import AgreementId, BillId, OfferCode, PartyId
from hansa.foundation.money import Money, Rounding, add_up
from hansa.foundation.party import Party
from hansa.foundation.time import Period
from hansa.lifecycle.billing.model import Bill, BillLine, BillState
from hansa.lifecycle.clearing.model import Particulars

TEJO = Side(
    Party(PartyId("tejo"), "Tejo Comunicações, S.A.", "PT", "EUR", "PT501442600"),
    Particulars(
        PartyId("tejo"),
        street="Avenida da Liberdade, 110, 3.º",
        city="Lisboa",
        postcode="1250-146",
        registration="501442600",
        endpoint="9946:PT501442600",
    ),
)
SAMPA = Side(
    Party(PartyId("sampa"), "São Paulo Conexões Ltda.", "BR", "BRL", "12.345.678/0001-95"),
    Particulars(PartyId("sampa"), city="São Paulo", endpoint="0088:7300010000001"),
)
ALLIANCE = AgreementRef(AgreementId("agr_1"), 2)
NOVEMBER = Period.month(2026, 11)
TaxCode = Literal["standard", "reverse-charge", "exempt"]


def line(
    net: int,
    *,
    code: TaxCode = "standard",
    bp: int = 0,
    legend: str = "",
    quantity: str = "1",
    unit: str = "month",
    currency: str = "EUR",
    name: str = "Ligação por fibra, 2026-11",
) -> BillLine:
    amount = Money(net, currency)
    return BillLine(
        key=f"hld_{net}/{unit}",
        offer=OfferCode("fibra"),
        description=name,
        quantity=Decimal(quantity),
        unit=unit,
        net=amount,
        tax=amount.times(Fraction(bp, 10_000), rounding=Rounding.HALF_UP),
        tax_code=code,
        rate_bp=bp,
        legend=legend,
    )


def bill(lines: Sequence[BillLine], *, currency: str = "EUR") -> Bill:
    return Bill(
        id=BillId("bil_1"),
        kind_of="services",
        issuer=TEJO.party.id,
        buyer=SAMPA.party.id,
        agreement=ALLIANCE,
        period=NOVEMBER,
        currency=currency,
        lines=tuple(lines),
        net=add_up((one.net for one in lines), currency),
        tax=add_up((one.tax for one in lines), currency),
        state=BillState.SENT,
        made_at=NOVEMBER.end,
        number="TEJO-2026-000007",
        issued_at=NOVEMBER.end,
    )


def draft() -> Bill:
    return replace(bill([line(100)]), state=BillState.NEW, number="", issued_at=None)
