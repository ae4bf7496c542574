"""Where clients of one node get tokens, and where these are looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from hansa.federation.clients import actions
from hansa.federation.clients.gate import ClientGate, signed_by
from hansa.federation.clients.model import Grant, Mint
from hansa.federation.exchange import Caller, Gate
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Clock, Instant
from hansa.foundation.transaction import Begin


class ClientDesk:
    """mint: signs a token at a moment. keys: our public keys (base64) that are good then."""

    def __init__(
        self,
        *,
        us: PartyId,
        begin: Begin,
        clock: Clock,
        mint: Callable[[Instant], Mint],
        keys: Callable[[Instant], Sequence[str]],
    ) -> None:
        self._us = us
        self._begin = begin
        self._clock = clock
        self._mint = mint
        self._keys = keys

    def grant(self, client_id: str, secret: str, scopes: Collection[str] | None) -> Grant:
        """An access token for a registered client. Raises as `actions.grant`."""
        now = self._clock.now()
        with self._begin() as tx:
            return actions.grant(
                tx,
                us=self._us,
                client_id=client_id,
                secret=secret,
                scopes=scopes,
                mint=self._mint(now),
                now=now,
            )

    def gate(self) -> Gate:
        """Lets in whoever bears a token of ours."""
        return ClientGate(self._caller)

    def _caller(self, token: str) -> Caller:
        """For whom an access token of ours asks. Raises Refused `token-refused`."""
        now = self._clock.now()
        check = signed_by(lambda: self._keys(now))
        with self._begin() as tx:
            return actions.caller(tx, us=self._us, token=token, check=check, now=now)
