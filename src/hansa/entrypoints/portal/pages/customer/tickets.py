"""What a customer has reported: list, one ticket with its notes, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import CUSTOMERS, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.customer import saying
from hansa.entrypoints.portal.pages.customer.mine import (
    LONG,
    held,
    key,
    mine,
    noted,
    seat,
    sent_before,
    sent_key,
)
from hansa.federation.helpdesk import Ticket, TicketAsk, TicketState
from hansa.federation.shelf import ShelfBill, ShelfHolding
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BillId, HoldingId, TicketId
from hansa.foundation.time import Instant
from hansa.lifecycle.assurance.actions import tickets as assurance
from hansa.lifecycle.assurance.model import TICKET_STATES
from hansa.lifecycle.billing import actions as billing


@dataclass(frozen=True, slots=True)
class Said:
    """A line of a ticket's log. state: what it came into, else it is a note."""

    at: Instant
    by_us: bool
    text: str
    state: TicketState | None = None


@page("/my/tickets", roles=CUSTOMERS)
def ticket_list(ask: Ask) -> Response:
    wanted = ask.query.get("state", "open")
    turn = paging.turn(ask, LONG)
    with mine(ask) as tx:
        found = assurance.tickets(
            tx, actor=ask.actor, open_only=wanted == "open", offset=turn.offset, limit=turn.size
        )
    return ask.render(
        "customer/tickets.html",
        part="customer/_tickets.html",
        found=found,
        turn=turn,
        wanted=wanted,
        told=saying.told,
    )


@page("/my/tickets/new", roles=CUSTOMERS)
def ticket_new(ask: Ask) -> Response:
    """Something is wrong: with a service, with a bill, or otherwise."""
    service, bill = _about(ask)
    return ask.render(
        "customer/ticket_new.html",
        held=service,
        bill=bill,
        key=key(ask),
        severities=[(one, saying.told("severity", one).word) for one in saying.SEVERITIES],
    )


@change("/my/tickets/new", roles=CUSTOMERS, again=ticket_new)
def ticket_open(ask: Ask) -> Response:
    """Reports it; sent twice it is one ticket."""
    service, bill = _about(ask)
    wanted = TicketAsk(
        description=ask.typed("description").strip(),
        severity=ask.typed("severity") or "major",
        kind="information" if bill else "incident",
        holding=service.id if service else None,
        name=_("Bill %(number)s", number=bill.number) if bill else "",
    )
    try:
        made = seat(ask).helpdesk.open_ticket(ask=wanted, key=sent_key(ask))
    except Refused as error:
        raise sent_before(_in_words(error)) from None
    noted(ask, "ticket-opened", subject=made.id)
    return ask.back(f"/my/tickets/{made.id}", said=_("We have your report and look into it."))


def _about(ask: Ask) -> tuple[ShelfHolding | None, ShelfBill | None]:
    """What a report is about: one of the customer's services or bills, or neither."""
    service = ask.typed("service", ask.query.get("service", ""))
    bill = ask.typed("bill", ask.query.get("bill", ""))
    about = held(ask, HoldingId(service)) if service else None
    with mine(ask) as tx:
        found = billing.shelf_bill(tx, id=BillId(bill), buyer=ask.actor.party) if bill else None
    return about, found


@page("/my/tickets/{id}", roles=CUSTOMERS)
def ticket(ask: Ask) -> Response:
    found = seat(ask).helpdesk.ticket(TicketId(ask.path["id"]))
    return ask.render(
        "customer/ticket.html",
        found=found,
        held=held(ask, found.ask.holding) if found.ask.holding else None,
        log=_log(found),
        over=found.state in TICKET_STATES.ends,
        key=key(ask),
        told=saying.told,
    )


def _log(found: Ticket) -> list[Said]:
    """Moves and notes together, as they came."""
    moves = [Said(one.at, by_us=True, text=one.reason, state=one.state) for one in found.moves]
    notes = [
        Said(one.at, by_us=one.author == found.seller, text=one.text)
        for one in found.notes
        if not one.private
    ]
    told = [*moves[:1], *notes, *moves[1:]]  # a sort keeps this order within one moment
    return sorted(told, key=lambda one: one.at)


@change("/my/tickets/{id}/note", roles=CUSTOMERS, again=ticket)
def ticket_note(ask: Ask) -> Response:
    id = TicketId(ask.path["id"])
    try:
        seat(ask).helpdesk.note_ticket(
            ticket_id=id, text=ask.typed("text").strip(), key=sent_key(ask)
        )
    except Refused as error:
        raise sent_before(_in_words(error)) from None
    noted(ask, "ticket-noted", subject=id)
    return ask.back(f"/my/tickets/{id}", said=_("Your note is added."))


@change("/my/tickets/{id}/solved", roles=CUSTOMERS, again=ticket)
def ticket_solved(ask: Ask) -> Response:
    """The customer confirms that it is solved."""
    return _moved(ask, TicketState.CLOSED, _("Thank you. The ticket is closed."))


@change("/my/tickets/{id}/unsolved", roles=CUSTOMERS, again=ticket)
def ticket_unsolved(ask: Ask) -> Response:
    """It is not solved, or what was asked is answered: we go on."""
    return _moved(ask, TicketState.IN_PROGRESS, _("We go on with it."))


@change("/my/tickets/{id}/withdraw", roles=CUSTOMERS, again=ticket)
def ticket_withdraw(ask: Ask) -> Response:
    return _moved(ask, TicketState.CANCELLED, _("The ticket is withdrawn."))


def _moved(ask: Ask, state: TicketState, said: str) -> Response:
    id = TicketId(ask.path["id"])
    seat(ask).helpdesk.move_ticket(ticket_id=id, state=state, reason=ask.typed("reason").strip())
    noted(ask, "ticket-moved", subject=id, details={"state": state})
    return ask.back(f"/my/tickets/{id}", said=said)


def _in_words(error: Refused) -> Refused:
    """What the helpdesk refuses of a text, beside the field in which it was typed."""
    if error.code == "ticket-invalid" and error.field in ("description", "note"):
        field = "text" if error.field == "note" else error.field
        words = _("Say something, in 4,000 characters at most.")
        return Refused(error.code, words, field=field)
    return error


pages = [
    ticket_list, ticket_new, ticket_open, ticket, ticket_note, ticket_solved, ticket_unsolved,
    ticket_withdraw,
]  # fmt: skip
