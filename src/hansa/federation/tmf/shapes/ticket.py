"""TMF621 Trouble Ticket v4.0: what is wrong with what a buyer has, and what becomes of it.

The product that a ticket is about is a related entity of type Product. Notes are added by
sending them; none is ever changed or taken away.
"""

# ruff: noqa: N815 - attributes have the names that the standard gives them

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired

from typing_extensions import TypedDict

from hansa.federation.helpdesk import Note, Ticket, TicketAsk, TicketMove, TicketState
from hansa.federation.papers import TicketMoved
from hansa.federation.tmf.shapes.common import (
    SCHEMA,
    Extended,
    Id,
    RelatedParty,
    Text,
    checked,
    href,
    malformed,
    read_instant,
    read_party,
    related,
    write_instant,
)
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, HoldingId, NoteId, TicketId, TraceId
from hansa.foundation.party import party_id

BASE = "/tmf-api/troubleTicket/v4"
TICKETS = f"{BASE}/troubleTicket"
MOVED = f"{BASE}/listener/troubleTicketStatusChangeEvent"

PRODUCT = "Product"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a buyer asks: take this report. key: None where the buyer gives none of its own."""

    ask: TicketAsk
    key: BuyerKey | None


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note as its writer sends it. id: the seller's, of one that is there; else the writer's
    own key, so that the same note again is not a second one.
    """

    text: str
    id: str | None

    @property
    def key(self) -> BuyerKey:
        """A note without a key of its own is the same as any other with this text."""
        return BuyerKey(self.id or f"note-{documents.fingerprint(self.text)[:32]}")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different about a ticket."""

    state: TicketState | None
    reason: str
    notes: tuple[NewNote, ...]


RelatedEntity = TypedDict(
    "RelatedEntity", {"id": Id, "role": Text, "name": NotRequired[Text], "@referredType": Text}
)


class NoteShape(Extended):
    """A note; author: a party's short name."""

    id: NotRequired[Id]
    author: NotRequired[Text]
    date: NotRequired[Text]
    text: Text
    hansaPrivate: NotRequired[bool]


class StatusChange(TypedDict):
    """A state that a ticket came into."""

    status: Text
    changeDate: Text
    changeReason: NotRequired[Text]


class AskShape(Extended):
    """TroubleTicket_Create; externalId: the buyer's key."""

    externalId: NotRequired[Id]
    name: NotRequired[Text]
    description: Text
    severity: Text
    ticketType: Text
    priority: NotRequired[Text]
    relatedEntity: NotRequired[list[RelatedEntity]]


class ChangeShape(TypedDict):
    """TroubleTicket_Update, as far as a ticket can be changed by either side."""

    status: NotRequired[Text]
    statusChangeReason: NotRequired[Text]
    note: NotRequired[list[NoteShape]]


class TicketShape(AskShape):
    """TroubleTicket."""

    id: Id
    href: NotRequired[Text]
    status: Text
    statusChangeReason: NotRequired[Text]
    statusChangeDate: NotRequired[Text]
    creationDate: NotRequired[Text]
    lastUpdate: NotRequired[Text]
    resolutionDate: NotRequired[Text]
    statusChange: NotRequired[list[StatusChange]]
    note: NotRequired[list[NoteShape]]
    relatedParty: NotRequired[list[RelatedParty]]
    hansaTrace: NotRequired[Text]


class MovedPayload(TypedDict):
    """The resource that has moved."""

    troubleTicket: TicketShape


class MovedEvent(TypedDict):
    """TroubleTicketStatusChangeEvent."""

    eventId: NotRequired[Text]
    eventType: NotRequired[Text]
    event: MovedPayload


# --- what a buyer asks ----------------------------------------------------------------------------


def write_opening(ask: TicketAsk, key: BuyerKey) -> AskShape:
    return {"externalId": key, **write_ask(ask)}


def write_ask(ask: TicketAsk) -> AskShape:
    shape: AskShape = {
        "description": ask.description,
        "severity": ask.severity,
        "ticketType": ask.kind,
    }
    if ask.name:
        shape["name"] = ask.name
    if ask.priority:
        shape["priority"] = ask.priority
    if ask.holding is not None:
        shape["relatedEntity"] = [{"id": ask.holding, "role": "affected", "@referredType": PRODUCT}]
    return shape


def read_opening(value: Json) -> Opening:
    shape = checked(AskShape, value)
    key = shape.get("externalId")
    return Opening(_read_ask(shape), BuyerKey(key) if key is not None else None)


def _read_ask(shape: AskShape) -> TicketAsk:
    products = [
        (index, one)
        for index, one in enumerate(shape.get("relatedEntity") or [])
        if one["@referredType"] == PRODUCT
    ]
    if len(products) > 1:
        raise malformed(f"relatedEntity.{products[1][0]}", "a ticket is about one product at most")
    return TicketAsk(
        description=shape["description"],
        severity=shape["severity"],
        kind=shape["ticketType"],
        holding=HoldingId(products[0][1]["id"]) if products else None,
        priority=shape.get("priority", ""),
        name=shape.get("name", ""),
    )


def write_note(text: str, key: BuyerKey) -> ChangeShape:
    return {"note": [{"id": key, "text": text}]}


def write_move(state: TicketState, reason: str) -> ChangeShape:
    shape: ChangeShape = {"status": state.value}
    if reason:
        shape["statusChangeReason"] = reason
    return shape


def read_change(value: Json) -> Change:
    shape = checked(ChangeShape, value)
    return Change(
        state=read_state(shape["status"], "status") if "status" in shape else None,
        reason=shape.get("statusChangeReason", ""),
        notes=tuple(NewNote(one["text"], one.get("id")) for one in shape.get("note") or []),
    )


def added(change: Change, ticket: Ticket) -> Sequence[NewNote]:
    """The notes of a change that the ticket does not have; none is ever taken away."""
    there = {note.id for note in ticket.notes}
    return [note for note in change.notes if note.id not in there]


# --- a ticket -------------------------------------------------------------------------------------


def write(ticket: Ticket) -> TicketShape:
    shape: TicketShape = {
        "id": ticket.id,
        "href": href(TICKETS, ticket.id),
        "externalId": ticket.key,
        **write_ask(ticket.ask),  # type: ignore[typeddict-item]
        "status": ticket.state.value,
        "statusChangeDate": write_instant(ticket.moves[-1].at),
        "creationDate": write_instant(ticket.opened_at),
        "lastUpdate": write_instant(ticket.changed_at),
        "statusChange": [_write_moved(move) for move in ticket.moves],
        "note": [_write_note(note) for note in ticket.notes],
        "relatedParty": related(seller=ticket.seller, buyer=ticket.buyer),
        "hansaTrace": ticket.trace,
        "@type": "HansaTroubleTicket",
        "@baseType": "TroubleTicket",
        "@schemaLocation": SCHEMA,
    }
    if ticket.reason:
        shape["statusChangeReason"] = ticket.reason
    resolved = [move.at for move in ticket.moves if move.state is TicketState.RESOLVED]
    if resolved:
        shape["resolutionDate"] = write_instant(resolved[-1])
    return shape


def _write_moved(move: TicketMove) -> StatusChange:
    shape: StatusChange = {"status": move.state.value, "changeDate": write_instant(move.at)}
    if move.reason:
        shape["changeReason"] = move.reason
    return shape


def _write_note(note: Note) -> NoteShape:
    shape: NoteShape = {
        "id": note.id,
        "author": note.author,
        "date": write_instant(note.at),
        "text": note.text,
    }
    if note.private:
        shape["hansaPrivate"] = True
    return shape


def read(value: Json) -> Ticket:
    return _ticket(checked(TicketShape, value))


def read_all(value: Json) -> Sequence[Ticket]:
    return [_ticket(shape) for shape in checked(list[TicketShape], value)]


def _ticket(shape: TicketShape) -> Ticket:
    """A seller that keeps no history of states tells at least of the one that it is in."""
    opened = read_instant(shape.get("creationDate", ""), "creationDate")
    moves = tuple(
        TicketMove(
            read_state(one["status"], f"statusChange.{index}.status"),
            read_instant(one["changeDate"], f"statusChange.{index}.changeDate"),
            one.get("changeReason", ""),
        )
        for index, one in enumerate(shape.get("statusChange") or [])
    )
    state = read_state(shape["status"], "status")
    if not moves or moves[-1].state is not state:
        since = shape.get("statusChangeDate")
        at = read_instant(since, "statusChangeDate") if since else opened
        moves += (TicketMove(state, at, shape.get("statusChangeReason", "")),)
    parties = shape.get("relatedParty") or []
    return Ticket(
        id=TicketId(shape["id"]),
        seller=read_party(parties, "seller"),
        buyer=read_party(parties, "buyer"),
        key=BuyerKey(shape.get("externalId", "")),
        ask=_read_ask(shape),
        opened_at=opened,
        trace=TraceId(shape.get("hansaTrace", "")),
        moves=moves,
        notes=tuple(
            _read_note(one, f"note.{index}") for index, one in enumerate(shape.get("note") or [])
        ),
    )


def _read_note(shape: NoteShape, field: str) -> Note:
    if "id" not in shape:
        raise malformed(f"{field}.id", "a note that was taken has an id")
    return Note(
        id=NoteId(shape["id"]),
        author=party_id(shape.get("author", "")),
        text=shape["text"],
        at=read_instant(shape.get("date", ""), f"{field}.date"),
        private=shape.get("hansaPrivate", False),
    )


def read_state(text: str, field: str) -> TicketState:
    try:
        return TicketState(text)
    except ValueError:
        raise malformed(field, f"{text[:40]!r} is no state of a ticket here") from None


# --- what a seller tells --------------------------------------------------------------------------


def write_moved(notice: TicketMoved, event_id: str) -> MovedEvent:
    return {
        "eventId": event_id,
        "eventType": "TroubleTicketStatusChangeEvent",
        "event": {"troubleTicket": write(notice.ticket)},
    }


def read_moved(value: Json) -> TicketMoved:
    return TicketMoved(_ticket(checked(MovedEvent, value)["event"]["troubleTicket"]))
