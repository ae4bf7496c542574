"""What a node refuses a client of the standard: bad input, and what is another's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.alliance import LINE, SHOP, Alliance
from tests.databases import Pool
from tests.journeys.plain import (
    AGREEMENT,
    BILL,
    CANCEL,
    CHECK,
    DEMAND,
    ORDER,
    OTHER,
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
    item,
)
from tests.standing import Standing, standing

LISTS = (QUOTE, ORDER, CANCEL, QUALIFICATION)


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    folder = tmp_path_factory.mktemp("plain")
    with pool.lend() as databases, standing(built(databases, folder)) as stood:
        yield stood


@pytest.fixture
def alliance(world: Standing) -> Alliance:
    return world.again()


@pytest.fixture
def shop(alliance: Alliance) -> Client:
    return client(alliance, f"{SHOP}/customer")


@pytest.fixture
def other(alliance: Alliance) -> Client:
    return client(alliance, f"{OTHER}/customer")


@pytest.fixture(scope="module")
def standing_shop(world: Standing) -> Client:
    """The customer of a world in which nothing is ever done."""
    return client(world.again(), f"{SHOP}/customer")


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
    standing_shop: Client, path: str, body: Any, field: str, status: int
) -> None:
    cleaned = json.loads(json.dumps(body))
    for one in cleaned.get("quoteItem") or []:
        if one.get("productOffering", 1) is None:
            del one["productOffering"]
    before = [standing_shop.get(one) for one in LISTS]
    refused = standing_shop.send("POST", path, cleaned)
    told = refused.json()
    assert (refused.status_code, told.get("hansaField")) == (status, field), told
    assert "Traceback" not in refused.text
    assert [standing_shop.get(one) for one in LISTS] == before


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
        ("GET", f"{USAGE}?product.id=ID&period=2026-10", held["id"], None),
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
