"""Which attributes objects have, as small tables; and whether what is sent keeps to them.

A line of a table is `Name: attribute attribute:kind attribute:kind* attribute!`, continued on
lines that begin with a space. `*` is a list, `!` is mandatory in every such object. Kinds are
text (unless said otherwise), time, date, whole, number, flag, object, any, or another name of
the table. `Name = one | two` is a text that is one of these. Every object may also have the
attributes of `ALWAYS`, and any that the table does not know: those are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hansa.federation.tmf.shapes.common import malformed
from hansa.foundation.documents import Json

SIMPLE: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "time": (str,),
    "date": (str,),
    "whole": (int,),
    "number": (int, Decimal),
    "flag": (bool,),
    "object": (dict,),
}

WORDS: Mapping[str, str] = {
    "text": "a text",
    "time": "a time with its offset, e.g. 2026-11-01T00:00:00Z,",
    "date": "a date, e.g. 2026-11-01,",
    "whole": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "object": "an object",
}

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string"},
    "time": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "object": {"type": "object"},
    "any": {},
}

_ATTRIBUTE = re.compile(r"(@?\w+)(?::(\w+)(\*?))?(!?)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Attribute:
    """kind: of SIMPLE, `any`, or the name of a Shape or a Choice. many: a list of it."""

    kind: str
    many: bool = False
    mandatory: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What an object has; or, when choices are given, which texts it can be instead."""

    name: str
    attributes: Mapping[str, Attribute]
    choices: tuple[str, ...] = ()


ALWAYS: Mapping[str, Attribute] = {
    "@type": Attribute("text"),
    "@baseType": Attribute("text"),
    "@schemaLocation": Attribute("text"),
}


def read_shapes(*tables: str) -> Mapping[str, Shape]:
    """The shapes of these tables by name; of two with one name the later."""
    shapes = {}
    for table in tables:
        for line in re.sub(r"\n[ \t]+", " ", table).splitlines():
            if line.strip():
                shape = _shape(line)
                shapes[shape.name] = shape
    return shapes


def _shape(line: str) -> Shape:
    name, mark, rest = re.split(r"\s*([:=])\s*", line.strip() + " ", maxsplit=1)
    if mark == "=":
        return Shape(name, {}, tuple(one.strip() for one in rest.split("|")))
    attributes = dict(ALWAYS)
    for word in rest.split():
        found = _ATTRIBUTE.fullmatch(word)
        if found is None:
            raise ValueError(f"{name}: {word} is no attribute")
        attribute, kind, many, mandatory = found.groups()
        attributes[attribute] = Attribute(kind or "text", bool(many), bool(mandatory))
    return Shape(name, attributes)


# --- is it so? --------------------------------------------------------------------------------


def check(shapes: Mapping[str, Shape], kind: str, value: Json, at: str = "") -> None:
    """Raises Refused `malformed` that names the first attribute that is not as the table says."""
    if kind == "any":
        return
    if kind in SIMPLE:
        if not isinstance(value, SIMPLE[kind]) or (
            isinstance(value, bool) and kind in ("whole", "number")
        ):
            raise malformed(at, f"{WORDS[kind]} is expected")
        if kind in ("time", "date") and not _is_time(str(value), kind):
            raise malformed(at, f"{WORDS[kind]} is expected")
        return
    shape = shapes[kind]
    if shape.choices:
        if value not in shape.choices:
            raise malformed(at, f"one of {', '.join(shape.choices)} is expected")
        return
    if not isinstance(value, dict):
        raise malformed(at, "an object is expected")
    _check_object(shapes, shape, value, at)


def _check_object(
    shapes: Mapping[str, Shape], shape: Shape, value: Mapping[str, Json], at: str
) -> None:
    below = f"{at}." if at else ""
    for name, attribute in shape.attributes.items():
        where = f"{below}{name}"
        if name not in value:
            if attribute.mandatory:
                raise malformed(where, "it is mandatory")
        elif not attribute.many:
            check(shapes, attribute.kind, value[name], where)
        elif not isinstance(value[name], list | tuple):
            raise malformed(where, "a list is expected")
        else:
            for index, one in enumerate(value[name]):
                check(shapes, attribute.kind, one, f"{where}.{index}")


def _is_time(text: str, kind: str) -> bool:
    try:
        if kind == "date":
            date.fromisoformat(text)
            return True
        return bool(_TIME.match(text)) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def missing(value: Json, path: str) -> str | None:
    """The place where a mandatory dotted path is not there, null or empty; lists by element."""
    return next(_missing(value, path.split("."), ""), None)


def _missing(value: Json, steps: list[str], at: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _missing(one, steps, f"{at}.{index}" if at else str(index))
        return
    where = f"{at}.{steps[0]}" if at else steps[0]
    inner = value.get(steps[0]) if isinstance(value, dict) else None
    if inner is None or inner in ("", []) or (inner == {} and len(steps) == 1):
        yield where
    elif len(steps) > 1:
        yield from _missing(inner, steps[1:], where)


# --- as JSON Schema ---------------------------------------------------------------------------


def schema(shape: Shape, *, ref: str = "#/components/schemas/") -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of a shape, for a document that holds all others under `ref`."""
    if shape.choices:
        return {"type": "string", "enum": list(shape.choices)}
    properties = {}
    for name, attribute in shape.attributes.items():
        inner: Mapping[str, Any] = SCHEMAS.get(attribute.kind, {"$ref": f"{ref}{attribute.kind}"})
        properties[name] = {"type": "array", "items": inner} if attribute.many else inner
    made: dict[str, Any] = {"type": "object", "properties": properties}
    mandatory = sorted(name for name, one in shape.attributes.items() if one.mandatory)
    if mandatory:
        made["required"] = mandatory
    return made


def reachable(shapes: Mapping[str, Shape], kind: str) -> set[str]:
    """The names of all shapes that a shape leads to, itself included."""
    found: set[str] = set()
    waiting = [kind]
    while waiting:
        name = waiting.pop()
        if name in shapes and name not in found:
            found.add(name)
            waiting += [one.kind for one in shapes[name].attributes.values()]
    return found
