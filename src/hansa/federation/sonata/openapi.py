"""What a node serves of Sonata as OpenAPI documents, one for each API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from hansa.federation.exchange import Operation
from hansa.federation.sonata.desk import Serves
from hansa.federation.sonata.errors import MEDIA_TYPE

ERROR = "Error"
REFERENCE = "#/components/schemas/{model}"
PARTIES = ("buyerId", "sellerId")
PAGING = ("offset", "limit")


def documents(parts: Sequence[tuple[Serves, Operation]]) -> Mapping[str, Any]:
    """By the name of the API."""
    found: dict[str, dict[str, Any]] = {}
    for serves, operation in parts:
        document = found.setdefault(serves.api, _document(serves.api))
        shape = _operation(serves, operation, document["components"]["schemas"])
        document["paths"].setdefault(serves.path, {})[serves.method.lower()] = shape
    return {f"sonata-{api}": document for api, document in found.items()}


def _document(api: str) -> dict[str, Any]:
    error = {
        "type": "object",
        "required": ["code", "reason"],
        "properties": {
            "code": {"type": "string"},
            "reason": {"type": "string", "maxLength": 255},
            "message": {"type": "string"},
            "propertyPath": {"type": "string"},
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Hansa between operators: MEF LSO Sonata, {api}",
            "summary": "As release Grace has it; filters of lists are those of its document",
            "version": "Grace",
        },
        "paths": {},
        "components": {"schemas": {ERROR: error}},
    }


def _operation(serves: Serves, operation: Operation, schemas: dict[str, Any]) -> Mapping[str, Any]:
    shape: dict[str, Any] = {
        "operationId": f"{serves.method} {serves.path}",
        "summary": operation.summary,
        "tags": [operation.api],
        "parameters": [*_parameters(serves)],
        "responses": _responses(serves),
    }
    if serves.takes is not None:
        schema = TypeAdapter(serves.takes).json_schema(ref_template=REFERENCE)
        schemas.update(schema.pop("$defs", {}))
        shape["requestBody"] = {"required": True, "content": {MEDIA_TYPE: {"schema": schema}}}
    return shape


def _parameters(serves: Serves) -> Sequence[Mapping[str, Any]]:
    found = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", serves.path)
    ]
    lists = serves.method == "GET" and not found
    if not serves.api.endswith("-events"):
        found += [{"in": "query", "name": one, "schema": {"type": "string"}} for one in PARTIES]
    if lists:
        whole = {"type": "integer", "minimum": 0}
        found += [{"in": "query", "name": one, "schema": whole} for one in PAGING]
    return found


def _responses(serves: Serves) -> Mapping[str, Any]:
    done = serves.done or (201 if serves.method == "POST" else 200)
    codes = [400, 401, 403, 404, 405, 413, 415, 429, 500, 501, 503]
    codes += [422] if serves.faults else []
    codes += [409] if serves.conflicts else []
    one = {"$ref": f"#/components/schemas/{ERROR}"}
    many = {"type": "array", "items": one, "minItems": 1}
    answers: dict[str, Any] = {str(done): {"description": HTTPStatus(done).phrase}}
    if done != HTTPStatus.NO_CONTENT:
        answers[str(done)]["content"] = {MEDIA_TYPE: {"schema": {}}}
    for code in sorted(codes):
        schema = many if code == HTTPStatus.UNPROCESSABLE_ENTITY else one
        answers[str(code)] = {
            "description": HTTPStatus(code).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
    return answers
