"""Holds what is exchanged against MEF's official OpenAPI documents: statuses, headers, bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hansa.federation.sonata.schemas import APIS, Schemas, faults
from hansa.federation.wire import parse

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "specs" / "sonata-grace"

BEYOND = {405, 413, 415, 429, 503}
"""Statuses of HTTP itself, which any server may answer with whatever a document lists."""


@cache
def official() -> Schemas:
    """MEF's own files; the test is skipped where they are not at hand."""
    if not FOLDER.exists():
        pytest.skip(f"the official documents are not at hand: {FOLDER} is missing")
    return Schemas(FOLDER)


@cache
def operations() -> Mapping[tuple[str, str], tuple[str, Any]]:
    """Every official operation by method and full path: its document's name, and what it says."""
    found = {}
    for api in APIS:
        document = official().document(api)
        server = document["servers"][0]["url"]
        base = server[server.index("/mefApi") :].rstrip("/")
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                found[method.upper(), f"{base}{path}"] = api, operation
    return found


def operation(method: str, path: str) -> tuple[str, str, Any] | None:
    """The operation that this request is for: document, path template, what it says."""
    for (verb, template), (api, said) in operations().items():
        steps, given = template.split("/"), path.split("/")
        if verb == method and len(steps) == len(given):
            pairs = zip(steps, given, strict=True)
            if all(one.startswith("{") or one == other for one, other in pairs):
                return api, template, said
    return None


def wrong(request: httpx2.Request, response: httpx2.Response) -> Iterator[str]:
    """What of an exchange is not as the official document of its operation says."""
    found = operation(request.method, request.url.path)
    if found is None:
        if response.status_code < 400:
            yield f"{request.method} {request.url.path} is not official"
        return
    api, template, said = found
    name = f"{request.method} {template}"
    known = {one["name"] for one in said.get("parameters", []) if one["in"] == "query"}
    if response.status_code < 400:
        for parameter in dict(request.url.params):
            if parameter not in known:
                yield f"{name}: the parameter {parameter} is not official"
        yield from _body(api, said.get("requestBody", {}), request.content, f"{name} asks")
    status = str(response.status_code)
    if response.status_code in BEYOND:
        return
    if status not in said["responses"]:
        yield f"{name}: the status {status} is not official"
        return
    answer = said["responses"][status]
    yield from _body(api, answer, response.content, f"{name} {status}")
    for header in answer.get("headers", {}):
        if header != "X-Pagination-Throttled" and header not in response.headers:
            yield f"{name} {status}: the header {header} is missing"


def _body(api: str, said: Any, content: bytes, name: str) -> Iterator[str]:
    schemas = [one["schema"] for one in said.get("content", {}).values()]
    if not schemas:
        if content:
            yield f"{name}: nothing is expected"
        return
    schema = {**official().api(api), "allOf": schemas}
    for path, why, _ in faults(schema, parse(content)):
        yield f"{name}: {path}: {why}"
