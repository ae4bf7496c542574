"""The gate: who may come in, and what leaves the house."""

from __future__ import annotations

from collections.abc import Callable

from hansa.federation.exchange import Answer, Ask, Caller
from hansa.foundation.errors import Refused
from hansa.foundation.party import Actor


class TokenGate:
    """Lets in whoever bears a token.

    caller: the actor whom a token proves, or Refused `token-refused`; it may ask a database.
    """

    def __init__(self, caller: Callable[[str], Actor]) -> None:
        self._caller = caller

    def admit(self, ask: Ask) -> Caller:
        return Caller(self._caller(_bearer(ask)))

    def seal(self, _ask: Ask, _caller: Caller | None, answer: Answer) -> Answer:
        return answer


def _bearer(ask: Ask) -> str:
    scheme, _, token = ask.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(
            "token-refused",
            "Requests of partners carry a bearer token, signed with the partner's key.",
        )
    return token.strip()
