"""Product Offering Qualification v7: can it be had there?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.contract import Need, Qualification, QualificationLine
from hansa.federation.shelf import ShelfQualification
from hansa.federation.sonata.shapes.common import (
    ROOT,
    Contact,
    Contacts,
    Id,
    Moment,
    Relationship,
    Text,
    Whole,
    asked,
    asked_items,
    checked,
    without_empty,
)
from hansa.federation.sonata.shapes.need import Asker, read_need, write_item, write_product
from hansa.federation.sonata.shapes.product import Products, ProductShape
from hansa.federation.tmf.shapes.common import href, write_instant
from hansa.foundation.documents import Json
from hansa.foundation.ids import QualificationId

BASE = f"{ROOT}/productOfferingQualification/v7"
QUALIFICATIONS = f"{BASE}/productOfferingQualification"
ITEMS: Final = "productOfferingQualificationItem"

READY = "done.ready"
STATES = ("acknowledged", "terminatedWithError", "inProgress", "done.unableToProvide", READY)


class ItemCreate(TypedDict):
    """ProductOfferingQualificationItem_Create; hansaQuantity: one, if it does not say."""

    id: Text
    action: Literal["add", "modify", "delete"]
    product: ProductShape
    qualificationItemRelationship: NotRequired[list[Relationship]]
    relatedContactInformation: NotRequired[list[Contact]]
    hansaQuantity: NotRequired[Whole]


class Create(TypedDict):
    """ProductOfferingQualification_Create."""

    productOfferingQualificationItem: list[ItemCreate]
    relatedContactInformation: Contacts
    externalId: NotRequired[Text]
    projectId: NotRequired[Text]
    instantSyncQualification: NotRequired[bool]
    provideAlternative: NotRequired[bool]
    requestedPOQCompletionDate: NotRequired[Moment]
    hansaCurrency: NotRequired[Text]
    hansaTrail: NotRequired[list[Id]]


class TerminationError(TypedDict):
    code: NotRequired[Text]
    propertyPath: NotRequired[Text]
    value: NotRequired[Text]


class Item(TypedDict):
    """ProductOfferingQualificationItem; hansaCode: our reason."""

    id: Text
    state: Text
    serviceabilityConfidence: NotRequired[Literal["green", "yellow", "red"]]
    serviceabilityConfidenceReason: NotRequired[Text]
    terminationError: NotRequired[list[TerminationError]]
    hansaCode: NotRequired[Text]


class Answered(TypedDict):
    """ProductOfferingQualification."""

    id: Id
    state: Text
    productOfferingQualificationItem: Annotated[list[Item], Field(min_length=1)]


def write_need(need: Need, contact: Contact, products: Products) -> dict[str, Any]:
    return {
        "instantSyncQualification": True,
        "provideAlternative": False,
        "relatedContactInformation": [contact],
        ITEMS: [write_item(item, products) for item in need.items],
        "hansaCurrency": need.currency,
        "hansaTrail": list(need.trail),
    }


def read_asked(value: Json, asker: Asker) -> Need:
    shape = checked(Create, value)
    return read_need(shape, shape[ITEMS], ITEMS, asker)


def write(kept: ShelfQualification, contact: Contact, products: Products) -> dict[str, Any]:
    """contact: for one that was asked in another dialect."""
    body = asked(kept.extras)
    items = asked_items(body, ITEMS)
    qualification, made_at = kept.qualification, write_instant(kept.made_at)
    wanted = {item.id: item for item in kept.need.items}
    return {
        "relatedContactInformation": [contact],
        **body,
        "id": qualification.id,
        "href": href(QUALIFICATIONS, qualification.id),
        "state": READY,
        "effectiveQualificationDate": made_at,
        "stateChange": [{"state": READY, "changeDate": made_at}],
        ITEMS: [
            {
                "action": "add" if wanted[line.item].holding is None else "modify",
                "product": write_product(wanted[line.item], products),
                **items.get(line.item, {}),
                **_line(line),
                "stateChange": [{"state": READY, "changeDate": made_at}],
                **({} if not line.feasible else {"guaranteedUntilDate": made_at}),
            }
            for line in qualification.lines
        ],
    }


def _line(line: QualificationLine) -> dict[str, Any]:
    return without_empty(
        {
            "id": line.item,
            "state": READY,
            "serviceabilityConfidence": "green" if line.feasible else "red",
            "serviceabilityConfidenceReason": line.words,
            "hansaCode": line.reason,
        }
    )


def write_found(kept: ShelfQualification) -> dict[str, Any]:
    """One of a list."""
    body = asked(kept.extras)
    date = body.get("requestedPOQCompletionDate")
    return without_empty(
        {
            "id": kept.qualification.id,
            "state": READY,
            "externalId": body.get("externalId"),
            "projectId": body.get("projectId"),
            "requestedPOQCompletionDate": date[:10] if isinstance(date, str) else None,
        }
    )


def read(value: Json) -> Qualification:
    """Yellow is a yes to asking on: the quote will say."""
    shape = checked(Answered, value)
    return Qualification(
        id=QualificationId(shape["id"]), lines=tuple(_read_line(item) for item in shape[ITEMS])
    )


def _read_line(item: Item) -> QualificationLine:
    if item["state"] == READY and item.get("serviceabilityConfidence", "red") != "red":
        return QualificationLine(item["id"], True)
    return QualificationLine(
        item=item["id"],
        feasible=False,
        reason=item.get("hansaCode") or "partner-refused",
        words=item.get("serviceabilityConfidenceReason") or _terminated(item),
    )


def _terminated(item: Mapping[str, Any]) -> str:
    errors = [error.get("value", "") for error in item.get("terminationError") or []]
    return "; ".join(filter(None, errors)) or f"The partner answers {item['state']}."
