"""An API's declarations as an OpenAPI 3.1 document: what can be asked, and all that can come back.

It is served beside the API, to anyone, and written into `contracts/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from hansa.federation.exchange import Answer, Ask, Caller, Operation
from hansa.federation.tmf.engine import attributes
from hansa.federation.tmf.engine.model import Api, Resource
from hansa.federation.tmf.engine.query import PAGE, PAGE_MAX
from hansa.federation.wire import render

EVERYWHERE = (400, 401, 403, 404, 405, 413, 422, 429, 500, 503)
"""What any operation may answer instead."""

BODIES: Mapping[str, tuple[str, ...]] = {
    "POST": ("application/json",),
    "PATCH": ("application/merge-patch+json", "application/json"),
}

ERROR: Mapping[str, Any] = {
    "type": "object",
    "required": ["code", "reason"],
    "properties": {
        "code": {"type": "string", "description": "Stays the same; see docs/reasons.md"},
        "reason": {"type": "string", "description": "What is wrong, and what to do next"},
        "message": {"type": "string"},
        "status": {"type": "string"},
        "hansaField": {"type": "string", "description": "The attribute that is meant"},
        "hansaRetryAfter": {"type": "number", "description": "In seconds"},
        "@type": {"type": "string"},
        "@baseType": {"type": "string"},
        "@schemaLocation": {"type": "string"},
    },
}

SUBSCRIPTION: Mapping[str, Any] = {
    "type": "object",
    "required": ["id", "callback"],
    "properties": {
        "id": {"type": "string"},
        "href": {"type": "string"},
        "callback": {"type": "string"},
        "query": {"type": "string"},
        "hansaSilentSince": {"type": "string", "format": "date-time"},
    },
}

SUBSCRIBING: Mapping[str, Any] = {
    "type": "object",
    "required": ["callback"],
    "properties": {
        "callback": {"type": "string", "minLength": 1, "maxLength": 2000},
        "query": {"type": "string", "maxLength": 2000},
    },
}

HEARD: Mapping[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "callback": {"type": "string"}},
}

NOTICE: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "eventId": {"type": "string"},
        "eventTime": {"type": "string", "format": "date-time"},
        "eventType": {"type": "string"},
        "event": {"type": "object"},
    },
}

FIELDS = {
    "in": "query",
    "name": "fields",
    "description": "Which attributes are given, by comma; `none` for id and href alone",
    "schema": {"type": "string"},
}

WINDOW = (
    FIELDS,
    {
        "in": "query",
        "name": "offset",
        "description": "How many are left out at the beginning",
        "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": 0},
    },
    {
        "in": "query",
        "name": "limit",
        "description": f"How many are given at most; never more than {PAGE_MAX}",
        "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": PAGE},
    },
    {
        "in": "query",
        "name": "sort",
        "description": "Attributes by comma, `-` before one for the greatest first",
        "schema": {"type": "string"},
    },
    {
        "in": "query",
        "name": "filter",
        "description": "Any attribute by its dotted path, its value exact; several by comma; "
        "`.gt`, `.gte`, `.lt` and `.lte` after the path compare",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "style": "form",
        "explode": True,
    },
)


def served(api: Api, operations: Sequence[Operation]) -> Operation:
    """The operation that gives out an API's document. operations: all that the API serves."""
    own = [operation for operation in operations if operation.api == api.name]

    @cache
    def text() -> bytes:
        return render(document(api, own))

    def give(_ask: Ask, _caller: Caller) -> Answer:
        return Answer(200, text())

    return Operation(
        method="GET",
        template=f"{api.base}/openapi.json",
        handle=give,
        api=api.name,
        summary="This document",
        gated=False,
        document={"responses": {"200": _told("The document", {"type": "object"})}},
    )


def document(api: Api, operations: Iterable[Operation]) -> Mapping[str, Any]:
    """The OpenAPI document of an API."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        if operation.api == api.name:
            told = paths.setdefault(operation.template, {})
            told[operation.method.lower()] = _operation(api, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{api.name} {api.title}",
            "summary": "As a Hansa node serves it",
            "version": "4",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**_schemas(api), "Error": ERROR},
            "responses": _error_responses(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}],
    }


def _schemas(api: Api) -> Mapping[str, Any]:
    """What bodies look like: as they are sent, and of each resource also as it is answered."""
    names: set[str] = set()
    for resource in api.resources:
        names |= attributes.reachable(api.shapes, resource.type)
    made: dict[str, Mapping[str, Any]] = {
        name: attributes.schema(api.shapes[name]) for name in sorted(names)
    }
    for resource in api.resources:
        whole = made[resource.type]
        answered = {name: value for name, value in whole.items() if name != "required"}
        made[f"{resource.type}_Answer"] = {**answered, "required": ["id", "href", "@type"]}
        made[f"{resource.type}_Create"] = _with_mandatory(whole, resource)
        made[f"{resource.type}_Update"] = answered
    return made


def _with_mandatory(whole: Mapping[str, Any], resource: Resource) -> Mapping[str, Any]:
    first = {path.split(".")[0] for path in resource.mandatory}
    mandatory = sorted((set(whole.get("required", ())) | first) - {"id", "href"})
    properties = {
        name: {**value, **_not_empty(value)} if name in first else value
        for name, value in whole["properties"].items()
        if name not in ("id", "href")
    }
    return {"type": "object", "properties": properties, "required": mandatory}


def _not_empty(value: Mapping[str, Any]) -> Mapping[str, Any]:
    sizes = {"string": "minLength", "array": "minItems"}
    kind = value.get("type", "")
    return {sizes[kind]: 1} if kind in sizes else {}


def _operation(api: Api, operation: Operation) -> Mapping[str, Any]:
    resource = _resource(api, operation)
    told: dict[str, Any] = {
        "operationId": f"{operation.method} {operation.template}",
        "summary": operation.summary,
        "tags": [api.name],
        "parameters": [
            {
                "in": "path",
                "name": name,
                "required": True,
                "schema": {"type": "string", "minLength": 1},
            }
            for name in re.findall(r"{(\w+)}", operation.template)
        ],
        "responses": {},
    }
    told.update(_told_of(api, operation, resource))
    told.update(operation.document)
    if operation.gated:
        told["responses"] = {**told["responses"], **dict(_errors(operation))}
    else:
        told["security"] = []
    return told


def _resource(api: Api, operation: Operation) -> Resource | None:
    below = operation.template.removeprefix(f"{api.base}/").removesuffix("/{id}")
    return next((one for one in api.resources if one.path == below), None)


def _told_of(api: Api, operation: Operation, resource: Resource | None) -> Mapping[str, Any]:
    """Parameters, body and good answers, by what kind of operation it is."""
    below = operation.template.removeprefix(f"{api.base}/")
    if below.startswith("hub"):
        return _exchange(operation, SUBSCRIBING, SUBSCRIPTION)
    if below.startswith("listener/"):
        return _exchange(operation, NOTICE, HEARD)
    if resource is None:
        return {"responses": {"201" if operation.method == "POST" else "200": {"description": ""}}}
    suffix = "Create" if operation.method == "POST" else "Update"
    ref = "#/components/schemas/"
    return _exchange(
        operation,
        {"$ref": f"{ref}{resource.type}_{suffix}"},
        {"$ref": f"{ref}{resource.type}_Answer"},
    )


def _exchange(
    operation: Operation, asked: Mapping[str, Any], answered: Mapping[str, Any]
) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", operation.template)
    parameters = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in names
    ]
    one = operation.template.endswith("}")
    told: dict[str, Any] = {"parameters": parameters}
    if operation.method in BODIES:
        told["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": asked} for kind in BODIES[operation.method]},
        }
    match operation.method:
        case "GET" if one:
            parameters.append(FIELDS)
            told["responses"] = {"200": _told("It", answered)}
        case "GET":
            parameters.extend(WINDOW)
            page = {"type": "array", "items": answered}
            told["responses"] = {
                "200": _told("All there is", page, COUNTS),
                "206": _told("A part of it", page, COUNTS),
            }
        case "POST":
            told["responses"] = {"201": _told("Made", answered)}
        case "PATCH":
            parameters.append(EXPECTED)
            told["responses"] = {"200": _told("As it is now", answered)}
        case _:
            parameters.append(EXPECTED)
            told["responses"] = {"204": {"description": "Gone"}}
    return told


EXPECTED = {
    "in": "header",
    "name": "If-Match",
    "description": "The `ETag` that it had when you last looked; 412 if it is another now",
    "schema": {"type": "string"},
}

COUNTS: Mapping[str, Any] = {
    name: {"description": words, "schema": {"type": "integer"}}
    for name, words in (
        ("X-Total-Count", "How many there are in all"),
        ("X-Result-Count", "How many are given"),
    )
}


def _told(
    words: str, schema: Mapping[str, Any], headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": words,
        "content": {"application/json": {"schema": schema}},
    }
    if headers:
        told["headers"] = headers
    return told


def _errors(operation: Operation) -> Iterator[tuple[str, Any]]:
    statuses = {*EVERYWHERE}
    if operation.method in BODIES:
        statuses |= {409, 415}
    if operation.method in ("PATCH", "DELETE"):
        statuses |= {409, 412}
    for status in sorted(statuses):
        yield str(status), {"$ref": f"#/components/responses/{status}"}


def _error_responses() -> Mapping[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    return {
        str(status): _told(HTTPStatus(status).phrase, error)
        for status in sorted({*EVERYWHERE, 409, 412, 415})
    }
