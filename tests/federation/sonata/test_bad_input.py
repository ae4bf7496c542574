"""What no API of the dialect lets in: 4xx in Sonata's shape that names the attribute."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from hansa.federation.exchange import BODY_MAX
from tests.federation.sonata.conftest import Plain, samples
from tests.federation.sonata.test_operations import TICKET, report
from tests.standing import Standing

Json = Any
VALIDATION, POQ, QUOTE, ORDER = samples()
QUALIFIED, QUOTED, ORDERED = (
    "productOfferingQualificationItem.0",
    "quoteItem.0",
    "productOrderItem.0",
)
GONE = object()
"""In place of a value: the attribute is missing."""

FAULTS: list[tuple[str, str, Json, str]] = [
    (VALIDATION, "provideAlternative", GONE, "missingProperty"),
    (VALIDATION, "provideAlternative", "no", "invalidFormat"),
    (VALIDATION, "submittedGeographicAddress.city", GONE, "missingProperty"),
    (VALIDATION, "submittedGeographicAddress.country", 7, "invalidFormat"),
    (VALIDATION, "submittedGeographicAddress.@type", "Planet", "invalidValue"),
    (VALIDATION, "submittedGeographicAddress.@type", "MEFGeographicPoint", "invalidValue"),
    (POQ, "relatedContactInformation", GONE, "missingProperty"),
    (POQ, "relatedContactInformation.0.emailAddress", GONE, "missingProperty"),
    (POQ, "requestedPOQCompletionDate", "tomorrow", "invalidFormat"),
    (POQ, f"{QUALIFIED}.action", "destroy", "invalidValue"),
    (POQ, f"{QUALIFIED}.product", GONE, "missingProperty"),
    (POQ, f"{QUALIFIED}.product.productOffering", GONE, "missingProperty"),
    (POQ, f"{QUALIFIED}.product.productOffering.id", 5, "invalidFormat"),
    (POQ, f"{QUALIFIED}.product.place.0.@type", "Planet", "invalidValue"),
    (POQ, f"{QUALIFIED}.product.place.0.role", GONE, "missingProperty"),
    (POQ, f"{QUALIFIED}.product.place.0.streetName", GONE, "missingProperty"),
    (POQ, f"{QUALIFIED}.product.productConfiguration.@type", "urn:x", "invalidValue"),
    (POQ, f"{QUALIFIED}.product.productConfiguration.@type", GONE, "missingProperty"),
    (POQ, f"{QUALIFIED}.hansaQuantity", "two", "invalidFormat"),
    (QUOTE, "buyerRequestedQuoteLevel", "vague", "invalidValue"),
    (QUOTE, "instantSyncQuote", GONE, "missingProperty"),
    (QUOTE, "note.0.date", "2026-13-01T00:00:00Z", "invalidFormat"),
    (QUOTE, "note.0.source", "friend", "invalidValue"),
    (QUOTE, "quoteItem", {}, "invalidFormat"),
    (QUOTE, f"{QUOTED}.id", GONE, "missingProperty"),
    (QUOTE, f"{QUOTED}.action", "delete", "invalidValue"),
    (QUOTE, f"{QUOTED}.product.id", "hld_1", "unexpectedProperty"),
    (QUOTE, f"{QUOTED}.requestedQuoteItemTerm.duration.units", "moons", "invalidValue"),
    (QUOTE, "hansaTrail", ["B T"], "invalidFormat"),
    (ORDER, "externalId", "", "invalidFormat"),
    (ORDER, "relatedContactInformation", [], "invalidFormat"),
    (ORDER, "productOrderItem", [], "invalidFormat"),
    (ORDER, f"{ORDERED}.requestedCompletionDate", "2026-12-01", "invalidFormat"),
    (ORDER, f"{ORDERED}.quoteItem", {"id": "1"}, "missingProperty"),
    (ORDER, f"{ORDERED}.expediteIndicator", "yes", "invalidFormat"),
    (TICKET, "observedImpact", GONE, "missingProperty"),
    (TICKET, "severity", "critical", "invalidValue"),
    (TICKET, "relatedEntity", [], "invalidFormat"),
    (TICKET, "relatedEntity.0.@referredType", "Planet", "invalidValue"),
    (TICKET, "attachment", [{"name": "log"}], "missingProperty"),
]


def spoiled(path: str, attribute: str, value: Json) -> Json:
    shape = deepcopy({**samples(), TICKET: report("hld_1")}[path])
    *way, last = [int(step) if step.isdigit() else step for step in attribute.split(".")]
    inner: Any = shape
    for step in way:
        inner = inner[step]
    if value is GONE:
        del inner[last]
    else:
        inner[last] = value
    return shape


def test_nothing_comes_of_what_is_wrong(built: Standing, ask: Plain) -> None:
    """All in one world, which holds the same before and after."""
    with built.nothing_written():
        for path, attribute, value, code in FAULTS:
            status, told, _ = ask("POST", path, spoiled(path, attribute, value))
            assert status == 422, (path, attribute, told)
            assert told[0]["code"] == code, (attribute, told)
            assert told[0]["propertyPath"].startswith(attribute.rsplit(".0", 1)[0]), told
            assert told[0]["reason"]


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize("path", [VALIDATION, POQ, QUOTE, ORDER])
def test_a_body_that_is_no_document_is_refused(built: Standing, ask: Plain, path: str) -> None:
    twice = b'{"instantSyncQuote":true,"instantSyncQuote":false}'
    with built.nothing_written():
        for body, statuses in (
            (b"", {400}),
            (b"{", {400}),
            (b"[]", {400, 422}),
            (b'"text"', {400, 422}),
            (b'{"a":"\xff"}', {400}),
            (b'{"a":NaN}', {400}),
            (deep(100), {400}),
            (twice, {400, 422}),
            (b'{"a":"' + b"x" * BODY_MAX + b'"}', {413}),
        ):
            status, told, _ = ask.send("POST", path, body)
            assert status in statuses, body[:40]
            first = told[0] if isinstance(told, list) else told
            assert first["reason"]
            assert "Traceback" not in json.dumps(told)


def test_another_kind_of_body_is_refused(ask: Plain) -> None:
    for media_type in ("text/plain", "application/xml", "application/json;charset=utf-16"):
        body = json.dumps(samples()[QUOTE]).encode()
        status, told, _ = ask.send("POST", QUOTE, body, media_type)
        assert (status, told["hansaCode"]) == (415, "media-type-unknown")


QUERIES: list[tuple[str, dict[str, str], str]] = [
    (QUOTE, {"colour": "red"}, "invalidQuery"),
    (QUOTE, {"state": "sad"}, "invalidQuery"),
    (QUOTE, {"externalId": ""}, "missingQueryValue"),
    (QUOTE, {"limit": "-1"}, "invalidQuery"),
    (QUOTE, {"offset": "x"}, "invalidQuery"),
    (QUOTE, {"quoteDate.gt": "yesterday"}, "invalidQuery"),
    (ORDER, {"completionDate.lt": "2026-11-02"}, "invalidQuery"),
    (POQ, {"state": ""}, "missingQueryValue"),
    (TICKET, {"severity": "critical"}, "invalidQuery"),
    ("productCatalog/v2/productOffering", {"lifecycleStatus": "new"}, "invalidQuery"),
    ("productInventory/v7/product", {"status": "well"}, "invalidQuery"),
    ("geographicSiteManagement/v7/geographicSite", {"siteType": "odd"}, "invalidQuery"),
]


@pytest.mark.parametrize(("path", "query", "code"), QUERIES)
def test_a_query_that_cannot_be_is_refused(
    ask: Plain, path: str, query: dict[str, str], code: str
) -> None:
    status, told, _ = ask("GET", path, **query)
    assert (status, told["code"]) == (400, code)
    assert next(iter(query)) in told["reason"]


@pytest.mark.parametrize(
    "path",
    [
        QUOTE,
        ORDER,
        POQ,
        TICKET,
        "productInventory/v7/product",
        "geographicSiteManagement/v7/geographicSite",
        "productOrderingManagement/v10/cancelProductOrder",
        "productOrderingManagement/v10/charge",
    ],
)
def test_what_is_not_there_is_not_found(ask: Plain, path: str) -> None:
    for odd in ("none", "%C3%A9", "a%2Fb", "x" * 190):
        status, told, _ = ask("GET", f"{path}/{odd}")
        assert (status, told["code"]) == (404, "notFound")


def test_what_is_not_served_is_told_in_the_same_shape(ask: Plain) -> None:
    for method, path, expected in (
        ("DELETE", QUOTE, 405),
        ("GET", f"{QUOTE}s", 404),
        ("GET", "nothing/v1", 404),
    ):
        status, told, _ = ask(method, path)
        assert status == expected
        assert told["reason"]
