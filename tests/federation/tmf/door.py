"""A door for tests of the engine: callers are believed, what is told is kept in a list."""

from __future__ import annotations

from typing import Any

import httpx2

from hansa.federation.callbacks import rules
from hansa.federation.exchange import Answer, Ask, Caller, Exchanges
from hansa.federation.hub import work
from hansa.federation.hub.model import Post, Subscription
from hansa.federation.intake import Head
from hansa.federation.tmf import server
from hansa.federation.tmf.engine import telling
from hansa.federation.tmf.engine.model import World
from hansa.federation.wire import parse
from hansa.foundation.database import Database
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.plan.engine import Engine
from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.alliance import SHOP
from tests.conftest import seeded_entropy
from tests.databases import Keeper
from tests.federation.shop import START
from tests.inside import Inside

BT, MTN, EVE = PartyId("bt"), PartyId("mtn"), PartyId("eve")
ADDRESS = "https://bt.test"


def _well_formed(_actor: Actor, callback: str) -> None:
    """Any host will do, if it is written as one."""
    rules.split(callback, plain=False)


class Believing:
    """A gate that takes callers at their word."""

    def admit(self, ask: Ask) -> Caller:
        party, _, role = ask.headers.get("x-caller", "mtn/partner").partition("/")
        return Caller(Actor(PartyId(party), role))  # type: ignore[arg-type]

    def recognise(self, _head: Head) -> Caller | None:
        return None

    def seal(self, _head: Head, _caller: Caller | None, answer: Answer) -> Answer:
        return answer


class Bare:
    """What callers find behind the door: a shelf with nothing on offer."""

    @property
    def shelf(self) -> Bare:
        return self

    def offers(self) -> list[Any]:
        return []


class Asking(Inside):
    """Asks in somebody's name. party: whose, unless a test says otherwise."""

    party = "mtn/partner"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        by: str = "",
        media_type: str = "application/json",
    ) -> httpx2.Response:
        headers = {"x-caller": by or self.party}
        if body is not None:
            headers["content-type"] = media_type
        return self.request(method, path, content=body, headers=headers)


class Front(Asking):
    """A whole node at which everyone is its customer. keeper: of all that it has written."""

    party = f"{SHOP}/customer"

    def __init__(self, node: Node) -> None:
        self.keeper = Keeper(node.database.url)
        dialect = server.dialect(node.world)
        super().__init__(Exchanges([dialect], Believing()), base_url=node.settings.address)


class Door(Asking):
    """BT's node as far as its TMF dialect goes. deaf: callbacks that take no notice."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SetClock(START)
        ids = Ids(self.clock, seeded_entropy(b"door"))
        self.world = World(
            seat=lambda _actor: Bare(),  # type: ignore[arg-type, return-value]
            begin_for=lambda actor: database.begin_for(actor, us=BT),
            ids=ids,
            clock=self.clock,
            address=ADDRESS,
            new_trace=ids.trace,
            callback_allowed=_well_formed,
        )
        self.told: list[tuple[str, Any]] = []
        self.deaf: set[str] = set()
        self._engine = Engine(
            database.begin,
            work.handlers(
                begin=database.begin,
                compose=telling.composers(self.world, server.APIS),
                deliver=self._deliver,
            ),
            self.clock,
        )
        app = Exchanges([server.dialect(self.world)], Believing())
        super().__init__(app, base_url=ADDRESS)

    def _deliver(self, subscription: Subscription, post: Post) -> None:
        if subscription.callback in self.deaf:
            raise TryLater("callback-silent", "Nobody takes it.")
        self.told.append((post.url, parse(post.body)))

    def tell(self) -> list[tuple[str, Any]]:
        """What has been told since this was last asked: address and body."""
        self._engine.run_until_idle()
        told, self.told = self.told, []
        return told
