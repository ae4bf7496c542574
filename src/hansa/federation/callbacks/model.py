"""A host to which notices may be sent, and the address that a notice goes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as the machine resolves its name. Raises OSError when it has none."""


@dataclass(frozen=True, slots=True)
class CallbackHost:
    """A host that a party may name in its callbacks, beside the one on its card."""

    party: PartyId
    host: str
    added_at: Instant
    added_by: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where one notice goes. address: looked at and found to be allowed; no name is resolved
    again on the way there. host: as the callback names it, for TLS and the Host header.
    """

    url: str
    address: str
    host: str
    authority: str
    tls: bool
