"""TMF645 Service Qualification v4.0: whether services can be had at a place, or which can.

A service is one of our offers, named by its specification; the answer is the same as to a
qualification of the offer.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from typing import Any, NotRequired

from hansa.federation.contract import NeedItem
from hansa.federation.shelf import ShelfQualification
from hansa.federation.tmf.shapes.common import (
    Extended,
    Ref,
    Text,
    checked,
    malformed,
    related,
    write_characteristics,
    write_instant,
    write_place,
)
from hansa.federation.tmf.shapes.wish import (
    WishedCharacteristic,
    WishedItem,
    WishedPlace,
    read_items,
)
from hansa.foundation.documents import Json

BASE = "/tmf-api/serviceQualificationManagement/v4"

ITEMS = "serviceQualificationItem"


class Service(Extended):
    """What is to be had, and where."""

    serviceSpecification: NotRequired[Ref]
    place: NotRequired[list[WishedPlace]]
    serviceCharacteristic: NotRequired[list[WishedCharacteristic]]


class Item(Extended):
    """One service of a check."""

    id: NotRequired[Text]
    service: NotRequired[Service]


class CheckShape(Extended):
    """CheckServiceQualification_Create."""

    serviceQualificationItem: list[Item]


class Criteria(Extended):
    """What is looked for. category: a family of services."""

    category: NotRequired[Ref]
    service: NotRequired[Service]


class QueryShape(Extended):
    """QueryServiceQualification_Create."""

    searchCriteria: Criteria


def read_check(value: Json) -> tuple[NeedItem, ...]:
    shape = checked(CheckShape, value)
    wished = [
        _wished(item.get("service"), item.get("id"), f"{ITEMS}.{index}.service")
        for index, item in enumerate(shape["serviceQualificationItem"])
    ]
    return read_items(wished, ITEMS)


def _wished(service: Service | None, name: str | None, at: str) -> WishedItem:
    if service is None:
        raise malformed(at, "it is mandatory")
    if "serviceSpecification" not in service:
        raise malformed(f"{at}.serviceSpecification", "it is mandatory: it names the service")
    wished: WishedItem = {
        "productOffering": service["serviceSpecification"],
        "product": {
            "place": service.get("place", []),
            "productCharacteristic": service.get("serviceCharacteristic", []),
        },
    }
    if name is not None:
        wished["id"] = name
    return wished


def read_query(value: Json) -> tuple[str | None, str | None, Service]:
    """The service and the family that are looked for, if they are named, and the rest."""
    criteria = checked(QueryShape, value)["searchCriteria"]
    service = criteria.get("service") or Service()
    named = service.get("serviceSpecification")
    family = criteria.get("category")
    return named and named["id"], family and family["id"], service


def read_everywhere(service: Service, offers: list[str]) -> tuple[NeedItem, ...]:
    """Each of these offers as it is looked for."""
    wished = [
        _wished({**service, "serviceSpecification": {"id": offer}}, offer, "searchCriteria.service")
        for offer in offers
    ]
    return read_items(wished, "searchCriteria")


def write_check(kept: ShelfQualification) -> dict[str, Any]:
    """What was asked for, item by item, and whether it can be had."""
    feasible = all(line.feasible for line in kept.qualification.lines)
    return {
        **_write_common(kept),
        "checkServiceQualificationDate": write_instant(kept.made_at),
        "qualificationResult": _result(feasible),
        ITEMS: _write_items(kept),
    }


def write_query(kept: ShelfQualification) -> dict[str, Any]:
    """What can be had of what was looked for."""
    can = {line.item for line in kept.qualification.lines if line.feasible}
    return {
        **_write_common(kept),
        "queryServiceQualificationDate": write_instant(kept.made_at),
        ITEMS: [item for item in _write_items(kept) if item["id"] in can],
    }


def _write_common(kept: ShelfQualification) -> dict[str, Any]:
    return {
        "id": kept.qualification.id,
        "state": "done",
        "instantSyncQualification": True,
        "effectiveQualificationDate": write_instant(kept.made_at),
        "expirationDate": write_instant(kept.expires_at),
        "relatedParty": related(buyer=kept.buyer),
    }


def _write_items(kept: ShelfQualification) -> list[dict[str, Any]]:
    lines = {line.item: line for line in kept.qualification.lines}
    items = []
    for need in kept.need.items:
        line = lines[need.id]
        service: dict[str, Any] = {
            "serviceSpecification": {"id": need.offer},
            "serviceCharacteristic": write_characteristics(need.characteristics),
        }
        if need.site is not None:
            service["place"] = [write_place(need.site)]
        item: dict[str, Any] = {
            "id": need.id,
            "state": "done",
            "qualificationResult": _result(line.feasible),
            "expirationDate": write_instant(kept.expires_at),
            "service": service,
        }
        if line.reason or line.words:
            told = {"code": line.reason, "label": line.words}
            item["eligibilityUnavailabilityReason"] = [told]
        items.append(item)
    return items


def _result(feasible: bool) -> str:
    return "qualified" if feasible else "unqualified"
