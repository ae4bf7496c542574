"""Requests signed by a test itself, without the client that we have for partners."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx2

from hansa.federation.keys import signatures
from hansa.federation.keys.signatures import Signs
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Clock


class SignedBy(httpx2.Auth):
    """Signs each request as one party's to another, at the address where it goes.

    With `headers` a request is given that is to be signed as if it had these too.
    """

    requires_request_body = True

    def __init__(self, us: PartyId, key: Signs, *, to: PartyId, clock: Clock) -> None:
        self._us = us
        self._key = key
        self._to = to
        self._clock = clock

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        if request.method in ("POST", "PATCH"):
            request.headers.setdefault("content-type", "application/json")
        headers = dict(request.headers)
        shown = {
            "content-digest": signatures.digest(request.content),
            signatures.AUDIENCE: self._to,
        }
        names: tuple[str, ...] = ("content-type", "traceparent")
        covered = {name: headers[name] for name in names if name in headers}
        address = signatures.origin(str(request.url))
        target = address + request.url.raw_path.decode("ascii")
        values = signatures.of_request(request.method, target, {**covered, **shown})
        signed = signatures.sign(
            list(values.items()),
            us=self._us,
            key=self._key,
            now=self._clock.now(),
            nonce=secrets.token_hex(16),
        )
        request.headers.update({**shown, **signed})
        yield request
