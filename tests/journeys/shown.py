"""Orders at the top of a chain of operators, and what each can show of them."""

from __future__ import annotations

import json
from typing import Any

from hansa.federation.contract import OrderState
from hansa.federation.evidence import actions as evidence
from hansa.federation.evidence import proof
from hansa.federation.evidence.model import File, Verdict
from hansa.federation.model import Dialect
from hansa.foundation import documents
from hansa.foundation.database import run
from hansa.foundation.ids import BuyerKey, OrderId
from hansa.foundation.party import Actor
from hansa.lifecycle.order.actions import orders
from hansa.lifecycle.order.model import KeptOrder
from hansa.node import Node
from tests.alliance import SHOP, Alliance
from tests.databases import unbound

CUSTOMER = Actor(SHOP, "customer")


def ordered(alliance: Alliance, key: str = "k1") -> OrderId:
    """The customer at the top orders a line; nothing has gone down the chain yet."""
    front = alliance.top.storefront(CUSTOMER)
    quote = front.quote(alliance.need("Durban"))
    return front.order(quote_id=quote.id, key=BuyerKey(key)).id


def state_of(alliance: Alliance, order: OrderId) -> OrderState:
    return alliance.top.storefront(CUSTOMER).progress(order).state


def placed_with(node: Node) -> list[Any]:
    with node.begin() as tx:
        return list(orders.orders(tx, us=node.us.id, limit=100))


def show(node: Node, kept: KeptOrder | None = None) -> File:
    """What a node can show about an order, or the one order, that was placed with it."""
    if kept is None:
        (kept,) = placed_with(node)
    with node.begin() as tx:
        return evidence.file_of(
            tx,
            us=node.us.id,
            ring=node.keys,
            order=kept.order.id,
            trace=kept.order.trace,
            mandate=kept.mandate,
            now=node.clock.now(),
        )


def speak(alliance: Alliance, dialect: Dialect) -> None:
    """Everyone speaks so to everyone from now on."""
    for node in alliance.nodes.values():
        with unbound(node.database.url) as tx:
            run(tx, "update federation_partner set dialect = %s", (dialect,))


def read_elsewhere(file: File) -> Verdict:
    """What a file proves to somebody who has nothing but the file."""
    return proof.verify(proof.read(json.loads(json.dumps(documents.write(file)))))
