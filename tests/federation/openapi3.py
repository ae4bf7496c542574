"""Holds what is exchanged against MEF's official OpenAPI documents: statuses, headers, bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

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


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer. url: the path with its query."""

    method: str
    url: str
    asked: bytes
    status: int
    headers: Mapping[str, str]
    told: bytes


def wrong(one: Exchange) -> Iterator[str]:
    """What of an exchange is not as the official document of its operation says."""
    path, _, query = one.url.partition("?")
    found = operation(one.method, path)
    if found is None:
        if one.status < 400:
            yield f"{one.method} {path} is not official"
        return
    api, template, said = found
    name = f"{one.method} {template}"
    known = {each["name"] for each in said.get("parameters", []) if each["in"] == "query"}
    if one.status < 400:
        for parameter, _ in parse_qsl(query):
            if parameter not in known:
                yield f"{name}: the parameter {parameter} is not official"
        yield from _body(api, said.get("requestBody", {}), one.asked, f"{name} asks")
    if one.status in BEYOND:
        return
    if str(one.status) not in said["responses"]:
        yield f"{name}: the status {one.status} is not official"
        return
    answer = said["responses"][str(one.status)]
    yield from _body(api, answer, one.told, f"{name} {one.status}")
    for header in answer.get("headers", {}):
        if header != "X-Pagination-Throttled" and header.lower() not in one.headers:
            yield f"{name} {one.status}: the header {header} is missing"


def _body(api: str, said: Any, content: bytes, name: str) -> Iterator[str]:
    schemas = [one["schema"] for one in said.get("content", {}).values()]
    if not schemas:
        if content:
            yield f"{name}: nothing is expected"
        return
    schema = {**official().api(api), "allOf": schemas}
    for path, why, _ in faults(schema, parse(content)):
        yield f"{name}: {path}: {why}"
