"""The same promise over MEF LSO Sonata, alone and in chains whose hops speak different dialects.

Every request is held against MEF's own documents where they are at hand, by the node itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hansa.drivers import actions as network
from hansa.drivers.model import Coverage
from hansa.federation.sonata.client import SonataPartner
from hansa.federation.sonata.settings import SonataSettings
from hansa.foundation.ids import PartyId
from hansa.foundation.time import SetClock
from tests.alliance import LINE, Alliance, chain
from tests.databases import Pool
from tests.federation.openapi3 import FOLDER
from tests.promises.seller_suite import Market, SellerSuite
from tests.promises.test_places import STRANGER, market, operator
from tests.standing import Standing, standing

LENGTH = 4


@pytest.fixture(scope="module")
def four(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Four operators in a chain, of whom every second one is spoken to in Sonata."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        alliance = Alliance(databases, tmp_path_factory.mktemp("four"), clock, b"sonata")
        schemas = str(FOLDER) if FOLDER.exists() else ""
        alliance.sonata = SonataSettings(products={LINE: "access-eline"}, schemas=schemas)
        alliance.speaks = {PartyId("op1"): "sonata", PartyId("op3"): "sonata"}
        chain(alliance, LENGTH)
        nodes = list(alliance.nodes.values())
        with nodes[0].begin() as tx:
            network.uncover(tx, entries=[Coverage(LINE, "ZA")])
            network.cover(
                tx, entries=[Coverage(LINE, "ZA", place) for place in ("Durban", "Paarl")]
            )
        stranger = alliance.add(STRANGER)
        for node in (nodes[0], nodes[2]):
            alliance.join(node, stranger)
            alliance.agree(node, stranger, currency="GBP")
        with standing(alliance) as made:
            yield made


def over_sonata(four: Standing, hops: int) -> Market:
    """What the next node of the chain finds when it asks its partner in Sonata."""
    buyer = operator(four.alliance, hops + 1)
    seller, stranger = (
        node.seller(PartyId(f"op{hops}")) for node in (buyer, four.alliance.nodes[STRANGER])
    )
    assert isinstance(seller, SonataPartner)
    return market(four, seller, stranger, hops=hops, buyer=buyer.us.id)


class TestPartnerOverSonata(SellerSuite):
    @pytest.fixture
    def market(self, four: Standing) -> Market:
        return over_sonata(four, 1)


class TestSonataOverTmfOverSonata(SellerSuite):
    """Three hops: Sonata, then TMF, then Sonata again."""

    @pytest.fixture
    def market(self, four: Standing) -> Market:
        return over_sonata(four, 3)
