"""JSON as it travels: numbers exact to the last digit, and nothing deeper or longer than agreed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused

DEPTH_MAX = 32
"""The deepest nesting of objects and arrays that is read."""

DIGITS_MAX = 28
"""The longest number that is read: what decimal arithmetic keeps exactly."""

NAME_MAX = 100
"""So much of a name is told back."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A text, closed or not. Possessive, so that no body makes the search go back."""
_FLAT = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")
_MARKED = re.compile(r'"\\u0000([-+0-9.E]+)"')
"""A Decimal as the encoder has written it: a text that begins with what no text of ours may."""
_ODD_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def render(value: Json) -> bytes:
    """The UTF-8 bytes of a JSON value; a Decimal becomes a number with exactly its digits."""
    decimals = 0

    def beyond(part: object) -> Json:
        nonlocal decimals
        if isinstance(part, Decimal):
            if not part.is_finite():
                raise ValueError(f"{part} is no number in JSON")
            decimals += 1
            return f"\0{part}"
        raise TypeError(f"{type(part).__name__} has no place on the wire")

    text = json.dumps(
        value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=beyond
    )
    if decimals:
        text, found = _MARKED.subn(r"\1", text)
        if found != decimals:
            raise ValueError("the character U+0000 is not written")
    return text.encode()


def parse(body: bytes) -> Json:
    """The JSON value of these bytes; numbers with a point or an exponent become Decimals.

    Raises Refused `malformed` when it is not JSON in UTF-8, holds a number of more than
    DIGITS_MAX digits, or text that no database can keep (U+0000, half a surrogate pair), or
    when a name stands twice in one object (then it is the field that is named);
    `body-too-deep` beyond DEPTH_MAX.
    """
    if _too_deep(body):
        raise Refused(
            "body-too-deep", f"The document is nested deeper than {DEPTH_MAX} levels; flatten it."
        )
    try:
        text = body.decode()
        value = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
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


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """No two readers may understand one document differently, so no name stands twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Refused(
                    "malformed",
                    f"{name[:NAME_MAX]!r} stands twice in one object. Send it once.",
                    field=name[:NAME_MAX] if name.isprintable() else None,
                )
            seen.add(name)
    return made


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
