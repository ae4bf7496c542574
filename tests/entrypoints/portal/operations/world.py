"""Two operators and a shop, for the pages of the second: a line delivered, one that is held because
the first fell silent, and what the first page of each of them needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hansa.federation.contract import OrderState
from hansa.foundation.ids import BuyerKey, OrderId
from hansa.foundation.people.model import Brand, PortalSettings
from hansa.foundation.time import SetClock
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import Alliance, chain
from tests.entrypoints.portal.visitor import Visitor, enter

START = datetime(2026, 11, 2, 8, tzinfo=UTC)


class World:
    """op1 delivers lines, op2 sells them to the shop; the portal is op2's."""

    def __init__(self, databases: Callable[[], object], folder: Path) -> None:
        self.alliance = Alliance(databases, folder, SetClock(START), b"operations")
        self.shop: Storefront = chain(self.alliance, 2)
        self.op1, self.node = self.alliance.nodes.values()
        for node in (self.op1, self.node):
            portal = PortalSettings(
                port=2,
                address=f"http://portal.{node.us.id}.test",
                brand=Brand(node.us.name),
                idle_min=300,
                longest_h=999,
            )
            node.settings = replace(node.settings, portal=portal)

    @property
    def clock(self) -> SetClock:
        return self.alliance.clock

    def sell(self, *sites: str, key: str, speed: int = 100) -> OrderId:
        quote = self.shop.quote(self.alliance.need(*sites, speed=speed))
        return self.shop.order(quote_id=quote.id, key=BuyerKey(key)).id

    def sell_and_have_them_held(self, *sites: str) -> list[OrderId]:
        """Orders whose supplier is silent until nobody tries any more, one after the other."""
        self.alliance.silent.add(self.op1.us.id)
        found = []
        for site in sites:
            found.append(self.sell_quoted(site, key=f"held-{site}"))
            self.alliance.pass_time(timedelta(seconds=1))
        for _ in range(45):
            self.alliance.pass_time(timedelta(minutes=1))
        assert {self.shop.progress(one).state for one in found} == {OrderState.HELD}
        self.alliance.silent.clear()
        return found

    def sell_quoted(self, site: str, *, key: str) -> OrderId:
        """As `sell`, with the quote made before the supplier falls silent."""
        silent, self.alliance.silent = self.alliance.silent, set()
        quote = self.shop.quote(self.alliance.need(site))
        self.alliance.silent = silent
        return self.shop.order(quote_id=quote.id, key=BuyerKey(key)).id

    def visitor(self, login: str, *roles: str, node: Node | None = None) -> Visitor:
        at = node or self.node
        return Visitor(at).sign_in(enter(at, login, *roles))


def short(id: str) -> str:
    """An id as lists show it."""
    return f"{id[:4]}…{id[-8:]}"
