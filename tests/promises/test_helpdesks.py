"""The same helpdesk at every place where something is held: at a storefront, over HTTP, and at
the end of a chain of three nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hansa.federation.helpdesk import Helpdesk, TicketState
from hansa.federation.tmf.client import TmfPartner
from hansa.foundation.ids import BuyerKey, HoldingId, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.time import SetClock
from hansa.lifecycle.assurance.actions import tickets as assurance
from hansa.lifecycle.inventory import actions as inventory
from hansa.node import Node
from tests.alliance import SHOP, Alliance, chain
from tests.databases import Pool
from tests.promises.helpdesk_suite import Counter, HelpdeskSuite
from tests.standing import Standing, standing

LENGTH = 3
STRANGER = PartyId("stranger")
OTHER_SHOP = PartyId("other-shop")


@pytest.fixture(scope="module")
def three(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Three operators in a chain; the customer of each but the last is the next one, and each
    customer has a line.
    """
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        alliance = Alliance(databases, tmp_path_factory.mktemp("three"), clock, b"helpdesks")
        shop = chain(alliance, LENGTH)
        order = shop.order(quote_id=shop.quote(alliance.need("Durban")).id, key=BuyerKey("line"))
        alliance.work()
        assert shop.progress(order.id).provided
        stranger = alliance.add(STRANGER)
        for node in list(alliance.nodes.values())[:LENGTH]:
            alliance.join(node, stranger)
        alliance.customer(operator(alliance, LENGTH), OTHER_SHOP)
        with standing(alliance) as made:
            yield made


def operator(alliance: Alliance, number: int) -> Node:
    return alliance.nodes[PartyId(f"op{number}")]


def staff(node: Node) -> Actor:
    return Actor(node.us.id, "operator")


def counter(three: Standing, desk: Helpdesk, stranger: Helpdesk, *, hops: int) -> Counter:
    """What is sold at the upper end of the first `hops` nodes."""
    alliance = three.again()
    bottom, seller = operator(alliance, 1), operator(alliance, hops)
    with seller.begin() as tx:
        (held,) = inventory.sold(tx, us=seller.us.id)

    def work(state: TicketState, why: str) -> None:
        with bottom.begin() as tx:
            (newest, *_) = assurance.tickets(tx, actor=staff(bottom)).tickets
            assurance.move(
                tx, actor=staff(bottom), ticket_id=newest.id, state=state, reason=why, by="ada",
                ids=bottom.ids, now=bottom.clock.now(),
            )  # fmt: skip

    def answers(text: str, private: bool) -> None:
        with bottom.begin() as tx:
            (newest, *_) = assurance.tickets(tx, actor=staff(bottom)).tickets
            assurance.note(
                tx, actor=staff(bottom), ticket_id=newest.id, text=text, key=BuyerKey(text[:20]),
                private=private, by="ada", ids=bottom.ids, now=bottom.clock.now(),
            )  # fmt: skip

    return Counter(
        desk=desk,
        stranger=stranger,
        clock=alliance.clock,
        holding=HoldingId(held.ref.id),
        settle=alliance.work,
        work=work,
        answers=answers,
    )


class TestStorefrontForPartners(HelpdeskSuite):
    @pytest.fixture
    def counter(self, three: Standing) -> Counter:
        own = operator(three.alliance, 1)
        buyer, stranger = (
            own.storefront(Actor(party, "partner")) for party in (PartyId("op2"), STRANGER)
        )
        return counter(three, buyer, stranger, hops=1)


class TestPartnerOverHttp(HelpdeskSuite):
    @pytest.fixture
    def counter(self, three: Standing) -> Counter:
        seller, buyer = PartyId("op1"), operator(three.alliance, 2)
        desk = buyer.helpdesk(seller)
        assert isinstance(desk, TmfPartner)
        return counter(three, desk, three.alliance.nodes[STRANGER].helpdesk(seller), hops=1)


class TestThreeNodes(HelpdeskSuite):
    @pytest.fixture
    def counter(self, three: Standing) -> Counter:
        own = operator(three.alliance, LENGTH)
        shop, other = (own.storefront(Actor(one, "customer")) for one in (SHOP, OTHER_SHOP))
        return counter(three, shop, other, hops=LENGTH)
