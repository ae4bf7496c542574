"""Our side of the dialect: TM Forum v4 paths over one actor's Seller and Listener.

A handler is three moves: parse, one call, render.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hansa.federation import trace
from hansa.federation.contract import TRAIL_MAX, Need, Seller
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
    customer,
    party,
    role,
    site,
)
from hansa.federation.tmf.resources import agreement as agreements
from hansa.federation.tmf.resources import catalogue as catalogues
from hansa.federation.tmf.resources import partnership as partnerships
from hansa.federation.tmf.resources import usage as usages
from hansa.federation.tmf.shapes import (
    agreement,
    bill,
    catalogue,
    inventory,
    order,
    partnership,
    qualification,
    quote,
    ticket,
    usage,
)
from hansa.federation.tmf.shapes.common import malformed, read_instant
from hansa.federation.wire import parse, render
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, TicketId, TraceId
from hansa.foundation.party import Actor
from hansa.foundation.time import Period

log = logging.getLogger(__name__)

PREFIX = "/tmf-api/"

PAPERS_MAX = 8 << 20
"""Agreements and statements may be longer than other bodies, in octets."""

PAGE = 100
PAGE_MAX = 1000
"""How many records one answer lists: unless asked otherwise, and at most."""

ID_MAX = 200


APIS = (
    catalogues.API,
    customer.API,
    party.API,
    usages.API,
    agreements.API,
    account.API,
    partnerships.API,
    role.API,
    address.API,
    site.API,
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
    goods = [
        ("TMF620", "GET", catalogue.OFFERINGS, door.offers),
        ("TMF679", "POST", qualification.QUALIFICATIONS, door.qualify),
        ("TMF648", "POST", quote.QUOTES, door.quote),
        ("TMF622", "POST", order.ORDERS, door.order),
        ("TMF622", "GET", f"{order.ORDERS}/{{id}}", door.progress),
        ("TMF622", "POST", order.MOVED, door.hears(order.MOVED, order.read_moved)),
        ("TMF637", "GET", f"{inventory.PRODUCTS}/{{id}}", door.condition),
        ("TMF635", "GET", usage.USAGES, door.usage),
        ("TMF621", "GET", ticket.TICKETS, door.tickets),
        ("TMF621", "POST", ticket.TICKETS, door.open_ticket),
        ("TMF621", "GET", f"{ticket.TICKETS}/{{id}}", door.ticket),
        ("TMF621", "PATCH", f"{ticket.TICKETS}/{{id}}", door.change_ticket),
        ("TMF621", "POST", ticket.MOVED, door.hears(ticket.MOVED, ticket.read_moved)),
    ]
    papers: list[tuple[str, str, str, Handler]] = [
        ("TMF651", "POST", agreement.AGREEMENTS, door.agreement)
    ]
    papers += [
        (api, "POST", path, door.hears(path, read))
        for api, path, read in (
            ("TMF668", partnership.CHANGED, partnership.read_renewed),
            ("TMF651", agreement.SIGNED, agreement.read_signed),
            ("TMF651", agreement.MOVED, agreement.read_moved),
            ("TMF678", bill.ISSUED, bill.read_issued),
            ("TMF678", bill.MOVED, bill.read_moved),
        )
    ]
    served = [_operation(*one, body_max) for one in goods]
    served += [_operation(*one, papers_max) for one in papers]
    served += operations.operations(world, APIS)
    for api in APIS:
        served += telling.operations(world, api)
    served += [openapi.served(api, served) for api in apis(served)]
    return Dialect(PREFIX, served, errors.write, errors.UNFORESEEN)


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


def _operation(api: str, method: str, path: str, handle: Handler, body_max: int) -> Operation:
    return Operation(
        method=method,
        template=path,
        handle=handle,
        api=api,
        summary=(handle.__doc__ or "").partition("\n")[0],
        scope=f"{api.lower()}:{'read' if method == 'GET' else 'write'}",
        body_max=body_max,
    )


class _Door:
    """The handlers."""

    def __init__(self, seat: Callable[[Actor], Seat], new_trace: Callable[[], TraceId]) -> None:
        self._seat = seat
        self._new_trace = new_trace

    def _seller(self, caller: Caller) -> Seller:
        return self._seat(caller.actor).seller

    # --- what a Seller is asked -----------------------------------------------------------------

    def offers(self, ask: Ask, caller: Caller) -> Answer:
        """What the caller may have, with its own prices."""
        offers = self._seller(caller).offers()
        return _page(ask, offers, catalogue.write)

    def qualify(self, ask: Ask, caller: Caller) -> Answer:
        """Whether a need can be met, answered at once."""
        seller = self._seller(caller)
        need = self._need(ask, qualification.read_need)
        return _created(qualification.write(seller.qualify(need)), _traced(ask, need))

    def quote(self, ask: Ask, caller: Caller) -> Answer:
        """A locked price for a need, answered at once."""
        actor = caller.actor
        need = self._need(ask, quote.read_need)
        made = self._seat(actor).seller.quote(need)
        _note(actor, "quote", need.trace, quote=made.id)
        return _created(quote.write(made), _traced(ask, need))

    def order(self, ask: Ask, caller: Caller) -> Answer:
        """Yes to a quote (items that add or modify), or the end of an order (items that delete)."""
        actor = caller.actor
        seller = self._seat(actor).seller
        wish = order.read_ask(_body(ask))
        if isinstance(wish, order.Placing):
            made = seller.order(quote_id=wish.quote, key=wish.key)
        else:
            made = seller.cease(order_id=wish.order, key=wish.key)
        action: order.Action = "add" if isinstance(wish, order.Placing) else "delete"
        _note(actor, "order" if action == "add" else "cease", made.trace, order=made.id)
        return _created(order.write(made, action), {})

    def progress(self, ask: Ask, caller: Caller) -> Answer:
        """How far an order is, as the caller may see it."""
        seller = self._seller(caller)
        return _found(order.write_progress(seller.progress(OrderId(_identity(ask)))))

    def condition(self, ask: Ask, caller: Caller) -> Answer:
        """Whether what the caller holds is as it was promised."""
        seller = self._seller(caller)
        return _found(inventory.write(seller.condition(HoldingId(_identity(ask)))))

    def usage(self, ask: Ask, caller: Caller) -> Answer:
        """Usage of `product.id` in `period` (2026-11), or from usageDate.gte to usageDate.lt."""
        seller = self._seller(caller)
        records = seller.usage(holding_id=HoldingId(_query(ask, "product.id")), period=_period(ask))
        return _page(ask, records, usage.write)

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

    def _need(self, ask: Ask, read: Callable[[Json, TraceId], Need]) -> Need:
        traced = trace.read(ask.headers.get(trace.HEADER)) or self._new_trace()
        need = read(_body(ask), traced)
        if len(need.trail) > TRAIL_MAX:
            raise Refused(
                "trail-too-long",
                f"The request has passed {len(need.trail)} nodes, and {TRAIL_MAX} is the most. "
                "Have the alliance's chain of sellers shortened.",
                field="hansaTrail",
            )
        return need

    # --- what a Listener is told ----------------------------------------------------------------

    def agreement(self, ask: Ask, caller: Caller) -> Answer:
        """The draft of an agreement."""
        listener = self._seat(caller.actor).listener
        notice = agreement.read(_body(ask))
        listener.hear(notice)
        return _created(agreement.write(notice), {})

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


def _query(ask: Ask, name: str) -> str:
    return _sound(ask.first.get(name, ""), name)


def _sound(text: str, field: str) -> str:
    """Text that can be the id of something: printable and not too long."""
    if not text or len(text) > ID_MAX or not text.isprintable():
        raise malformed(field, f"1 to {ID_MAX} printable characters are expected")
    return text


def _period(ask: Ask) -> Period:
    if "period" in ask.first:
        return Period.parse(_query(ask, "period"))
    return Period(
        read_instant(_query(ask, "usageDate.gte"), "usageDate.gte"),
        read_instant(_query(ask, "usageDate.lt"), "usageDate.lt"),
    )


def _number(ask: Ask, name: str, default: int) -> int:
    text = ask.first.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise malformed(name, "a whole number is expected")
    return int(text)


# --- render -----------------------------------------------------------------------------------


def _traced(ask: Ask, need: Need) -> Mapping[str, str]:
    """The caller's own traceparent back, or one for the trace that began here."""
    given = ask.headers.get(trace.HEADER)
    if given is not None and trace.read(given) == need.trace:
        return {trace.HEADER: given}
    return {trace.HEADER: trace.write(need.trace, by="answer")}


def _found(shape: Mapping[str, Any]) -> Answer:
    return Answer(200, render(shape))


def _created(shape: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
    headers = {"location": shape["href"], **headers}
    return Answer(201, render(shape), headers)


def _page(ask: Ask, things: Sequence[Any], write: Callable[[Any], Mapping[str, Any]]) -> Answer:
    """One page of a list, by `offset` and `limit`; X-Total-Count says how long it is (TMF630)."""
    offset = _number(ask, "offset", 0)
    limit = min(_number(ask, "limit", PAGE), PAGE_MAX)
    page = [write(thing) for thing in things[offset : offset + limit]]
    headers = {"x-total-count": str(len(things)), "x-result-count": str(len(page))}
    return Answer(200, render(page), headers)


def _note(actor: Actor, act: str, traced: TraceId, **things: str) -> None:
    log.info(act, extra={"partner": actor.party, "trace": traced, **things})
