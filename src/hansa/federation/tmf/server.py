"""Our side of the dialect: TM Forum v4 paths over one actor's Seller and Listener.

A handler is three moves: parse, one call, render.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hansa.federation import trace
from hansa.federation.exchange import (
    BODY_MAX,
    Answer,
    Ask,
    Caller,
    Dialect,
    Handler,
    Operation,
)
from hansa.federation.papers import Notice
from hansa.federation.tmf import errors
from hansa.federation.tmf.engine import documents as openapi
from hansa.federation.tmf.engine import operations, telling
from hansa.federation.tmf.engine.model import Api, Seat, World
from hansa.federation.tmf.resources import (
    account,
    address,
    agreement,
    bill,
    catalogue,
    customer,
    order,
    party,
    product,
    qualification,
    quote,
    role,
    service,
    site,
    usage,
)
from hansa.federation.tmf.resources import partnership as partnerships
from hansa.federation.tmf.shapes import partnership, ticket
from hansa.federation.tmf.shapes.common import malformed
from hansa.federation.wire import parse, render
from hansa.foundation.documents import Json
from hansa.foundation.ids import BuyerKey, TicketId, TraceId
from hansa.foundation.party import Actor

log = logging.getLogger(__name__)

PREFIX = "/tmf-api/"

PAPERS_MAX = 8 << 20
"""Agreements and statements may be longer than other bodies, in octets."""

PAGE = 100
PAGE_MAX = 1000
"""How many records one answer lists: unless asked otherwise, and at most."""

ID_MAX = 200


APIS = (
    catalogue.API,
    order.API,
    customer.API,
    party.API,
    usage.API,
    product.API,
    service.API,
    quote.API,
    agreement.API,
    account.API,
    partnerships.API,
    role.API,
    address.API,
    site.API,
    bill.API,
    qualification.API,
)
"""What is served by declaration."""


def dialect(
    world: World,
    *,
    body_max: int = BODY_MAX,
    papers_max: int = PAPERS_MAX,
) -> Dialect:
    """What a node serves of the TM Forum Open APIs, whose errors are TMF630 Errors.

    body_max, papers_max: the longest bodies in octets; papers are agreements and bills.
    """
    door = _Door(world.seat, world.new_trace)
    goods: list[tuple[str, str, str, Handler]] = [
        ("TMF621", "GET", ticket.TICKETS, door.tickets),
        ("TMF621", "POST", ticket.TICKETS, door.open_ticket),
        ("TMF621", "GET", f"{ticket.TICKETS}/{{id}}", door.ticket),
        ("TMF621", "PATCH", f"{ticket.TICKETS}/{{id}}", door.change_ticket),
        ("TMF621", "POST", ticket.MOVED, door.hears(ticket.MOVED, ticket.read_moved)),
        (
            "TMF668",
            "POST",
            partnership.CHANGED,
            door.hears(partnership.CHANGED, partnership.read_renewed),
        ),
    ]
    served = [_operation(*one) for one in goods]
    served += operations.operations(world, APIS)
    for api in APIS:
        served += telling.operations(world, api)
    served += [openapi.served(api, served) for api in apis(served)]
    bounds = {BODY_MAX: body_max, PAPERS_MAX: papers_max}
    bounded = [replace(one, body_max=bounds.get(one.body_max, one.body_max)) for one in served]
    return Dialect(PREFIX, bounded, errors.write, errors.UNFORESEEN)


def apis(served: Sequence[Operation]) -> Sequence[Api]:
    """All that is served, by number: what is declared, and the APIs of the other operations."""
    found = {api.name: api for api in APIS}
    for one in served:
        if one.api not in found:
            base = one.template.partition("/v4/")[0] + "/v4"
            found[one.api] = Api(int(one.api.removeprefix("TMF")), "", base, (), ())
    return sorted(found.values(), key=lambda api: api.number)


def documents(world: World) -> Mapping[str, Any]:
    """The OpenAPI document of each API, by its name."""
    served = dialect(world).operations
    return {api.name: openapi.document(api, served) for api in apis(served)}


def _operation(api: str, method: str, path: str, handle: Handler) -> Operation:
    return Operation(
        method=method,
        template=path,
        handle=handle,
        api=api,
        summary=(handle.__doc__ or "").partition("\n")[0],
        scope=f"{api.lower()}:{'read' if method == 'GET' else 'write'}",
    )


class _Door:
    """The handlers."""

    def __init__(self, seat: Callable[[Actor], Seat], new_trace: Callable[[], TraceId]) -> None:
        self._seat = seat
        self._new_trace = new_trace

    # --- what a Helpdesk is asked ---------------------------------------------------------------

    def open_ticket(self, ask: Ask, caller: Caller) -> Answer:
        """Reports that something is not as it was promised."""
        desk = self._seat(caller.actor).helpdesk
        opening = ticket.read_opening(_body(ask))
        traced = trace.read(ask.headers.get(trace.HEADER)) or self._new_trace()
        key = opening.key or BuyerKey(f"none-{self._new_trace()}")
        made = desk.open_ticket(ask=opening.ask, key=key, trace_id=traced)
        _note(caller.actor, "ticket", made.trace, ticket=made.id)
        return _created(ticket.write(made), {})

    def ticket(self, ask: Ask, caller: Caller) -> Answer:
        """How a ticket stands, as the caller may see it."""
        desk = self._seat(caller.actor).helpdesk
        return _found(ticket.write(desk.ticket(TicketId(_identity(ask)))))

    def tickets(self, ask: Ask, caller: Caller) -> Answer:
        """The caller's tickets, in one `status` if it is named, the newest first."""
        desk = self._seat(caller.actor).helpdesk
        status = ask.first.get("status")
        found = desk.tickets(
            state=None if status is None else ticket.read_state(status, "status"),
            offset=_number(ask, "offset", 0),
            limit=min(_number(ask, "limit", PAGE), PAGE_MAX),
        )
        page = [ticket.write(one) for one in found.tickets]
        headers = {"x-total-count": str(found.total), "x-result-count": str(len(page))}
        return Answer(200, render(page), headers)

    def change_ticket(self, ask: Ask, caller: Caller) -> Answer:
        """Adds notes to a ticket, and moves it as the caller may."""
        desk = self._seat(caller.actor).helpdesk
        ticket_id = TicketId(_identity(ask))
        change = ticket.read_change(_body(ask))
        found = desk.ticket(ticket_id)
        for one in ticket.added(change, found):
            found = desk.note_ticket(ticket_id=ticket_id, text=one.text, key=one.key)
        if change.state is not None:
            found = desk.move_ticket(ticket_id=ticket_id, state=change.state, reason=change.reason)
        return _found(ticket.write(found))

    # --- what a Listener is told ----------------------------------------------------------------

    def hears(self, path: str, read: Callable[[Json], Notice]) -> Handler:
        """The handler of one kind of event."""

        def hear(ask: Ask, caller: Caller) -> Answer:
            actor = caller.actor
            body = _body(ask)
            self._seat(actor).listener.hear(read(body))
            event = body.get("eventId")
            heard = {"id": event if isinstance(event, str) else "", "callback": path}
            return Answer(201, render(heard))

        hear.__name__ = path.rsplit("/", 1)[-1]
        hear.__doc__ = f"Told of a {hear.__name__}; hearing it again changes nothing."
        return hear


# --- parse ------------------------------------------------------------------------------------


def _body(ask: Ask) -> Json:
    return parse(ask.body)


def _identity(ask: Ask) -> str:
    identity: str = ask.params["id"]
    return _sound(identity, "id")


def _sound(text: str, field: str) -> str:
    """Text that can be the id of something: printable and not too long."""
    if not text or len(text) > ID_MAX or not text.isprintable():
        raise malformed(field, f"1 to {ID_MAX} printable characters are expected")
    return text


def _number(ask: Ask, name: str, default: int) -> int:
    text = ask.first.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise malformed(name, "a whole number is expected")
    return int(text)


# --- render -----------------------------------------------------------------------------------


def _found(shape: Mapping[str, Any]) -> Answer:
    return Answer(200, render(shape))


def _created(shape: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
    headers = {"location": shape["href"], **headers}
    return Answer(201, render(shape), headers)


def _note(actor: Actor, act: str, traced: TraceId, **things: str) -> None:
    log.info(act, extra={"partner": actor.party, "trace": traced, **things})
