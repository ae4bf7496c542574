"""Two parties and what is between them: a door that answers anything, and somebody on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hansa.federation.courier import Courier
from hansa.federation.exchange import Answer, Ask, Caller, Dialect, Exchanges, Operation
from hansa.federation.keys.ring import SigningKey
from hansa.federation.limits import Limits
from hansa.federation.tmf import errors
from hansa.federation.trust.gate import FrontGate, SignedGate
from hansa.federation.trust.outgoing import Signed
from hansa.foundation.ids import PartyId
from hansa.foundation.time import SetClock
from tests.federation.memory import Memory
from tests.inside import Inside

BT, MTN, EVE = PartyId("bt"), PartyId("mtn"), PartyId("eve")
START = datetime(2026, 11, 2, 8, tzinfo=UTC)


@cache
def key_of(party: PartyId) -> SigningKey:
    return SigningKey(Ed25519PrivateKey.from_private_bytes(party.encode().ljust(32, b"-")))


@dataclass
class House:
    """BT's door, where anything is answered with what the test likes; MTN is a partner."""

    clock: SetClock = field(default_factory=lambda: SetClock(START))
    register: Memory = field(default_factory=Memory)
    answer: Answer = Answer(200, b'{"ok":true}', {"x-total-count": "7"})  # noqa: RUF009
    asked: list[Ask] = field(default_factory=list)
    limits: Limits | None = None
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**6)))

    def __post_init__(self) -> None:
        self.register.keys[MTN] = [key_of(MTN).public]
        self.gate = SignedGate(
            us=BT,
            address="https://bt.test",
            register=self.register,
            key=lambda *_: key_of(BT),
            clock=self.clock,
        )
        operations = [
            Operation(method, "/things/{id}", self.handle, "TEST", "Anything.")
            for method in ("GET", "POST", "DELETE")
        ]
        dialect = Dialect("/", operations, errors.write, errors.UNFORESEEN)
        app = Exchanges([dialect], FrontGate(signed=self.gate), limits=self.limits)
        self.http = Inside(app, base_url="http://behind-a-proxy")

    def handle(self, ask: Ask, caller: Caller) -> Answer:
        assert caller.actor.party == MTN
        self.asked.append(ask)
        return self.answer

    def courier(self, http: httpx2.Client, us: PartyId = MTN, to: PartyId = BT) -> Courier:
        trust = Signed(
            us=us,
            partner=to,
            address="https://bt.test",
            key=lambda _: key_of(us),
            register=Memory({BT: [key_of(BT).public]}),
            nonce=lambda: f"{next(self.numbers):032d}",
            clock=self.clock,
        )
        return Courier(partner=to, address="https://bt.test", http=http, trust=trust)


class Between(Inside):
    """Somebody between two nodes, who may change what passes."""

    def __init__(self, house: House) -> None:
        super().__init__(house.http.app, base_url="https://bt.test")
        self.request_seen: list[httpx2.Request] = []
        self.change: Callable[[httpx2.Request], httpx2.Request] = lambda request: request
        self.forge: Callable[[httpx2.Response], httpx2.Response] = lambda response: response

    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        self.request_seen.append(request)
        response = super().send(self.change(request), **kwargs)
        response.read()
        return self.forge(response)
