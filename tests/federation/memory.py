"""A register of keys, nonces and evidence that forgets everything with its test."""

# ruff: noqa: ARG002 - it knows no time

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from hansa.federation.evidence.model import Message
from hansa.federation.keys.ring import key_id
from hansa.federation.model import Standing
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant


@dataclass
class Memory:
    """keys: of each partner, in base64, all good for ever."""

    keys: dict[PartyId, list[str]] = field(default_factory=dict)
    certificates: dict[PartyId, str] = field(default_factory=dict)
    nonces: set[tuple[PartyId, str]] = field(default_factory=set)
    kept: list[Message] = field(default_factory=list)

    @contextmanager
    def visit(self) -> Iterator[Memory]:
        yield self

    def standing(self, party: PartyId, kid: str, certificate: str | None, now: Instant) -> Standing:
        known = next((key for key in self.keys.get(party, []) if key_id(key) == kid), None)
        return Standing(known, self.certificates.get(party, certificate) == certificate, None)

    def enter(self, party: PartyId, nonce: str, until: Instant, message: Message | None) -> bool:
        if (party, nonce) in self.nonces:
            return False
        self.nonces.add((party, nonce))
        self.kept += [message] if message else []
        return True

    def keep(self, messages: Sequence[Message]) -> None:
        self.kept += messages
