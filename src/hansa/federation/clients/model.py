"""A client of this node: a system of a partner's, of a customer's, or of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hansa.foundation.ids import ClientId
from hansa.foundation.party import Actor
from hansa.foundation.time import Instant

ACCESS_TOKEN = "at+jwt"  # noqa: S105 - what a token says it is (RFC 9068), and no secret
"""A token that is anything else lets nobody in, though we have signed it."""

LIFETIME_S = 600
"""How long an access token is good."""

Mint = Callable[[dict[str, str | int]], str]
"""Signs the claims of a token with a key of this node's."""

Check = Callable[[str], dict[str, object]]
"""The claims of a token that this node has signed; raises ValueError for any other."""


@dataclass(frozen=True, slots=True)
class Client:
    """actor: for whom it asks, and as what. scopes: all that it may be given.

    revoked_at: since when it gets no tokens, and those that it has are not taken.
    """

    id: ClientId
    name: str
    actor: Actor
    scopes: frozenset[str]
    made_at: Instant
    made_by: str
    revoked_at: Instant | None = None
    revoked_by: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """A new client with its secret, which is shown this once and never again."""

    client: Client
    secret: str

    def __repr__(self) -> str:
        return f"Registered({self.client!r})"


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token (RFC 6749 section 5.1) and what it is good for."""

    token: str
    scopes: tuple[str, ...]
    expires_in_s: int

    def __repr__(self) -> str:
        return f"Grant({self.scopes!r})"
