"""Trouble Ticket v4: what is wrong with what a buyer has, and what becomes of it.

Sonata's words for severity, kind and priority are narrower than ours. A ticket that was opened
in Sonata keeps its own; of any other, ours are told by the nearest of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from hansa.federation.helpdesk import Note as TicketNote
from hansa.federation.helpdesk import Ticket, TicketAsk, TicketMove, TicketState
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes.common import (
    ROOT,
    Contact,
    Contacts,
    Id,
    Moment,
    Note,
    Text,
    checked,
    without_empty,
)
from hansa.federation.sonata.shapes.progress import trace_of
from hansa.federation.tmf.shapes.common import Number, href, read_instant, write_instant
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, NoteId, PartyId, TicketId

BASE = f"{ROOT}/troubleTicket/v4"
TICKETS = f"{BASE}/troubleTicket"
INCIDENTS = f"{BASE}/incident"
NOTICES = f"{ROOT}/troubleTicketNotification/v4/listener"

PRODUCT = "Product"

STATES: Mapping[TicketState, str] = {
    TicketState.ACKNOWLEDGED: "acknowledged",
    TicketState.IN_PROGRESS: "inProgress",
    TicketState.PENDING: "pending",
    TicketState.HELD: "inProgress",
    TicketState.RESOLVED: "resolved",
    TicketState.CLOSED: "closed",
    TicketState.CANCELLED: "cancelled",
    TicketState.REJECTED: "closed",
}

OURS: Mapping[str, TicketState] = {
    "acknowledged": TicketState.ACKNOWLEDGED,
    "assessingCancellation": TicketState.IN_PROGRESS,
    "cancelled": TicketState.CANCELLED,
    "closed": TicketState.CLOSED,
    "inProgress": TicketState.IN_PROGRESS,
    "pending": TicketState.PENDING,
    "resolved": TicketState.RESOLVED,
    "reopened": TicketState.IN_PROGRESS,
}

Severity = Literal["minor", "moderate", "significant", "extensive"]
Priority = Literal["low", "medium", "high", "critical"]
Kind = Literal["assistance", "information", "installation", "maintenance"]
Impact = Literal["degraded", "intermittent", "down"]

SEVERITIES = ("minor", "moderate", "significant", "extensive")
PRIORITIES = ("low", "medium", "high", "critical")
KINDS = ("assistance", "information", "installation", "maintenance")
IMPACTS = ("degraded", "intermittent", "down")

NEAREST: Mapping[str, str] = {"critical": "extensive", "major": "significant", "minor": "minor"}
"""Our usual severities in Sonata's words."""


class Attachment(TypedDict):
    author: Text
    creationDate: Moment
    name: Text
    source: Literal["buyer", "seller"]
    attachmentId: NotRequired[Text]
    content: NotRequired[str]
    description: NotRequired[Text]
    mimeType: NotRequired[Text]
    url: NotRequired[Text]
    size: NotRequired[Size]


class Size(TypedDict):
    amount: NotRequired[Number]
    units: NotRequired[
        Literal[
            "BYTES",
            "KBYTES",
            "MBYTES",
            "GBYTES",
            "TBYTES",
            "PBYTES",
            "EBYTES",
            "ZBYTES",
            "YBYTES",
        ]
    ]


RelatedEntity = TypedDict(
    "RelatedEntity", {"id": Id, "role": Text, "href": NotRequired[Text], "@referredType": Text}
)
RelatedIssue = TypedDict(
    "RelatedIssue",
    {
        "id": Text,
        "@referredType": Text,
        "creationDate": Moment,
        "description": Text,
        "relationshipType": Text,
        "source": Literal["buyer", "seller"],
        "href": NotRequired[Text],
    },
)


class Create(TypedDict):
    """TroubleTicket_Create; externalId: the buyer's key."""

    description: Text
    observedImpact: Impact
    priority: Priority
    severity: Severity
    ticketType: Kind
    relatedContactInformation: Contacts
    relatedEntity: Annotated[list[RelatedEntity], Field(min_length=1, max_length=1)]
    externalId: NotRequired[Id]
    issueStartDate: NotRequired[Moment]
    note: NotRequired[list[Note]]
    attachment: NotRequired[list[Attachment]]
    relatedIssue: NotRequired[list[RelatedIssue]]


class Update(TypedDict):
    """TroubleTicket_Update, as far as a ticket of ours can be changed: notes are added."""

    note: NotRequired[list[Note]]


UNCHANGED = frozenset(Create.__annotations__) - {"note"} | {"relatedContactInformation"}
"""What a ticket of ours keeps saying as it was opened."""


class Reason(TypedDict):
    reason: Text


class StatusChange(TypedDict):
    status: NotRequired[Text]
    changeDate: NotRequired[Moment]
    changeReason: NotRequired[Text]


class Answered(TypedDict):
    """TroubleTicket, as far as we read it."""

    id: Id
    status: Text
    creationDate: Moment
    description: Text
    severity: Text
    priority: Text
    ticketType: Text
    externalId: NotRequired[Id]
    relatedEntity: list[RelatedEntity]
    statusChange: NotRequired[list[StatusChange]]
    note: NotRequired[list[Note]]
    hansaTrace: NotRequired[Text]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a buyer reports. body: all that it said, to be given back."""

    ask: TicketAsk
    key: BuyerKey | None
    body: dict[str, Any]


# --- what a buyer asks --------------------------------------------------------------------------


def read_opening(value: Json) -> Opening:
    shape = checked(Create, value)
    entity = shape["relatedEntity"][0]
    if entity["@referredType"] != PRODUCT:
        raise unfit("relatedEntity.0.@referredType", f"{PRODUCT} is expected")
    ask = TicketAsk(
        description=shape["description"],
        severity=shape["severity"],
        kind=shape["ticketType"],
        holding=HoldingId(entity["id"]),
        priority=shape["priority"],
    )
    key = shape.get("externalId")
    return Opening(ask, None if key is None else BuyerKey(key), dict(value))


def write_opening(
    ask: TicketAsk, holding: HoldingId, key: BuyerKey, contact: Contact
) -> dict[str, Any]:
    return {**_write_ask(ask, holding), "externalId": key, "relatedContactInformation": [contact]}


def _write_ask(ask: TicketAsk, holding: str) -> dict[str, Any]:
    return {
        "description": ask.description,
        "severity": _near(ask.severity, SEVERITIES, NEAREST.get(ask.severity, "moderate")),
        "priority": _near(ask.priority, PRIORITIES, "medium"),
        "ticketType": _near(ask.kind, KINDS, "assistance"),
        "observedImpact": "degraded",
        "relatedEntity": [{"id": holding, "role": "affected", "@referredType": PRODUCT}],
    }


def _near(word: str, words: tuple[str, ...], otherwise: str) -> str:
    return word if word in words else otherwise


def read_update(value: Json) -> list[Note]:
    """The notes of a change. Raises Unfit for a change of anything else."""
    shape = checked(Update, value)
    other = sorted(UNCHANGED & value.keys())
    if other:
        raise unfit(other[0], "a ticket takes notes, and keeps all else as it was opened")
    return shape.get("note", [])


def write_note(text: str, key: BuyerKey, author: PartyId, at: str) -> dict[str, Any]:
    return {"note": [{"id": key, "author": author, "date": at, "source": "buyer", "text": text}]}


def read_reason(value: Json) -> str:
    return checked(Reason, value)["reason"]


# --- a ticket -----------------------------------------------------------------------------------


def write(ticket: Ticket, body: Mapping[str, Any], contact: Contact) -> dict[str, Any]:
    """body: the report as its buyer sent it, empty if it came in another dialect."""
    resolved = [move.at for move in ticket.moves if move.state is TicketState.RESOLVED]
    shape = {
        "relatedContactInformation": [contact],
        **_common(ticket, body),
        "href": href(TICKETS, ticket.id),
        "statusChange": [
            without_empty(
                {
                    "status": STATES[move.state],
                    "changeDate": write_instant(move.at),
                    "changeReason": move.reason,
                }
            )
            for move in ticket.moves
        ],
        "note": [
            {
                "id": note.id,
                "author": note.author,
                "date": write_instant(note.at),
                "source": "seller" if note.author == ticket.seller else "buyer",
                "text": note.text,
            }
            for note in ticket.notes
            if not note.private
        ],
        "hansaTrace": ticket.trace,
    }
    if resolved:
        shape["resolutionDate"] = write_instant(resolved[-1])
    return shape


def _common(ticket: Ticket, body: Mapping[str, Any]) -> dict[str, Any]:
    ask = _write_ask(ticket.ask, ticket.ask.holding or "none")
    return {
        **ask,
        **body,
        "id": ticket.id,
        "externalId": ticket.key,
        "status": STATES[ticket.state],
        "creationDate": write_instant(ticket.opened_at),
        "sellerSeverity": ask["severity"],
        "sellerPriority": ask["priority"],
    }


def write_found(ticket: Ticket, body: Mapping[str, Any]) -> dict[str, Any]:
    """One of a list, where Sonata wants dates even of what has not happened: the last known."""
    common = _common(ticket, body)
    known = write_instant(ticket.changed_at)
    names = (
        *("id", "externalId", "status", "creationDate", "description", "observedImpact"),
        *("severity", "sellerSeverity", "priority", "sellerPriority", "ticketType"),
        "relatedEntity",
    )
    return {
        **{name: common[name] for name in names},
        "expectedResolutionDate": known,
        "resolutionDate": known,
    }


def read(value: Json, *, seller: PartyId, buyer: PartyId) -> Ticket:
    shape = checked(Answered, value)
    opened = read_instant(shape["creationDate"], "creationDate")
    moves = tuple(
        TicketMove(
            _state(change["status"]),
            read_instant(change["changeDate"], f"statusChange.{index}.changeDate"),
            change.get("changeReason", ""),
        )
        for index, change in enumerate(shape.get("statusChange") or [])
        if "status" in change and "changeDate" in change
    )
    state = _state(shape["status"])
    if not moves or moves[-1].state is not state:
        moves += (TicketMove(state, moves[-1].at if moves else opened),)
    products = [one for one in shape["relatedEntity"] if one["@referredType"] == PRODUCT]
    return Ticket(
        id=TicketId(shape["id"]),
        seller=seller,
        buyer=buyer,
        key=BuyerKey(shape.get("externalId", "")),
        ask=TicketAsk(
            description=shape["description"],
            severity=shape["severity"],
            kind=shape["ticketType"],
            holding=HoldingId(products[0]["id"]) if products else None,
            priority=shape["priority"],
        ),
        opened_at=opened,
        trace=trace_of(shape["id"]),
        moves=moves,
        notes=tuple(
            TicketNote(
                id=NoteId(note["id"]),
                author=seller if note["source"] == "seller" else buyer,
                text=note["text"],
                at=read_instant(note["date"], f"note.{index}.date"),
            )
            for index, note in enumerate(shape.get("note") or [])
        ),
    )


def _state(text: str) -> TicketState:
    if text not in OURS:
        raise unfit("status", f"{text[:40]!r} is no status of a ticket")
    return OURS[text]


def read_found(value: Json) -> list[TicketId]:
    """The ids of a list."""
    return [TicketId(one["id"]) for one in checked(list[_Found], value)]


class _Found(TypedDict):
    id: Id
