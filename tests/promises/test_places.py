"""The same promise at every place where one can buy: at a storefront, over HTTP, at the end of
two hops, of three, and of a chain of five nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hansa.drivers import actions as network
from hansa.drivers.model import Coverage
from hansa.federation.contract import Characteristics, Seller
from hansa.federation.tmf.client import TmfPartner
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId, QuoteId
from hansa.foundation.party import Actor
from hansa.foundation.site import Site
from hansa.foundation.time import SetClock
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import LINE, SHOP, Alliance, chain
from tests.databases import Pool
from tests.promises.asking import Showing
from tests.promises.seller_suite import Market, SellerSuite
from tests.standing import Standing, standing

pytestmark = pytest.mark.slow

LENGTH = 5
STRANGER = PartyId("stranger")
OTHER_SHOP = PartyId("other-shop")
ELSEWHERE = Site("upi", "Upington", "ZA", "Upington")
"""In a country that was launched, but beyond the reach of the network at the bottom."""


@pytest.fixture(scope="module")
def five(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Five operators in a chain, each with a customer of its own and another partner."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        alliance = Alliance(databases, tmp_path_factory.mktemp("five"), clock, b"promises")
        chain(alliance, LENGTH, cancellation=lambda number: f"{number}.50")
        nodes = list(alliance.nodes.values())
        with nodes[0].begin() as tx:
            network.uncover(tx, entries=[Coverage(LINE, "ZA")])
            network.cover(
                tx, entries=[Coverage(LINE, "ZA", place) for place in ("Durban", "Paarl")]
            )
        stranger = alliance.add(STRANGER)
        for node in nodes[:3]:
            alliance.join(node, stranger)
            alliance.agree(node, stranger, currency="GBP")
        for node in (nodes[0], nodes[-1]):
            for name in (SHOP, OTHER_SHOP):
                alliance.customer(node, name)
        with standing(alliance) as made:
            yield made


def operator(alliance: Alliance, number: int) -> Node:
    return alliance.nodes[PartyId(f"op{number}")]


def market(
    five: Standing,
    seller: Seller,
    stranger: Seller,
    *,
    hops: int,
    buyer: PartyId | None = None,
) -> Market:
    """What is sold at the upper end of the first `hops` nodes, to a partner or a customer."""
    alliance = five.again()

    def unfinished(quote: QuoteId, key: BuyerKey) -> OrderId:
        """Placed and begun with, while the next node down, if there is one, did not answer."""
        order = seller.order(quote_id=quote, key=key).id
        if hops > 1:
            alliance.silent.add(operator(alliance, hops - 1).us.id)
            operator(alliance, hops).work_once()
            alliance.silent.clear()
        return order

    def shows(holding: HoldingId) -> Characteristics | None:
        """The device that carries the holding, found from node to node."""
        for number in range(hops, 0, -1):
            node = operator(alliance, number)
            with node.begin() as tx:
                ((_, lower),) = inventory.below(tx, ref=HoldingRef(node.us.id, holding))
            holding = lower.ref.id
        observed = operator(alliance, 1).kit.drivers["connectivity"].observe(holding)
        return observed.characteristics if observed else None

    need = replace(alliance.need("Durban", "Paarl"), trail=(buyer,) if buyer else ())
    return Market(
        seller=seller,
        stranger=stranger,
        clock=alliance.clock,
        need=need,
        unreachable=ELSEWHERE,
        unreachable_reason="site-outside-coverage",
        change={"speed_mbps": 200},
        wrong_currency="ZAR",
        settle=alliance.work,
        unfinished=unfinished,
        shows=shows,
        hops=hops,
        measured=False,
    )


def to_customer(five: Standing, hops: int) -> Market:
    """A storefront as an end customer finds it."""
    own = operator(five.alliance, hops)
    return market(
        five,
        own.storefront(Actor(SHOP, "customer")),
        own.storefront(Actor(OTHER_SHOP, "customer")),
        hops=hops,
    )


def over_http(five: Standing, hops: int) -> Market:
    """What the next node of the chain finds when it asks its partner over the wire."""
    buyer = operator(five.alliance, hops + 1)
    seller, stranger = (
        Showing(node, PartyId(f"op{hops}")) for node in (buyer, five.alliance.nodes[STRANGER])
    )
    assert isinstance(seller.partner, TmfPartner)
    return market(five, seller, stranger, hops=hops, buyer=buyer.us.id)


def to_partner(five: Standing) -> Market:
    """A storefront as a partner finds it, without the wire."""
    own, buyer = operator(five.alliance, 1), PartyId("op2")
    seller = own.storefront(Actor(buyer, "partner"))
    assert isinstance(seller, Storefront)
    stranger = own.storefront(Actor(STRANGER, "partner"))
    # A stranger's trail ends with the stranger; only what comes after a quote is asked of it.
    return market(five, seller, stranger, hops=1, buyer=buyer)


class TestStorefrontForCustomers(SellerSuite):
    @pytest.fixture
    def market(self, five: Standing) -> Market:
        return to_customer(five, 1)


class TestStorefrontForPartners(SellerSuite):
    @pytest.fixture
    def market(self, five: Standing) -> Market:
        return to_partner(five)


class TestPartnerOverHttp(SellerSuite):
    @pytest.fixture
    def market(self, five: Standing) -> Market:
        return over_http(five, 1)


class TestTwoHops(SellerSuite):
    @pytest.fixture
    def market(self, five: Standing) -> Market:
        return over_http(five, 2)


class TestThreeHops(SellerSuite):
    @pytest.fixture
    def market(self, five: Standing) -> Market:
        return over_http(five, 3)


class TestFiveNodes(SellerSuite):
    @pytest.fixture
    def market(self, five: Standing) -> Market:
        return to_customer(five, LENGTH)
