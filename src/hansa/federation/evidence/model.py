"""Signed messages as they are kept, and the file in which they are handed to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hansa.federation.mandate import Mandate
from hansa.foundation.ids import OrderId, PartyId, TraceId
from hansa.foundation.time import Instant

Direction = Literal["in", "out"]
"""in: the partner has asked us. out: we have asked the partner."""

Kind = Literal["request", "answer"]


@dataclass(frozen=True, slots=True)
class Message:
    """One signed message of an exchange with a partner, as it was on the wire.

    nonce: of the request, by which an answer is found. target: absolute. status: of an answer,
    0 for a request. headers: those that the signature covers, and the signature's own two.
    kid: of the key that signed it, the partner's or ours. at: when we saw it.
    """

    direction: Direction
    kind: Kind
    party: PartyId
    nonce: str
    method: str
    target: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    kid: str
    trace: TraceId | None
    at: Instant


@dataclass(frozen=True, slots=True)
class Kept:
    """A message and its number in this node's evidence."""

    number: int
    message: Message


# --- what is handed to others -------------------------------------------------------------------

FILE_VERSION = 1


@dataclass(frozen=True, slots=True)
class FiledKey:
    """A key of a party as this node knew it. valid_to, revoked_at: None while it is good."""

    party: PartyId
    kid: str
    public_key: str
    valid_from: Instant
    valid_to: Instant | None
    revoked_at: Instant | None


@dataclass(frozen=True, slots=True)
class FiledMessage:
    """A message; body: in base64. Two messages with one party and nonce are an exchange."""

    direction: Direction
    kind: Kind
    party: PartyId
    nonce: str
    method: str
    target: str
    status: int
    headers: Mapping[str, str]
    body: str
    at: Instant


@dataclass(frozen=True, slots=True)
class File:
    """All that one node can show about one order. mandate: as it came with the order.

    node: who shows it. Whether the keys are those of their parties is for the reader to find
    out, for instance from the card that each operator hands out.
    """

    version: int
    node: PartyId
    order: OrderId
    trace: TraceId
    exported_at: Instant
    keys: tuple[FiledKey, ...]
    messages: tuple[FiledMessage, ...]
    mandate: Mandate | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one piece of evidence proves. said: in a sentence, who to whom, what, when.

    fault: why it proves nothing; empty when it holds.
    """

    at: Instant
    said: str
    key: str
    fault: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all evidence about an order proves."""

    order: OrderId
    trace: TraceId
    findings: tuple[Finding, ...]
    chain: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return not any(one.fault for one in (*self.findings, *self.chain))
