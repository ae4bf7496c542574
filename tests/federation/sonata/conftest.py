"""A seller with a network, its buyer, and a plain Sonata client of that buyer's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from hansa.federation.exchange import Exchanges
from hansa.federation.sonata import server
from hansa.federation.sonata.errors import MEDIA_TYPE
from hansa.federation.sonata.settings import SonataSettings
from hansa.federation.sonata.shapes.common import ROOT
from hansa.foundation.ids import PartyId
from hansa.foundation.time import SetClock
from tests.alliance import LINE, Alliance, chain
from tests.databases import Pool
from tests.federation.openapi3 import FOLDER, Exchange, wrong
from tests.federation.tmf.door import Believing
from tests.inside import Inside
from tests.standing import Standing, standing

Json = Any

CONTACT = {
    "name": "Ada Byron",
    "number": "+44 20 7946 0001",
    "emailAddress": "ada@op2.example",
    "role": "buyerContact",
}
PLACE = {
    "@type": "FieldedAddress",
    "role": "INSTALL_LOCATION",
    "streetNr": "12",
    "streetName": "Florida",
    "streetType": "Road",
    "city": "Durban",
    "country": "ZA",
    "postcode": "4001",
}
SPEED = {
    "classOfServiceName": "low",
    "bwpFlow": {"cir": {"irValue": 0.1, "irUnits": "GBPS"}},
}
E_LINE = {
    "@type": "urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all",
    "maximumFrameSize": 1526,
    "listOfClassOfServiceNames": ["low"],
    "uniEp": {"identifier": "uni-1", "ingressBandwidthProfilePerClassOfServiceName": [SPEED]},
    "enniEp": {"identifier": "enni-1", "ingressBandwidthProfilePerClassOfServiceName": [SPEED]},
}


def product() -> Json:
    return {
        "productOffering": {"id": LINE},
        "productConfiguration": E_LINE,
        "place": [PLACE],
        "productRelationship": [{"relationshipType": "CONNECTS_TO_ENNI", "id": "enni-7"}],
    }


def samples() -> dict[str, Json]:
    """One request for each official operation that takes one, as a plain client sends it."""
    note = {
        "id": "n1",
        "author": "Ada Byron",
        "date": "2026-11-02T08:00:00Z",
        "source": "buyer",
        "text": "Ring twice.",
    }
    term = {
        "name": "3 years",
        "duration": {"amount": 36, "units": "calendarMonths"},
        "endOfTermAction": "roll",
        "rollInterval": {"amount": 1, "units": "calendarMonths"},
    }
    item = {"id": "1", "action": "add", "product": product()}
    return {
        f"{ROOT}/geographicAddressManagement/v7/geographicAddressValidation": {
            "provideAlternative": False,
            "submittedGeographicAddress": {
                key: value for key, value in PLACE.items() if key != "role"
            },
        },
        f"{ROOT}/productOfferingQualification/v7/productOfferingQualification": {
            "relatedContactInformation": [CONTACT],
            "externalId": "poq-1",
            "projectId": "durban",
            "instantSyncQualification": True,
            "requestedPOQCompletionDate": "2026-11-03T08:00:00Z",
            "productOfferingQualificationItem": [item],
        },
        f"{ROOT}/quoteManagement/v8/quote": {
            "buyerRequestedQuoteLevel": "firm",
            "instantSyncQuote": True,
            "externalId": "quote-1",
            "note": [note],
            "quoteItem": [{**item, "requestedQuoteItemTerm": term, "dealReference": "d1"}],
        },
        f"{ROOT}/productOrderingManagement/v10/productOrder": {
            "relatedContactInformation": [CONTACT],
            "externalId": "order-1",
            "projectId": "durban",
            "productOrderItem": [
                {
                    **item,
                    "requestedItemTerm": term,
                    "endCustomerName": "Karoo Retail",
                    "requestedCompletionDate": "2026-12-01T00:00:00+02:00",
                }
            ],
        },
    }


@dataclass(frozen=True)
class Plain:
    """A client that knows Sonata and nothing of ours. Every exchange is looked at.

    party: in whose name it asks.
    """

    http: Inside
    party: str

    def __call__(
        self, method: str, path: str, body: Json = None, **query: str
    ) -> tuple[int, Json, Mapping[str, str]]:
        """Status, body and headers of the answer; path: whole, or below /mefApi/sonata."""
        url = path if path.startswith("/") else f"{ROOT}/{path}"
        if query:
            url += f"?{urlencode(query)}"
        return self.send(method, url, None if body is None else json.dumps(body).encode())

    def send(
        self, method: str, url: str, content: bytes | None, media_type: str = MEDIA_TYPE
    ) -> tuple[int, Json, Mapping[str, str]]:
        headers = {"x-caller": f"{self.party}/partner"}
        if content is not None:
            headers["content-type"] = media_type
        told = self.http.request(method, url, content=content, headers=headers)
        exchange = Exchange(
            method, url, content or b"", told.status_code, told.headers, told.content
        )
        if FOLDER.exists():
            assert list(wrong(exchange)) == []
        if told.content:
            assert told.headers["content-type"] == MEDIA_TYPE
        return told.status_code, told.json() if told.content else None, told.headers


@pytest.fixture(scope="package")
def built(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """op1 delivers and sells to op2; a stranger buys from op1 too."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        alliance = Alliance(databases, tmp_path_factory.mktemp("sonata"), clock, b"plain")
        alliance.sonata = SonataSettings(products={LINE: "access-eline"})
        alliance.speaks = {PartyId("op1"): "sonata", PartyId("op2"): "sonata"}
        chain(alliance, 2)
        op1, stranger = alliance.nodes[PartyId("op1")], alliance.add("stranger")
        alliance.join(op1, stranger)
        alliance.agree(op1, stranger, currency="GBP")
        with standing(alliance) as made:
            yield made


@pytest.fixture
def world(built: Standing) -> Alliance:
    return built.again()


def plain(world: Alliance, buyer: str, seller: str = "op1") -> Plain:
    """How one asks the other; who asks is believed."""
    app = Exchanges([server.dialect(world.nodes[PartyId(seller)].sonata)], Believing())
    http = Inside(app, base_url=f"http://{seller}.test")
    return Plain(http, buyer)


@pytest.fixture
def ask(world: Alliance) -> Plain:
    """op1 as op2's plain client calls it."""
    return plain(world, "op2")
