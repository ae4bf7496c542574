"""A client that speaks the standard alone, and knows nothing of us, gets on with a node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest

from hansa.federation.callbacks import actions as callbacks
from hansa.federation.wire import parse
from hansa.foundation.ids import BillId, PartyId
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.model import ListPrice
from hansa.lifecycle.settlement.actions import customers
from tests.alliance import LINE, RETAIL, SHOP, Alliance
from tests.databases import Pool
from tests.federation import swagger
from tests.journeys.plain import (
    AGREEMENT,
    BILL,
    CANCEL,
    CATALOGUE,
    CHECK,
    DEMAND,
    ORDER,
    OTHER,
    PARTY,
    PLACE,
    PRODUCT,
    PRODUCT_VALUE,
    QUALIFICATION,
    QUERY,
    QUOTE,
    RATE,
    USAGE,
    Client,
    a_quote,
    an_order,
    built,
    client,
    has,
    item,
)
from tests.standing import Standing, standing


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    folder = tmp_path_factory.mktemp("plain")
    with pool.lend() as databases, standing(built(databases, folder)) as stood:
        yield stood


@pytest.fixture
def alliance(world: Standing) -> Alliance:
    return world.again()


@pytest.fixture
def other(alliance: Alliance) -> Client:
    return client(alliance, f"{OTHER}/customer")


@pytest.fixture
def shop(alliance: Alliance) -> Client:
    return client(alliance, f"{SHOP}/customer")


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
    quote = shop.post(QUOTE, a_quote())
    told = [item["hansaCancellation"] for item in quote["quoteItem"]]
    assert told == [{"unit": "GBP", "value": Decimal("12.50")}]
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


def test_a_place_is_named_by_the_address_that_was_validated(
    alliance: Alliance, shop: Client, other: Client
) -> None:
    """And by the site that stands there; another's address is as good as none."""
    base = "/tmf-api/geographicAddressManagement/v4"
    asked = {
        "submittedGeographicAddress": {"country": "ZA", "city": "Durban", "streetName": "West"},
        "provideAlternative": False,
    }
    valid = shop.send("POST", f"{base}/geographicAddressValidation", asked).json()
    address = valid["validGeographicAddress"]["id"]
    site = shop.send(
        "POST",
        "/tmf-api/geographicSiteManagement/v4/geographicSite",
        {"name": "Office", "place": [{"id": address, "@type": "GeographicAddressRef"}]},
    ).json()["id"]
    for place in (address, site):
        ref = {"id": place, "role": "installation", "@referredType": "GeographicAddress"}
        body = {"quoteItem": [item(product={"place": [ref]})]}
        made = shop.post(QUOTE, body)
        (shown,) = made["quoteItem"][0]["product"]["place"]
        assert (shown["id"], shown["city"], shown["country"]) == (place, "Durban", "ZA")
        refused = other.send("POST", QUOTE, body).json()
        assert refused["hansaField"] == "quoteItem.0.product.place.0.country"


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


# --- being told ---------------------------------------------------------------------------------


def subscribed(alliance: Alliance, at: Client, hub: str, party: str = SHOP) -> None:
    with alliance.top.begin() as tx:
        callbacks.add(
            tx, party=PartyId(party), host="shop.test", by="test", now=alliance.clock.now()
        )
    made = at.send("POST", f"{hub}/hub", {"callback": "http://shop.test/listener"})
    assert made.status_code == 201, made.text


def told(alliance: Alliance) -> list[tuple[str, str, str]]:
    """What has been told: the event, which thing, and its state as the notice says it."""
    found = []
    for url, notice in alliance.told:
        ((kind, thing),) = notice["event"].items()
        assert (
            url
            == f"http://shop.test/listener/{notice['eventType'][0].lower()}"
            + (notice["eventType"][1:])
        )
        number = EVENTS[kind]
        schema = {"$ref": f"#/definitions/{kind[0].upper()}{kind[1:]}"}
        assert list(swagger.faults(number, schema, thing)) == []
        found.append((notice["eventType"], thing["id"], thing["state"]))
    alliance.told.clear()
    return found


EVENTS = {"productOrder": 622, "cancelProductOrder": 622, "quote": 648, "customerBill": 678}


def test_an_order_is_told_of_as_it_moves(alliance: Alliance, shop: Client, other: Client) -> None:
    """From its creation to its end, to its buyer and to nobody else."""
    subscribed(alliance, shop, "/tmf-api/productOrderingManagement/v4")
    other.post(ORDER, an_order())
    made = shop.post(ORDER, an_order())
    alliance.work()
    events = told(alliance)
    assert {thing for _, thing, _ in events} == {made["id"]}
    assert sorted(event for event, _, _ in events) == [
        "ProductOrderCreateEvent",
        "ProductOrderStateChangeEvent",
        "ProductOrderStateChangeEvent",
    ]
    assert events[-1] == ("ProductOrderStateChangeEvent", made["id"], "completed")


def test_a_cancellation_is_told_of(alliance: Alliance, shop: Client) -> None:
    subscribed(alliance, shop, "/tmf-api/productOrderingManagement/v4")
    order = shop.post(ORDER, an_order())
    made = shop.post(CANCEL, {"productOrder": {"id": order["id"]}})
    alliance.work()
    events = told(alliance)
    assert ("CancelProductOrderStateChangeEvent", made["id"], "done") in events
    assert ("ProductOrderStateChangeEvent", order["id"], "cancelled") in events


def test_a_quote_and_a_bill_are_told_of(alliance: Alliance, shop: Client) -> None:
    subscribed(alliance, shop, "/tmf-api/quoteManagement/v4")
    subscribed(alliance, shop, "/tmf-api/customerBillManagement/v4")
    made = shop.post(QUOTE, a_quote())
    shop.patch(f"{QUOTE}/{made['id']}", {"state": "rejected"})
    shop.post(ORDER, an_order())
    alliance.work()
    alliance.pass_time(timedelta(days=31))
    events = told(alliance)
    assert ("QuoteStateChangeEvent", made["id"], "rejected") in events
    (bill,) = shop.get(BILL)
    assert ("CustomerBillCreateEvent", bill["id"], bill["state"]) in events
    node = alliance.top
    with node.begin() as tx:
        (open_one,) = customers.open_papers(tx, bill=BillId(bill["id"]))
        customers.paid(
            tx, bill=open_one.id, amount=open_one.total, on=node.clock.now().date(),
            reference="transfer 4711", ids=node.ids, now=node.clock.now(),
        )  # fmt: skip
    alliance.work()
    assert told(alliance) == [("CustomerBillStateChangeEvent", bill["id"], "settled")]
    assert shop.get(f"{BILL}/{bill['id']}")["state"] == "settled"


def test_partners_are_told_of_papers(alliance: Alliance, shop: Client) -> None:
    """Beside what their nodes are told: the statement, and what becomes of it."""
    op1, op2 = alliance.nodes.values()
    with op1.begin() as tx:
        callbacks.add(tx, party=op2.us.id, host="shop.test", by="test", now=alliance.clock.now())
    partner = client(alliance, "op2/partner", node=0)
    made = partner.send(
        "POST", "/tmf-api/customerBillManagement/v4/hub", {"callback": "http://shop.test/listener"}
    )
    assert made.status_code == 201, made.text
    shop.post(ORDER, an_order())
    alliance.work()
    alliance.pass_time(timedelta(days=31))
    (statement,) = partner.get(BILL)
    events = told(alliance)
    assert {thing for _, thing, _ in events} == {statement["id"]}
    assert {event for event, _, _ in events} == {
        "CustomerBillCreateEvent",
        "CustomerBillStateChangeEvent",
    }
