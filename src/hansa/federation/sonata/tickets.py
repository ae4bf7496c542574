"""What is wrong with what a buyer has: trouble tickets, on the Helpdesk."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from hansa.federation.exchange import Answer, Ask, Caller
from hansa.federation.helpdesk import Helpdesk, Ticket, TicketState
from hansa.federation.records import actions as records
from hansa.federation.records.model import Condition
from hansa.federation.shelf import Page
from hansa.federation.sonata import errors
from hansa.federation.sonata.desk import (
    Desk,
    Serves,
    Test,
    among,
    answer,
    created,
    dates,
    done,
    identity,
    kept,
    listed,
    never_dates,
    texts,
)
from hansa.federation.sonata.shapes import ticket
from hansa.federation.sonata.shapes.common import asked, write_contact
from hansa.federation.trace import HEADER, read
from hansa.foundation.ids import BuyerKey, RecordId, TicketId

log = logging.getLogger(__name__)

RESOURCE = "Sonata/troubleTicket"
"""Where the reports are kept as their buyers sent them."""


class Tickets:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def serves(self) -> Sequence[Serves]:
        many, one = ticket.TICKETS, f"{ticket.TICKETS}/{{id}}"
        return [
            Serves("ticket", "POST", many, self.open, ticket.Create, faults=True),
            Serves("ticket", "GET", many, self.list),
            Serves("ticket", "GET", one, self.get),
            Serves("ticket", "PATCH", one, self.note, ticket.Update, faults=True, conflicts=True),
            Serves("ticket", "POST", f"{one}/cancel", self.cancel, faults=True, done=204),
            Serves("ticket", "POST", f"{one}/close", self.close, faults=True, done=204),
            Serves(
                "ticket", "POST", f"{one}/reopen", self.reopen, ticket.Reason, faults=True, done=204
            ),
            Serves("ticket", "GET", ticket.INCIDENTS, self.incidents),
            Serves("ticket", "GET", f"{ticket.INCIDENTS}/{{id}}", self.incidents),
        ]

    def open(self, ask: Ask, caller: Caller) -> Answer:
        """Reports that something is not as it was promised."""
        helpdesk = self._desk.found(ask, caller).helpdesk
        opening = ticket.read_opening(self._desk.body(ask, "ticket", "TroubleTicket_Create"))
        new_trace = self._desk.world.new_trace
        made = helpdesk.open_ticket(
            ask=opening.ask,
            key=opening.key or BuyerKey(f"none-{new_trace()}"),
            trace_id=read(ask.headers.get(HEADER)) or new_trace(),
        )
        with self._desk.begin_for(caller.actor)() as tx:
            if not self._bodies(caller, [made]):
                records.keep(
                    tx,
                    record_id=self._desk.ids.new(RecordId),
                    resource=RESOURCE,
                    owner=caller.actor.party,
                    document={"ticket": made.id, **kept(opening.body)},
                    now=self._desk.clock.now(),
                )
        for note in opening.body.get("note") or ():
            key = BuyerKey(note["id"])
            made = helpdesk.note_ticket(ticket_id=made.id, text=note["text"], key=key)
        log.info("ticket", extra={"partner": caller.actor.party, "ticket": made.id})
        return created(self._shown(caller, made))

    def list(self, ask: Ask, caller: Caller) -> Answer:
        """The caller's tickets, the newest first."""
        helpdesk = self._desk.found(ask, caller).helpdesk
        bodies: dict[str, Mapping[str, Any]] = {}

        def fetch(offset: int, limit: int) -> Page[Ticket]:
            found = helpdesk.tickets(offset=offset, limit=limit)
            bodies.update(self._bodies(caller, found.tickets))
            return Page(found.tickets, found.total)

        def write(one: Ticket) -> Mapping[str, Any]:
            return ticket.write_found(one, bodies.get(one.id, {}))

        return listed(ask, fetch, write, _tests(write))

    def get(self, ask: Ask, caller: Caller) -> Answer:
        """How a ticket stands, as the caller may see it."""
        helpdesk = self._desk.found(ask, caller).helpdesk
        return answer(self._shown(caller, helpdesk.ticket(TicketId(identity(ask)))))

    def note(self, ask: Ask, caller: Caller) -> Answer:
        """Adds notes to a ticket."""
        helpdesk = self._desk.found(ask, caller).helpdesk
        found = helpdesk.ticket(TicketId(identity(ask)))
        there = {note.id for note in found.notes}
        for note in ticket.read_update(self._desk.body(ask, "ticket", "TroubleTicket_Update")):
            if note["id"] not in there:
                found = helpdesk.note_ticket(
                    ticket_id=found.id, text=note["text"], key=BuyerKey(note["id"])
                )
        return answer(self._shown(caller, found))

    def cancel(self, ask: Ask, caller: Caller) -> Answer:
        """Takes a ticket back."""
        return self._move(ask, caller, TicketState.CANCELLED)

    def close(self, ask: Ask, caller: Caller) -> Answer:
        """Agrees that what was wrong is right again."""
        return self._move(ask, caller, TicketState.CLOSED)

    def reopen(self, ask: Ask, caller: Caller) -> Answer:
        """Says that what was wrong is still wrong."""
        reason = ticket.read_reason(self._desk.body(ask, "ticket", "Reason"))
        return self._move(ask, caller, TicketState.IN_PROGRESS, reason)

    def _move(self, ask: Ask, caller: Caller, state: TicketState, reason: str = "") -> Answer:
        helpdesk: Helpdesk = self._desk.found(ask, caller).helpdesk
        helpdesk.move_ticket(ticket_id=TicketId(identity(ask)), state=state, reason=reason)
        return done()

    def incidents(self, ask: Ask, caller: Caller) -> Answer:
        """Not served: what goes wrong by itself is told on the tickets that it brings."""
        self._desk.found(ask, caller)
        raise errors.not_served("A list of incidents")

    # --- what was sent --------------------------------------------------------------------------

    def _shown(self, caller: Caller, one: Ticket) -> dict[str, Any]:
        body = self._bodies(caller, [one]).get(one.id, {})
        contact = write_contact(self._desk.settings.contact, party=one.buyer, role="reporter")
        return ticket.write(one, body, contact)

    def _bodies(self, caller: Caller, tickets: Sequence[Ticket]) -> dict[str, Mapping[str, Any]]:
        """The reports of these tickets as their buyers sent them, where they came in Sonata."""
        if not tickets:
            return {}
        actor = caller.actor
        condition = Condition(("ticket",), "eq", tuple(one.id for one in tickets))
        with self._desk.begin_for(actor)() as tx:
            found = records.find(
                tx,
                resource=RESOURCE,
                owner=None if actor.role == "operator" else actor.party,
                conditions=[condition],
                limit=len(tickets),
            )
        return {one.document["ticket"]: asked(one.document) for one in found.records}


def _tests(write: Any) -> Mapping[str, Test]:
    def said(name: str) -> Any:
        return lambda one: write(one)[name]

    return {
        **texts(
            externalId=lambda one: one.key,
            relatedEntityId=lambda one: one.ask.holding,
            relatedEntityType=lambda _: ticket.PRODUCT,
        ),
        "status": among(tuple(ticket.OURS), "status", said("status")),
        **{
            name: among(words, name, said(name))
            for name, words in (
                ("priority", ticket.PRIORITIES),
                ("sellerPriority", ticket.PRIORITIES),
                ("severity", ticket.SEVERITIES),
                ("sellerSeverity", ticket.SEVERITIES),
                ("ticketType", ticket.KINDS),
                ("observedImpact", ticket.IMPACTS),
            )
        },
        **dates("creationDate", lambda one: one.opened_at),
        **never_dates("expectedResolutionDate", "resolutionDate"),
    }
