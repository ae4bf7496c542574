"""The gate: who may come in, and what leaves the house.

A partner's node signs its requests and gets signed answers; any other system bears a token.
What a request carries decides; a request that carries a signature has to be right by it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hansa.federation import trace
from hansa.federation.courier import ANSWER_MAX
from hansa.federation.evidence.actions import KEPT
from hansa.federation.evidence.model import Kind, Message
from hansa.federation.exchange import Answer, Ask, Caller, Gate
from hansa.federation.intake import Head
from hansa.federation.keys import signatures
from hansa.federation.keys.signatures import Claim, Signs, Unproved
from hansa.federation.model import Standing
from hansa.federation.trust.register import Register
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor
from hansa.foundation.time import Clock, Instant

log = logging.getLogger(__name__)

COVERED = (signatures.METHOD, signatures.TARGET, signatures.DIGEST, f'"{signatures.AUDIENCE}"')
"""What the signature of every request is over."""

IF_PRESENT = ("content-type", "content-encoding", "traceparent", "if-match", "if-none-match")
"""Headers that may change what a request means: covered where they are sent at all."""


class FrontGate:
    """Has a signed request looked at by one gate, a token by the other."""

    def __init__(self, *, signed: Gate, bearer: Gate | None = None) -> None:
        self._signed = signed
        self._bearer = bearer

    def admit(self, ask: Ask) -> Caller:
        """Raises what the gate raises that looks at it; Refused `signature-missing`."""
        if "signature-input" in ask.headers or "signature" in ask.headers:
            return self._signed.admit(ask)
        if self._bearer is not None and "authorization" in ask.headers:
            return self._bearer.admit(ask)
        raise Refused(
            "signature-missing",
            "The request proves nobody. A partner's node signs its requests (RFC 9421); any "
            "other system bears a token that it has got here.",
        )

    def recognise(self, head: Head) -> Caller | None:
        return self._signed.recognise(head)

    def seal(self, head: Head, caller: Caller | None, answer: Answer) -> Answer:
        return self._signed.seal(head, caller, answer)


@dataclass(frozen=True, slots=True)
class Proof:
    """What is kept of a signed request until it is answered. heard: see model.Partner."""

    claim: Claim
    message: Message | None
    heard: int | None


class SignedGate:
    """Lets in partners' nodes by their signatures, and signs what they are answered.

    address: of this node, as it stands on its card: whatever a proxy makes of it, this is what
    partners sign. key: of ours, known to a partner that has heard of this edition of our card.
    window_s: how far from now a request may have been signed.
    """

    def __init__(
        self,
        *,
        us: PartyId,
        address: str,
        register: Register,
        key: Callable[[int | None, Instant], Signs],
        clock: Clock,
        window_s: int = signatures.WINDOW_S,
    ) -> None:
        self._us = us
        self._origin = signatures.origin(address)
        self._register = register
        self._key = key
        self._clock = clock
        self._window_s = window_s

    # --- admit ----------------------------------------------------------------------------------

    def admit(self, ask: Ask) -> Caller:
        """Raises Refused `signature-refused`; its words do not say whether a party is known."""
        now = self._clock.now()
        try:
            claim = signatures.claim(ask.headers)
            if claim is None:
                raise Unproved("bears no signature")  # noqa: TRY301 - told like all others
            values = self._look(ask, claim, now)
            if ask.headers.get("content-digest") != signatures.digest(ask.body):
                raise Unproved(  # noqa: TRY301 - as above
                    "was changed on its way: its body is not that of its Content-Digest"
                )
            message = self._message(ask, claim, values, now)
            standing = self._enter(ask, claim, values, message, now)
        except Unproved as error:
            raise Refused(
                "signature-refused",
                f"The message {error}. Sign it anew for this node, with a key that is on the "
                "card it has of you and a clock that is right.",
            ) from None
        return self._caller(claim, message, standing)

    def _caller(self, claim: Claim, message: Message | None, standing: Standing) -> Caller:
        proof = Proof(claim, message, standing.heard)
        actor = Actor(claim.party, "partner", by_node=True)
        return Caller(actor, None, f"{claim.party}/{claim.kid}", proof)

    def recognise(self, head: Head) -> Caller | None:
        """Its nonce is not used up, since nothing is done; nor is it kept as evidence."""
        now = self._clock.now()
        try:
            claim = signatures.claim(head.headers)
            if claim is None:
                return None
            values = self._look(head, claim, now)
            with self._register.visit() as visit:
                standing = visit.standing(claim.party, claim.kid, head.certificate, now)
            _check_standing(standing, claim, values)
        except Unproved:
            return None
        return self._caller(claim, None, standing)

    def _look(self, head: Head, claim: Claim, now: Instant) -> Mapping[str, str]:
        """The values of the request's components, once all is right of its head that needs no
        key.
        """
        headers = head.headers
        signatures.check_nonce(claim)
        signatures.check_covered(
            claim, [*COVERED, *(f'"{name}"' for name in IF_PRESENT if name in headers)]
        )
        signatures.check_time(claim, now, self._window_s)
        audience = headers.get(signatures.AUDIENCE)
        if audience != self._us:
            raise Unproved("is meant for another node")
        return signatures.of_request(head.method, self._origin + _target(head.url), headers)

    def _message(
        self, ask: Ask, claim: Claim, values: Mapping[str, str], now: Instant
    ) -> Message | None:
        """What is kept of a request that may change something."""
        if ask.method not in KEPT:
            return None
        return Message(
            direction="in",
            kind="request",
            party=claim.party,
            nonce=claim.nonce,
            method=ask.method,
            target=values[signatures.TARGET],
            status=0,
            headers=signatures.covered(claim, ask.headers),
            body=ask.body,
            kid=claim.kid,
            trace=trace.read(ask.headers.get(trace.HEADER)),
            at=now,
        )

    def _enter(
        self,
        ask: Ask,
        claim: Claim,
        values: Mapping[str, str],
        message: Message | None,
        now: Instant,
    ) -> Standing:
        party = claim.party
        until = datetime.fromtimestamp(claim.created, UTC) + timedelta(seconds=self._window_s + 1)
        with self._register.visit() as visit:
            standing = visit.standing(party, claim.kid, ask.certificate, now)
            _check_standing(standing, claim, values)
            if not visit.enter(party, claim.nonce, until, message):
                raise Unproved("is a replay: its nonce has been used")
        return standing

    # --- seal -----------------------------------------------------------------------------------

    def seal(self, head: Head, caller: Caller | None, answer: Answer) -> Answer:
        """Signed for whoever has signed; a stream is gathered first, up to ANSWER_MAX octets."""
        if caller is None or not isinstance(caller.proof, Proof):
            return answer
        proof, now = caller.proof, self._clock.now()
        body = _whole(answer)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        headers["content-digest"] = signatures.digest(body)
        shown = headers if answer.status == 204 else {"content-type": answer.media_type, **headers}
        answered = signatures.signature(head.headers)
        key = self._key(proof.heard, now)
        values = signatures.of_answer(answer.status, shown, answered)
        signed = signatures.sign(list(values.items()), us=self._us, key=key, now=now)
        if proof.message is not None:
            kept = replace(
                proof.message,
                kind=_ANSWER,
                status=answer.status,
                headers={**shown, **signed},
                body=body,
                kid=key.kid,
                trace=proof.message.trace or trace.read(headers.get(trace.HEADER)),
                at=now,
            )
            with self._register.visit() as visit:
                visit.keep([kept])
        return replace(answer, body=body, headers={**headers, **signed})


_ANSWER: Kind = "answer"


def _check_standing(standing: Standing, claim: Claim, values: Mapping[str, str]) -> None:
    signatures.check_signed(claim, values, standing.public_key)
    if not standing.may_come:
        raise Unproved("has not come over a connection with that party's certificate")


def _target(url: str) -> str:
    """Path and query of an absolute URL."""
    return f"/{url.partition('://')[2].partition('/')[2]}"


def _whole(answer: Answer) -> bytes:
    if isinstance(answer.body, bytes):
        return answer.body
    body = bytearray()
    for piece in answer.body:
        body += piece
        if len(body) > ANSWER_MAX:
            raise ValueError(f"an answer to a node is longer than {ANSWER_MAX} octets")
    return bytes(body)
