"""What all handlers of the dialect share: who asks for whom, what is read, how lists are told.

Sonata names the statuses of each operation, and they differ: some know 422, some 409. `served`
tells each error in the words that the operation has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from hansa.federation import trace
from hansa.federation.contract import TRAIL_MAX, Need, Seller
from hansa.federation.exchange import BODY_MAX, Answer, Ask, Caller, Handler, Operation, status_of
from hansa.federation.helpdesk import Helpdesk
from hansa.federation.shelf import Page, Shelf
from hansa.federation.sonata import errors
from hansa.federation.sonata.errors import MEDIA_TYPE, Unread
from hansa.federation.sonata.schemas import Schemas
from hansa.federation.sonata.settings import SonataSettings
from hansa.federation.sonata.shapes.common import KEPT, Contact, write_contact
from hansa.federation.sonata.shapes.inventory import site_id
from hansa.federation.sonata.shapes.need import Asker
from hansa.federation.tmf.engine.change import body as read_body
from hansa.federation.tmf.engine.model import Seat, World
from hansa.federation.tmf.shapes.common import read_instant
from hansa.federation.wire import render
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, NotFound, Refused
from hansa.foundation.ids import Ids, OfferCode, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.site import Site
from hansa.foundation.time import Clock, Instant
from hansa.foundation.transaction import Begin

PAGE = 100
PAGE_MAX = 1000
SIFT_MAX = 10_000
"""How many records a filter looks through at most; the answer says so when it stops there."""

ID_MAX = 200
ALWAYS = frozenset({"buyerId", "sellerId", "offset", "limit"})

Thing = TypeVar("Thing")
Test = Callable[[str], Callable[[Any], bool]]
"""Of a value in the query, whether a thing is what it asks for. Raises Unread for an odd value."""


class Partner(Seller, Helpdesk, Protocol):
    """A partner as we buy from it."""


@dataclass(frozen=True)
class Desk:
    """What the handlers stand on.

    us: who sells here. world: what an actor finds, and how transactions are opened for it.
    partner: to be asked what an event of its own was about. folder: the node's.
    """

    us: PartyId
    world: World
    settings: SonataSettings
    partner: Callable[[PartyId], Partner]
    folder: Path

    @property
    def ids(self) -> Ids:
        return self.world.ids

    @property
    def clock(self) -> Clock:
        return self.world.clock

    def begin_for(self, actor: Actor) -> Begin:
        return self.world.begin_for(actor)

    @cached_property
    def schemas(self) -> Schemas | None:
        """MEF's own, None where the operator has not put them there."""
        folder = self.settings.schemas
        return Schemas(self.folder / folder) if folder else None

    def contact(self) -> Contact:
        return write_contact(self.settings.contact, party=self.us, role="sellerContact")

    def found(self, ask: Ask, caller: Caller) -> Seat:
        """What the caller finds; refused when it speaks for or to somebody else."""
        if ask.first.get("sellerId", self.us) != self.us:
            raise errors.not_you("sellerId")
        if caller.actor.role != "operator":
            buyer = ask.first.get("buyerId", caller.actor.party)
            if buyer != caller.actor.party:
                raise errors.not_you("buyerId")
        return self.world.seat(caller.actor)

    def body(self, ask: Ask, api: str, name: str) -> Json:
        """The body; held against MEF's schema of that name too, if there is one at hand."""
        value = read_body(ask)
        if self.schemas is not None:
            self.schemas.check_body(api, name, value)
            for path, payload in _configurations(value):
                self.schemas.check_product(payload, path)
        return value

    def asker(self, ask: Ask, caller: Caller, seat: Seat) -> Asker:
        def currency(offer: OfferCode) -> str:
            offers = seat.seller.offers()
            own = [one.currency for one in offers if one.code == offer]
            return next(iter(own + [one.currency for one in offers]), "")

        return Asker(
            trace=trace.read(ask.headers.get(trace.HEADER)) or self.world.new_trace(),
            trail=(caller.actor.party,) if caller.actor.role == "partner" else (),
            currency=currency,
            sites=lambda identity: sites(seat.shelf).get(identity),
        )


def sites(shelf: Shelf) -> Mapping[str, Site]:
    """Where a buyer has something from us, by the id under which it is listed."""
    things, _ = everything(lambda offset, limit: shelf.holdings(offset=offset, limit=limit))
    return {site_id(one.site): one.site for one in things if one.site is not None}


def _configurations(value: Any, path: str = "") -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Every productConfiguration of a request, with its path."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    if isinstance(value, list):
        for index, one in enumerate(value):
            found += _configurations(one, f"{path}.{index}")
    if isinstance(value, dict):
        for name, one in value.items():
            at = f"{path}.{name}".lstrip(".")
            if name == "productConfiguration" and isinstance(one, dict):
                found.append((at, one))
            elif isinstance(one, dict | list):
                found += _configurations(one, at)
    return found


# --- parse ------------------------------------------------------------------------------------


def identity(ask: Ask) -> str:
    found = ask.params["id"]
    if not found or len(found) > ID_MAX or not found.isprintable():
        raise NotFound("path-unknown", "There is nothing at this path.", field="id")
    return found


def short_trail(need: Need) -> Need:
    if len(need.trail) > TRAIL_MAX:
        raise Refused(
            "trail-too-long",
            f"The request has passed {len(need.trail)} nodes, and {TRAIL_MAX} is the most. "
            "Have the alliance's chain of sellers shortened.",
            field="hansaTrail",
        )
    return need


def kept(body: Json) -> dict[str, Any]:
    """A request as extras of what it makes."""
    return {KEPT: _plain(body)}


def _plain(value: Json) -> Json:
    """Without exact decimals, which no plain JSON has: what is given back is what was meant."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _number(ask: Ask, name: str, default: int) -> int:
    text = ask.first.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Unread("invalidQuery", f"{name}: a whole number is expected.", field=name)
    return int(text)


# --- render -----------------------------------------------------------------------------------


def answer(shape: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, render(shape), headers or {}, media_type=MEDIA_TYPE)


def created(shape: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    return answer(shape, 201, {"location": shape["href"], **(headers or {})})


def done() -> Answer:
    return Answer(204)


def traced(ask: Ask, need: Need) -> Mapping[str, str]:
    """The caller's own traceparent back, or one for the trace that began here."""
    given = ask.headers.get(trace.HEADER)
    if given is not None and trace.read(given) == need.trace:
        return {trace.HEADER: given}
    return {trace.HEADER: trace.write(need.trace, by="answer")}


# --- lists ------------------------------------------------------------------------------------

Fetch = Callable[[int, int], Page[Thing]]
"""A page of things, by offset and limit."""


def everything(fetch: Fetch[Thing]) -> tuple[list[Thing], bool]:
    """All that there is, and whether SIFT_MAX of it is not all."""
    found: list[Thing] = []
    while True:
        page = fetch(len(found), PAGE_MAX)
        found += page.things
        if len(found) >= page.total or not page.things:
            return found, False
        if len(found) >= SIFT_MAX:
            return found, True


def listed(
    ask: Ask,
    fetch: Fetch[Thing],
    write: Callable[[Thing], Mapping[str, Any]],
    tests: Mapping[str, Test],
) -> Answer:
    """A page of those things for which every parameter of the query holds."""
    offset, limit = _number(ask, "offset", 0), min(_number(ask, "limit", PAGE), PAGE_MAX)
    unknown = sorted(ask.first.keys() - tests.keys() - ALWAYS)
    if unknown:
        known = ", ".join(sorted(tests.keys() | ALWAYS))
        raise Unread("invalidQuery", f"{unknown[0]} is no filter here; {known} are.", field="query")
    wanted = {name: value for name, value in ask.first.items() if name in tests}
    empty = [name for name, value in wanted.items() if not value]
    if empty:
        raise Unread("missingQueryValue", f"{empty[0]} has no value.", field=empty[0])
    holds = [tests[name](value) for name, value in wanted.items()]
    if holds:
        things, more = everything(fetch)
        things = [one for one in things if all(hold(one) for hold in holds)]
        total, page = len(things), things[offset : offset + limit]
    else:
        found = fetch(offset, limit)
        total, page, more = found.total, list(found.things), False
    headers = {"x-total-count": str(total), "x-result-count": str(len(page))}
    if more:
        headers["x-pagination-throttled"] = "true"
    return answer([write(one) for one in page], 200, headers)


def among(values: Sequence[str], name: str, said: Callable[[Any], str]) -> Test:
    """A filter by one of a closed list of words."""

    def test(value: str) -> Callable[[Any], bool]:
        if value not in values:
            known = ", ".join(values)
            raise Unread("invalidQuery", f"{name}: {value[:40]!r} is none of {known}.", field=name)
        return lambda thing: said(thing) == value

    return test


def dates(name: str, said: Callable[[Any], Instant | None]) -> Mapping[str, Test]:
    """Filters by a time: after and before."""

    def after(value: str) -> Callable[[Any], bool]:
        limit = read_instant(value, f"{name}.gt")
        return lambda thing: (at := said(thing)) is not None and at > limit

    def before(value: str) -> Callable[[Any], bool]:
        limit = read_instant(value, f"{name}.lt")
        return lambda thing: (at := said(thing)) is not None and at < limit

    return {f"{name}.gt": after, f"{name}.lt": before}


def texts(**said: Callable[[Any], Any]) -> Mapping[str, Test]:
    """Filters by exact text."""

    def test(of: Callable[[Any], Any]) -> Test:
        return lambda value: lambda thing: of(thing) == value

    return {name: test(of) for name, of in said.items()}


def listing(said: Callable[[Any], Collection[Any]]) -> Test:
    """A filter by one of several things that a thing says."""
    return lambda value: lambda thing: value in said(thing)


def never(*names: str) -> Mapping[str, Test]:
    """Filters by what no thing of ours says."""
    return {**texts(**dict.fromkeys(names, lambda _: None))}


def never_dates(*names: str) -> Mapping[str, Test]:
    """Filters by times that no thing of ours has."""
    return {key: test for name in names for key, test in dates(name, lambda _: None).items()}


# --- operations -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Serves:
    """One official operation.

    takes: the shape of its body. faults: it knows 422; conflicts: it knows 409. done: the
    status of a good answer, where it is not 201 for a POST and 200 for the rest.
    """

    api: str
    method: str
    path: str
    handle: Handler
    takes: Any = None
    faults: bool = False
    conflicts: bool = False
    done: int = 0
    body_max: int = BODY_MAX


def served(one: Serves) -> Operation:
    return Operation(
        method=one.method,
        template=one.path,
        handle=_in_its_words(one),
        api=f"Sonata {one.api}",
        summary=(one.handle.__doc__ or "").partition("\n")[0],
        scope=f"sonata-{one.api}:{'read' if one.method == 'GET' else 'write'}",
        body_max=one.body_max,
    )


def _in_its_words(one: Serves) -> Handler:
    """A handler whose errors have only those statuses that its operation knows."""

    def handle(ask: Ask, caller: Caller) -> Answer:
        try:
            return one.handle(ask, caller)
        except NotFound as error:
            if "id" in ask.params or not one.faults:
                raise
            return errors.unprocessable(error, "referenceNotFound")
        except HansaError as error:
            return _told(one, error)

    return handle


def _told(one: Serves, error: HansaError) -> Answer:
    told = errors.write(error, status_of(error))
    if told.status == 409 and not one.conflicts:
        return errors.unprocessable(error, "otherIssue")
    if told.status == 422 and not one.faults:
        return errors.unread(error, "invalidQuery" if one.method == "GET" else "invalidBody")
    return told
