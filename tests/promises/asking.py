"""A partner as a node asks it: each order, and the end of each, with the node's own mandate."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.federation.contract import (
    Condition,
    Need,
    Offer,
    Order,
    Progress,
    Qualification,
    Quote,
    UsageRecord,
)
from hansa.federation.keys import vouching
from hansa.federation.keys.vouching import Asking, Voucher
from hansa.federation.mandate import Mandate
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId, QuoteId, TraceId
from hansa.foundation.time import Period
from hansa.node import Node


class Showing:
    """A Seller. What it knows no quote of it asks for without a mandate.

    partner: as the node has it.
    """

    def __init__(self, node: Node, party: PartyId) -> None:
        self.partner = node.seller(party)
        self._clock = node.clock
        self._vouch = Voucher(node.us.id, node.neighbours.key)
        self._quoted: dict[QuoteId, tuple[Quote, TraceId]] = {}
        self._ordered: dict[OrderId, QuoteId] = {}

    def offers(self) -> Sequence[Offer]:
        return self.partner.offers()

    def qualify(self, need: Need) -> Qualification:
        return self.partner.qualify(need)

    def quote(self, need: Need) -> Quote:
        made = self.partner.quote(need)
        self._quoted[made.id] = made, need.trace
        return made

    def order(self, *, quote_id: QuoteId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        mandate = mandate or self._mandate(quote_id, key)
        made = self.partner.order(quote_id=quote_id, key=key, mandate=mandate)
        self._ordered[made.id] = quote_id
        return made

    def cease(self, *, order_id: OrderId, key: BuyerKey, mandate: Mandate | None = None) -> Order:
        mandate = mandate or self._mandate(self._ordered.get(order_id), key, ends=order_id)
        return self.partner.cease(order_id=order_id, key=key, mandate=mandate)

    def progress(self, order_id: OrderId) -> Progress:
        return self.partner.progress(order_id)

    def condition(self, holding_id: HoldingId) -> Condition:
        return self.partner.condition(holding_id)

    def usage(self, *, holding_id: HoldingId, period: Period) -> Sequence[UsageRecord]:
        return self.partner.usage(holding_id=holding_id, period=period)

    def _mandate(
        self, quote_id: QuoteId | None, key: BuyerKey, ends: OrderId | None = None
    ) -> Mandate | None:
        if quote_id is None or quote_id not in self._quoted:
            return None
        quote, trace = self._quoted[quote_id]
        ask: Asking = vouching.asking(quote)
        if ends is not None:
            ask = vouching.ceasing(ask, ends)
        return self._vouch(None, ask=ask, key=key, trace=trace, now=self._clock.now())
