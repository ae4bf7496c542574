"""Whatever is sent amiss: 4xx, an error that names the attribute, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from hansa.federation.tmf.engine.attributes import Shape
from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.wire import parse
from tests.federation import swagger
from tests.federation.tmf.cases import RECORDS, ROOMS, declared
from tests.federation.tmf.door import Front

DECLARED = declared()
BODIES = {**{name: one.body for name, one in RECORDS.items()}, **ROOMS}
CREATED = list(BODIES)
FIRST = {name.split("/")[0]: name for name in reversed(CREATED)}
"""One resource of each API."""

WRONG: Mapping[str, Any] = {
    "text": 7,
    "time": "yesterday",
    "date": "2026-13-01",
    "whole": "7",
    "number": "7.5",
    "flag": "true",
    "object": [],
}


@pytest.fixture
def nothing_written(front: Front) -> Iterator[None]:
    before = front.keeper.rows()
    yield
    assert front.keeper.rows() == before


def refused(response: httpx2.Response, field: str | None, status: int = 400) -> None:
    """A TMF630 Error of this status that names the attribute, and no more than that."""
    assert response.status_code == status, response.text
    told = parse(response.content)
    assert list(swagger.faults(632, {"$ref": "#/definitions/Error"}, told)) == []
    assert told.get("hansaField") == field, told
    assert "Traceback" not in response.text and "hansa/" not in response.text


def wrong(shapes: Mapping[str, Shape], kind: str) -> Any:
    if kind in WRONG:
        return WRONG[kind]
    return "none of them" if kind in shapes and shapes[kind].choices else "no object"


def put(body: Mapping[str, Any], path: str, value: Any) -> Any:
    """The body with another value at a dotted path; None takes it away."""
    copy = json.loads(json.dumps(body))
    *way, last = path.split(".")
    inner = copy
    for step in way:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return copy


def mandatory(api: Api, resource: Resource, body: Mapping[str, Any]) -> Iterator[str]:
    """Every mandatory attribute of a body, nested ones too."""
    yield from resource.mandatory
    yield from _nested(api.shapes, resource.type, body, "")


def _nested(shapes: Mapping[str, Shape], kind: str, value: Any, at: str) -> Iterator[str]:
    shape = shapes.get(kind)
    if shape is None or not isinstance(value, dict):
        return
    for name, attribute in shape.attributes.items():
        if name not in value:
            continue
        if attribute.mandatory and at:
            yield f"{at}{name}"
        inner = value[name] if attribute.many else [value[name]]
        for index, one in enumerate(inner):
            where = f"{at}{name}.{index}." if attribute.many else f"{at}{name}."
            yield from _nested(shapes, attribute.kind, one, where)


@pytest.mark.parametrize("name", CREATED)
@pytest.mark.usefixtures("nothing_written")
def test_what_is_mandatory_must_be_there(name: str, front: Front) -> None:
    api, resource = DECLARED[name]
    body, path = BODIES[name], f"{api.base}/{resource.path}"
    for field in set(mandatory(api, resource, body)):
        without = put(body, field, None)
        refused(front.ask("POST", path, json.dumps(without).encode()), field)
    for field in resource.mandatory:
        refused(front.ask("POST", path, json.dumps(put(body, field, "")).encode()), field)


@pytest.mark.parametrize("name", CREATED)
@pytest.mark.usefixtures("nothing_written")
def test_every_attribute_has_its_type(name: str, front: Front) -> None:
    api, resource = DECLARED[name]
    body, path = BODIES[name], f"{api.base}/{resource.path}"
    for attribute, one in api.shapes[resource.type].attributes.items():
        if attribute in ("id", "href") or one.kind == "any":
            continue
        value = wrong(api.shapes, one.kind)
        sent = json.dumps({**body, attribute: [value] if one.many else value}).encode()
        refused(front.ask("POST", path, sent), f"{attribute}.0" if one.many else attribute)
        if one.many:
            sent = json.dumps({**body, attribute: {}}).encode()
            answer = front.ask("POST", path, sent)
            refused(answer, attribute)


@pytest.mark.parametrize("name", FIRST.values())
@pytest.mark.usefixtures("nothing_written")
def test_bodies_that_cannot_be_read(name: str, front: Front) -> None:
    api, resource = DECLARED[name]
    path, body = f"{api.base}/{resource.path}", json.dumps(BODIES[name]).encode()
    deep = b'{"x":' + b"[" * 100 + b"]" * 100 + b"}"
    twice = body[:-1] + b', "same": 1, "same": 2}'
    for sent in (b"", b"{", b"[]", b'"text"', b"null", b"{'a': 1}", b'{"a": NaN}', body[:-1]):
        answer = front.ask("POST", path, sent)
        assert answer.status_code == 400, sent
        refused(answer, answer.json().get("hansaField"))
    refused(front.ask("POST", path, deep), None)
    assert front.ask("POST", path, twice).status_code == 400
    refused(front.ask("POST", path, body[:-1] + b', "x": "\xff"}'), None)
    refused(front.ask("POST", path, body[:-1] + b', "x": "\\u0000"}'), None)
    refused(front.ask("POST", path, b'{"x": "' + b"x" * (11 << 20) + b'"}'), None, 413)
    for kind in ("text/plain", "application/xml", "application/json; charset=latin-1", ""):
        refused(front.ask("POST", path, body, media_type=kind), "content-type", 415)
    refused(front.ask("POST", path, _typed(name, 5)), "@type")
    other = {one.type for one in api.resources} - {resource.type}
    for theirs in other:
        refused(front.ask("POST", path, _typed(name, theirs)), "@type")


def _typed(name: str, kind: Any) -> bytes:
    return json.dumps({**BODIES[name], "@type": kind}).encode()


@pytest.mark.parametrize("name", FIRST.values())
@pytest.mark.usefixtures("nothing_written")
def test_queries_and_ids_that_cannot_be(name: str, front: Front) -> None:
    api, resource = DECLARED[name]
    path = f"{api.base}/{resource.path}"
    for query, field in (
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("offset=1.5", "offset"),
        ("offset=99999999999", "offset"),
        ("sort=..", "sort"),
        ("fields=a,,b", "fields"),
        ("a..b=1", "a..b"),
        ("name=%00", "name"),
        ("=1", "query"),
        ("&".join(f"a{n}=1" for n in range(21)), "a20"),
        (f"name={','.join('x' * 101)}", "name"),
    ):
        refused(front.ask("GET", f"{path}?{query}"), field)
    assert front.ask("GET", f"{path}?no.such.attribute=1").json() == []
    for method in ("GET", "PATCH", "DELETE"):
        body = b"{}" if method == "PATCH" else None
        answer = front.ask(method, f"{path}/rec_unknown", body)
        if answer.status_code != 405:
            refused(answer, answer.json().get("hansaField") or "id", 404)
    assert front.ask("GET", f"{path}/{'x' * 201}").status_code == 400
    for method in ("PUT", "DELETE"):
        refused(front.ask(method, path, b"{}"), "method", 405)


@pytest.mark.parametrize("name", sorted(RECORDS.keys() & set(FIRST.values())))
def test_patches_that_cannot_be(name: str, front: Front) -> None:
    api, resource = DECLARED[name]
    path, case = f"{api.base}/{resource.path}", RECORDS[name]
    made = front.ask("POST", path, json.dumps(case.body).encode()).json()
    here = f"{path}/{made['id']}"
    for field in ("id", "href", "@type", *resource.mandatory, *resource.stamps):
        if field in resource.touched:
            continue
        value: Any = None if field in (*resource.mandatory, *resource.stamps) else "other"
        refused(front.ask("PATCH", here, json.dumps({field: value}).encode()), field)
    kind = "application/json-patch+json"
    refused(front.ask("PATCH", here, b"[]", media_type=kind), "content-type", 415)
    assert front.ask("PATCH", here, b"[]").status_code == 400
    assert front.ask("GET", here).json() == made
    assert front.ask("PATCH", here, json.dumps({"id": made["id"]}).encode()).status_code == 200
