"""Holdings and rated usage for the stories of billing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hansa.federation.contract import AgreementRef, Tax, Terms
from hansa.foundation.ids import AgreementId, HoldingId, OfferCode, OrderId, PartyId, TraceId
from hansa.foundation.money import NANO, Money
from hansa.foundation.party import Party
from hansa.foundation.site import Site
from hansa.foundation.time import Instant, Period
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState, Spell
from hansa.lifecycle.rating.model.lines import RatedLine

BT, MTN, SHOP = PartyId("bt"), PartyId("mtn"), PartyId("shop")
SHOP_PARTY = Party(SHOP, "Protea Stores (Pty) Ltd", "ZA", "ZAR", "4012345678")
MTN_PARTY = Party(MTN, "MTN Business", "ZA", "ZAR", "4987654321")
ALLIANCE = AgreementRef(AgreementId("agr_1"), 1)
NOVEMBER = Period.month(2026, 11)
VAT = Tax("standard", 1_500)
REVERSE = Tax("reverse-charge", 0, "Reverse charge: the recipient accounts for the tax.")


def day(number: int, hour: int = 0, *, month: int = 11, minute: int = 0) -> Instant:
    return datetime(2026, month, number, hour, minute, tzinfo=UTC)


def spell(
    start: Instant,
    end: Instant | None = None,
    *,
    monthly: int = 300_000,
    one_off: int = 0,
    currency: str = "ZAR",
    tax: Tax = VAT,
    order: str = "ord_1",
    quantity: int = 1,
) -> Spell:
    return Spell(
        start=start,
        end=end,
        order=OrderId(order),
        characteristics={},
        quantity=quantity,
        terms=Terms(Money(one_off, currency), Money(monthly, currency)),
        tax=tax,
    )


def holding(
    *spells: Spell,
    id: str = "hld_1",
    seller: PartyId = MTN,
    buyer: PartyId = SHOP,
    agreement: AgreementRef | None = None,
    site: Site | None = None,
    offer: str = "sa-connect",
) -> Holding:
    return Holding(
        ref=HoldingRef(seller, HoldingId(id)),
        buyer=buyer,
        item="line-1",
        offer=OfferCode(offer),
        offer_name="SA Connect",
        family="connectivity",
        site=site,
        agreement=agreement,
        state=HoldingState.ACTIVE if spells[-1].end is None else HoldingState.TERMINATED,
        trace=TraceId("0" * 32),
        spells=spells,
    )


def usage(label: str, amount: str, currency: str = "ZAR", quantity: str = "12.5") -> RatedLine:
    """Rated usage of so much money in major units, to the billionth."""
    return RatedLine(
        label=label,
        description=f"calls to {label}",
        quantity=Decimal(quantity),
        unit="min",
        nano=int(Decimal(amount) * NANO),
        currency=currency,
        reason={"rule": "voice"},
    )
