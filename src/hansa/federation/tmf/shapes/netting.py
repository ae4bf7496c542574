"""Netting among many, for which no TM Forum API has words: our own event below TMF678.

The notice travels as it is signed and kept; nothing of it is translated.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.papers import NettingNotice
from hansa.federation.tmf.shapes.bill import BASE
from hansa.federation.tmf.shapes.common import Text, checked, read_document
from hansa.foundation import documents
from hansa.foundation.documents import Json

TOLD = f"{BASE}/listener/hansaNettingEvent"

_Kept = Annotated[NettingNotice, Field(discriminator="kind")]


class NettingPayload(TypedDict):
    """The notice, by its kind."""

    hansaNetting: Any


class NettingEvent(TypedDict):
    """HansaNettingEvent."""

    eventId: Text
    eventType: Text
    event: NettingPayload


def write(notice: NettingNotice, event_id: str) -> NettingEvent:
    return {
        "eventId": event_id,
        "eventType": "HansaNettingEvent",
        "event": {"hansaNetting": documents.write(notice)},
    }


def read(value: Json) -> NettingNotice:
    shape = checked(NettingEvent, value)["event"]["hansaNetting"]
    found: NettingNotice = read_document(_Kept, shape, "event.hansaNetting")
    return found
