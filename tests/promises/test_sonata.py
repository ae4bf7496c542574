"""The same promise over MEF LSO Sonata, alone and in chains whose hops speak different dialects.

Where MEF's own documents are at hand, every request is held against them by the node itself,
and every answer by this test.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from hansa.drivers import actions as network
from hansa.drivers.model import Coverage
from hansa.federation.sonata.client import SonataPartner
from hansa.federation.sonata.settings import SonataSettings
from hansa.foundation.ids import PartyId
from hansa.foundation.time import SetClock
from tests.alliance import LINE, Alliance, Quiet, chain
from tests.databases import Pool
from tests.federation.openapi3 import FOLDER, Exchange, wrong
from tests.promises.asking import Showing
from tests.promises.seller_suite import Market, SellerSuite
from tests.promises.test_places import STRANGER, market, operator
from tests.standing import Standing, standing

LENGTH = 4


@pytest.fixture(scope="module")
def monkeypatch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def four(
    pool: Pool, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Standing]:
    """Four operators in a chain, of whom every second one is spoken to in Sonata."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        alliance = Alliance(databases, tmp_path_factory.mktemp("four"), clock, b"sonata")
        exchanged = overheard(monkeypatch)
        schemas = str(FOLDER) if FOLDER.exists() else ""
        alliance.sonata = SonataSettings(products={LINE: "access-eline"}, schemas=schemas)
        alliance.speaks = {PartyId("op1"): "sonata", PartyId("op3"): "sonata"}
        chain(alliance, LENGTH, cancellation=lambda number: f"{number}.50")
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
    if FOLDER.exists():
        assert exchanged
        assert sorted({fault for one in exchanged for fault in wrong(one)}) == []


def overheard(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """All that is said in Sonata from now on."""
    exchanged: list[Exchange] = []
    sending = Quiet.send

    def send(self: Quiet, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        response = sending(self, request, **kwargs)
        url = request.url.raw_path.decode()
        if url.startswith("/mefApi/"):
            response.read()
            exchanged.append(
                Exchange(
                    request.method,
                    url,
                    request.content,
                    response.status_code,
                    response.headers,
                    response.content,
                )
            )
        return response

    monkeypatch.setattr(Quiet, "send", send)
    return exchanged


def over_sonata(four: Standing, hops: int) -> Market:
    """What the next node of the chain finds when it asks its partner in Sonata."""
    buyer = operator(four.alliance, hops + 1)
    seller, stranger = (
        Showing(node, PartyId(f"op{hops}")) for node in (buyer, four.alliance.nodes[STRANGER])
    )
    assert isinstance(seller.partner, SonataPartner)
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
