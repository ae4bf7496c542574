"""What a plain Sonata client finds at a node: every operation, each answer as MEF says."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from hansa.federation.sonata.shapes.common import ROOT
from hansa.foundation.ids import HoldingId, PartyId
from tests.alliance import LINE, Alliance
from tests.federation.sonata.conftest import CONTACT, PLACE, Plain, plain, product, samples

VALIDATION, POQ, QUOTE, ORDER = samples()
BELOW = "geographicAddressManagement/v7"
ORDERING = "productOrderingManagement/v10"
TICKET = "troubleTicket/v4/troubleTicket"


def made(ask: Plain, path: str, **changes: Any) -> Any:
    """What comes of the sample for this path."""
    status, shape, headers = ask("POST", path, samples()[path] | changes)
    assert status == 201, shape
    assert headers["location"] == shape["href"] == f"{path}/{shape['id']}"
    return shape


def ordered(ask: Plain, world: Alliance, **changes: Any) -> Any:
    order = made(ask, ORDER, **changes)
    world.work()
    status, shape, _ = ask("GET", order["href"])
    assert (status, shape["state"]) == (200, "completed")
    return shape


# --- where --------------------------------------------------------------------------------------


def test_an_address_is_validated_and_found_again(ask: Plain) -> None:
    status, shape, _ = ask("POST", VALIDATION, samples()[VALIDATION])
    assert (status, shape["validationResult"]) == (200, "success")
    best = shape["bestMatchGeographicAddress"]
    assert best["city"] == "Durban"
    status, found, _ = ask("GET", f"{BELOW}/geographicAddress/{best['id']}")
    assert (status, found) == (200, best)
    by_reference = product() | {
        "place": [{"@type": "GeographicAddressRef", "role": "INSTALL_LOCATION", "id": best["id"]}]
    }
    item = {"id": "1", "action": "add", "product": by_reference}
    shape = made(ask, POQ, productOfferingQualificationItem=[item])
    assert shape["productOfferingQualificationItem"][0]["serviceabilityConfidence"] == "green"


def test_where_nothing_is_on_offer_an_address_fails(ask: Plain) -> None:
    sample = samples()[VALIDATION]
    sample["submittedGeographicAddress"]["country"] = "BR"
    _, shape, _ = ask("POST", VALIDATION, sample)
    assert shape["validationResult"] == "fail"
    assert "bestMatchGeographicAddress" not in shape


@pytest.mark.parametrize("odd", ["adr_", "adr_e30", "x", "adr_%F0%9F", "adr_" + "A" * 3900])
def test_no_other_id_is_an_address(ask: Plain, odd: str) -> None:
    status, shape, _ = ask("GET", f"{BELOW}/geographicAddress/{odd}")
    assert (status, shape["code"]) in ((404, "notFound"), (400, "invalidQuery"))


# --- what, and at what price --------------------------------------------------------------------


def test_the_catalogue_shows_what_is_on_offer(ask: Plain) -> None:
    status, (one,), headers = ask("GET", "productCatalog/v2/productOffering")
    assert (status, headers["x-total-count"], one["id"]) == (200, "1", LINE)
    assert one["productSpecification"]["id"].startswith("urn:mef:")
    assert ask("GET", one["href"])[1]["region"] == [{"country": "ZA"}]
    for query, count in ({"region.country": "ZA"}, 1), ({"region.country": "GB"}, 0):
        assert len(ask("GET", "productCatalog/v2/productOffering", **query)[1]) == count
    assert ask("GET", "productCatalog/v2/productOffering/none")[0] == 404


def test_a_qualification_is_kept(ask: Plain) -> None:
    far = product() | {"place": [PLACE | {"country": "BR"}]}
    items = [
        {"id": "1", "action": "add", "product": product()},
        {"id": "2", "action": "add", "product": far},
    ]
    shape = made(ask, POQ, productOfferingQualificationItem=items)
    assert shape["externalId"] == "poq-1"
    assert [
        one["serviceabilityConfidence"] for one in shape["productOfferingQualificationItem"]
    ] == [
        "green",
        "red",
    ]
    assert shape["productOfferingQualificationItem"][1]["serviceabilityConfidenceReason"]
    assert ask("GET", shape["href"])[1] == shape
    for query, count in (
        ({}, 1),
        ({"externalId": "poq-1", "state": "done.ready"}, 1),
        ({"projectId": "none"}, 0),
        ({"state": "inProgress"}, 0),
    ):
        status, found, headers = ask("GET", POQ, **query)
        assert (status, len(found), headers["x-total-count"]) == (200, count, str(count))


def test_a_quote_gives_back_what_was_asked(ask: Plain) -> None:
    shape = made(ask, QUOTE)
    assert (shape["state"], shape["quoteLevel"]) == ("approved.orderable", "firm")
    assert shape["note"] == samples()[QUOTE]["note"]
    (item,) = shape["quoteItem"]
    assert item["requestedQuoteItemTerm"]["name"] == "3 years"
    uni = item["product"]["productConfiguration"]["uniEp"]
    flow = uni["ingressBandwidthProfilePerClassOfServiceName"][0]["bwpFlow"]
    assert flow["cir"] == {"irValue": 100, "irUnits": "MBPS"}
    prices = {one["priceType"]: one["price"]["dutyFreeAmount"] for one in item["quoteItemPrice"]}
    assert prices["nonRecurring"] == {"unit": "GBP", "value": 50.0}
    assert prices["recurring"] == {"unit": "GBP", "value": 125.0}
    assert ask("GET", shape["href"])[1] == shape


def test_quotes_are_found_by_what_they_say(ask: Plain, world: Alliance) -> None:
    first = made(ask, QUOTE)
    world.clock.move(timedelta(minutes=1))
    second = made(ask, QUOTE, externalId="quote-2")
    ids = [one["id"] for one in ask("GET", QUOTE)[1]]
    assert ids == [second["id"], first["id"]]
    status, page, headers = ask("GET", QUOTE, limit="1", offset="1")
    assert (status, [one["id"] for one in page], headers["x-total-count"]) == (
        200,
        [first["id"]],
        "2",
    )
    assert [one["id"] for one in ask("GET", QUOTE, externalId="quote-2")[1]] == [second["id"]]
    assert ask("GET", QUOTE, **{"quoteDate.gt": "2026-11-02T09:00:00Z"})[1] == []
    assert len(ask("GET", QUOTE, **{"quoteDate.lt": "2026-11-02T09:00:00Z"})[1]) == 2


@pytest.mark.parametrize(
    ("act", "state"), [("cancelQuote", "cancelled"), ("rejectQuote", "rejected")]
)
def test_a_quote_that_is_not_wanted_cannot_be_ordered(ask: Plain, act: str, state: str) -> None:
    shape = made(ask, QUOTE)
    wish = {"quoteId": shape["id"], "reason": "Too dear."}
    assert ask("POST", f"quoteManagement/v8/{act}", wish)[:2] == (200, wish)
    found = ask("GET", shape["href"])[1]
    assert (found["state"], found["stateChange"][0]["changeReason"]) == (state, "Too dear.")
    assert [one["id"] for one in ask("GET", QUOTE, state=state)[1]] == [shape["id"]]
    status, (error,), _ = ask("POST", ORDER, of_quote(shape))
    assert (status, error["hansaCode"]) == (422, "quote-closed")
    other = {"quoteId": "quo_none"}
    status, (error,), _ = ask("POST", f"quoteManagement/v8/{act}", other)
    assert (status, error["code"]) == (422, "referenceNotFound")


# --- orders -------------------------------------------------------------------------------------


def of_quote(quote: Any, **changes: Any) -> Any:
    item = {"id": "9", "action": "add", "quoteItem": {"id": "1", "quoteId": quote["id"]}}
    return {"relatedContactInformation": [CONTACT], "productOrderItem": [item], **changes}


def test_a_quote_is_ordered_and_delivered(ask: Plain, world: Alliance) -> None:
    quote = made(ask, QUOTE)
    status, order, _ = ask("POST", ORDER, of_quote(quote, externalId="o1"))
    assert (status, order["state"], order["externalId"]) == (201, "acknowledged", "o1")
    world.work()
    _, order, _ = ask("GET", order["href"])
    (item,) = order["productOrderItem"]
    assert (order["state"], item["state"]) == ("completed", "completed")
    assert item["completionDate"] == "2026-11-02T08:00:00Z"
    assert ask("GET", quote["href"])[1]["state"] == "accepted"
    _, held, _ = ask("GET", f"productInventory/v7/product/{item['product']['id']}")
    assert (held["status"], held["productOffering"]["id"]) == ("active", LINE)
    assert held["hansaDegraded"] is False


def test_an_order_needs_no_quote(ask: Plain, world: Alliance) -> None:
    order = ordered(ask, world)
    assert order["projectId"] == "durban"
    assert order["productOrderItem"][0]["endCustomerName"] == "Karoo Retail"
    again = ask("POST", ORDER, samples()[ORDER])
    assert (again[0], again[1]["id"]) == (201, order["id"])
    status, (error,), _ = ask(
        "POST",
        ORDER,
        samples()[ORDER]
        | {
            "productOrderItem": [
                {
                    "id": "1",
                    "action": "add",
                    "product": product() | {"place": [PLACE | {"city": "Paarl"}]},
                }
            ]
        },
    )
    assert (status, error["code"], error["hansaCode"]) == (422, "otherIssue", "key-reused")


def test_a_part_of_a_quote_is_not_ordered(ask: Plain) -> None:
    items = [{"id": one, "action": "add", "product": product()} for one in ("1", "2")]
    quote = made(ask, QUOTE, quoteItem=items)
    status, (error,), _ = ask("POST", ORDER, of_quote(quote))
    assert (status, error["propertyPath"]) == (422, "productOrderItem")


def test_orders_are_found_by_what_they_say(ask: Plain, world: Alliance) -> None:
    order = ordered(ask, world)
    for query, count in (
        ({}, 1),
        ({"state": "completed", "externalId": "order-1"}, 1),
        ({"completionDate.gt": "2026-11-01T00:00:00Z"}, 1),
        ({"completionDate.lt": "2026-11-01T00:00:00Z"}, 0),
        ({"cancellationDate.lt": "2027-11-01T00:00:00Z"}, 0),
        ({"projectId": "durban"}, 1),
        ({"state": "failed"}, 0),
    ):
        found = ask("GET", ORDER, **query)[1]
        assert [one["id"] for one in found] == [order["id"]] * count, query


def test_what_is_held_is_changed_and_ended(ask: Plain, world: Alliance) -> None:
    held = ordered(ask, world)["productOrderItem"][0]["product"]["id"]
    changed = deepcopy(product()) | {"id": held}
    for point in ("uniEp", "enniEp"):
        flow = changed["productConfiguration"][point]
        flow["ingressBandwidthProfilePerClassOfServiceName"][0]["bwpFlow"]["cir"]["irValue"] = 0.2
    item = {"id": "1", "action": "modify", "product": changed}
    world.pass_time(timedelta(days=1))
    ordered(ask, world, externalId="o2", productOrderItem=[item])
    _, shape, _ = ask("GET", f"productInventory/v7/product/{held}")
    uni = shape["productConfiguration"]["uniEp"]
    flow = uni["ingressBandwidthProfilePerClassOfServiceName"][0]["bwpFlow"]
    assert flow["cir"]["irValue"] == 200
    end = {"id": "1", "action": "delete", "product": {"id": held}}
    world.pass_time(timedelta(days=1))
    ordered(ask, world, externalId="o3", productOrderItem=[end])
    _, shape, _ = ask("GET", f"productInventory/v7/product/{held}")
    assert shape["status"] == "terminated"
    assert shape["terminationDate"]


def test_products_that_were_not_ordered_together_do_not_end_together(
    ask: Plain, world: Alliance
) -> None:
    items = [{"id": one, "action": "add", "product": product()} for one in ("1", "2")]
    first = ordered(ask, world, productOrderItem=items)["productOrderItem"][0]["product"]["id"]
    end = {"id": "1", "action": "delete", "product": {"id": first}}
    status, (error,), _ = ask(
        "POST", ORDER, samples()[ORDER] | {"externalId": "o2", "productOrderItem": [end]}
    )
    assert (status, error["propertyPath"]) == (422, "productOrderItem")
    end["product"] = {"id": "hld_none"}
    status, (error,), _ = ask(
        "POST", ORDER, samples()[ORDER] | {"externalId": "o3", "productOrderItem": [end]}
    )
    assert (status, error["code"]) == (422, "referenceNotFound")


def test_an_order_is_taken_back(ask: Plain, world: Alliance) -> None:
    order = made(ask, ORDER)
    wish = {
        "productOrder": {"productOrderId": order["id"]},
        "relatedContactInformation": [CONTACT],
        "cancellationReason": "Moved.",
        "cancellationReasonType": "technical",
    }
    path = f"{ORDERING}/cancelProductOrder"
    status, shape, _ = ask("POST", path, wish)
    assert status == 201
    world.work()
    found = ask("GET", shape["href"])[1]
    assert (found["state"], found["cancellationReason"]) == ("done", "Moved.")
    assert ask("GET", order["href"])[1]["state"] == "cancelled"
    for query, count in (
        ({"cancellationReasonType": "technical", "productOrderId": order["id"]}, 1),
        ({"state": "done"}, 1),
        ({"cancellationReasonType": "commercial"}, 0),
    ):
        assert len(ask("GET", path, **query)[1]) == count, query
    assert ask("GET", f"{ORDERING}/charge")[1] == []
    assert ask("GET", f"{ORDERING}/charge/chg_{shape['id']}")[0] == 404
    update = {"chargeItem": [{"id": "1", "acceptanceIndicator": "accepted"}]}
    assert ask("PATCH", f"{ORDERING}/charge/chg_{shape['id']}", update)[0] == 404


def test_what_is_not_served_says_so(ask: Plain, world: Alliance) -> None:
    order = ordered(ask, world)
    dates = f"{ORDERING}/modifyProductOrderItemRequestedDeliveryDate"
    item = {"productOrderId": order["id"], "productOrderItemId": "1"}
    for method, path, body in (
        ("PATCH", order["href"], {"externalId": "x"}),
        ("POST", dates, {"productOrderItem": item}),
        ("GET", dates, None),
        ("GET", f"{dates}/1", None),
        ("GET", "troubleTicket/v4/incident", None),
        ("GET", "troubleTicket/v4/incident/1", None),
    ):
        status, error, _ = ask(method, path, body)
        assert (status, error["code"]) == (501, "notImplemented"), path


# --- what is held -------------------------------------------------------------------------------


def test_products_and_their_sites_are_listed(ask: Plain, world: Alliance) -> None:
    order = ordered(ask, world)
    (one,) = ask("GET", "productInventory/v7/product")[1]
    for query, count in (
        ({"status": "active", "productOfferingId": LINE}, 1),
        ({"productOrderId": order["id"]}, 1),
        ({"startDate.gt": "2026-12-01T00:00:00Z"}, 0),
        ({"billingAccountId": "1"}, 0),
        ({"geographicalSiteId": one["relatedSite"][0]["id"]}, 1),
    ):
        assert len(ask("GET", "productInventory/v7/product", **query)[1]) == count, query
    (site,) = ask("GET", "geographicSiteManagement/v7/geographicSite", city="Durban")[1]
    assert site["id"] == one["relatedSite"][0]["id"]
    assert ask("GET", site["href"])[1] == site
    assert ask("GET", "geographicSiteManagement/v7/geographicSite", siteType="public")[1] == []
    by_site = product() | {
        "place": [{"@type": "GeographicSiteRef", "role": "INSTALL_LOCATION", "id": site["id"]}]
    }
    item = {"id": "1", "action": "add", "product": by_site}
    assert made(ask, QUOTE, quoteItem=[item])["state"] == "approved.orderable"


# --- tickets ------------------------------------------------------------------------------------


def report(holding: str, **changes: Any) -> Any:
    return {
        "description": "No light on the line.",
        "observedImpact": "down",
        "priority": "high",
        "severity": "extensive",
        "ticketType": "assistance",
        "externalId": "t1",
        "relatedContactInformation": [CONTACT],
        "relatedEntity": [{"id": holding, "role": "affected", "@referredType": "Product"}],
        **changes,
    }


def test_a_ticket_is_opened_noted_and_closed(ask: Plain, world: Alliance) -> None:
    held = ordered(ask, world)["productOrderItem"][0]["product"]["id"]
    status, ticket, headers = ask("POST", TICKET, report(held))
    assert (status, ticket["status"], ticket["observedImpact"]) == (201, "acknowledged", "down")
    assert headers["location"] == ticket["href"]
    assert ask("POST", TICKET, report(held))[1]["id"] == ticket["id"]
    note = {
        "id": "n1",
        "author": "Ada Byron",
        "date": "2026-11-02T08:00:00Z",
        "source": "buyer",
        "text": "Still dark.",
    }
    status, shape, _ = ask("PATCH", ticket["href"], {"note": [note]})
    assert (status, [one["text"] for one in shape["note"]]) == (200, ["Still dark."])
    status, (error,), _ = ask("PATCH", ticket["href"], {"severity": "minor"})
    assert (status, error["propertyPath"]) == (422, "severity")
    for query, count in (
        ({"status": "acknowledged", "observedImpact": "down", "priority": "high"}, 1),
        ({"relatedEntityId": held, "relatedEntityType": "Product"}, 1),
        ({"creationDate.lt": "2026-11-02T00:00:00Z"}, 0),
        ({"status": "closed"}, 0),
    ):
        assert len(ask("GET", TICKET, **query)[1]) == count, query
    assert ask("POST", f"{ticket['href']}/cancel")[0] == 204
    assert ask("GET", ticket["href"])[1]["status"] == "cancelled"
    status, (error,), _ = ask("POST", f"{ticket['href']}/reopen", {"reason": "Dark again."})
    assert (status, error["hansaCode"]) == (422, "state-move")
    status, (error,), _ = ask("POST", TICKET, report("hld_none", externalId="t2"))
    assert (status, error["code"]) == (422, "referenceNotFound")
    assert ask("POST", f"{TICKET}/tck_none/close")[0] == 404


# --- whose --------------------------------------------------------------------------------------


def test_nobody_finds_what_is_another_s(ask: Plain, world: Alliance) -> None:
    quote, order = made(ask, QUOTE), ordered(ask, world)
    held = order["productOrderItem"][0]["product"]["id"]
    ticket = ask("POST", TICKET, report(held))[1]
    stranger = plain(world, "stranger")
    for href in (quote["href"], order["href"], ticket["href"]):
        none = f"{href[:-4]}0000"
        (status, there, _), (_, other, _) = stranger("GET", href), stranger("GET", none)
        assert status == 404
        told = json.dumps(there).replace(href.rsplit("/", 1)[1], none.rsplit("/", 1)[1])
        assert json.loads(told) == other
    for path in (QUOTE, ORDER, TICKET, POQ, "productInventory/v7/product"):
        assert stranger("GET", path)[1] == []
    status, (error,), _ = stranger("POST", ORDER, of_quote(quote))
    assert (status, error["code"]) == (422, "referenceNotFound")


@pytest.mark.parametrize("name", ["buyerId", "sellerId"])
def test_nobody_speaks_for_another(ask: Plain, name: str) -> None:
    for method, path, body in (
        ("GET", QUOTE, None),
        ("POST", QUOTE, samples()[QUOTE]),
        ("GET", f"{ORDER}/ord_1", None),
        ("POST", VALIDATION, samples()[VALIDATION]),
    ):
        status, error, _ = ask(method, path, body, **{name: "stranger"})
        assert (status, error["code"]) == (403, "forbiddenRequester")
    assert ask("GET", QUOTE, buyerId="op2", sellerId="op1")[0] == 200


# --- events -------------------------------------------------------------------------------------

HUBS = ("quoteManagement/v8", "productOfferingQualification/v7", ORDERING, "troubleTicket/v4")


@pytest.mark.parametrize("api", HUBS)
def test_a_subscription_is_made_and_ended(ask: Plain, api: str) -> None:
    wish = {"callback": "http://op2.test/listen", "query": ""}
    status, made_, headers = ask("POST", f"{api}/hub", wish)
    assert (status, made_["callback"]) == (201, wish["callback"])
    path = headers["location"]
    if api in (ORDERING, "troubleTicket/v4"):
        assert ask("GET", path)[:2] == (200, made_)
    assert ask("DELETE", path)[0] == 204
    assert ask("DELETE", path)[0] == 404
    odd = ask("POST", f"{api}/hub", wish | {"query": "eventType="})
    assert (odd[0], odd[1]["code"]) == (400, "invalidBody")


def test_events_are_read_and_noted(ask: Plain, world: Alliance) -> None:
    """op1 tells op2 of an order by its id alone, as any Sonata seller does."""
    order = ordered(ask, world)
    shape = {
        "eventId": "e1",
        "eventTime": "2026-11-02T08:00:00Z",
        "eventType": "productOrderStateChangeEvent",
        "event": {"id": order["id"]},
    }
    tell = plain(world, "op1", "op2")
    notices = f"{ROOT}/productOrderingNotification/v10/listener"
    status, error, _ = tell("POST", f"{notices}/productOrderStateChangeEvent", shape)
    assert (status, error["code"]) == (400, "invalidBody")  # op2's node has not ordered that
    for kind in ("chargeCreateEvent", "cancelProductOrderStateChangeEvent"):
        assert tell("POST", f"{notices}/{kind}", shape | {"eventType": kind})[0] == 204
    status, error, _ = tell("POST", f"{notices}/chargeCreateEvent", shape)
    assert (status, error["code"]) == (400, "invalidBody")
    quotes = f"{ROOT}/quoteNotification/v8/listener/quoteStateChangeEvent"
    assert tell("POST", quotes, shape | {"eventType": "quoteStateChangeEvent"})[0] == 204


def test_a_holding_is_a_holding(world: Alliance, ask: Plain) -> None:
    held = ordered(ask, world)["productOrderItem"][0]["product"]["id"]
    condition = world.nodes[PartyId("op2")].seller(PartyId("op1")).condition(HoldingId(held))
    assert (condition.state, condition.measured) == ("active", False)
    assert condition.checks
