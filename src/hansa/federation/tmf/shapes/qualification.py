"""TMF679 Product Offering Qualification v4.0: a Need to be qualified, and its Qualification."""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.contract import Need, NeedItem, Qualification, QualificationLine
from hansa.federation.shelf import ShelfQualification
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    Extended,
    Id,
    Product,
    Ref,
    RelatedParty,
    Text,
    Whole,
    checked,
    href,
    read_characteristics,
    read_parties,
    read_site,
    write_instant,
    write_product,
)
from hansa.federation.tmf.shapes.wish import WishedItem, read_items
from hansa.foundation.documents import Json
from hansa.foundation.ids import HoldingId, OfferCode, QualificationId, TraceId

BASE = "/tmf-api/productOfferingQualification/v4"
QUALIFICATIONS = f"{BASE}/productOfferingQualification"


class NeedItemShape(Extended):
    """One line of a need; action modify: product.id is already held."""

    id: Text
    action: Literal["add", "modify"]
    productOffering: Ref
    product: Product
    hansaQuantity: Whole


class NeedShape(Extended):
    """ProductOfferingQualification_Create. The trace travels as `traceparent`, not here."""

    instantSyncQualification: NotRequired[bool]
    provideUnavailabilityReason: NotRequired[bool]
    productOfferingQualificationItem: list[NeedItemShape]
    hansaCurrency: Text
    hansaTrail: list[Id]


class WishShape(Extended):
    """ProductOfferingQualification_Create of any client."""

    productOfferingQualificationItem: list[WishedItem]
    hansaCurrency: NotRequired[Text]


class Reason(TypedDict):
    """Why an item cannot be had."""

    code: Text
    label: Text


class ResultItem(TypedDict):
    """Whether one item can be had."""

    id: Text
    state: NotRequired[Text]
    qualificationItemResult: Literal["qualified", "unqualified"]
    action: NotRequired[Text]
    productOffering: NotRequired[Ref]
    product: NotRequired[Product]
    hansaQuantity: NotRequired[Whole]
    eligibilityUnavailabilityReason: NotRequired[list[Reason]]


class QualificationShape(TypedDict):
    """ProductOfferingQualification."""

    id: Id
    href: NotRequired[Text]
    state: NotRequired[Text]
    qualificationResult: NotRequired[Text]
    instantSyncQualification: NotRequired[bool]
    productOfferingQualificationDate: NotRequired[Text]
    effectiveQualificationDate: NotRequired[Text]
    expirationDate: NotRequired[Text]
    relatedParty: NotRequired[list[RelatedParty]]
    productOfferingQualificationItem: list[ResultItem]


def write_need(need: Need) -> NeedShape:
    return {
        "instantSyncQualification": True,
        "provideUnavailabilityReason": True,
        "productOfferingQualificationItem": [
            {
                "id": item.id,
                "action": "add" if item.holding is None else "modify",
                "productOffering": {"id": item.offer},
                "product": write_product(
                    site=item.site, characteristics=item.characteristics, holding=item.holding
                ),
                "hansaQuantity": item.quantity,
                "@type": "HansaProductOfferingQualificationItem",
                "@baseType": "ProductOfferingQualificationItem",
                "@schemaLocation": SCHEMA,
            }
            for item in need.items
        ],
        "hansaCurrency": need.currency,
        "hansaTrail": list(need.trail),
        "@type": "HansaProductOfferingQualification",
        "@baseType": "ProductOfferingQualification",
        "@schemaLocation": SCHEMA,
    }


def read_need(value: Json, trace: TraceId) -> Need:
    shape = checked(NeedShape, value)
    return Need(
        items=tuple(_read_items(shape["productOfferingQualificationItem"])),
        currency=shape["hansaCurrency"],
        trace=trace,
        trail=read_parties(shape["hansaTrail"]),
    )


def _read_items(shapes: Sequence[NeedItemShape]) -> Sequence[NeedItem]:
    return [
        NeedItem(
            id=shape["id"],
            offer=OfferCode(shape["productOffering"]["id"]),
            site=read_site(shape["product"], f"productOfferingQualificationItem.{index}.product"),
            characteristics=read_characteristics(
                shape["product"].get("productCharacteristic"),
                f"productOfferingQualificationItem.{index}.product.productCharacteristic",
            ),
            quantity=shape["hansaQuantity"],
            holding=HoldingId(shape["product"]["id"]) if "id" in shape["product"] else None,
        )
        for index, shape in enumerate(shapes)
    ]


def read_wish(value: Json) -> tuple[tuple[NeedItem, ...], str | None]:
    """The items that any client asks about, and the currency it would pay in if it says so."""
    shape = checked(WishShape, value)
    items = read_items(
        shape["productOfferingQualificationItem"], "productOfferingQualificationItem"
    )
    return items, shape.get("hansaCurrency")


def write_kept(kept: ShelfQualification) -> QualificationShape:
    """What was asked and what was answered, as long as it is kept."""
    shape = write(kept.qualification)
    shape["instantSyncQualification"] = True
    shape["productOfferingQualificationDate"] = write_instant(kept.made_at)
    shape["effectiveQualificationDate"] = write_instant(kept.made_at)
    shape["expirationDate"] = write_instant(kept.expires_at)
    asked = {item.id: item for item in kept.need.items}
    for one in shape["productOfferingQualificationItem"]:
        item = asked[one["id"]]
        one["action"] = "add" if item.holding is None else "modify"
        one["productOffering"] = {"id": item.offer}
        one["product"] = write_product(
            site=item.site, characteristics=item.characteristics, holding=item.holding
        )
        one["hansaQuantity"] = item.quantity
    return shape


def write(qualification: Qualification) -> QualificationShape:
    feasible = all(line.feasible for line in qualification.lines)
    return {
        "id": qualification.id,
        "href": href(QUALIFICATIONS, qualification.id),
        "state": "done",
        "qualificationResult": "qualified" if feasible else "unqualified",
        "productOfferingQualificationItem": [_write_line(line) for line in qualification.lines],
    }


def _write_line(line: QualificationLine) -> ResultItem:
    item: ResultItem = {
        "id": line.item,
        "state": "done",
        "qualificationItemResult": "qualified" if line.feasible else "unqualified",
    }
    if line.reason or line.words:
        item["eligibilityUnavailabilityReason"] = [{"code": line.reason, "label": line.words}]
    return item


def read(value: Json) -> Qualification:
    shape = checked(QualificationShape, value)
    return Qualification(
        id=QualificationId(shape["id"]),
        lines=tuple(_read_line(item) for item in shape["productOfferingQualificationItem"]),
    )


def _read_line(item: ResultItem) -> QualificationLine:
    reasons = item.get("eligibilityUnavailabilityReason") or [{"code": "", "label": ""}]
    return QualificationLine(
        item=item["id"],
        feasible=item["qualificationItemResult"] == "qualified",
        reason=reasons[0]["code"],
        words=reasons[0]["label"],
    )
