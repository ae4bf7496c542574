"""TMF668 Partnership Management v4.0: a partner's card is another than before.

It comes as PartnershipChangeEvent; the card is taken to the letter, for its signatures are over
all of it.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from hansa.federation.model import Card
from hansa.federation.papers import CardRenewed
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    Extended,
    Id,
    Ref,
    Text,
    checked,
    href,
    read_document,
)
from hansa.foundation import documents
from hansa.foundation.documents import Json

BASE = "/tmf-api/partnershipManagement/v4"
PARTNERSHIPS = f"{BASE}/partnership"
CHANGED = f"{BASE}/listener/partnershipChangeEvent"

SPECIFICATION = "alliance"


class PartnershipShape(Extended):
    """The partnership as its partner knows it; hansaCard: see `hansa.federation.model.Card`."""

    id: Id
    href: Text
    name: Text
    specification: Ref
    hansaCard: Any


class ChangedPayload(TypedDict):
    """What has changed."""

    partnership: PartnershipShape


class PartnershipChangeEvent(TypedDict):
    """TMF668 PartnershipChangeEvent."""

    eventId: Text
    eventType: Text
    event: ChangedPayload


def write_renewed(notice: CardRenewed, event_id: str) -> PartnershipChangeEvent:
    party = notice.card.party
    return {
        "eventId": event_id,
        "eventType": "PartnershipChangeEvent",
        "event": {
            "partnership": {
                "id": party.id,
                "href": href(PARTNERSHIPS, party.id),
                "name": party.name,
                "specification": {"id": SPECIFICATION},
                "hansaCard": documents.write(notice.card),
                "@type": "HansaPartnership",
                "@baseType": "Partnership",
                "@schemaLocation": SCHEMA,
            }
        },
    }


def read_renewed(value: Json) -> CardRenewed:
    shape = checked(PartnershipChangeEvent, value)["event"]["partnership"]
    return CardRenewed(read_document(Card, shape["hansaCard"], "event.partnership.hansaCard"))
