"""What the pretended shop keeps, as far as the wire asks for it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hansa.federation.contract import Need, Tax
from hansa.federation.shelf import (
    Extras,
    OrderLine,
    QualificationKind,
    QuoteState,
    ShelfHolding,
    ShelfOffer,
    ShelfOrder,
    ShelfQualification,
    ShelfQuote,
)
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import HoldingId, OfferCode, OrderId

if TYPE_CHECKING:
    from tests.federation.shop import Shop


@dataclass
class ShopShelf:
    """Of the promise, what `Shop` can answer."""

    shop: Shop

    def offers(self) -> Sequence[ShelfOffer]:
        return [ShelfOffer(offer, self.shop.now) for offer in self.shop.offers()]

    def qualify(
        self, need: Need, *, kind: QualificationKind = "offering", extras: Extras | None = None
    ) -> ShelfQualification:
        made, now = self.shop.qualify(need), self.shop.now
        until = now + timedelta(days=1)
        return ShelfQualification(made, self.shop.buyer, kind, need, now, until, extras or {})

    def make_quote(self, need: Need, *, extras: Extras | None = None) -> ShelfQuote:
        made = self.shop.quote(need)
        return ShelfQuote(made, QuoteState.APPROVED, made.made_at, need.trace, extras=extras or {})

    def order(self, order_id: OrderId) -> ShelfOrder:
        progress = self.shop.progress(order_id)
        order = next(one for one, _ in self.shop.orders.values() if one.id == order_id)
        quoted = {line.item: line for line in self.shop.quotes[order.quote].lines}
        lines = tuple(
            OrderLine("add", quoted[one.item], progress.state, one.holding, one.since)
            for one in progress.provided
        )
        return ShelfOrder(order, "provide", progress, lines, "GBP")

    def holding(self, holding_id: HoldingId) -> ShelfHolding:
        if holding_id != "hld_1":
            raise NotFound("holding-unknown", "You hold no such thing.", field="holding")
        terms = self.shop.offers()[0].terms
        assert terms is not None
        return ShelfHolding(
            id=holding_id,
            seller=self.shop.seller,
            buyer=self.shop.buyer,
            item="a",
            offer=OfferCode("line"),
            offer_name="Line",
            family="connectivity",
            site=None,
            agreement=None,
            state="active",
            since=self.shop.now,
            until=None,
            characteristics={},
            quantity=1,
            terms=terms,
            tax=Tax("exempt", 0),
            order=OrderId("ord_0"),
            began_with=OrderId("ord_0"),
        )

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"the shop keeps no {name}")
