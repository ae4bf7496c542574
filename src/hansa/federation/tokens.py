"""Proof of who calls: short-lived JSON Web Tokens (RFC 7519) signed with a node's own key.

iss: the calling party. aud: the called one. A token is good for a minute, so a stolen one
soon is not, and no partner holds a secret of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def make_token(
    ring: KeyRing, *, us: PartyId, partner: PartyId, now: Instant, heard: int | None = None
) -> str:
    """A token with which `us` calls `partner` during the next minute.

    heard: the edition of our card that the partner is known to have.
    """
    issued = int(now.timestamp())
    return ring.known(heard, now).token(
        {"iss": us, "aud": partner, "iat": issued, "exp": issued + LIFETIME_S}
    )


def verify_token(
    token: str, *, us: PartyId, keys: Callable[[PartyId], Sequence[str]], now: Instant
) -> PartyId:
    """The party that a token proves to be calling us.

    keys: the public keys in base64 that a partner may use now; none for a party that is no
    partner, or no longer trusted.
    Raises Refused `token-refused`; its words do not say whether the party is known.
    """
    try:
        if len(token) > TOKEN_MAX:
            raise _refused("is too long")
        issuer = party_id(_claims(token, None)["iss"])
        claims = _checked(token, keys(issuer))
    except (jwt.InvalidTokenError, HansaError, LookupError, TypeError, ValueError):
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

    def __init__(
        self,
        ring: KeyRing,
        *,
        us: PartyId,
        partner: PartyId,
        clock: Clock,
        heard: int | None = None,
    ) -> None:
        self._ring = ring
        self._us = us
        self._partner = partner
        self._clock = clock
        self._heard = heard
        self._kept: tuple[Instant, str, str] | None = None

    def __call__(self) -> str:
        now = self._clock.now()
        kept, key = self._kept, self._ring.known(self._heard, now)
        if (
            kept is None
            or kept[2] != key.kid
            or not timedelta() <= now - kept[0] < timedelta(seconds=LIFETIME_S / 2)
        ):
            token = make_token(
                self._ring, us=self._us, partner=self._partner, now=now, heard=self._heard
            )
            kept = self._kept = now, token, key.kid
        return kept[1]


def _checked(token: str, keys: Sequence[str]) -> dict[str, Any]:
    """What the token says, signed with one of these keys. Raises InvalidTokenError."""
    for key in keys[:-1]:
        try:
            return _claims(token, key)
        except jwt.InvalidTokenError:
            continue
    return _claims(token, keys[-1])


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
