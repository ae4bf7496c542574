"""The same suite for a storefront, a partner over the wire, and chains of two and five nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hansa.federation.contract import Characteristics, Seller
from hansa.foundation.database import Database
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId, QuoteId
from hansa.foundation.site import Site
from hansa.foundation.time import SetClock
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from tests.alliance import Alliance, chain
from tests.promises.seller_suite import Market, SellerSuite


@pytest.fixture
def alliance(
    databases: Callable[[], Database], tmp_path: Path, clock: SetClock
) -> Iterator[Alliance]:
    """An alliance without operators."""
    made = Alliance(databases, tmp_path, clock, b"promises")
    yield made
    made.close()


def market(
    alliance: Alliance,
    seller: Seller,
    stranger: Seller,
    *,
    hops: int,
    reason: str,
    trail: tuple[PartyId, ...] = (),
) -> Market:
    """What a chain promises to whoever buys at its upper end, `hops` operators above the ground.

    reason: why nothing is to be had in Accra. trail: the buyer, if it is an operator.
    """

    def unfinished(quote: QuoteId, key: BuyerKey) -> OrderId:
        return seller.order(quote_id=quote, key=key).id

    def shows(holding: HoldingId) -> Characteristics | None:
        return device(alliance, holding, hops)

    return Market(
        seller=seller,
        stranger=stranger,
        clock=alliance.clock,
        need=replace(alliance.need("Durban", "Johannesburg"), trail=trail),
        unreachable=Site("acc", "Accra", "GH", "Accra"),
        unreachable_reason=reason,
        change={"speed_mbps": 200},
        wrong_currency="ZAR",
        settle=alliance.work,
        unfinished=unfinished,
        shows=shows,
        hops=hops,
        measured=False,
    )


def device(alliance: Alliance, holding: HoldingId, hops: int) -> Characteristics | None:
    """Follows a holding from operator to operator down to the device that carries it."""
    for number in range(hops, 0, -1):
        node = alliance.nodes[PartyId(f"op{number}")]
        with node.begin() as tx:
            ((_, lower),) = inventory.below(tx, ref=HoldingRef(node.us.id, holding))
        holding = lower.ref.id
    observed = node.kit.drivers["connectivity"].observe(holding)
    return observed.characteristics if observed else None


def customers(alliance: Alliance, length: int) -> Market:
    """A customer of the last of so many operators, and another one of its customers."""
    front = chain(alliance, length)
    top = alliance.nodes[PartyId(f"op{length}")]
    other = alliance.customer(top, PartyId("other"))
    reason = "site-outside-coverage" if length == 1 else "country-not-agreed"
    return market(alliance, front, other, hops=length, reason=reason)


class TestStorefront(SellerSuite):
    @pytest.fixture
    def market(self, alliance: Alliance) -> Market:
        return customers(alliance, 1)


class TestPartner(SellerSuite):
    """An operator as the one that buys from it sees it, over HTTP."""

    @pytest.fixture
    def market(self, alliance: Alliance) -> Market:
        chain(alliance, 2)
        seller, buyer = (alliance.nodes[PartyId(name)] for name in ("op1", "op2"))
        other = alliance.add("other")
        alliance.join(seller, other)
        alliance.agree(seller, other, currency="GBP")
        return market(
            alliance,
            buyer.seller(seller.us.id),
            other.seller(seller.us.id),
            hops=1,
            reason="country-not-agreed",
            trail=(buyer.us.id,),
        )


class TestTwoHops(SellerSuite):
    @pytest.fixture
    def market(self, alliance: Alliance) -> Market:
        return customers(alliance, 2)


@pytest.mark.slow
class TestFiveNodes(SellerSuite):
    @pytest.fixture
    def market(self, alliance: Alliance) -> Market:
        return customers(alliance, 5)
