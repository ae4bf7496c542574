"""The hub of each API: who is told of what, and what the notices look like.

A notice goes to the callback with the official path of the listener after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from hansa.federation.exchange import Answer, Ask, Caller
from hansa.federation.hub import actions as hub
from hansa.federation.hub.model import Happening, Post, Subscription
from hansa.federation.hub.work import Compose
from hansa.federation.sonata.desk import Desk, Serves, answer, created, done, identity
from hansa.federation.sonata.errors import unfit
from hansa.federation.sonata.shapes import cancellation, progress, qualification, quote, ticket
from hansa.federation.sonata.shapes.common import ROOT, Text, checked
from hansa.federation.tmf.shapes.common import href, write_instant
from hansa.federation.wire import render
from hansa.foundation.ids import PartyId, SubscriptionId

Events = Mapping[tuple[str, str], tuple[str, str]]
"""By what has happened to which kind of thing: the event, and the path of such a thing."""


class Hub:
    """One official hub. listener: the path of its notices. name: which API it belongs to."""

    def __init__(self, name: str, base: str, listener: str, events: Events) -> None:
        self.name = name
        self.base = base
        self.listener = listener
        self.events = events

    @property
    def api(self) -> str:
        return f"Sonata {self.name}"


HUBS: Sequence[Hub] = (
    Hub(
        "qualification",
        qualification.BASE,
        f"{ROOT}/productOfferingQualificationNotification/v7/listener",
        {
            ("productOfferingQualification", "create"): (
                "poqCreateEvent",
                qualification.QUALIFICATIONS,
            ),
            ("productOfferingQualification", "state"): (
                "poqStateChangeEvent",
                qualification.QUALIFICATIONS,
            ),
        },
    ),
    Hub(
        "quote",
        quote.BASE,
        f"{ROOT}/quoteNotification/v8/listener",
        {("quote", "state"): ("quoteStateChangeEvent", quote.QUOTES)},
    ),
    Hub(
        "order",
        progress.BASE,
        progress.NOTICES,
        {
            ("productOrder", "state"): ("productOrderStateChangeEvent", progress.ORDERS),
            ("cancelProductOrder", "state"): (
                "cancelProductOrderStateChangeEvent",
                cancellation.CANCELLATIONS,
            ),
        },
    ),
    Hub(
        "ticket",
        ticket.BASE,
        ticket.NOTICES,
        {
            ("troubleTicket", "attribute"): (
                "troubleTicketAttributeValueChangeEvent",
                ticket.TICKETS,
            ),
            ("troubleTicket", "state"): ("troubleTicketStatusChangeEvent", ticket.TICKETS),
        },
    ),
)


class Input(TypedDict):
    """EventSubscriptionInput. query: `eventType=` and the events that are wanted."""

    callback: Text
    query: NotRequired[Text]


class Hubs:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def serves(self) -> Sequence[Serves]:
        return [one for hub_ in HUBS for one in _Handlers(self._desk, hub_).serves()]


class _Handlers:
    """Those of one hub."""

    def __init__(self, desk: Desk, of: Hub) -> None:
        self._desk = desk
        self._hub = of

    def serves(self) -> Sequence[Serves]:
        name, path = self._hub.name, f"{self._hub.base}/hub"
        return [
            Serves(name, "POST", path, self.subscribe, Input),
            Serves(name, "GET", f"{path}/{{id}}", self.get),
            Serves(name, "DELETE", f"{path}/{{id}}", self.unsubscribe, done=204),
        ]

    def subscribe(self, ask: Ask, caller: Caller) -> Answer:
        """Be told of what happens to things of this API."""
        desk = self._desk
        desk.found(ask, caller)
        shape = checked(Input, desk.body(ask, self._hub.name, "EventSubscriptionInput"))
        wanted(shape.get("query", ""), self._hub)
        desk.world.callback_allowed(caller.actor, shape["callback"])
        with desk.begin_for(caller.actor)() as tx:
            made = hub.subscribe(
                tx,
                subscription_id=desk.ids.new(SubscriptionId),
                api=self._hub.api,
                topics={topic for topic, _ in self._hub.events},
                owner=caller.actor,
                callback=shape["callback"],
                query=shape.get("query", ""),
                now=desk.clock.now(),
            )
        return created(self._shown(made))

    def get(self, ask: Ask, caller: Caller) -> Answer:
        """One of your subscriptions."""
        self._desk.found(ask, caller)
        with self._desk.begin_for(caller.actor)() as tx:
            found = hub.subscription(
                tx, api=self._hub.api, owner=caller.actor, subscription_id=identity(ask)
            )
        return answer(self._shown(found))

    def unsubscribe(self, ask: Ask, caller: Caller) -> Answer:
        """Be told no more."""
        self._desk.found(ask, caller)
        with self._desk.begin_for(caller.actor)() as tx:
            hub.unsubscribe(
                tx, api=self._hub.api, owner=caller.actor, subscription_id=identity(ask)
            )
        return done()

    def _shown(self, one: Subscription) -> dict[str, Any]:
        return {
            "id": one.id,
            "href": href(f"{self._hub.base}/hub", one.id),
            "callback": one.callback,
            "query": one.query,
        }


def wanted(query: str, of: Hub) -> frozenset[str]:
    """The events that a query names, all that there are if it names none."""
    known = frozenset(event for event, _ in of.events.values())
    if not query.strip():
        return known
    name, _, listed = query.partition("=")
    events = {event.strip() for event in listed.split(",")}
    if name.strip() != "eventType" or not all(events):
        raise unfit("query", "it is written as eventType=quoteStateChangeEvent,…", "invalidFormat")
    return frozenset(events)


def composers(us: PartyId) -> Mapping[str, Compose]:
    """What each hub makes of what has happened."""
    return {one.api: _composer(us, one) for one in HUBS}


def _composer(us: PartyId, of: Hub) -> Compose:
    def compose(subscription: Subscription, happening: Happening) -> Post | None:
        known = of.events.get((happening.topic, happening.change))
        if known is None or known[0] not in wanted(subscription.query, of):
            return None
        event, path = known
        notice = {
            "eventId": happening.id,
            "eventTime": write_instant(happening.at),
            "eventType": event,
            "event": {
                "id": happening.thing,
                "href": href(path, happening.thing),
                "sellerId": us,
                "buyerId": subscription.owner.party,
            },
        }
        address = f"{subscription.callback.rstrip('/')}{of.listener}/{event}"
        return Post(address, render(notice))

    return compose
