"""Holds JSON against an official Swagger 2 document: types, mandatory attributes, enumerations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "specs" / "tmf"

KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, Decimal),
}


@cache
def document(number: int) -> Any:
    """The official file of one API; the test is skipped where it is not at hand."""
    path = FOLDER / f"TMF{number}-v4.swagger.json"
    if not path.exists():
        pytest.skip(f"the official documents are not at hand: {path} is missing")
    return json.loads(path.read_text())


def faults(number: int, schema: Any, value: Any, at: str = "") -> Iterator[str]:
    """Where a value is not as the schema says."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        yield from faults(number, document(number)["definitions"][name], value, at)
    elif not _is(value, schema.get("type")):
        yield f"{at}: {value!r:.60} is no {schema['type']}"
    else:
        if "enum" in schema and value not in schema["enum"]:
            yield f"{at}: {value!r} is none of {schema['enum']}"
        if schema.get("format") == "date-time":
            yield from _date_time(value, at)
        if isinstance(value, dict):
            yield from _object(number, schema, value, at)
        if isinstance(value, list):
            yield from _array(number, schema, value, at)


def _is(value: Any, kind: str | None) -> bool:
    if kind is None:
        return True
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _object(number: int, schema: Any, value: dict[str, Any], at: str) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}.{name} is mandatory"
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            yield from faults(number, inner, value[name], f"{at}.{name}")


def _array(number: int, schema: Any, value: list[Any], at: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"{at} has fewer than {schema['minItems']} entries"
    for index, one in enumerate(value):
        yield from faults(number, schema.get("items", {}), one, f"{at}.{index}")


def _date_time(value: str, at: str) -> Iterator[str]:
    try:
        if datetime.fromisoformat(value).tzinfo is None:
            yield f"{at}: {value} has no offset"
    except ValueError:
        yield f"{at}: {value} is no time"


def operation(number: int, method: str, path: str) -> Any:
    """The operation that serves a path below the API's base path, with its path template."""
    spec = document(number)
    below = path.removeprefix(spec["basePath"].rstrip("/"))
    for template, operations in spec["paths"].items():
        steps, given = template.split("/"), below.split("/")
        fits = len(steps) == len(given) and all(
            one.startswith("{") or one == other for one, other in zip(steps, given, strict=True)
        )
        if fits and method.lower() in operations:
            return operations[method.lower()]
    return None
