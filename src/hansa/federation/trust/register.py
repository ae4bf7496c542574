"""What the gate and the courier ask and tell the database of each signed message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from hansa.federation import directory
from hansa.federation.evidence import actions as evidence
from hansa.federation.evidence.model import Message
from hansa.federation.model import Standing
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction


class Visit(Protocol):
    """One look into the register: all of it is written, or, if it ends with an error, nothing."""

    def standing(self, party: PartyId, kid: str, certificate: str | None, now: Instant) -> Standing:
        """How far a party may be believed that signs with this key; certificate: that it has shown
        in TLS, None where that was for somebody else to look at.
        """
        ...

    def enter(self, party: PartyId, nonce: str, until: Instant, message: Message | None) -> bool:
        """Uses up a nonce and keeps the message that bears it, if it is to be kept; False when
        the nonce has been used before.
        """
        ...

    def keep(self, messages: Sequence[Message]) -> None:
        """Keeps messages as evidence."""
        ...


class Register(Protocol):
    """Where keys are found, and nonces and evidence are kept."""

    def visit(self) -> AbstractContextManager[Visit]: ...


class Books:
    """The register of a node, in its database."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        with self._begin() as tx:
            yield _Books(tx)


class _Books:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def standing(self, party: PartyId, kid: str, certificate: str | None, now: Instant) -> Standing:
        return directory.standing(
            self._tx, party=party, kid=kid, certificate_sha256=certificate, now=now
        )

    def enter(self, party: PartyId, nonce: str, until: Instant, message: Message | None) -> bool:
        return evidence.enter(self._tx, party=party, nonce=nonce, until=until, message=message)

    def keep(self, messages: Sequence[Message]) -> None:
        evidence.keep(self._tx, messages=messages)
