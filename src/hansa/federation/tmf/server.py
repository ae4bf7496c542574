"""Our side of the dialect: TM Forum v4 paths over one actor's Seller and Listener.

A handler is three moves: parse, one call, render. Handlers are plain functions and run in
the server's thread pool; only the body is read on the event loop, and never beyond its bound.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from hansa.federation.contract import TRAIL_MAX, Need, Seller
from hansa.federation.papers import Listener, Notice
from hansa.federation.tmf import errors, trace
from hansa.federation.tmf.shapes import (
    agreement,
    bill,
    catalogue,
    inventory,
    order,
    qualification,
    quote,
    usage,
)
from hansa.federation.tmf.shapes.common import malformed, read_instant
from hansa.federation.tmf.wire import parse, render
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.ids import HoldingId, OrderId, TraceId
from hansa.foundation.party import Actor
from hansa.foundation.time import Period

log = logging.getLogger(__name__)

BODY_MAX = 1 << 20
PAPERS_MAX = 8 << 20
"""Agreements and statements may be longer than other bodies, in octets."""

PAGE = 100
PAGE_MAX = 1000
"""How many records one answer lists: unless asked otherwise, and at most."""

ID_MAX = 200


class Seat(Protocol):
    """What one actor finds at our door: a Seller to buy from, a Listener to tell."""

    @property
    def seller(self) -> Seller: ...

    @property
    def listener(self) -> Listener: ...


def mount(
    app: FastAPI,
    *,
    caller: Callable[[str], Actor],
    seat: Callable[[Actor], Seat],
    new_trace: Callable[[], TraceId],
    body_max: int = BODY_MAX,
    papers_max: int = PAPERS_MAX,
) -> None:
    """Serves the dialect on `app`, whose errors then are TMF630 Errors on every path.

    caller: the actor whom a bearer token proves, or Refused `token-refused`; it may ask a
    database. seat: what this actor finds. new_trace: for needs that come without a trace.
    body_max, papers_max: the longest bodies in octets; papers are agreements and bills.
    """
    door = _Door(caller, seat, new_trace)
    goods = APIRouter(route_class=_route_class(body_max))
    _add(goods, "TMF620", "GET", catalogue.OFFERINGS, door.offers)
    _add(goods, "TMF679", "POST", qualification.QUALIFICATIONS, door.qualify)
    _add(goods, "TMF648", "POST", quote.QUOTES, door.quote)
    _add(goods, "TMF622", "POST", order.ORDERS, door.order)
    _add(goods, "TMF622", "GET", f"{order.ORDERS}/{{id}}", door.progress)
    _add(goods, "TMF622", "POST", order.MOVED, door.hears(order.MOVED, order.read_moved))
    _add(goods, "TMF637", "GET", f"{inventory.PRODUCTS}/{{id}}", door.condition)
    _add(goods, "TMF635", "GET", usage.USAGES, door.usage)
    papers = APIRouter(route_class=_route_class(papers_max))
    _add(papers, "TMF651", "POST", agreement.AGREEMENTS, door.agreement)
    for tag, path, read in (
        ("TMF651", agreement.SIGNED, agreement.read_signed),
        ("TMF651", agreement.MOVED, agreement.read_moved),
        ("TMF678", bill.ISSUED, bill.read_issued),
        ("TMF678", bill.MOVED, bill.read_moved),
    ):
        _add(papers, tag, "POST", path, door.hears(path, read))
    app.include_router(goods)
    app.include_router(papers)
    app.add_exception_handler(HansaError, _answer_ours)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unforeseen)


Endpoint = Callable[[Request], Response]


def _add(routes: APIRouter, tag: str, method: str, path: str, endpoint: Endpoint) -> None:
    routes.add_api_route(
        path,
        endpoint,
        methods=[method],
        tags=[tag],
        status_code=201 if method == "POST" else 200,
        response_class=Response,
    )


class _Door:
    """The handlers, each of which finds out who calls before anything else."""

    def __init__(
        self,
        caller: Callable[[str], Actor],
        seat: Callable[[Actor], Seat],
        new_trace: Callable[[], TraceId],
    ) -> None:
        self._caller = caller
        self._seat = seat
        self._new_trace = new_trace

    def _seller(self, request: Request) -> Seller:
        return self._seat(self._actor(request)).seller

    def _actor(self, request: Request) -> Actor:
        return self._caller(_bearer(request))

    # --- what a Seller is asked -----------------------------------------------------------------

    def offers(self, request: Request) -> Response:
        """What the caller may have, with its own prices."""
        offers = self._seller(request).offers()
        return _page(request, offers, catalogue.write)

    def qualify(self, request: Request) -> Response:
        """Whether a need can be met, answered at once."""
        seller = self._seller(request)
        need = self._need(request, qualification.read_need)
        return _created(qualification.write(seller.qualify(need)), _traced(request, need))

    def quote(self, request: Request) -> Response:
        """A locked price for a need, answered at once."""
        actor = self._actor(request)
        need = self._need(request, quote.read_need)
        made = self._seat(actor).seller.quote(need)
        _note(actor, "quote", need.trace, quote=made.id)
        return _created(quote.write(made), _traced(request, need))

    def order(self, request: Request) -> Response:
        """Yes to a quote (items that add or modify), or the end of an order (items that delete)."""
        actor = self._actor(request)
        seller = self._seat(actor).seller
        ask = order.read_ask(_body(request))
        if isinstance(ask, order.Placing):
            made = seller.order(quote_id=ask.quote, key=ask.key)
        else:
            made = seller.cease(order_id=ask.order, key=ask.key)
        action: order.Action = "add" if isinstance(ask, order.Placing) else "delete"
        _note(actor, "order" if action == "add" else "cease", made.trace, order=made.id)
        return _created(order.write(made, action), {})

    def progress(self, request: Request) -> Response:
        """How far an order is, as the caller may see it."""
        seller = self._seller(request)
        return _found(order.write_progress(seller.progress(OrderId(_identity(request)))))

    def condition(self, request: Request) -> Response:
        """Whether what the caller holds is as it was promised."""
        seller = self._seller(request)
        return _found(inventory.write(seller.condition(HoldingId(_identity(request)))))

    def usage(self, request: Request) -> Response:
        """Usage of `product.id` in `period` (2026-11), or from usageDate.gte to usageDate.lt."""
        seller = self._seller(request)
        records = seller.usage(
            holding_id=HoldingId(_query(request, "product.id")), period=_period(request)
        )
        return _page(request, records, usage.write)

    def _need(self, request: Request, read: Callable[[Json, TraceId], Need]) -> Need:
        traced = trace.read(request.headers.get(trace.HEADER)) or self._new_trace()
        need = read(_body(request), traced)
        if len(need.trail) > TRAIL_MAX:
            raise Refused(
                "trail-too-long",
                f"The request has passed {len(need.trail)} nodes, and {TRAIL_MAX} is the most. "
                "Have the alliance's chain of sellers shortened.",
                field="hansaTrail",
            )
        return need

    # --- what a Listener is told ----------------------------------------------------------------

    def agreement(self, request: Request) -> Response:
        """The draft of an agreement."""
        listener = self._seat(self._actor(request)).listener
        notice = agreement.read(_body(request))
        listener.hear(notice)
        return _created(agreement.write(notice), {})

    def hears(self, path: str, read: Callable[[Json], Notice]) -> Endpoint:
        """The handler of one kind of event."""

        def hear(request: Request) -> Response:
            actor = self._actor(request)
            body = _body(request)
            self._seat(actor).listener.hear(read(body))
            event = body.get("eventId")
            heard = {"id": event if isinstance(event, str) else "", "callback": path}
            return Response(render(heard), 201, media_type="application/json")

        hear.__name__ = path.rsplit("/", 1)[-1]
        hear.__doc__ = f"Told of a {hear.__name__}; hearing it again changes nothing."
        return hear


# --- parse ------------------------------------------------------------------------------------


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(
            "token-refused",
            "Requests of partners carry a bearer token, signed with the partner's key.",
        )
    return token.strip()


def _body(request: Request) -> Json:
    return parse(request.state.body)


def _identity(request: Request) -> str:
    identity: str = request.path_params["id"]
    return _sound(identity, "id")


def _query(request: Request, name: str) -> str:
    return _sound(request.query_params.get(name, ""), name)


def _sound(text: str, field: str) -> str:
    """Text that can be the id of something: printable and not too long."""
    if not text or len(text) > ID_MAX or not text.isprintable():
        raise malformed(field, f"1 to {ID_MAX} printable characters are expected")
    return text


def _period(request: Request) -> Period:
    if "period" in request.query_params:
        return Period.parse(_query(request, "period"))
    return Period(
        read_instant(_query(request, "usageDate.gte"), "usageDate.gte"),
        read_instant(_query(request, "usageDate.lt"), "usageDate.lt"),
    )


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise malformed(name, "a whole number is expected")
    return int(text)


# --- render -----------------------------------------------------------------------------------


def _traced(request: Request, need: Need) -> Mapping[str, str]:
    """The caller's own traceparent back, or one for the trace that began here."""
    given = request.headers.get(trace.HEADER)
    if given is not None and trace.read(given) == need.trace:
        return {trace.HEADER: given}
    return {trace.HEADER: trace.write(need.trace, by="answer")}


def _found(shape: Mapping[str, Any]) -> Response:
    return Response(render(shape), media_type="application/json")


def _created(shape: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    headers = {"location": shape["href"], **headers}
    return Response(render(shape), 201, headers, media_type="application/json")


def _page(
    request: Request, things: Sequence[Any], write: Callable[[Any], Mapping[str, Any]]
) -> Response:
    """One page of a list, by `offset` and `limit`; X-Total-Count says how long it is (TMF630)."""
    offset = _number(request, "offset", 0)
    limit = min(_number(request, "limit", PAGE), PAGE_MAX)
    page = [write(thing) for thing in things[offset : offset + limit]]
    headers = {"x-total-count": str(len(things)), "x-result-count": str(len(page))}
    return Response(render(page), 200, headers, media_type="application/json")


# --- around every handler ---------------------------------------------------------------------


def _route_class(body_max: int) -> type[APIRoute]:
    """Routes that read a bounded body, and answer errors in the dialect's own shape."""

    class TmfRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def handle(request: Request) -> Response:
                try:
                    _bearer(request)
                    request.state.body = await _read(request, body_max)
                    return await handler(request)
                except HansaError as error:
                    return _answer_ours(request, error)
                except ClientDisconnect:
                    return Response(status_code=400)
                except Exception as error:  # noqa: BLE001 - the caller gets an answer all the same
                    return _answer_unforeseen(request, error)

            return handle

    return TmfRoute


async def _read(request: Request, body_max: int) -> bytes:
    """The whole body; given up as soon as it is longer than it may be, announced or not."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length[:12]) > body_max:
        raise _too_large(body_max)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > body_max:
            raise _too_large(body_max)
    return bytes(body)


def _too_large(body_max: int) -> Refused:
    return Refused(
        "body-too-large",
        f"The body is longer than {body_max} octets. Split it, or ask the operator for more.",
    )


def _note(actor: Actor, act: str, traced: TraceId, **things: str) -> None:
    log.info(act, extra={"partner": actor.party, "trace": traced, **things})


def _answer_ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, HansaError):
        return _answer_unforeseen(request, error)
    status, headers, body = errors.write(error)
    if error.code == "token-refused":
        log.warning("token refused", extra={"path": request.url.path, "words": error.words})
    return Response(body, status, headers, media_type="application/json")


def _answer_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        unknown = NotFound("path-unknown", "There is nothing at this path.", field="path")
        return _answer_ours(request, unknown)
    if status == 405:
        wrong = Refused(
            "method-unknown", f"{request.method} is not served at this path.", field="method"
        )
        return _answer_ours(request, wrong)
    return _answer_unforeseen(request, error)


def _answer_unforeseen(request: Request, error: Exception) -> Response:
    log.error("fault while answering", extra={"path": request.url.path}, exc_info=error)
    return Response(errors.UNFORESEEN, 500, media_type="application/json")
