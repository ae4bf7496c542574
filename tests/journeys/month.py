"""A chain of operators in which a month has passed, and what their books say of each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hansa.federation.contract import PercentileTariff
from hansa.federation.papers import RevenueShare
from hansa.foundation.ids import BuyerKey, PartyId
from hansa.foundation.time import Period
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill
from hansa.lifecycle.settlement.actions import positions, statements
from hansa.lifecycle.settlement.model import Held, Position
from hansa.node import Node
from tests.alliance import LINE, SHOP, Alliance

NOVEMBER = Period.month(2026, 11)
ORDERED = datetime(2026, 11, 2, 8, tzinfo=UTC)
CHANGED = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
MORNING_AFTER = datetime(2026, 12, 1, 6, tzinfo=UTC)
A_MOMENT = timedelta(minutes=1)
"""After it, what overtook another message on its way is sent again."""

OP1, OP2, OP3, MEMBER = (PartyId(name) for name in ("op1", "op2", "op3", "member"))
CURRENCIES = {OP1: "GBP", OP2: "EUR", OP3: "JPY", MEMBER: "USD"}
TARIFF = PercentileTariff(rate_per_mbps=Decimal("0.3571"), commit_mbps=10)
SHARE = RevenueShare(OP1, MEMBER, 1250, (LINE,), "USD", "test")


def build(alliance: Alliance, length: int) -> None:
    """A chain of `length` operators of different currencies, of whose revenue a member has a
    share; the customer of the last has ordered two lines, and had one made faster.
    """
    countries = {OP1: "GB", OP2: "PT", OP3: "JP", MEMBER: "US"}
    op1, op2, op3, member = (
        alliance.add(name, countries[name], CURRENCIES[name])
        for name in (OP1, OP2, OP3, MEMBER)
    )  # fmt: skip
    for base, quote, rate in (
        ("GBP", "EUR", "1.1437"), ("EUR", "JPY", "161.83"), ("GBP", "USD", "1.2911"),
    ):  # fmt: skip
        alliance.rate(base, quote, rate)
    alliance.build_network(op1)
    for one, other in ((op1, op2), (op2, op3), (op1, member), (op2, member)):
        alliance.join(one, other)
    alliance.agree(op1, op2, currency="GBP", others=[member], shares=[SHARE])
    alliance.agree(op2, op3, currency="EUR")
    alliance.offer(
        op1, sources=[OP1], currency="GBP", one_off="51.37", monthly="103.19", tariff=TARIFF
    )
    alliance.offer(
        op2, sources=[OP1], currency="EUR", one_off="17.23", monthly="9.41", margin_bp=1175
    )
    alliance.offer(op3, sources=[OP2], currency="JPY", one_off="3001", monthly="777", margin_bp=905)
    top = [op1, op2, op3][length - 1]
    front = alliance.customer(top)
    need = alliance.need("Durban", "Paarl", currency=top.us.currency)
    order = front.order(quote_id=front.quote(need).id, key=BuyerKey("new"))
    alliance.work()
    held = {one.item: one.holding for one in front.progress(order.id).provided}
    alliance.clock.at = CHANGED
    need = alliance.need("Durban", currency=top.us.currency, speed=200, holding=held["line-Durban"])
    change = front.order(quote_id=front.quote(need).id, key=BuyerKey("faster"))
    alliance.work()
    assert front.progress(change.id).state == "completed"
    alliance.clock.at = MORNING_AFTER


def traders(alliance: Alliance) -> list[Node]:
    """Those along whose chain the service was sold, the one that delivers it first."""
    found: list[Node] = []
    for name in (OP1, OP2, OP3):
        with alliance.nodes[name].begin() as tx:
            if billing.sold_lines(tx, us=name, buyer=SHOP, period=NOVEMBER):
                return [*found, alliance.nodes[name]]
        found.append(alliance.nodes[name])
    raise AssertionError("nobody has a customer")


def held(node: Node, **wanted: object) -> Sequence[Held]:
    with node.begin() as tx:
        return statements.find(tx, period=NOVEMBER, **wanted)  # type: ignore[arg-type]


def balances(node: Node) -> dict[str, int]:
    """What the accounts say, in minor units; debits positive."""
    with node.begin() as tx:
        return {one.code: one.balance.minor for one in ledger.balances(tx) if one.balance}


def services(seller: Node, buyer: Node) -> Sequence[Held]:
    """The seller's statements of services to the buyer."""
    found = held(seller, direction="issued", partner=buyer.us.id)
    return [one for one in found if one.statement.kind_of == "services"]


def netted(alliance: Alliance) -> dict[PartyId, Sequence[Position]]:
    found = {}
    for name, node in alliance.nodes.items():
        with node.begin() as tx:
            found[name] = positions.net(
                tx, us=name, period=NOVEMBER, ids=node.ids, now=node.clock.now()
            )
    return found


def books_agree(alliance: Alliance) -> None:
    """What A's books say of B is what B's say of A, all chains hold, and every sum is zero."""
    books = []
    for node in alliance.nodes.values():
        with node.begin() as tx:
            books.append(positions.books(tx, us=node.us.id))
    proof = positions.proof(books)
    assert proof.ok, proof.breaks
    assert all(one.chain_ok for one in books)
    assert {total.minor for total in proof.sums} <= {0}


def customer_bills(node: Node) -> Sequence[Bill]:
    with node.begin() as tx:
        return billing.bills(tx, buyer=SHOP, period=NOVEMBER)
