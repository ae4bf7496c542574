"""Orders that are taken back while operators work on them: what that costs is billed, at every hop
by the terms of that hop, once, and in the month in which there was nothing left of the order.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from hansa.federation.contract import Charged, OrderState
from hansa.federation.papers import StatementState
from hansa.federation.shelf import CancellationState
from hansa.foundation.database import run
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId
from hansa.foundation.money import Money, Rounding
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Period
from hansa.ledger import actions as ledger
from hansa.ledger.model import HoldState
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill
from hansa.lifecycle.settlement.actions import statements
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import SHOP, Alliance, chain
from tests.databases import unbound
from tests.journeys.month import NOVEMBER, books_agree, held, netted, services

pytestmark = pytest.mark.slow

DECEMBER = Period.month(2026, 12)


def wanted(number: int) -> str:
    """What each operator wants for a line that is cancelled: 11.10, 22.20, 33.30."""
    return str(number * Decimal("11.10"))


def build(alliance: Alliance, length: int) -> Storefront:
    return chain(alliance, length, cancellation=wanted)


def hops(alliance: Alliance) -> dict[str, int]:
    """What everyone who sells was to be paid for what was cancelled, in minor units."""
    return {name: 1110 * number for number, name in enumerate(alliance.nodes, 1)}


def place(alliance: Alliance, front: Storefront, *sites: str, key: str = "k1") -> OrderId:
    quote = front.quote(alliance.need(*sites))
    return front.order(quote_id=quote.id, key=BuyerKey(key)).id


def begin(alliance: Alliance) -> None:
    """What was asked goes down the chain; the last operator begins with it and gets no further."""
    bottom, *above = alliance.nodes.values()
    for node in reversed(above):
        node.work_once()
    with bottom.begin() as tx:
        assert bottom.deliver(tx, alliance.clock.now()) == 1


def with_tax(net: Money) -> Money:
    return net + net.times(Fraction(20, 100), rounding=Rounding.HALF_UP)


def invoices(node: Node, buyer: PartyId, period: Period = NOVEMBER) -> list[Bill]:
    with node.begin() as tx:
        return list(billing.bills(tx, issuer=node.us.id, buyer=buyer, period=period))


def billed(alliance: Alliance, period: Period = NOVEMBER) -> dict[str, int]:
    """What everyone has billed for what was cancelled, tax apart, in minor units."""
    found: dict[str, int] = {}
    for name, node in alliance.nodes.items():
        with node.begin() as tx:
            for bill in billing.bills(tx, issuer=name, period=period):
                for line in bill.lines:
                    if "/cancellation/" in line.key:
                        found[name] = found.get(name, 0) + line.net.minor
    return found


def take_back(alliance: Alliance, front: Storefront, order: OrderId, key: str = "back") -> OrderId:
    """The customer ends an order; all hear of it before the last operator delivers."""
    end = front.cease(order_id=order, key=BuyerKey(key)).id
    begin(alliance)
    alliance.work()
    return end


def the_month_ends(alliance: Alliance, period: Period = NOVEMBER) -> None:
    alliance.clock.at = period.end + timedelta(hours=6)
    alliance.work()
    for node in alliance.nodes.values():
        with node.begin() as tx:
            found = statements.find(tx, period=period)
            assert {one.state for one in found} <= {StatementState.INVOICED}
            assert all(one.differences == () for one in found)
            assert plans.fallout(tx) == []
    books_agree(alliance)


@pytest.mark.parametrize("length", [2, 3])
def test_a_cancelled_order_is_billed_at_every_hop_by_the_terms_of_that_hop(
    alliance: Alliance, length: int
) -> None:
    front = build(alliance, length)
    order = place(alliance, front, "Durban")
    begin(alliance)
    alliance.clock.move(timedelta(hours=1))
    shelf = alliance.top.seat(Actor(SHOP, "customer")).shelf
    asked = shelf.cancel_order(order, reason="moved elsewhere")
    begin(alliance)
    alliance.work()
    top = alliance.top.us.id
    charged = Money(1110 * length, "GBP")
    assert shelf.cancellation(asked.id).state is CancellationState.DONE
    assert shelf.cancellation(asked.id).charge == charged
    assert front.progress(order).charged == Charged(charged, alliance.clock.now())

    the_month_ends(alliance)
    (invoice,) = invoices(alliance.top, SHOP)
    (line,) = invoice.lines
    assert line.key == f"{order}/cancellation/line-Durban"
    assert line.description == (
        f"Line by {top} (Durban), cancelled on 2026-11-02 09:00 UTC after work on it had begun"
    )
    assert (line.net, line.tax) == (charged, with_tax(charged) - charged)
    for seller, buyer in pairwise(alliance.nodes.values()):
        (stated,) = services(seller, buyer)
        (told,) = stated.statement.lines
        assert told.net.minor == hops(alliance)[seller.us.id]
        with buyer.begin() as tx:
            (supplied,) = billing.supplier_invoices(tx, issuer=seller.us.id)
        assert supplied.total == stated.total
        (heard,) = held(buyer, direction="heard", partner=seller.us.id)
        assert heard.statement == stated.statement
    assert not [one for found in netted(alliance).values() for one in found if one.held_out]
    books_agree(alliance)


@pytest.mark.parametrize("sonata", [("op1",), ("op2",), ("op1", "op2")], ids="+".join)
def test_in_whatever_dialect(alliance: Alliance, sonata: tuple[str, ...]) -> None:
    alliance.speaks = {PartyId(name): "sonata" for name in sonata}
    front = build(alliance, 3)
    order = place(alliance, front, "Durban")
    begin(alliance)
    take_back(alliance, front, order)
    assert front.progress(order).state is OrderState.CANCELLED
    the_month_ends(alliance)
    assert billed(alliance) == hops(alliance)


def test_to_cease_what_is_under_way_is_to_cancel_it(alliance: Alliance) -> None:
    """However it is asked for, it is the same wish and costs the same, once."""
    front = build(alliance, 1)
    shelf = alliance.top.seat(Actor(SHOP, "customer")).shelf
    order = place(alliance, front, "Durban", "Paarl")
    begin(alliance)
    end = front.cease(order_id=order, key=BuyerKey("back"))
    assert front.cease(order_id=order, key=BuyerKey("back")) == end
    (wish,) = shelf.cancellations().things
    assert (wish.order, wish.by, wish.charge) == (order, end.id, Money(2220, "GBP"))
    assert shelf.cancel_order(order) == wish
    begin(alliance)
    alliance.work()
    the_month_ends(alliance)
    (invoice,) = invoices(alliance.top, SHOP)
    assert [line.key for line in invoice.lines] == [
        f"{order}/cancellation/line-Durban",
        f"{order}/cancellation/line-Paarl",
    ]
    assert invoice.net == Money(2220, "GBP")


def test_what_is_owed_counts_against_the_credit_until_it_is_billed(alliance: Alliance) -> None:
    front = build(alliance, 2)
    order = place(alliance, front, "Durban")
    begin(alliance)
    take_back(alliance, front, order)
    op1, op2 = alliance.nodes.values()
    for node, buyer, owed in ((op1, op2.us.id, 1110), (op2, SHOP, 2220)):
        expected = with_tax(Money(owed, "GBP"))
        with node.begin() as tx:
            assert ledger.exposure(tx, party=buyer, currency="GBP") == expected
            held_back = [one for one in ledger.holds(tx) if one.state is HoldState.ACTIVE]
            assert [one.amount for one in held_back] == [expected]
    the_month_ends(alliance)
    for node in alliance.nodes.values():
        with node.begin() as tx:
            assert {one.state for one in ledger.holds(tx)} == {HoldState.POSTED, HoldState.VOIDED}
    with op2.begin() as tx:
        (invoice,) = billing.bills(tx, issuer=op2.us.id)
        assert ledger.exposure(tx, party=SHOP, currency="GBP") == invoice.total


def test_before_anybody_has_begun_it_costs_nothing(alliance: Alliance) -> None:
    front = build(alliance, 2)
    order = place(alliance, front, "Durban")
    front.cease(order_id=order, key=BuyerKey("back"))
    alliance.work()
    assert front.progress(order).state is OrderState.CANCELLED
    assert front.progress(order).charged is None
    the_month_ends(alliance)
    assert [invoices(node, buyer) for node in alliance.nodes.values() for buyer in (SHOP,)] == [
        [],
        [],
    ]


def test_what_is_delivered_before_it_can_be_taken_back_is_billed_as_delivered(
    alliance: Alliance,
) -> None:
    """And ended: the one-off is due, and what cancelling would have cost is not."""
    front = build(alliance, 2)
    order = place(alliance, front, "Durban")
    op1, op2 = alliance.nodes.values()
    op2.work_once()
    shelf = op2.seat(Actor(SHOP, "customer")).shelf
    asked = shelf.cancel_order(order)
    assert (asked.charge, asked.waived) == (Money(2220, "GBP"), False)
    op1.work_once()
    op2.engine().run_until_idle()
    assert front.progress(order).state is OrderState.COMPLETED
    alliance.work()
    done = shelf.cancellation(asked.id)
    assert (done.state, done.waived) == (CancellationState.DONE, True)
    the_month_ends(alliance)
    assert billed(alliance) == {}
    (stated,) = services(op1, op2)
    assert [line.key.partition("/")[2][:8] for line in stated.statement.lines] == ["one-off@"]


def test_what_our_own_people_take_back_costs_the_customer_nothing(alliance: Alliance) -> None:
    """It costs the operator what its supplier wants, since the supplier had begun."""
    front = build(alliance, 2)
    order = place(alliance, front, "Durban")
    begin(alliance)
    op1, op2 = alliance.nodes.values()
    with op2.begin() as tx:
        plan = plans.of_subject(tx, subject=order)
        assert plan is not None
        plans.cancel(tx, plan=plan.id, by="ana", why="no fibre there", now=alliance.clock.now())
    shelf = op2.seat(Actor(SHOP, "customer")).shelf
    asked = shelf.cancel_order(order)  # the customer is too late with the same wish
    begin(alliance)
    alliance.work()
    assert front.progress(order).state is OrderState.CANCELLED
    assert front.progress(order).charged is None
    assert shelf.cancellation(asked.id).waived
    the_month_ends(alliance)
    assert billed(alliance) == {"op1": 1110}
    assert op1.us.id != op2.us.id


def test_a_change_that_is_cancelled_stands_on_the_bill_beside_what_is_held(
    alliance: Alliance,
) -> None:
    front = build(alliance, 2)
    place(alliance, front, "Durban")
    alliance.work()
    (line,) = front_holdings(alliance)
    faster = front.quote(alliance.need("Durban", speed=300, holding=line))
    order = front.order(quote_id=faster.id, key=BuyerKey("k2")).id
    begin(alliance)
    take_back(alliance, front, order)
    the_month_ends(alliance)
    assert billed(alliance) == hops(alliance)
    (invoice,) = invoices(alliance.top, SHOP)
    what = [line.key.partition("/")[2].partition("@")[0] for line in invoice.lines]
    assert what == ["one-off", "monthly", "cancellation/line-Durban"]
    assert invoice.lines[-1].holding == line


def front_holdings(alliance: Alliance) -> list[HoldingId]:
    shelf = alliance.top.seat(Actor(SHOP, "customer")).shelf
    return [one.id for one in shelf.holdings().things]


# --- at the end of a month ------------------------------------------------------------------------


def test_the_month_is_the_one_in_which_nothing_is_left_of_it(alliance: Alliance) -> None:
    """Asked for on the last evening of November, and seen to in December."""
    front = build(alliance, 2)
    alliance.clock.at = NOVEMBER.end - timedelta(hours=1)
    order = place(alliance, front, "Durban")
    begin(alliance)
    front.cease(order_id=order, key=BuyerKey("back"))
    alliance.clock.at = NOVEMBER.end + timedelta(hours=1)
    begin(alliance)
    alliance.work()
    the_month_ends(alliance)
    assert billed(alliance) == {}
    the_month_ends(alliance, DECEMBER)
    assert billed(alliance, DECEMBER) == hops(alliance)


def test_what_is_heard_of_in_the_next_month_only_belongs_to_the_month_before(
    alliance: Alliance,
) -> None:
    """op2 loses sight of op1 just as that has taken an order back; so it keeps its month open."""
    front = build(alliance, 3)
    op1, op2, op3 = alliance.nodes.values()
    alliance.clock.at = NOVEMBER.end - timedelta(hours=12)
    order = place(alliance, front, "Durban")
    begin(alliance)
    front.cease(order_id=order, key=BuyerKey("back"))
    for node in (op3, op2):
        node.work_once()
    alliance.silent |= {op1.us.id, op2.us.id}
    with op1.begin() as tx:
        op1.deliver(tx, alliance.clock.now())
    op1.work_once()
    for wait in (timedelta(hours=42), *[timedelta(minutes=1)] * 5):
        alliance.pass_time(wait)
    assert front.progress(order).state is OrderState.IN_PROGRESS
    alliance.silent.clear()
    for _ in range(6):
        alliance.pass_time(timedelta(minutes=10))
    assert front.progress(order).state is OrderState.CANCELLED
    books_agree(alliance)
    assert billed(alliance) == {"op1": 1110}
    for node in alliance.nodes.values():
        assert {one.state for one in held(node)} <= {StatementState.INVOICED}
        assert all(one.differences == () for one in held(node))
    the_month_ends(alliance, DECEMBER)
    assert billed(alliance, DECEMBER) == {"op2": 2220, "op3": 3330}


def test_a_seller_that_charges_what_was_not_agreed_is_found_out(alliance: Alliance) -> None:
    """The quote that both have says what cancelling costs; the statement says something else."""
    front = build(alliance, 2)
    order = place(alliance, front, "Durban")
    begin(alliance)
    take_back(alliance, front, order)
    op1, op2 = alliance.nodes.values()
    with unbound(op1.database.url) as tx:
        run(tx, "set local session_replication_role = replica")
        assert run(tx, "update order_charge set net_minor = 9990") == 1
    alliance.clock.at = NOVEMBER.end + timedelta(hours=6)
    alliance.work()
    (heard,) = held(op2, direction="heard")
    assert heard.state is StatementState.ISSUED, "a person has to look"
    (difference,) = heard.differences
    assert (difference.theirs, difference.ours) == (Money(9990, "GBP"), Money(1110, "GBP"))
    assert difference.key.endswith("/cancellation/line-Durban.line")
