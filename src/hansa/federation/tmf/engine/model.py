"""What is said of an API: its resources, their attributes, and where things come from.

The engine does all that resources share: reading and checking what is sent, `fields`, filters,
paging, sorting, merge-patch, `href` and `Location`, errors, and the document that tells of it.
What is a resource's own are the few functions of its Source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol
from urllib.parse import quote

from hansa.federation import trace
from hansa.federation.bulk import BulkSeller
from hansa.federation.contract import Seller
from hansa.federation.exchange import BODY_MAX, Ask, Caller
from hansa.federation.helpdesk import Helpdesk
from hansa.federation.listener import Listener
from hansa.federation.records.model import Condition, Sort
from hansa.federation.shelf import Shelf
from hansa.federation.tmf.engine.attributes import Shape, read_shapes
from hansa.foundation.documents import Json
from hansa.foundation.ids import Ids, TraceId
from hansa.foundation.party import Actor
from hansa.foundation.time import Clock, Instant
from hansa.foundation.transaction import Begin

# --- what a request finds ---------------------------------------------------------------------


class Seat(Protocol):
    """What one actor finds at our door: see each promise."""

    @property
    def seller(self) -> Seller: ...

    @property
    def listener(self) -> Listener: ...

    @property
    def helpdesk(self) -> Helpdesk: ...

    @property
    def shelf(self) -> Shelf: ...

    @property
    def bulk(self) -> BulkSeller: ...


@dataclass(frozen=True)
class World:
    """What the dialect stands on.

    seat: what an actor finds. begin_for: how transactions are opened for it. address: how
    partners reach us. callback_allowed: raises Refused `callback-refused` for an address to
    which this actor may not have notices sent.
    """

    seat: Callable[[Actor], Seat]
    begin_for: Callable[[Actor], Begin]
    ids: Ids
    clock: Clock
    address: str
    new_trace: Callable[[], TraceId]
    callback_allowed: Callable[[Actor, str], None]


@dataclass(frozen=True)
class Visit:
    """One request. resource: None for an event. headers: for the answer, beside the usual."""

    ask: Ask
    caller: Caller
    world: World
    api: Api
    resource: Resource | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        return self.caller.actor

    @cached_property
    def seat(self) -> Seat:
        return self.world.seat(self.caller.actor)

    @cached_property
    def begin(self) -> Begin:
        """Opens transactions in which the actor's own rows are seen alone."""
        return self.world.begin_for(self.caller.actor)

    @cached_property
    def now(self) -> Instant:
        return self.world.clock.now()

    @cached_property
    def trace(self) -> TraceId:
        """The caller's trace, or one that begins here."""
        return trace.read(self.ask.headers.get(trace.HEADER)) or self.world.new_trace()


# --- what is looked for -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """What a list was asked for: all filters hold; limit at most PAGE_MAX."""

    filters: tuple[Condition, ...]
    sort: tuple[Sort, ...]
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of documents, and how many there are in all that fit."""

    documents: Sequence[Json]
    total: int


# --- where things come from -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """How the things of one resource are had. What is None is not served (405).

    All get the Visit first and give whole documents, as they are to be served, with `id`; the
    engine puts in `href` and `@type` where they are missing. None raises anything but our three
    families of errors: NotFound for what is not there or not the caller's.

    find: see `query.windowed` for sources that know only some filters.
    create: a document that has been checked against the resource's declaration, without id and
    href, with its stamps. patch: the identity, the document as it will be after the patch (also
    checked), and the patch itself. change: for sources that must do it in one transaction, the
    identity and a function from the document as it is to the document as it shall be; given
    instead of patch.
    """

    find: Callable[[Visit, Query], Found] | None = None
    get: Callable[[Visit, str], Json] | None = None
    create: Callable[[Visit, Json], Json] | None = None
    patch: Callable[[Visit, str, Json, Json], Json] | None = None
    change: Callable[[Visit, str, Callable[[Json], Json]], Json] | None = None
    delete: Callable[[Visit, str], None] | None = None


NOW: Final = "\0now"
"""In `stamps`: the time of the request."""


@dataclass(frozen=True)
class Resource:
    """One resource of an API.

    path: below the API's base, e.g. `individual`; may hold `{name}` for an owner's id.
    type: its `@type`, and the name of its attributes in the API's table. mandatory: dotted
    paths that a body to create must have; what is mandatory within a nested object stands in the
    table. stamps: what a new document gets where it says nothing itself. touched: attributes
    set to the time of each change. events: which notices its changes send, e.g. `Create` for
    `individualCreateEvent`. body_max: the longest body in octets. fixed: attributes beside id,
    href and @type that a patch must not change. summary: in plain words, for the document.
    """

    path: str
    type: str
    source: Source
    mandatory: tuple[str, ...] = ()
    stamps: Mapping[str, Json] = field(default_factory=dict)
    touched: tuple[str, ...] = ()
    events: tuple[str, ...] = ("Create", "AttributeValueChange", "StateChange", "Delete")
    body_max: int = BODY_MAX
    fixed: tuple[str, ...] = ()
    summary: str = ""

    @property
    def name(self) -> str:
        """The last step of its path, e.g. `individual`; also what an event bears it as."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Heard:
    """An event that partners may tell us of, at `listener/<event>`.

    event: e.g. `productOrderStateChangeEvent`. hear: the whole body of the notice, an object;
    hearing it again changes nothing.
    """

    event: str
    hear: Callable[[Visit, Json], None]
    body_max: int = BODY_MAX


@dataclass(frozen=True)
class Api:
    """One Open API. number: e.g. 632. base: its official path, without a slash at the end.

    attributes: tables of attributes, see `attributes.read_shapes`; later ones go before.
    """

    number: int
    title: str
    base: str
    attributes: tuple[str, ...]
    resources: tuple[Resource, ...]
    heard: tuple[Heard, ...] = ()

    @property
    def name(self) -> str:
        return f"TMF{self.number}"

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        return read_shapes(*self.attributes)

    @cached_property
    def types(self) -> frozenset[str]:
        """The types of its resources."""
        return frozenset(resource.type for resource in self.resources)

    def href(self, resource: Resource, params: Mapping[str, str], identity: str) -> str:
        """Where a thing is, without the node's address."""
        steps = [
            quote(params[step[1:-1]] if step.startswith("{") else step, safe="")
            for step in resource.path.split("/")
        ]
        return "/".join([self.base, *steps, quote(identity, safe="")])
