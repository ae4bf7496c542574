"""One request to one partner and its answer, whatever the dialect: the client side of the wire.

Nothing that a partner answers is believed before it is looked at: here its length and its
time are bounded, and `Trust` finds out whether it is the partner's; what it says is for the
dialect to check.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True, slots=True)
class Letter:
    """What is about to be sent. path: with the query, as it will stand on the wire. headers:
    names in lower case.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Look = Callable[[Reply], Reply]
"""What looks at an answer: gives back so much of it as is proved. Raises TryLater."""


class Trust(Protocol):
    """How we prove ourselves to a partner, and how its answers are known to be its own."""

    def present(self, letter: Letter) -> tuple[Mapping[str, str], Look]:
        """The headers to add to a request, and what looks at its answer."""
        ...


class Bearer:
    """A system of another make: we show it a token, if it wants one, and believe what it answers.

    What it answers is as sure as the connection over which it came, and no evidence of anything.
    """

    def __init__(
        self, token: Callable[[], str], refused: Callable[[], None] = lambda: None
    ) -> None:
        """token: gives the one to show, empty for none. refused: told when it was not taken."""
        self._token = token
        self._refused = refused

    def present(self, _letter: Letter) -> tuple[Mapping[str, str], Look]:
        token = self._token()
        return ({"authorization": f"Bearer {token}"} if token else {}), self._look

    def _look(self, reply: Reply) -> Reply:
        if reply.status == 401:
            self._refused()
        return reply


class Courier:
    """Carries requests to one partner.

    address: where the partner answers, perhaps with a path before the dialect's own.
    http: a client for this partner alone, kept alive, with timeouts.
    """

    def __init__(
        self,
        *,
        partner: PartyId,
        address: str,
        http: httpx2.Client,
        trust: Trust,
    ) -> None:
        self.partner = partner
        self._address = address.rstrip("/")
        self._http = http
        self._timeout = http.timeout.as_dict()
        self._trust = trust

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        media_type: str = "application/json",
    ) -> Reply:
        """The partner's answer, good or bad; of its headers those that are proved.

        Raises TryLater: `partner-silent` when it does not answer, `partner-nonsense` when its
        answer is too long, and what the trust raises, such as `partner-unproved`.
        """
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if body is not None:
            sent["content-type"] = media_type
        url = httpx2.URL(f"{self._address}{path}")
        letter = Letter(method, url.raw_path.decode("ascii"), sent, body or b"")
        shown, look = self._trust.present(letter)
        request = httpx2.Request(
            method,
            url,
            headers={"accept": "application/json", **sent, **shown},
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
        return look(Reply(response.status_code, dict(response.headers), answer))

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
