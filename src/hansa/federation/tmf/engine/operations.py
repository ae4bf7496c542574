"""An API's declarations as operations: every resource's list, get, create, patch and delete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hansa.federation.exchange import Answer, Ask, Caller, Handler, Operation
from hansa.federation.tmf.engine import change, query
from hansa.federation.tmf.engine.model import Api, Found, Heard, Resource, Visit, World
from hansa.federation.tmf.shapes.common import malformed
from hansa.federation.wire import render
from hansa.foundation.documents import Json

ID_MAX = 200


def operations(world: World, apis: Sequence[Api]) -> Iterator[Operation]:
    """Everything that these APIs serve."""
    for api in apis:
        for resource in api.resources:
            yield from _of_resource(world, api, resource)
        for heard in api.heard:
            yield _of_event(world, api, heard)


def _of_resource(world: World, api: Api, resource: Resource) -> Iterator[Operation]:
    desk = _Desk(world, api, resource)
    source = resource.source
    many = f"{api.base}/{resource.path}"
    one = f"{many}/{{id}}"
    served: tuple[tuple[str, str, Any, Handler, str], ...] = (
        ("GET", many, source.find, desk.list, "List {}s, by filters and pages"),
        ("POST", many, source.create, desk.create, "Make a {}"),
        ("GET", one, source.get, desk.get, "One {}"),
        ("PATCH", one, source.patch or source.change, desk.patch, "Change a {}"),
        ("DELETE", one, source.delete, desk.delete, "Take a {} away"),
    )
    for method, template, function, handle, summary in served:
        if function is not None:
            yield Operation(
                method=method,
                template=template,
                handle=handle,
                api=api.name,
                summary=summary.format(resource.name),
                scope=f"{api.name.lower()}:{'read' if method == 'GET' else 'write'}",
                body_max=resource.body_max,
            )


def _of_event(world: World, api: Api, heard: Heard) -> Operation:
    template = f"{api.base}/listener/{heard.event}"

    def hear(ask: Ask, caller: Caller) -> Answer:
        body = change.body(ask)
        heard.hear(Visit(ask, caller, world, api), body)
        event = body.get("eventId")
        told = {"id": event if isinstance(event, str) else "", "callback": template}
        return Answer(201, render(told))

    return Operation(
        method="POST",
        template=template,
        handle=hear,
        api=api.name,
        summary=f"Told of a {heard.event}; hearing it again changes nothing.",
        scope=f"{api.name.lower()}:write",
        body_max=heard.body_max,
    )


class _Desk:
    """The handlers of one resource."""

    def __init__(self, world: World, api: Api, resource: Resource) -> None:
        self._world = world
        self._api = api
        self._resource = resource
        self._source = resource.source

    def list(self, ask: Ask, caller: Caller) -> Answer:
        assert self._source.find is not None
        visit = self._visit(ask, caller)
        asked = query.read(ask.query)
        fields = query.read_fields(ask.query)
        found = self._source.find(visit, asked)
        page = [self._whole(visit, one) for one in found.documents]
        return query.answer(Found(page, found.total), fields, visit.headers)

    def get(self, ask: Ask, caller: Caller) -> Answer:
        assert self._source.get is not None
        visit = self._visit(ask, caller)
        fields = query.read_fields(ask.query)
        found = self._whole(visit, self._source.get(visit, _identity(ask)))
        headers = {"etag": change.tag(found), **visit.headers}
        return Answer(200, render(query.project(found, fields)), headers)

    def create(self, ask: Ask, caller: Caller) -> Answer:
        assert self._source.create is not None
        visit = self._visit(ask, caller)
        sent = change.new(self._api, self._resource, change.body(ask), visit.now)
        made = self._whole(visit, self._source.create(visit, sent))
        headers = {"location": made["href"], "etag": change.tag(made), **visit.headers}
        return Answer(201, render(made), headers)

    def patch(self, ask: Ask, caller: Caller) -> Answer:
        visit, identity = self._visit(ask, caller), _identity(ask)
        patch = change.body(ask, change.MERGE)
        now = visit.now

        def after(before: Json) -> Json:
            whole = self._whole(visit, before)
            change.expect(ask, whole)
            changed = change.changed(self._api, self._resource, whole, patch)
            return change.touched(self._resource, changed, now)

        if self._source.change is not None:
            made = self._source.change(visit, identity, after)
        else:
            assert self._source.patch is not None and self._source.get is not None
            wanted = after(self._source.get(visit, identity))
            made = self._source.patch(visit, identity, wanted, patch)
        found = self._whole(visit, made)
        return Answer(200, render(found), {"etag": change.tag(found), **visit.headers})

    def delete(self, ask: Ask, caller: Caller) -> Answer:
        assert self._source.delete is not None
        visit, identity = self._visit(ask, caller), _identity(ask)
        if "if-match" in ask.headers and self._source.get is not None:
            change.expect(ask, self._whole(visit, self._source.get(visit, identity)))
        self._source.delete(visit, identity)
        return Answer(204, b"", visit.headers)

    def _visit(self, ask: Ask, caller: Caller) -> Visit:
        return Visit(ask, caller, self._world, self._api, self._resource)

    def _whole(self, visit: Visit, document: Json) -> dict[str, Json]:
        return whole(visit, self._resource, document)


def whole(visit: Visit, resource: Resource, document: Json) -> dict[str, Json]:
    """The document as it is served: with where it is, and what it is."""
    path = visit.api.href(resource, visit.ask.params, document["id"])
    return change.typed(resource, {**document, "href": f"{visit.world.address}{path}"})


def _identity(ask: Ask) -> str:
    return sound(ask.params["id"], "id")


def sound(text: str, field: str) -> str:
    """Text that can be the id of something: printable and not too long."""
    if not text or len(text) > ID_MAX or not text.isprintable():
        raise malformed(field, f"1 to {ID_MAX} printable characters are expected")
    return text
