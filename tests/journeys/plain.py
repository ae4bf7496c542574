"""A client that speaks the standard alone, and knows nothing of us, at the door of a node."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from hansa.federation.exchange import Exchanges
from hansa.federation.tmf import server
from hansa.federation.wire import parse
from hansa.foundation.ids import PartyId
from hansa.foundation.time import SetClock
from tests.alliance import LINE, Alliance, chain
from tests.federation import swagger
from tests.federation.tmf.door import Believing
from tests.inside import Inside

OTHER = PartyId("other")

CATALOGUE = "/tmf-api/productCatalogManagement/v4"
QUALIFICATION = "/tmf-api/productOfferingQualification/v4/productOfferingQualification"
CHECK = "/tmf-api/serviceQualificationManagement/v4/checkServiceQualification"
QUERY = "/tmf-api/serviceQualificationManagement/v4/queryServiceQualification"
QUOTE = "/tmf-api/quoteManagement/v4/quote"
ORDER = "/tmf-api/productOrderingManagement/v4/productOrder"
CANCEL = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"
PRODUCT = "/tmf-api/productInventory/v4/product"
USAGE = "/tmf-api/usageManagement/v4/usage"
BILL = "/tmf-api/customerBillManagement/v4/customerBill"
RATE = "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate"
DEMAND = "/tmf-api/customerBillManagement/v4/customerBillOnDemand"
AGREEMENT = "/tmf-api/agreementManagement/v4/agreement"

PLACE = {
    "role": "installation",
    "name": "Head office",
    "city": "Durban",
    "country": "ZA",
    "@type": "GeographicAddress",
}
PRODUCT_VALUE = {
    "name": "Line to the office",
    "place": [PLACE],
    "productCharacteristic": [{"name": "speed_mbps", "value": "100"}],
}
PARTY = {"id": "buyer-7", "role": "customer", "@referredType": "Individual"}


class Client:
    """Speaks to one node as one party; whatever is answered is held against the official file."""

    def __init__(self, http: Inside, caller: str) -> None:
        self._http = http
        self._caller = caller

    def send(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        headers = {"x-caller": self._caller}
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._http.request(method, path, content=content, headers=headers)

    def get(self, path: str, **query: str) -> Any:
        asked = "&".join(f"{name.replace('__', '.')}={value}" for name, value in query.items())
        return self._sound(self.send("GET", f"{path}?{asked}" if asked else path), 200)

    def post(self, path: str, body: Any) -> Any:
        return self._sound(self.send("POST", path, body), 201)

    def patch(self, path: str, body: Any) -> Any:
        return self._sound(self.send("PATCH", path, body), 200)

    def _sound(self, response: httpx2.Response, status: int) -> Any:
        assert response.status_code in {status, 206}, response.text
        value = parse(response.content)
        path = response.request.url.path
        number = int(next(n for base, n in NUMBERS.items() if path.startswith(base)))
        official = swagger.operation(number, response.request.method, path)
        assert official is not None, path
        schema = official["responses"][str(status)]["schema"]
        assert list(swagger.faults(number, schema, value)) == []
        return value


NUMBERS = {
    CATALOGUE: 620,
    QUALIFICATION: 679,
    "/tmf-api/serviceQualificationManagement/v4": 645,
    QUOTE: 648,
    "/tmf-api/productOrderingManagement/v4": 622,
    PRODUCT: 637,
    USAGE: 635,
    "/tmf-api/customerBillManagement/v4": 678,
    AGREEMENT: 651,
}


def built(databases: Any, folder: Path) -> Alliance:
    """Two operators, and two customers of the upper one whose software is not ours."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    alliance = Alliance(databases, folder, clock, b"plain")
    chain(alliance, 2)
    alliance.customer(alliance.top, OTHER)
    return alliance


def client(alliance: Alliance, caller: str, *, node: int = 1) -> Client:
    served = list(alliance.nodes.values())[node]
    app = Exchanges([server.dialect(served.world)], Believing())
    http = Inside(app, base_url=served.settings.address)
    return Client(http, caller)


def item(name: str = "1", action: str = "add", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "action": action,
        "quantity": 1,
        "productOffering": {"id": LINE},
        "product": PRODUCT_VALUE,
        **more,
    }


def an_order(**more: Any) -> dict[str, Any]:
    return {"productOrderItem": [item()], "relatedParty": [PARTY], **more}


def a_quote(**more: Any) -> dict[str, Any]:
    return {"quoteItem": [item()], "relatedParty": [PARTY], **more}


def has(document: Mapping[str, Any], *names: str) -> None:
    assert [name for name in names if document.get(name) in (None, "", [], {})] == []
