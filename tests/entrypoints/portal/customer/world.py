"""A customer of an operator that has everything from others, whose names nobody may see.

Zanzitel delivers, Kwabenafone resells, ACME sells under the brand Blue Whale to the shop and to
its rival. A month is over; of everything a customer can have there is something.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hansa.federation.contract import PercentileTariff
from hansa.federation.helpdesk import TicketAsk, TicketState
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId, TicketId
from hansa.foundation.party import Actor
from hansa.foundation.people.model import Brand, PortalSettings
from hansa.lifecycle.assurance.actions import tickets as assurance
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import SHOP, Alliance
from tests.entrypoints.portal.visitor import Visitor, enter

DELIVERS, RESELLS, SELLS = (PartyId(name) for name in ("zanzitel", "kwabenafone", "acme"))
SUPPLIERS = (DELIVERS, RESELLS)
RIVAL = PartyId("rival")
ORDERED = datetime(2026, 11, 2, 8, tzinfo=UTC)
AFTER = datetime(2026, 12, 1, 6, tzinfo=UTC)
TARIFF = PercentileTariff(rate_per_mbps=Decimal("0.25"), commit_mbps=10)


class World:
    """The alliance, and what its customers have. shop, rival: storefronts."""

    def __init__(self, alliance: Alliance) -> None:
        self.alliance = alliance
        self._join()
        self.shop = alliance.customer(self.node)
        self.rival = alliance.customer(self.node, RIVAL)
        self.first, self.holdings = self._ordered(self.shop, "first", "Durban", "Paarl")
        self.rivals_order, self.rivals = self._ordered(self.rival, "rival", "Ermelo")
        alliance.clock.at = AFTER
        for _ in range(3):
            alliance.work()
            alliance.clock.move(timedelta(minutes=1))
        self.ticket = self._ticket(self.shop, self.holdings[0], "No light since 8.")
        self.rivals_ticket = self._ticket(self.rival, self.rivals[0], "It is slow.")
        self._talk()
        self.under_way = self._under_way()
        self.quote, self.rivals_quote = (
            front.quote(alliance.need("Prieska")).id for front in (self.shop, self.rival)
        )
        for login, party in (("shop", SHOP), ("rival", RIVAL)):
            enter(self.node, login, "customer", party=party)
        enter(self.node, "sal", "sales", "operations", "finance", "approver", "admin")

    @property
    def node(self) -> Node:
        """Of the operator from which the customers buy."""
        return self.alliance.nodes[SELLS]

    def visitor(self, login: str = "shop") -> Visitor:
        return Visitor(self.node).sign_in(login)

    def _join(self) -> None:
        alliance = self.alliance
        one, two, three = (alliance.add(name) for name in (DELIVERS, RESELLS, SELLS))
        brand = Brand("Blue Whale", colour="#0b5394", logo="whale.svg")
        portal = PortalSettings(port=2, address="http://portal.test", brand=brand)
        three.us = replace(three.us, tax_id="GB123456789")
        three.settings = replace(three.settings, party=three.us, portal=portal)
        (three.folder / "whale.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        alliance.build_network(one)
        for seller, buyer in ((one, two), (two, three)):
            alliance.join(seller, buyer)
            alliance.agree(seller, buyer, currency="GBP")
        alliance.offer(one, sources=[DELIVERS], currency="GBP", tariff=TARIFF, cancellation="10")
        for node, source in ((two, DELIVERS), (three, RESELLS)):
            alliance.offer(
                node, sources=[source], currency="GBP", margin_bp=1000, cancellation="30"
            )

    def _ordered(self, front: Storefront, key: str, *sites: str) -> tuple[OrderId, list[HoldingId]]:
        quote = front.quote(self.alliance.need(*sites))
        order = front.order(quote_id=quote.id, key=BuyerKey(key))
        self.alliance.work()
        return order.id, [one.holding for one in front.progress(order.id).provided]

    def _ticket(self, front: Storefront, holding: HoldingId, words: str) -> TicketId:
        ask = TicketAsk(words, "major", "incident", holding)
        made = front.open_ticket(ask=ask, key=BuyerKey(words))
        self.alliance.work()
        return made.id

    def _talk(self) -> None:
        """Everybody down the chain says something, and names itself."""
        for name in SUPPLIERS:
            node = self.alliance.nodes[name]
            self.says(node, f"{name.upper()} has sent somebody; ask noc@{name}.example.")
        self.moves(self.alliance.nodes[DELIVERS], TicketState.RESOLVED, f"{DELIVERS} mended it.")

    def says(self, node: Node, words: str) -> None:
        """An operator's people write a note on its ticket about the shop's."""
        with node.begin() as tx:
            assurance.note(
                tx, actor=Actor(node.us.id, "operator"), ticket_id=self._theirs(node), text=words,
                key=BuyerKey(words), by="ada", ids=node.ids, now=node.clock.now(),
            )  # fmt: skip
        self.alliance.work()

    def moves(self, node: Node, state: TicketState, why: str) -> None:
        """An operator's people move its ticket about the shop's."""
        with node.begin() as tx:
            assurance.move(
                tx, actor=Actor(node.us.id, "operator"), ticket_id=self._theirs(node), state=state,
                reason=why, by="ada", ids=node.ids, now=node.clock.now(),
            )  # fmt: skip
        self.alliance.work()

    def _theirs(self, node: Node) -> TicketId:
        """The ticket of an operator that came of the shop's first one."""
        with self.node.begin() as tx:
            trace = assurance.kept(tx, ticket_id=self.ticket).trace
        with node.begin() as tx:
            found = assurance.tickets(tx, actor=Actor(node.us.id, "operator")).tickets
            return next(one.id for one in found if one.trace == trace)

    def _under_way(self) -> OrderId:
        """An order of the shop's on which work has begun, while who delivers is silent."""
        need = self.alliance.need("Knysna")
        made = self.shop.quote(need)
        self.alliance.silent.update(SUPPLIERS)
        order = self.shop.order(quote_id=made.id, key=BuyerKey("under way"))
        self.node.work_once()
        self.alliance.silent.clear()
        return order.id
