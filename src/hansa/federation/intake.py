"""A request as it comes in: its head and its body, neither of them beyond its bounds."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from hansa.federation.keys import signatures
from hansa.foundation.errors import Refused, TryLater

BODY_MAX_S = 30.0
"""How long a caller may take over its body."""

REST_MAX = 32 << 20
"""How much of a body that is too long is read, without keeping it, to prove whose it is."""

HEADERS_MAX = 32 << 10
HEADERS_COUNT_MAX = 100
QUERY_MAX = 8192
FIELDS_MAX = 100


class Gone(Exception):
    """The caller has hung up."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """Of a request what comes before its body.

    url: absolute, as the caller addressed it. headers: names in lower case, repeated ones joined
    by a comma. certificate: SHA-256 of the caller's TLS certificate in lower-case hexadecimal, if
    it has shown one.
    """

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    certificate: str | None = None


class TooLong(Refused):
    """A body that is longer than it may be, of which the rest has not come yet."""

    def __init__(self, receive: Any, body_max: int, begun: bytes, *, more: bool) -> None:
        super().__init__(
            "body-too-large",
            f"The body is longer than {body_max} octets. Split it, or ask the operator for more.",
        )
        self._receive = receive
        self._begun = begun
        self._more = more

    async def is_body_of(self, head: Head) -> bool:
        """Whether the body, read to its end, is the one of which the head gives the digest.

        False also for one that takes too long, or is longer than REST_MAX.
        """
        length, found = len(self._begun), hashlib.sha256(self._begun)
        try:
            async with asyncio.timeout(BODY_MAX_S):
                while self._more and length <= REST_MAX:
                    piece, self._more = await _piece(self._receive)
                    length += len(piece)
                    found.update(piece)
        except (TimeoutError, Gone):
            return False
        said = head.headers.get("content-digest")
        return length <= REST_MAX and said == signatures.written(found.digest())


# --- the head -----------------------------------------------------------------------------------


def raw_path(scope: Any) -> str:
    """The path as sent, so that an encoded slash stays within its step."""
    raw = scope.get("raw_path")
    path: str = raw.decode("latin-1").partition("?")[0] if raw else scope["path"]
    return path


def check_headers(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raises Refused `headers-too-large`."""
    size = sum(len(name) + len(value) for name, value in headers)
    if size > HEADERS_MAX or len(headers) > HEADERS_COUNT_MAX:
        raise Refused(
            "headers-too-large",
            f"The headers are longer than {HEADERS_MAX} octets, or more than {HEADERS_COUNT_MAX}. "
            "Send fewer.",
        )


def head(scope: Any) -> Head:
    """The head of a request, from its ASGI scope."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    asked = scope["query_string"].decode("latin-1")
    at = f"{scope['scheme']}://{headers.get('host', '')}{raw_path(scope)}"
    tls = (scope.get("extensions") or {}).get("tls") or {}
    return Head(
        method=scope["method"],
        url=f"{at}?{asked}" if asked else at,
        path=scope["path"],
        headers=headers,
        certificate=tls.get("client_cert_sha256"),
    )


def query(scope: Any) -> Sequence[tuple[str, str]]:
    """The query's parameters, in the order given. Raises Refused `malformed`."""
    text = scope["query_string"].decode("latin-1")
    if not text:
        return ()
    try:
        if len(text) > QUERY_MAX:
            raise ValueError  # noqa: TRY301 - told as any other query that cannot be read
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        raise Refused(
            "malformed",
            f"The query cannot be read: UTF-8, at most {QUERY_MAX} characters and {FIELDS_MAX} "
            "parameters are expected. Correct it and send it again.",
            field="query",
        ) from None


# --- the body -----------------------------------------------------------------------------------


async def read(scope: Any, receive: Any, body_max: int) -> bytes:
    """The whole body; given up as soon as it is longer than it may be, announced or not.

    Raises TooLong, TryLater `body-too-slow`, Gone.
    """
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if length.isdigit() and int(length[:12]) > body_max:
        raise TooLong(receive, body_max, b"", more=True)
    body = bytearray()
    more = True
    try:
        async with asyncio.timeout(BODY_MAX_S):
            while more:
                piece, more = await _piece(receive)
                body += piece
                if len(body) > body_max:
                    raise TooLong(receive, body_max, bytes(body), more=more)
    except TimeoutError:
        raise TryLater(
            "body-too-slow",
            f"The body has not come within {BODY_MAX_S:.0f} s; send it again.",
        ) from None
    return bytes(body)


async def _piece(receive: Any) -> tuple[bytes, bool]:
    """What comes next of a body, and whether there is more."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)
