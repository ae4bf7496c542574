"""Proof of who calls: short-lived JSON Web Tokens (RFC 7519) signed with a node's own key.

iss: the calling party. aud: the called one. A token is good for a minute, so a stolen one
soon is not, and no partner holds a secret of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
from jwt.types import Options

from hansa.federation.keys import KeyRing, public_key
from hansa.foundation.errors import HansaError, Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.party import party_id
from hansa.foundation.time import Clock, Instant

LIFETIME_S = 60
LEEWAY_S = 30
"""How far the clocks of two nodes may be apart."""

TOKEN_MAX = 2048
"""The longest token that is looked at, in characters."""

_ONLY_SIGNATURE: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""The library looks at the machine's clock; we compare with `now`, see verify_token."""


def make_token(ring: KeyRing, *, us: PartyId, partner: PartyId, now: Instant) -> str:
    """A token with which `us` calls `partner` during the next minute."""
    issued = int(now.timestamp())
    return ring.token({"iss": us, "aud": partner, "iat": issued, "exp": issued + LIFETIME_S})


def verify_token(
    token: str, *, us: PartyId, keys: Callable[[PartyId], str], now: Instant
) -> PartyId:
    """The party that a token proves to be calling us.

    keys: a partner's public key in base64; raises NotFound for a party that is none.
    Raises Refused `token-refused`; its words do not say whether the party is known.
    """
    try:
        if len(token) > TOKEN_MAX:
            raise _refused("is too long")
        issuer = party_id(_claims(token, None)["iss"])
        claims = _claims(token, keys(issuer))
    except (jwt.InvalidTokenError, HansaError, KeyError, TypeError, ValueError):
        raise _refused("is not signed by a partner of ours") from None
    if claims.get("aud") != us:
        raise _refused("is meant for another node")
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(expires) is not int:
        raise _refused("does not say for how long it is good")
    at = now.timestamp()
    if at >= expires + LEEWAY_S or at < issued - LEEWAY_S or expires - issued > LIFETIME_S:
        raise _refused(f"is not good at {now:%Y-%m-%d %H:%M:%S} UTC")
    return issuer


class TokenCache:
    """Gives one partner's token to each call and makes a new one after half its life."""

    def __init__(self, ring: KeyRing, *, us: PartyId, partner: PartyId, clock: Clock) -> None:
        self._ring = ring
        self._us = us
        self._partner = partner
        self._clock = clock
        self._kept: tuple[Instant, str] | None = None

    def __call__(self) -> str:
        now = self._clock.now()
        kept = self._kept
        if kept is None or not timedelta() <= now - kept[0] < timedelta(seconds=LIFETIME_S / 2):
            kept = now, make_token(self._ring, us=self._us, partner=self._partner, now=now)
            self._kept = kept
        return kept[1]


def _claims(token: str, key: str | None) -> dict[str, Any]:
    """What the token says; checked against `key` if one is given. Times are for the caller."""
    if key is None:
        return jwt.decode(token, options={"verify_signature": False})
    return jwt.decode(token, public_key(key), algorithms=["EdDSA"], options=_ONLY_SIGNATURE)


def _refused(why: str) -> Refused:
    return Refused(
        "token-refused",
        f"The bearer token {why}. Make a new one for this node with your node's key and a "
        "clock that is right, and check that both sides have joined each other.",
    )
