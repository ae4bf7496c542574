"""A month is settled: three operators in a chain, a change in mid-month, books that agree."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hansa.federation.contract import PercentileTariff
from hansa.federation.papers import StatementState
from hansa.foundation.ids import BuyerKey
from hansa.foundation.time import Period
from hansa.ledger import actions as ledger
from hansa.ledger.model import HoldState
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions import positions, statements
from hansa.node import Node
from tests.alliance import SHOP, Alliance, chain

NOVEMBER = Period.month(2026, 11)


def owed(node: Node, code: str) -> int:
    with node.begin() as tx:
        return ledger.balance(tx, code=code).minor


def test_a_month_through_three_operators_ends_with_books_that_agree(alliance: Alliance) -> None:
    tariff = PercentileTariff(rate_per_mbps=Decimal("0.35"), commit_mbps=10)
    front = chain(alliance, 3, tariff=tariff)
    quote = front.quote(alliance.need("Durban", "Paarl"))
    order = front.order(quote_id=quote.id, key=BuyerKey("k1"))
    alliance.work()
    held = {one.item: one.holding for one in front.progress(order.id).provided}

    alliance.clock.at = datetime(2026, 11, 16, tzinfo=UTC)
    faster = alliance.need("Durban", speed=200, holding=held["line-Durban"])
    change = front.order(quote_id=front.quote(faster).id, key=BuyerKey("k2"))
    alliance.work()
    assert front.progress(change.id).state == "completed"

    alliance.clock.at = datetime(2026, 12, 1, 6, tzinfo=UTC)
    alliance.work()
    for node in alliance.nodes.values():
        with node.begin() as tx:
            found = statements.find(tx, period=NOVEMBER)
            assert {one.state for one in found} == {StatementState.INVOICED}
            assert all(one.differences == () for one in found)
    op1, op2, op3 = alliance.nodes.values()
    with op3.begin() as tx:
        (invoice,) = billing.bills(tx, buyer=SHOP, period=NOVEMBER)
    assert invoice.number == "OP3-2026-000001"
    assert sum("monthly@" in line.key for line in invoice.lines) == 3
    assert any("/usage/" in line.key for line in invoice.lines)
    assert owed(op3, f"receivable/{SHOP}/GBP") == invoice.total.minor
    assert owed(op1, "receivable/op2/GBP") == -owed(op2, "payable/op1/GBP") > 0
    assert owed(op2, "receivable/op3/GBP") == -owed(op3, "payable/op2/GBP") > 0
    for node in alliance.nodes.values():
        with node.begin() as tx:
            assert {hold.state for hold in ledger.holds(tx)} <= {HoldState.POSTED}

    for node in alliance.nodes.values():
        with node.begin() as tx:
            netted = positions.net(
                tx, us=node.us.id, period=NOVEMBER, ids=node.ids, now=node.clock.now()
            )
        assert [one.held_out for one in netted] == [()] * len(netted)
    books = []
    for node in alliance.nodes.values():
        with node.begin() as tx:
            books.append(positions.books(tx, us=node.us.id))
    proof = positions.proof(books)
    assert proof.ok, proof.breaks
    assert [total.minor for total in proof.sums] == [0]
    assert owed(op1, "settlement/op2/GBP") == -owed(op2, "settlement/op1/GBP")
