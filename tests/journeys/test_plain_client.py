"""A client that speaks the standard alone, and knows nothing of us, gets on with a node."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from starlette.testclient import TestClient

from hansa.federation.exchange import Exchanges
from hansa.federation.tmf import server
from hansa.federation.wire import parse
from hansa.foundation.ids import PartyId
from hansa.foundation.time import SetClock
from hansa.lifecycle.catalogue import actions as catalogue
from hansa.lifecycle.catalogue.model import ListPrice
from tests.alliance import LINE, RETAIL, SHOP, Alliance, chain
from tests.databases import Pool
from tests.federation import swagger
from tests.federation.tmf.door import Believing
from tests.standing import Standing, standing

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

    def __init__(self, http: TestClient, caller: str) -> None:
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


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Two operators, and two customers of the upper one whose software is not ours."""
    with pool.lend() as databases:
        clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
        alliance = Alliance(databases, tmp_path_factory.mktemp("plain"), clock, b"plain")
        chain(alliance, 2)
        alliance.customer(alliance.top, OTHER)
        with standing(alliance) as stood:
            yield stood


@pytest.fixture
def alliance(world: Standing) -> Alliance:
    return world.again()


def client(alliance: Alliance, caller: str, *, node: int = 1) -> Client:
    served = list(alliance.nodes.values())[node]
    app = Exchanges([server.dialect(served.world)], Believing())
    http = TestClient(app, base_url=served.settings.address, raise_server_exceptions=False)
    return Client(http, caller)


@pytest.fixture
def shop(alliance: Alliance) -> Client:
    return client(alliance, f"{SHOP}/customer")


@pytest.fixture
def other(alliance: Alliance) -> Client:
    return client(alliance, f"{OTHER}/customer")


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


def test_the_catalogue_is_read_from_offering_to_price(shop: Client) -> None:
    (offering,) = shop.get(f"{CATALOGUE}/productOffering")
    has(offering, "name", "lifecycleStatus", "lastUpdate")
    assert shop.get(f"{CATALOGUE}/productOffering/{offering['id']}") == offering
    spec = shop.get(f"{CATALOGUE}/productSpecification/{offering['productSpecification']['id']}")
    has(spec, "name", "lifecycleStatus", "lastUpdate", "productSpecCharacteristic")
    category = shop.get(f"{CATALOGUE}/category/{offering['category'][0]['id']}")
    assert [one["id"] for one in category["productOffering"]] == [offering["id"]]
    assert shop.get(f"{CATALOGUE}/category", name="connectivity") == [category]
    assert shop.send("POST", f"{CATALOGUE}/productOffering", {"name": "x"}).status_code == 405


def test_a_list_price_is_found_by_its_id(alliance: Alliance) -> None:
    """The lower operator has a price list; the upper one prices by quote."""
    buyer = client(alliance, "op2/partner", node=0)
    (offering,) = buyer.get(f"{CATALOGUE}/productOffering")
    prices = buyer.get(f"{CATALOGUE}/productOfferingPrice")
    assert {one["id"] for one in prices} == {one["id"] for one in offering["productOfferingPrice"]}
    for price in prices:
        has(price, "name", "lifecycleStatus", "lastUpdate")
        assert buyer.get(f"{CATALOGUE}/productOfferingPrice/{price['id']}") == price
    monthly = buyer.get(f"{CATALOGUE}/productOfferingPrice", priceType="recurring")
    assert [one["price"] for one in monthly] == [{"unit": "GBP", "value": Decimal("125.00")}]


def test_an_order_outright_is_completed_and_told(alliance: Alliance, shop: Client) -> None:
    """Posted with an offering and an address; seen to be done by asking, and by an event."""
    node = alliance.top
    told: list[tuple[str, Any]] = []
    node.hear_posts = lambda _to, post: told.append((post.url, parse(post.body)))  # type: ignore[attr-defined]
    sent = an_order(
        externalId="po-1",
        description="The office needs a line",
        note=[{"id": "1", "text": "Ring first"}],
        requestedStartDate="2026-12-01T00:00:00+02:00",
        hasNothingToDoWithUs={"really": [1, 2.5, None]},
        **{"@type": "OurOrder", "@baseType": "ProductOrder", "@schemaLocation": "urn:ours"},
    )
    sent["productOrderItem"][0]["itemTerm"] = [{"name": "24 months"}]
    made = shop.post(ORDER, sent)
    has(made, "productOrderItem", "orderDate", "relatedParty", "state", "href", "id")
    assert made["href"] == f"{node.settings.address}{ORDER}/{made['id']}"
    for name in set(sent) - {"productOrderItem", "relatedParty"}:
        assert made[name] == parse(json.dumps(sent[name]).encode()), name
    (line,) = made["productOrderItem"]
    assert (line["id"], line["action"], line["itemTerm"]) == ("1", "add", [{"name": "24 months"}])
    assert line["product"]["name"] == "Line to the office"
    assert PARTY in made["relatedParty"]

    again = shop.post(ORDER, sent)
    assert again["id"] == made["id"], "the same externalId is the same order"
    different = shop.send("POST", ORDER, {**sent, "productOrderItem": [item(quantity=2)]})
    assert (different.status_code, different.json()["hansaField"]) == (409, "externalId")
    assert len(shop.get(ORDER)) == 1

    alliance.work()
    done = shop.get(f"{ORDER}/{made['id']}")
    assert (done["state"], done["productOrderItem"][0]["state"]) == ("completed", "completed")
    held = done["productOrderItem"][0]["product"]["id"]
    assert shop.get(ORDER, state="completed") == [done]
    assert shop.get(ORDER, externalId="'po-1'") == [done]

    (product,) = shop.get(PRODUCT, fields="id,status")
    assert product["id"] == held
    product = shop.get(f"{PRODUCT}/{held}")
    has(
        product,
        "status",
        "billingAccount",
        "productCharacteristic",
        "productOffering",
        "relatedParty",
        "productPrice",
    )
    for method in ("PATCH", "DELETE"):
        assert shop.send(method, f"{PRODUCT}/{held}", {}).status_code == 405
    assert shop.send("POST", PRODUCT, {}).status_code == 405


def test_orders_without_a_key_are_orders_of_their_own(shop: Client) -> None:
    first, second = (shop.post(ORDER, an_order()) for _ in range(2))
    assert first["id"] != second["id"]
    assert "externalId" not in first


def test_a_product_is_changed_and_ended_by_its_id(alliance: Alliance, shop: Client) -> None:
    shop.post(ORDER, an_order())
    alliance.work()
    (held,) = shop.get(PRODUCT)
    faster = {
        **PRODUCT_VALUE,
        "id": held["id"],
        "productCharacteristic": [{"name": "speed_mbps", "value": 200}],
    }
    changed = shop.post(ORDER, {"productOrderItem": [item("a", "modify", product=faster)]})
    assert changed["productOrderItem"][0]["action"] == "modify"
    alliance.pass_time(timedelta(minutes=1))
    (now,) = shop.get(PRODUCT)
    assert now["productCharacteristic"][0]["value"] == 200
    ending = {"productOrderItem": [{"id": "z", "action": "delete", "product": {"id": held["id"]}}]}
    ended = shop.post(ORDER, ending)
    assert [(one["id"], one["action"]) for one in ended["productOrderItem"]] == [("z", "delete")]
    alliance.pass_time(timedelta(minutes=1))
    assert shop.get(f"{ORDER}/{ended['id']}")["state"] == "completed"
    (gone,) = shop.get(PRODUCT, status="terminated")
    has(gone, "terminationDate")


def test_a_quote_is_priced_in_the_agreed_currency_and_ordered(
    alliance: Alliance, shop: Client
) -> None:
    sent = a_quote(externalId="q-1", description="Please", note=[{"id": "1", "text": "Soon"}])
    made = shop.post(QUOTE, sent)
    has(made, "quoteItem", "quoteDate", "state", "validFor")
    assert (made["state"], made["description"], made["note"]) == (
        "approved",
        "Please",
        sent["note"],
    )
    assert shop.get(f"{QUOTE}/{made['id']}") == made
    prices = {one["priceType"]: one["price"] for one in made["quoteItem"][0]["quoteItemPrice"]}
    assert prices["recurring"]["dutyFreeAmount"] == {"unit": "GBP", "value": Decimal("167.50")}
    order = shop.post(
        ORDER,
        {
            "productOrderItem": [
                {
                    "id": "x",
                    "action": "add",
                    "quoteItem": {"id": "1", "quoteId": made["id"]},
                }
            ]
        },
    )
    assert [one["id"] for one in order["productOrderItem"]] == ["x"]
    assert order["quote"] == [{"id": made["id"]}]
    assert shop.get(f"{QUOTE}/{made['id']}")["state"] == "accepted"
    alliance.work()
    assert shop.get(f"{ORDER}/{order['id']}")["state"] == "completed"


def test_a_quote_that_is_rejected_cannot_be_ordered(shop: Client) -> None:
    made = shop.post(QUOTE, a_quote())
    rejected = shop.patch(f"{QUOTE}/{made['id']}", {"state": "rejected"})
    assert (rejected["state"], rejected["quoteItem"][0]["state"]) == ("rejected", "rejected")
    assert shop.get(QUOTE, state="rejected") == [rejected]
    order = {"quote": [{"id": made["id"]}], "productOrderItem": [{"id": "1", "action": "add"}]}
    refused = shop.send("POST", ORDER, order)
    assert (refused.status_code, refused.json()["code"]) == (422, "quote-closed")
    back = shop.send("PATCH", f"{QUOTE}/{made['id']}", {"state": "approved"})
    assert (back.status_code, back.json()["code"]) == (409, "state-move")
    other_way = shop.send("PATCH", f"{QUOTE}/{made['id']}", {"description": "else"})
    assert (other_way.status_code, other_way.json()["hansaField"]) == (400, "description")
    assert shop.send("DELETE", f"{QUOTE}/{made['id']}").status_code == 405


def test_an_order_is_cancelled_at_a_charge(alliance: Alliance, shop: Client) -> None:
    with alliance.top.begin() as tx:
        price = ListPrice(
            RETAIL,
            LINE,
            "GBP",
            Decimal(0),
            Decimal(5),
            alliance.clock.now(),
            margin_bp=1000,
            cancellation=Decimal("12.50"),
        )
        catalogue.put_price(tx, price=price)
    order = shop.post(ORDER, an_order())
    alliance.top.work_once()
    sent = {
        "productOrder": {"id": order["id"]},
        "cancellationReason": "moved elsewhere",
        "requestedCancellationDate": "2026-11-03T00:00:00Z",
        "ourOwn": 1,
    }
    made = shop.post(CANCEL, sent)
    assert made["hansaCharge"] == {"unit": "GBP", "value": Decimal("12.50")}
    assert (made["state"], made["ourOwn"]) == ("acknowledged", 1)
    assert shop.post(CANCEL, sent) == made
    alliance.work()
    done = shop.get(f"{CANCEL}/{made['id']}")
    has(done, "effectiveCancellationDate", "cancellationReason")
    assert shop.get(CANCEL, state="done") == [done]
    assert shop.get(f"{ORDER}/{order['id']}")["cancellationReason"] == "moved elsewhere"
    late = shop.post(ORDER, an_order())
    alliance.work()
    refused = shop.send("POST", CANCEL, {"productOrder": {"id": late["id"]}})
    assert (refused.status_code, refused.json()["code"]) == (422, "order-not-cancellable")


def test_an_order_is_cancelled_by_its_state(alliance: Alliance, shop: Client) -> None:
    order = shop.post(ORDER, an_order())
    here = f"{ORDER}/{order['id']}"
    shop.patch(here, {"state": "cancelled", "cancellationReason": "no"})
    alliance.work()
    assert shop.get(here)["state"] == "cancelled"
    assert shop.send("PATCH", here, {"state": "held"}).json()["hansaField"] == "state"
    assert shop.send("PATCH", here, {"priority": "1"}).json()["hansaField"] == "priority"
    assert shop.send("DELETE", here).status_code == 405


def test_a_qualification_is_found_again(shop: Client) -> None:
    sent = {
        "productOfferingQualificationItem": [
            item(),
            item("2", product={"place": [{**PLACE, "city": "Nowhere", "country": "FR"}]}),
        ],
        "relatedParty": [PARTY],
        "description": "Can I?",
    }
    made = shop.post(QUALIFICATION, sent)
    has(made, "relatedParty", "state", "productOfferingQualificationDate")
    results = [one["qualificationItemResult"] for one in made["productOfferingQualificationItem"]]
    assert results == ["qualified", "unqualified"]
    assert (made["description"], made["qualificationResult"]) == ("Can I?", "unqualified")
    assert shop.get(f"{QUALIFICATION}/{made['id']}") == made
    assert shop.get(QUALIFICATION) == [made]


def test_services_are_checked_and_looked_for(shop: Client) -> None:
    service = {
        "serviceSpecification": {"id": LINE},
        "place": [PLACE],
        "serviceCharacteristic": [{"name": "speed_mbps", "value": 50}],
    }
    made = shop.post(CHECK, {"serviceQualificationItem": [{"service": service}]})
    has(made, "state", "checkServiceQualificationDate", "serviceQualificationItem")
    assert made["qualificationResult"] == "qualified"
    assert shop.get(f"{CHECK}/{made['id']}") == made
    found = shop.post(QUERY, {"searchCriteria": {"service": {"place": [PLACE]}}})
    has(found, "state", "queryServiceQualificationDate", "searchCriteria")
    assert [one["id"] for one in found["serviceQualificationItem"]] == [LINE]
    assert shop.get(QUERY) == [found]
    assert shop.get(CHECK) == [made]
    assert shop.send("GET", f"{QUERY}/{made['id']}").status_code == 404


def test_a_month_is_billed_line_by_line(alliance: Alliance, shop: Client) -> None:
    shop.post(ORDER, an_order())
    alliance.work()
    alliance.pass_time(timedelta(days=31))
    (bill,) = shop.get(BILL)
    has(bill, "state", "billDocument", "billNo", "amountDue")
    rates = shop.get(RATE, bill__id=bill["id"])
    assert (
        sum(one["taxExcludedAmount"]["value"] for one in rates)
        == bill["taxExcludedAmount"]["value"]
    )
    for rate in rates:
        has(rate, "isBilled", "billingAccount", "appliedTax", "bill")
        assert shop.get(f"{RATE}/{rate['id']}") == rate
    assert shop.get(RATE) == rates
    asked = shop.post(DEMAND, {"name": "now", "description": "please"})
    assert (asked["state"], asked["customerBill"]["id"]) == ("done", bill["id"])
    assert shop.get(f"{DEMAND}/{asked['id']}") == asked
    assert shop.send("PATCH", f"{BILL}/{bill['id']}", {"state": "settled"}).status_code == 405
    usage = shop.get(USAGE)
    (held,) = shop.get(PRODUCT)
    named = shop.get(USAGE, product__id=held["id"], period="2026-11")
    assert len(named) == len(usage)
    for record in named[:1]:
        has(record, "usageSpecification")
        one = shop.send("GET", f"{USAGE}/{quote(record['id'], safe='')}")
        assert parse(one.content) == record
    assert shop.send("POST", USAGE, {}).status_code == 405


def test_agreements_are_shown_to_their_parties(alliance: Alliance, shop: Client) -> None:
    partner = client(alliance, "op2/partner", node=0)
    (found,) = partner.get(AGREEMENT)
    has(found, "name", "@type", "agreementType", "agreementItem", "engagedParty")
    assert partner.get(f"{AGREEMENT}/{found['id']}") == found
    assert len(found["agreementAuthorization"]) == 2
    assert partner.get(AGREEMENT, status="live") == [found]
    assert shop.get(AGREEMENT) == []


def test_a_statement_is_the_same_to_both(alliance: Alliance, shop: Client) -> None:
    shop.post(ORDER, an_order())
    alliance.work()
    alliance.pass_time(timedelta(days=31))
    (theirs,) = client(alliance, "op2/partner", node=0).get(BILL)
    (ours,) = client(alliance, "op1/partner").get(BILL)
    assert (theirs["id"], theirs["amountDue"]) == (ours["id"], ours["amountDue"])
    rates = client(alliance, "op2/partner", node=0).get(RATE)
    assert {one["bill"]["id"] for one in rates} == {ours["id"]}


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "field", "status"),
    [
        (QUOTE, {}, "quoteItem", 400),
        (QUOTE, {"quoteItem": []}, "quoteItem", 400),
        (
            QUOTE,
            a_quote(quoteItem=[item(productOffering=None)]),
            "quoteItem.0.productOffering",
            400,
        ),
        (
            QUOTE,
            a_quote(quoteItem=[item(productOffering={})]),
            "quoteItem.0.productOffering.id",
            400,
        ),
        (QUOTE, a_quote(quoteItem=[item(quantity="two")]), "quoteItem.0.quantity", 400),
        (QUOTE, a_quote(quoteItem=[item(quantity=0)]), "quoteItem.0.quantity", 422),
        (QUOTE, a_quote(quoteItem=[item(action="delete")]), "quoteItem.0.action", 400),
        (QUOTE, a_quote(quoteItem=[item(action="modify")]), "quoteItem.0.product.id", 400),
        (QUOTE, a_quote(quoteItem=[item(product={})]), "quoteItem.0.product.place", 422),
        (
            QUOTE,
            a_quote(quoteItem=[item(product={"place": [{"role": "x", "city": "Durban"}]})]),
            "quoteItem.0.product.place.0.country",
            400,
        ),
        (
            QUOTE,
            a_quote(quoteItem=[item(productOffering={"id": "nothing"})]),
            "quoteItem.0.productOffering.id",
            422,
        ),
        (
            QUOTE,
            a_quote(
                quoteItem=[
                    item(
                        product={
                            **PRODUCT_VALUE,
                            "productCharacteristic": [{"name": "colour", "value": "red"}],
                        }
                    )
                ]
            ),
            "quoteItem.0.product.productCharacteristic",
            422,
        ),
        (QUOTE, a_quote(quoteItem=[item(), item()]), "quoteItem.0", 422),
        (QUOTE, a_quote(expectedFulfillmentStartDate="soon"), "expectedFulfillmentStartDate", 400),
        (ORDER, {}, "productOrderItem", 400),
        (ORDER, {"productOrderItem": [{"id": "1"}]}, "productOrderItem.0.action", 400),
        (
            ORDER,
            an_order(productOrderItem=[item(action="explode")]),
            "productOrderItem.0.action",
            400,
        ),
        (
            ORDER,
            an_order(productOrderItem=[item(), item("2", "delete")]),
            "productOrderItem",
            400,
        ),
        (
            ORDER,
            an_order(productOrderItem=[item("1", "delete", product={})]),
            "productOrderItem.0.product.id",
            400,
        ),
        (
            ORDER,
            an_order(productOrderItem=[item(productOffering={"id": "nothing"})]),
            "productOrderItem.0.productOffering.id",
            422,
        ),
        (ORDER, an_order(externalId="k" * 129), "externalId", 422),
        (ORDER, an_order(relatedParty=[{"id": "1"}]), "relatedParty.0.@referredType", 400),
        (ORDER, an_order(**{"@type": "CancelProductOrder"}), "@type", 400),
        (CANCEL, {}, "productOrder", 400),
        (CANCEL, {"productOrder": {"id": 7}}, "productOrder.id", 400),
        (
            CANCEL,
            {"productOrder": {"id": "x"}, "requestedCancellationDate": "soon"},
            "requestedCancellationDate",
            400,
        ),
        (QUALIFICATION, {}, "productOfferingQualificationItem", 400),
        (
            QUALIFICATION,
            {"productOfferingQualificationItem": [{"id": "1"}]},
            "productOfferingQualificationItem.0.productOffering",
            400,
        ),
        (CHECK, {}, "serviceQualificationItem", 400),
        (
            CHECK,
            {"serviceQualificationItem": [{"id": "1"}]},
            "serviceQualificationItem.0.service",
            400,
        ),
        (QUERY, {}, "searchCriteria", 400),
        (DEMAND, {"name": 7}, "name", 400),
        (AGREEMENT, {"name": "x"}, "agreementType", 400),
    ],
)
def test_bad_input_names_its_attribute_and_writes_nothing(
    alliance: Alliance, shop: Client, path: str, body: Any, field: str, status: int
) -> None:
    cleaned = json.loads(json.dumps(body))
    for one in cleaned.get("quoteItem") or []:
        if one.get("productOffering", 1) is None:
            del one["productOffering"]
    before = shop.get(QUOTE), shop.get(ORDER), shop.get(CANCEL), shop.get(QUALIFICATION)
    refused = shop.send("POST", path, cleaned)
    told = refused.json()
    assert (refused.status_code, told.get("hansaField")) == (status, field), told
    assert "Traceback" not in refused.text
    after = shop.get(QUOTE), shop.get(ORDER), shop.get(CANCEL), shop.get(QUALIFICATION)
    assert after == before


def test_anothers_things_are_as_if_they_were_not_there(
    alliance: Alliance, shop: Client, other: Client
) -> None:
    """By id, in lists, and within bodies: the same answer as for an id that nobody has."""
    order = shop.post(ORDER, an_order(externalId="mine"))
    alliance.work()
    offered = shop.post(QUOTE, a_quote())
    (held,) = shop.get(PRODUCT)
    kept = shop.post(QUALIFICATION, {"productOfferingQualificationItem": [item()]})
    started = shop.post(ORDER, an_order())
    cancelled = shop.post(CANCEL, {"productOrder": {"id": started["id"]}})

    def modified(product: str) -> dict[str, Any]:
        return item("1", "modify", product={**PRODUCT_VALUE, "id": product})

    asks: list[tuple[str, str, str, Any]] = [
        ("GET", f"{ORDER}/ID", order["id"], None),
        ("PATCH", f"{ORDER}/ID", started["id"], {"state": "cancelled"}),
        ("GET", f"{QUOTE}/ID", offered["id"], None),
        ("PATCH", f"{QUOTE}/ID", offered["id"], {"state": "rejected"}),
        ("GET", f"{PRODUCT}/ID", held["id"], None),
        ("GET", f"{QUALIFICATION}/ID", kept["id"], None),
        ("GET", f"{CANCEL}/ID", cancelled["id"], None),
        ("POST", CANCEL, started["id"], {"productOrder": {"id": "ID"}}),
        (
            "POST",
            ORDER,
            offered["id"],
            {"quote": [{"id": "ID"}], "productOrderItem": [{"id": "1", "action": "add"}]},
        ),
        (
            "POST",
            ORDER,
            held["id"],
            {"productOrderItem": [{"id": "1", "action": "delete", "product": {"id": "ID"}}]},
        ),
        ("POST", ORDER, held["id"], {"productOrderItem": [modified("ID")]}),
        ("POST", QUOTE, held["id"], {"quoteItem": [modified("ID")]}),
        (
            "GET",
            f"{USAGE}?product.id=ID&period=2026-10",
            held["id"],
            None,
        ),
    ]
    for method, path, theirs, body in asks:
        nobodys = theirs[:4] + "0" * 32
        answers = []
        for name in (theirs, nobodys):
            sent = None if body is None else json.dumps(body).replace("ID", name).encode()
            told = other.send(method, path.replace("ID", name), sent)
            answers.append((told.status_code, told.text.replace(name, "ID")))
        assert answers[0] == answers[1], (method, path)
        assert 400 <= answers[0][0] < 500, (method, path, answers[0])
    for path in (
        ORDER,
        QUOTE,
        PRODUCT,
        QUALIFICATION,
        CANCEL,
        BILL,
        RATE,
        DEMAND,
        AGREEMENT,
        USAGE,
    ):
        assert other.get(path) == []
    for name, path in (("id", ORDER), ("id", QUOTE), ("productOffering.id", PRODUCT)):
        assert other.get(path, **{name.replace(".", "__"): LINE}) == []
    ours = client(alliance, f"{alliance.top.us.id}/operator")
    assert {one["id"] for one in ours.get(ORDER)} >= {order["id"], started["id"]}
