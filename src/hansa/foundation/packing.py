"""Lists too long for one document: kept as compressed parts of their canonical JSON.

A part is a JSON array of at most PART_ITEMS items, compressed (RFC 1950). The fingerprint is that
of one array of all items, so it does not depend on how the list was parted.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from hansa.foundation import documents
from hansa.foundation.errors import Refused

PART_ITEMS = 500
PART_MAX = 16 << 20
"""The most octets that a part may have when it is unpacked."""

ITEMS_MAX = 1_000_000
"""Of one list. It is in memory as a whole when it is unpacked, at less than a kilobyte an item."""

OCTETS_MAX = 512 << 20
"""The most octets that all parts of one list may have when they are unpacked."""

LEVEL = 1
"""Of compression: lines of a month are much alike, and more effort saves little."""

Item = TypeVar("Item")

text: Callable[[str], str] = json.encoder.encode_basestring
"""A text as canonical JSON has it."""


class Digest(Protocol):
    """A running hash."""

    def update(self, data: bytes, /) -> None: ...


def pack(texts: Iterable[str]) -> tuple[str, tuple[bytes, ...]]:
    """The fingerprint and the parts of a list, of whose items these are the canonical texts."""
    digest = hashlib.sha256(b"[")
    parts = tuple(zlib.compress(b"[%b]" % body, LEVEL) for body in _bodies(texts, digest))
    digest.update(b"]")
    return digest.hexdigest(), parts


def fingerprint(texts: Iterable[str]) -> str:
    """The fingerprint alone."""
    digest = hashlib.sha256(b"[")
    for _ in _bodies(texts, digest):
        pass
    digest.update(b"]")
    return digest.hexdigest()


def _bodies(texts: Iterable[str], into: Digest) -> Iterator[bytes]:
    """What stands between the brackets of each part, given to the digest as it goes."""
    left, between = iter(texts), b""
    while chunk := list(islice(left, PART_ITEMS)):
        body = ",".join(chunk).encode()
        into.update(between)
        into.update(body)
        between = b","
        yield body


def digest(parts: Sequence[bytes], into: Digest, *, what: str) -> None:
    """Gives one array of all items to a digest."""
    between = b"["
    for part in parts:
        into.update(between)
        into.update(_opened(part, what)[1:-1])
        between = b","
    into.update(b"]" if parts else b"[]")


def texts(items: Iterable[object]) -> Iterator[str]:
    """The canonical text of each."""
    return (documents.canonical(documents.write(item)).decode() for item in items)


def unpack(kind: type[Item], parts: Sequence[bytes], *, what: str) -> tuple[Item, ...]:
    """The items. Raises Refused `malformed` for what is no such list, or longer than allowed."""
    found: list[Item] = []
    octets = 0
    for part in parts:
        body = _opened(part, what)
        octets += len(body)
        try:
            found += _adapter(kind).validate_json(body, extra="forbid")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise _wrong(what, str(first["msg"])) from None
        if len(found) > ITEMS_MAX or octets > OCTETS_MAX:
            raise _wrong(what, f"more than {ITEMS_MAX} items or {OCTETS_MAX} octets")
    return tuple(found)


def parts_of(offset: int, limit: int) -> tuple[int, int]:
    """In which parts these items are: the first and the last, counted from 1."""
    return offset // PART_ITEMS + 1, (offset + limit - 1) // PART_ITEMS + 1


def window(
    kind: type[Item], some: Sequence[bytes], *, offset: int, limit: int, what: str
) -> tuple[Item, ...]:
    """So many items from the offset on. some: only the parts that `parts_of` names.

    Raises Refused `malformed`.
    """
    skip = offset % PART_ITEMS
    return unpack(kind, some, what=what)[skip : skip + limit]


def count(kind: type[Item], parts: int, last: bytes | None, *, what: str) -> int:
    """How many items so many parts hold, by the last of them. Raises Refused `malformed`."""
    return (parts - 1) * PART_ITEMS + len(unpack(kind, [last], what=what)) if last else 0


def _opened(part: bytes, what: str) -> bytes:
    """The JSON array of a part. Raises Refused `malformed`."""
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(part, PART_MAX)
    except zlib.error:
        raise _wrong(what, "a part is not compressed as it should be") from None
    if stream.unconsumed_tail or not stream.eof or stream.unused_data:
        raise _wrong(what, f"a part is cut off or longer than {PART_MAX} octets")
    return body


@cache
def _made(kind: Any) -> TypeAdapter[list[Any]]:
    return TypeAdapter(list[kind])


_adapter: Callable[[Any], TypeAdapter[list[Any]]] = _made


def _wrong(what: str, why: str) -> Refused:
    return Refused("malformed", f"{what}: {why}.", field=what)
