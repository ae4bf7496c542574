"""TMF621: what is reported here is a ticket, and goes on to whoever can mend it.

A buyer cancels, closes and reopens its ticket by its status, and adds notes; the operator's own
tools (role operator) may do what its people may.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from hansa.federation import trace
from hansa.federation.helpdesk import Ticket, TicketState
from hansa.federation.tmf.engine.model import Api, Found, Heard, Resource, Source, Visit
from hansa.federation.tmf.engine.query import Window, windowed
from hansa.federation.tmf.resources.extras import Known, laid_over, leftover
from hansa.federation.tmf.resources.tables import common, tmf621
from hansa.federation.tmf.shapes import ticket as shapes
from hansa.federation.tmf.shapes.common import malformed
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, TicketId

log = logging.getLogger(__name__)

FOUND_MAX = 1000
"""How many are looked through for filters that only we know."""

KNOWN: Known = {
    **dict.fromkeys(
        (
            "externalId",
            "name",
            "description",
            "severity",
            "ticketType",
            "priority",
            "status",
            "statusChange",
            "statusChangeDate",
            "statusChangeReason",
            "creationDate",
            "lastUpdate",
            "resolutionDate",
            "note",
            "relatedEntity",
            "hansaTrace",
        )
    ),
}

WHOLE = frozenset({"relatedEntity"})
"""Given back as it was sent: beside the product there may be anything."""

CHANGEABLE = frozenset({"status", "statusChangeReason", "note"})


def _find(visit: Visit, window: Window) -> Found:
    status = window.filters.get("status")
    if status is not None and status not in {one.value for one in TicketState}:
        return Found([], 0)
    page = visit.seat.helpdesk.tickets(
        state=None if status is None else TicketState(status),
        offset=window.offset,
        limit=min(window.limit, FOUND_MAX),
    )
    return Found([_written(one) for one in page.tickets], page.total)


def _get(visit: Visit, identity: str) -> Json:
    return _written(visit.seat.helpdesk.ticket(TicketId(identity)))


def _written(ticket: Ticket) -> Json:
    shape, extras = shapes.write(ticket), ticket.ask.extras
    ours = {name: value for name, value in shape.items() if name not in WHOLE & extras.keys()}
    return laid_over(ours, extras)


def _create(visit: Visit, document: Mapping[str, Json]) -> Json:
    opening = shapes.read_opening(document)
    extras = leftover(document, KNOWN)
    extras |= {
        name: document[name]
        for name in WHOLE & document.keys()
        if document[name] != shapes.write_ask(opening.ask).get(name)
    }
    ask = replace(opening.ask, extras=extras)
    key = opening.key or BuyerKey(f"none-{visit.world.new_trace()}")
    made = visit.seat.helpdesk.open_ticket(ask=ask, key=key, trace_id=visit.trace)
    log.info("ticket", extra={"partner": visit.actor.party, "trace": made.trace, "ticket": made.id})
    visit.headers[trace.HEADER] = trace.write(made.trace, by="answer")
    change = shapes.read_change({"note": document.get("note") or []})
    return _written(_noted(visit, made, change))


def _patch(visit: Visit, identity: str, _wanted: Json, patch: Mapping[str, Json]) -> Json:
    """Adds notes and moves it; what was reported stays as it was reported."""
    desk, before = visit.seat.helpdesk, visit.seat.helpdesk.ticket(TicketId(identity))
    shown = _written(before)
    for name, value in patch.items():
        if name not in CHANGEABLE and value != shown.get(name):
            raise malformed(name, "it cannot be changed; add a note instead")
    change = shapes.read_change({name: patch[name] for name in CHANGEABLE & patch.keys()})
    found = _noted(visit, before, change)
    if change.state is not None:
        found = desk.move_ticket(ticket_id=found.id, state=change.state, reason=change.reason)
    return _written(found)


def _noted(visit: Visit, ticket: Ticket, change: shapes.Change) -> Ticket:
    """With those notes of a change that it does not have; none is ever taken away."""
    for one in shapes.added(change, ticket):
        ticket = visit.seat.helpdesk.note_ticket(ticket_id=ticket.id, text=one.text, key=one.key)
    return ticket


def _moved(visit: Visit, body: Json) -> None:
    visit.seat.listener.hear(shapes.read_moved(body))


API = Api(
    number=621,
    title="Trouble Ticket",
    base=shapes.BASE,
    attributes=(common.TABLE, tmf621.TABLE),
    resources=(
        Resource(
            path="troubleTicket",
            type="TroubleTicket",
            source=Source(
                find=windowed(_find, ("status",)), get=_get, create=_create, patch=_patch
            ),
            mandatory=("description", "severity", "ticketType"),
            events=("Create", "AttributeValueChange", "StatusChange"),
            summary="What is wrong with what a buyer has, and what becomes of it.",
        ),
    ),
    heard=(Heard("troubleTicketStatusChangeEvent", _moved),),
)
