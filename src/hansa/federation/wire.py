"""JSON as it travels: numbers exact to the last digit, and nothing deeper or longer than agreed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from json.encoder import encode_basestring

from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused

DEPTH_MAX = 32
"""The deepest nesting of objects and arrays that is read."""

DIGITS_MAX = 28
"""The longest number that is read: what decimal arithmetic keeps exactly."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A text, closed or not. Possessive, so that no body makes the search go back."""
_FLAT = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")
_ODD_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


@dataclass(frozen=True, slots=True)
class Plain:
    """A part of a document that holds no decimals: written by the quick encoder."""

    value: Json


def render(value: Json) -> bytes:
    """The UTF-8 bytes of a JSON value; a Decimal becomes a number with exactly its digits."""
    parts: list[str] = []
    _render(value, parts)
    return "".join(parts).encode()


def _render(value: Json, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif isinstance(value, dict):
        mark = "{"
        for key, item in value.items():
            parts.append(f"{mark}{encode_basestring(key)}:")
            _render(item, parts)
            mark = ","
        parts.append("{}" if mark == "{" else "}")
    elif isinstance(value, list | tuple):
        mark = "["
        for item in value:
            parts.append(mark)
            _render(item, parts)
            mark = ","
        parts.append("[]" if mark == "[" else "]")
    elif isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no number in JSON")
        parts.append(str(value))
    elif isinstance(value, Plain):
        parts.append(_plain(value.value))
    elif isinstance(value, float):
        raise TypeError("a float has no place on the wire; use Decimal")
    else:
        parts.append(_plain(value))


def _plain(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def parse(body: bytes) -> Json:
    """The JSON value of these bytes; numbers with a point or an exponent become Decimals.

    Raises Refused `malformed` when it is not JSON in UTF-8, holds a number of more than
    DIGITS_MAX digits, or text that no database can keep (U+0000, half a surrogate pair);
    `body-too-deep` beyond DEPTH_MAX.
    """
    if _too_deep(body):
        raise Refused(
            "body-too-deep", f"The document is nested deeper than {DEPTH_MAX} levels; flatten it."
        )
    try:
        text = body.decode()
        value = json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=_constant)
        if _ODD_ESCAPE.search(text):
            for found in _texts(value):
                found.encode()
                if "\0" in found:
                    raise ValueError("the character U+0000 is not taken")  # noqa: TRY301
    except RecursionError:
        raise Refused("malformed", "The body is not JSON: brackets are never closed.") from None
    except ValueError as error:
        raise Refused("malformed", f"The body is not JSON that we can read: {error}.") from None
    return value


def _too_deep(body: bytes) -> bool:
    """Whether brackets are nested deeper than allowed: takes off the innermost, level by level."""
    if body.count(b"{") + body.count(b"[") <= DEPTH_MAX:
        return False
    brackets = _STRING.sub(b"", body).translate(_FLAT, _NOT_BRACKETS)
    for _ in range(DEPTH_MAX):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            return False  # flat, or not balanced: for the parser to say
        brackets = outer
    return bool(brackets)


def _decimal(text: str) -> Decimal:
    if len(text) > 2 * DIGITS_MAX:
        raise ValueError("a number is too long")
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise ValueError(f"the number {text} is out of range") from None
    _digits(len(number.as_tuple().digits))
    if abs(number.adjusted()) > DIGITS_MAX:
        raise ValueError(f"the number {text} is out of range")
    return number


def _integer(text: str) -> int:
    _digits(len(text))
    return int(text)


def _digits(count: int) -> None:
    if count > DIGITS_MAX:
        raise ValueError(f"a number has more than {DIGITS_MAX} digits")


def _constant(text: str) -> Json:
    raise ValueError(f"{text} is no number in JSON")


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
