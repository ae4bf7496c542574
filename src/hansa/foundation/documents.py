"""Frozen values as JSON documents: to store, to send, and to hash and sign.

A document is a frozen dataclass of our own types. Reading is strict about unknown fields.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from hansa.foundation.errors import Refused

Thing = TypeVar("Thing")
Json = Any
"""What `json.loads` gives: dicts, lists, strings, integers, booleans, None; no floats of money."""


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def write(thing: object, kind: type[Any] | None = None) -> Json:
    """A dataclass (or a tuple of them) as plain JSON values. Decimals and times become strings."""
    return _adapter(kind or type(thing)).dump_python(thing, mode="json")


def read(kind: type[Thing], value: Json, *, what: str = "document") -> Thing:
    """JSON values as `kind`; raises Refused `malformed` that names the first offending field."""
    try:
        thing: Thing = _adapter(kind).validate_python(value, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or what
        raise Refused("malformed", f"{what}: {where}: {first['msg']}.", field=where) from None
    return thing


def canonical(value: Json) -> bytes:
    """The one byte string of a JSON value: sorted keys, no spaces, UTF-8.

    As RFC 8785 without floats.
    """
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode()


def fingerprint(value: Json) -> str:
    """SHA-256 of the canonical bytes, in lower-case hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()
