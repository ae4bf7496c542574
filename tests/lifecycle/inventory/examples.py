"""Holdings for the stories of this room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hansa.federation.contract import AgreementRef, PercentileTariff, Tax, Terms
from hansa.foundation.ids import AgreementId, HoldingId, OfferCode, OrderId, PartyId, TraceId
from hansa.foundation.money import Money
from hansa.foundation.site import Site
from hansa.foundation.time import Instant
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState, Spell

BT, MTN, SHOP = PartyId("bt"), PartyId("mtn"), PartyId("shop")
START = datetime(2026, 11, 2, 8, tzinfo=UTC)


def at(hours: float) -> Instant:
    """So many hours after the start of these stories."""
    return START + timedelta(hours=hours)


def ref(name: str, seller: PartyId = MTN) -> HoldingRef:
    return HoldingRef(seller, HoldingId(f"hld_{name}"))


def spell(order: str, start: Instant = START, *, mbps: int = 100, one_off: int = 50_000) -> Spell:
    return Spell(
        start=start,
        end=None,
        order=OrderId(order),
        characteristics={"bandwidth": mbps, "class": "gold"},
        quantity=1,
        terms=Terms(
            one_off=Money(one_off, "ZAR"),
            monthly=Money(mbps * 1_000, "ZAR"),
            tariff=PercentileTariff(rate_per_mbps=Decimal("12.50"), commit_mbps=mbps // 2),
        ),
        tax=Tax("standard", 1_500, "VAT 15%"),
    )


def holding(
    name: str, first: Spell | None = None, *, seller: PartyId = MTN, buyer: PartyId = SHOP
) -> Holding:
    return Holding(
        ref=ref(name, seller),
        buyer=buyer,
        item="jnb-1",
        offer=OfferCode("global-connect"),
        offer_name="Global Connect",
        family="connectivity",
        site=Site("jnb", "Shop 1", "ZA", "Johannesburg", Decimal("-26.204100"), None),
        agreement=None if buyer == SHOP else AgreementRef(AgreementId("agr_1"), 2),
        state=HoldingState.ACTIVE,
        trace=TraceId("0" * 32),
        spells=(first or spell("ord_1"),),
    )


def closed(spell: Spell, end: Instant) -> Spell:
    return replace(spell, end=end)


def without_one_off(spell: Spell, start: Instant) -> Spell:
    """As a spell's terms run on after a change was taken back."""
    return replace(
        spell, start=start, end=None, terms=replace(spell.terms, one_off=Money(0, "ZAR"))
    )
