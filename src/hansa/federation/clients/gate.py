"""Lets in whoever bears an access token of this node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jwt

from hansa.federation.clients.model import ACCESS_TOKEN, Check
from hansa.federation.exchange import Answer, Ask, Caller
from hansa.federation.intake import Head
from hansa.federation.keys.ring import public_key
from hansa.foundation.errors import Refused


class ClientGate:
    """Takes tokens that this node has given, and no others.

    caller: for whom a token asks, or Refused `token-refused`; it asks the database.
    """

    def __init__(self, caller: Callable[[str], Caller]) -> None:
        self._caller = caller

    def admit(self, ask: Ask) -> Caller:
        scheme, _, token = ask.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refused(
                "token-refused", "The request bears no token; get one at /oauth2/token first."
            )
        return self._caller(token.strip())

    def recognise(self, _head: Head) -> Caller | None:
        return None

    def seal(self, _head: Head, _caller: Caller | None, answer: Answer) -> Answer:
        return answer


def signed_by(keys: Callable[[], Sequence[str]]) -> Check:
    """Takes tokens that are signed with one of these public keys (base64), and no others."""

    def check(token: str) -> dict[str, object]:
        for key in keys():
            try:
                found = jwt.decode_complete(
                    token,
                    public_key(key),
                    algorithms=["EdDSA"],
                    options={  # times and audience are compared with our own clock and name
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        "verify_aud": False,
                        "verify_sub": False,
                    },
                )
            except jwt.InvalidTokenError:
                continue
            if found["header"].get("typ") == ACCESS_TOKEN:
                claims: dict[str, object] = found["payload"]
                return claims
        raise ValueError("not signed by this node")

    return check
