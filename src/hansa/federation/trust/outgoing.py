"""How we prove ourselves to a partner, and how its answers are known to be its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from hansa.federation import trace
from hansa.federation.courier import Letter, Look, Reply, silent
from hansa.federation.evidence.actions import KEPT
from hansa.federation.evidence.model import Message
from hansa.federation.keys import signatures
from hansa.federation.keys.signatures import Signs, Unproved
from hansa.federation.trust.register import Register
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Clock, Instant

log = logging.getLogger(__name__)

REQUIRED = (signatures.STATUS, signatures.DIGEST, signatures.ANSWERED)
"""What the signature of every answer is over."""

WORDS_MAX = 300


class Signed:
    """A partner's node: every request is signed, and an answer is believed that is signed to it.

    address: of the partner, as on its card. key: of ours, that the partner knows now. nonce:
    gives a new one, 16 to 64 characters.
    """

    def __init__(
        self,
        *,
        us: PartyId,
        partner: PartyId,
        address: str,
        key: Callable[[Instant], Signs],
        register: Register,
        nonce: Callable[[], str],
        clock: Clock,
        window_s: int = signatures.WINDOW_S,
    ) -> None:
        self._us = us
        self._partner = partner
        self._origin = signatures.origin(address)
        self._key = key
        self._register = register
        self._nonce = nonce
        self._clock = clock
        self._window_s = window_s

    def present(self, letter: Letter) -> tuple[Mapping[str, str], Look]:
        now, nonce = self._clock.now(), self._nonce()
        key = self._key(now)
        target = self._origin + letter.path
        shown = {
            "content-digest": signatures.digest(letter.body),
            signatures.AUDIENCE: self._partner,
        }
        whole = {**letter.headers, **shown}
        values = signatures.of_request(letter.method, target, whole)
        shown |= signatures.sign(list(values.items()), us=self._us, key=key, now=now, nonce=nonce)
        asked = Message(
            direction="out",
            kind="request",
            party=self._partner,
            nonce=nonce,
            method=letter.method,
            target=target,
            status=0,
            headers={**letter.headers, **shown},
            body=letter.body,
            kid=key.kid,
            trace=trace.read(letter.headers.get(trace.HEADER)),
            at=now,
        )
        return shown, lambda reply: self._look(asked, reply)

    def _look(self, asked: Message, reply: Reply) -> Reply:
        """The answer with no more of its headers than are signed; kept, if it is to be."""
        try:
            return self._prove(asked, reply)
        except Unproved as error:
            log.warning(
                "answer not believed",
                extra={"partner": self._partner, "status": reply.status, "words": str(error)},
            )
            raise TryLater(
                "partner-unproved",
                f"What came as the answer of {self._partner} {error}. Nothing of it was "
                "believed; it is asked again later. If it stays so, somebody may be between you, "
                "or one of you has an old card or a clock that is wrong.",
            ) from None

    def _prove(self, asked: Message, reply: Reply) -> Reply:
        now = self._clock.now()
        claim = signatures.claim(reply.headers)
        if claim is None:
            raise self._unsigned(reply)
        signatures.check_covered(claim, [*REQUIRED, *_type(reply)])
        signatures.check_time(claim, now, self._window_s)
        if claim.party != self._partner:
            raise Unproved("is signed by another party")
        if reply.headers.get("content-digest") != signatures.digest(reply.body):
            raise Unproved("was changed on its way: its body is not that of its Content-Digest")
        answered = signatures.signature(asked.headers)
        values = signatures.of_answer(reply.status, reply.headers, answered)
        kept = signatures.covered(claim, reply.headers)
        with self._register.visit() as visit:
            standing = visit.standing(self._partner, claim.kid, None, now)
            signatures.check_signed(claim, values, standing.public_key)
            if asked.method in KEPT:
                visit.keep(_pair(asked, reply, kept, claim.kid, now))
        return Reply(reply.status, kept, reply.body)

    def _unsigned(self, reply: Reply) -> Exception:
        """What is done about an answer that nobody has signed: nothing lasting, whatever it says.

        A node does not sign for whom it does not know, and neither does a proxy before it.
        """
        if reply.status == 401:
            told = reply.body.decode("utf-8", "replace")[:WORDS_MAX]
            words = "".join(char for char in told if char.isprintable())
            return TryLater(
                "signature-not-taken",
                f"{self._partner} does not take our signature, and answers: {words}",
            )
        if reply.status == 429 or reply.status >= 500:
            return silent(self._partner)
        return Unproved(f"(HTTP {reply.status}) bears no signature")


def _type(reply: Reply) -> list[str]:
    return [signatures.TYPE] if "content-type" in reply.headers else []


def _pair(
    asked: Message, reply: Reply, headers: Mapping[str, str], kid: str, now: Instant
) -> list[Message]:
    """A request and its answer, both with the trace that either names."""
    traced = asked.trace or trace.read(headers.get(trace.HEADER))
    answer = Message(
        direction="out",
        kind="answer",
        party=asked.party,
        nonce=asked.nonce,
        method=asked.method,
        target=asked.target,
        status=reply.status,
        headers=headers,
        body=reply.body,
        kid=kid,
        trace=traced,
        at=now,
    )
    return [replace(asked, trace=traced), answer]
