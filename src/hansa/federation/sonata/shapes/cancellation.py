"""Cancel Product Order v10, and the charge that a cancellation may bring."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from hansa.federation.shelf import Cancellation, CancellationState
from hansa.federation.sonata.shapes.common import (
    Contact,
    Contacts,
    Id,
    Text,
    asked,
    checked,
    without_empty,
)
from hansa.federation.sonata.shapes.progress import BASE, ORDERS
from hansa.federation.tmf.shapes.common import href, write_instant, write_money
from hansa.foundation.documents import Json
from hansa.foundation.ids import CancellationId

CANCELLATIONS = f"{BASE}/cancelProductOrder"
CHARGES = f"{BASE}/charge"
CHARGE = "chg_"
WITHDRAWN = "withdrawnBySeller"

STATES = {
    CancellationState.ACKNOWLEDGED: "acknowledged",
    CancellationState.IN_PROGRESS: "acknowledged",
    CancellationState.DONE: "done",
    CancellationState.TERMINATED_WITH_ERROR: "done.declined",
}
"""MEFChargeableTaskStateType; what is under way has no other word there."""

ReasonType = Literal["technical", "commercial"]


class OrderRef(TypedDict):
    productOrderId: Id
    productOrderHref: NotRequired[Text]


class Create(TypedDict):
    """CancelProductOrder_Create."""

    productOrder: OrderRef
    relatedContactInformation: Contacts
    cancellationReason: NotRequired[Text]
    cancellationReasonType: NotRequired[ReasonType]


class Answered(TypedDict):
    """CancelProductOrder."""

    id: Id
    state: Text
    productOrder: OrderRef
    cancellationDeniedReason: NotRequired[Text]


def write_asked(order: str, contact: Contact) -> dict[str, Any]:
    return {
        "productOrder": {"productOrderId": order},
        "relatedContactInformation": [contact],
        "cancellationReasonType": "commercial",
    }


def read_asked(value: Json) -> Create:
    return checked(Create, value)


def read(value: Json) -> Answered:
    return checked(Answered, value)


def write(kept: Cancellation, contact: Contact) -> dict[str, Any]:
    shape = {
        "relatedContactInformation": [contact],
        **asked(kept.extras),
        **_common(kept),
        "href": href(CANCELLATIONS, kept.id),
        "cancellationReason": kept.reason,
    }
    if kept.charge.minor:
        shape["charge"] = {"id": charge_id(kept), "href": href(CHARGES, charge_id(kept))}
    return without_empty(shape)


def write_found(kept: Cancellation) -> dict[str, Any]:
    """One of a list."""
    return _common(kept)


def _common(kept: Cancellation) -> dict[str, Any]:
    reason: ReasonType = asked(kept.extras).get("cancellationReasonType", "commercial")
    return {
        "id": kept.id,
        "state": STATES[kept.state],
        "productOrder": {
            "productOrderId": kept.order,
            "productOrderHref": href(ORDERS, kept.order),
        },
        "cancellationReasonType": reason,
    }


# --- charges ----------------------------------------------------------------------------------


def charge_id(kept: Cancellation) -> str:
    return f"{CHARGE}{kept.id}"


def of_charge(identity: str) -> CancellationId:
    """The cancellation that brought this charge."""
    return CancellationId(identity.removeprefix(CHARGE))


def write_charge(kept: Cancellation) -> dict[str, Any]:
    """What a cancellation costs. It was agreed on beforehand, so nobody has to answer it."""
    return {
        **write_charge_found(kept),
        "href": href(CHARGES, charge_id(kept)),
        "cancelProductOrder": {"id": kept.id, "href": href(CANCELLATIONS, kept.id)},
        "chargeItem": [
            {
                "id": "1",
                "activityType": "new",
                "blocking": False,
                "price": {"dutyFreeAmount": write_money(kept.charge)},
                "priceCategory": "cancellation",
                "priceType": "nonRecurring",
                "state": WITHDRAWN if kept.waived else "acceptedByBuyer",
                "acceptanceIndicator": "accepted",
            }
        ],
    }


def write_charge_found(kept: Cancellation) -> dict[str, Any]:
    """One of a list."""
    asked_at = write_instant(kept.asked_at)
    return {
        "id": charge_id(kept),
        "productOrder": {"productOrderId": kept.order},
        "creationDate": asked_at,
        "responseDueDate": asked_at,
        "state": WITHDRAWN if kept.waived else "completed",
    }
