"""What partners tell unasked, beside orders: that something of theirs has changed.

An official event names a thing by its id and says no more. What we asked for is answered at
once, so nothing waits for these; they are read, and taken note of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired

from typing_extensions import TypedDict

from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes.common import ROOT, Id, Moment, Text, checked
from hansa.foundation.documents import Json

HEARD: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "qualification-events": (
        f"{ROOT}/productOfferingQualificationNotification/v7/listener",
        ("poqCreateEvent", "poqStateChangeEvent", "poqItemStateChangeEvent"),
    ),
    "quote-events": (
        f"{ROOT}/quoteNotification/v8/listener",
        ("quoteStateChangeEvent", "quoteItemStateChangeEvent"),
    ),
    "order-events": (
        f"{ROOT}/productOrderingNotification/v10/listener",
        (
            "productOrderItemExpectedCompletionDateSet",
            "productSpecificProductOrderItemMilestoneEvent",
            "cancelProductOrderStateChangeEvent",
            "chargeCreateEvent",
            "chargeStateChangeEvent",
            "chargeTimeoutEvent",
            "modifyProductOrderItemRequestedDeliveryDateStateChangeEvent",
        ),
    ),
    "ticket-events": (
        f"{ROOT}/troubleTicketNotification/v4/listener",
        (
            "incidentCreateEvent",
            "incidentAttributeValueChangeEvent",
            "incidentStatusChangeEvent",
        ),
    ),
}
"""By the name of an API of notices: its path, and the events that are only taken note of."""


class Payload(TypedDict):
    id: Id
    href: NotRequired[Text]
    sellerId: NotRequired[Text]
    buyerId: NotRequired[Text]


class Event(TypedDict):
    eventId: Text
    eventTime: Moment
    eventType: Text
    event: Payload


def read(value: Json, kind: str) -> str:
    """The id of what has changed."""
    event = checked(Event, value)
    if event["eventType"] != kind:
        raise unfit("eventType", f"{kind} is expected here")
    return event["event"]["id"]
