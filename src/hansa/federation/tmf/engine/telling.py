"""The hub of an API: who is told of its things, and what the notices look like (TMF630 part 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from hansa.federation.exchange import Answer, Ask, Caller, Operation
from hansa.federation.hub import actions as hub
from hansa.federation.hub.model import Change, Happening, Post, Subscription
from hansa.federation.hub.work import Compose
from hansa.federation.tmf.engine import change, query
from hansa.federation.tmf.engine.model import Api, Query, Resource, Visit, World
from hansa.federation.tmf.engine.operations import sound, whole
from hansa.federation.tmf.shapes.common import malformed, write_instant
from hansa.federation.wire import parse, render
from hansa.foundation.documents import Json
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import SubscriptionId

TEXT_MAX = 2000

SUFFIXES: Mapping[Change, tuple[str, ...]] = {
    "create": ("Create",),
    "attribute": ("AttributeValueChange", "Change"),
    "state": ("StateChange", "StatusChange", "AttributeValueChange", "Change"),
    "delete": ("Delete",),
}
"""How events are called: the first of these that the standard has for the resource."""


def operations(world: World, api: Api) -> Iterator[Operation]:
    """Subscribing to an API's notices, looking at one's subscriptions, and ending them."""
    desk = _Desk(world, api)
    path = f"{api.base}/hub"
    for method, template, handle in (
        ("POST", path, desk.subscribe),
        ("GET", path, desk.list),
        ("GET", f"{path}/{{id}}", desk.get),
        ("DELETE", f"{path}/{{id}}", desk.unsubscribe),
    ):
        yield Operation(
            method=method,
            template=template,
            handle=handle,
            api=api.name,
            summary=handle.__doc__ or "",
            scope=f"{api.name.lower()}:read",
        )


class _Desk:
    """The handlers of one hub."""

    def __init__(self, world: World, api: Api) -> None:
        self._world = world
        self._api = api

    def subscribe(self, ask: Ask, caller: Caller) -> Answer:
        """Be told of what happens to things of this API."""
        body = change.body(ask)
        callback = _text(body, "callback")
        if not callback:
            raise malformed("callback", "it is mandatory")
        wanted = _text(body, "query")
        _filters(wanted)
        self._world.callback_allowed(caller.actor, callback)
        with self._world.begin_for(caller.actor)() as tx:
            made = hub.subscribe(
                tx,
                subscription_id=self._world.ids.new(SubscriptionId),
                api=self._api.name,
                topics={one.name for one in self._api.resources if one.events},
                owner=caller.actor,
                callback=callback,
                query=wanted,
                now=self._world.clock.now(),
            )
        shown = self._shown(made)
        return Answer(201, render(shown), {"location": shown["href"]})

    def list(self, ask: Ask, caller: Caller) -> Answer:
        """Your subscriptions."""
        asked = query.read(ask.query)
        with self._world.begin_for(caller.actor)() as tx:
            there = hub.subscriptions(tx, api=self._api.name, owner=caller.actor)
        found = query.select([self._shown(one) for one in there], asked)
        return query.answer(found, query.read_fields(ask.query))

    def get(self, ask: Ask, caller: Caller) -> Answer:
        """One of your subscriptions."""
        with self._world.begin_for(caller.actor)() as tx:
            found = hub.subscription(
                tx,
                api=self._api.name,
                owner=caller.actor,
                subscription_id=sound(ask.params["id"], "id"),
            )
        return Answer(200, render(self._shown(found)))

    def unsubscribe(self, ask: Ask, caller: Caller) -> Answer:
        """Be told no more."""
        with self._world.begin_for(caller.actor)() as tx:
            hub.unsubscribe(
                tx,
                api=self._api.name,
                owner=caller.actor,
                subscription_id=sound(ask.params["id"], "id"),
            )
        return Answer(204)

    def _shown(self, one: Subscription) -> dict[str, str]:
        shown = {
            "id": one.id,
            "href": f"{self._world.address}{self._api.base}/hub/{one.id}",
            "callback": one.callback,
            "query": one.query,
        }
        if one.silent_since is not None:
            shown["hansaSilentSince"] = write_instant(one.silent_since)
        return shown


def _text(body: Mapping[str, Json], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > TEXT_MAX or not value.isprintable():
        raise malformed(name, f"a text of at most {TEXT_MAX} printable characters is expected")
    return value


def _filters(text: str) -> Query:
    """What a subscription's query asks of notices: filters, as those of a list."""
    try:
        pairs = parse_qsl(text.removeprefix("?"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise malformed("query", "at most 20 filters are taken") from None
    if text.strip() and not pairs:
        raise malformed("query", "filters are expected, e.g. eventType=QuoteStateChangeEvent")
    return query.read(pairs)


# --- what is told -----------------------------------------------------------------------------


def composers(world: World, apis: Sequence[Api]) -> Mapping[str, Compose]:
    """What each API's hub makes of what has happened."""
    return {api.name: _composer(world, api) for api in apis}


def _composer(world: World, api: Api) -> Callable[[Subscription, Happening], Post | None]:
    by_name = {resource.name: resource for resource in api.resources}

    def compose(subscription: Subscription, happening: Happening) -> Post | None:
        resource = by_name.get(happening.topic)
        suffixes = SUFFIXES[happening.change]
        known = [one for one in suffixes if resource is not None and one in resource.events]
        if resource is None or not known:
            return None
        event = f"{resource.name}{known[0]}Event"
        notice = {
            "eventId": happening.id,
            "eventTime": write_instant(happening.at),
            "eventType": event[0].upper() + event[1:],
            "event": {resource.name: _thing(world, api, resource, subscription, happening)},
        }
        wanted = _filters(subscription.query)
        if not all(query.fits(notice, condition) for condition in wanted.filters):
            return None
        return Post(_address(subscription.callback, event), render(notice))

    return compose


def _thing(
    world: World, api: Api, resource: Resource, subscription: Subscription, happening: Happening
) -> Json:
    """The thing as the subscription's owner may see it."""
    visit = Visit(_unasked(api, resource), Caller(subscription.owner), world, api, resource)
    if happening.document is not None:
        return whole(visit, resource, parse(happening.document.encode()))
    if happening.change == "delete" or resource.source.get is None:
        return whole(visit, resource, {"id": happening.thing})
    return whole(visit, resource, resource.source.get(visit, happening.thing))


def _unasked(api: Api, resource: Resource) -> Ask:
    """The request that nobody has made, for what is looked up to be told."""

    def nobody(_ask: Ask, _caller: Caller) -> Answer:
        raise NotFound("path-unknown", "There is nothing at this path.", field="path")

    path = f"{api.base}/{resource.path}"
    operation = Operation("GET", path, nobody, api.name, "")
    return Ask(
        method="GET",
        url=path,
        path=path,
        headers={},
        operation=operation,
        params={},
        query=(),
        body=b"",
    )


def _address(callback: str, event: str) -> str:
    """Where a notice goes: a callback that ends in `/listener` has an address for each event."""
    path = urlsplit(callback).path
    return f"{callback}/{event}" if path.endswith("/listener") else callback
