"""One request to one partner and its answer, whatever the dialect: the client side of the wire.

Nothing that a partner answers is believed before it is looked at: here its length and its
time are bounded; what it says is for the dialect to check.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx2

from hansa.foundation.errors import TryLater
from hansa.foundation.ids import PartyId

ANSWER_MAX = 32 << 20
"""The longest answer that is taken from a partner, in octets."""

ANSWER_MAX_S = 60.0
"""How long a partner may take over one answer in all; each silence in it is bounded by `http`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a partner has answered. headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Courier:
    """Carries requests to one partner.

    address: where the partner answers, perhaps with a path before the dialect's own.
    http: a client for this partner alone, kept alive, with timeouts. token: a bearer token
    that is good now.
    """

    def __init__(
        self, *, partner: PartyId, address: str, http: httpx2.Client, token: Callable[[], str]
    ) -> None:
        self.partner = partner
        self._address = address.rstrip("/")
        self._http = http
        self._timeout = http.timeout.as_dict()
        self._token = token

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        media_type: str = "application/json",
    ) -> Reply:
        """The partner's answer, good or bad.

        Raises TryLater: `partner-silent` when it does not answer, `partner-nonsense` when its
        answer is too long.
        """
        sent = {
            "authorization": f"Bearer {self._token()}",
            "accept": "application/json",
            **(headers or {}),
        }
        if body is not None:
            sent["content-type"] = media_type
        request = httpx2.Request(
            method,
            f"{self._address}{path}",
            headers=sent,
            content=body,
            extensions={"timeout": self._timeout},
        )
        try:
            response = self._http.send(request, stream=True)
            try:
                answer = self._take(response)
            finally:
                response.close()
        except (httpx2.HTTPError, httpx2.StreamError, OSError):
            raise silent(self.partner) from None
        return Reply(response.status_code, response.headers, answer)

    def _take(self, response: httpx2.Response) -> bytes:
        """The body of an answer, as long as it is neither too long nor too slow."""
        began = time.monotonic()
        answer = bytearray()
        for part in response.iter_bytes():
            answer += part
            if len(answer) > ANSWER_MAX:
                raise nonsense(self.partner, f"more than {ANSWER_MAX} octets")
            if time.monotonic() - began > ANSWER_MAX_S:
                raise silent(self.partner)
        return bytes(answer)


def silent(partner: str) -> TryLater:
    return TryLater(
        "partner-silent",
        f"{partner} does not answer. What was asked of it can be asked again later.",
    )


def nonsense(partner: str, what: str) -> TryLater:
    return TryLater(
        "partner-nonsense",
        f"{partner} has answered in a way that cannot be read ({what}). Have its operator look "
        "at it; what was asked can be asked again later.",
    )
