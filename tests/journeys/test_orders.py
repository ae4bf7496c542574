"""Orders through chains of operators: sold, changed, ceased, failed, stuck, and put right."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hansa.federation.contract import OrderState, Progress
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, OrderId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import PlanState, TaskState
from hansa.ledger import actions as ledger
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.order.actions import orders
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import SHOP, Alliance, chain

pytestmark = pytest.mark.slow


def holdings(node: Node) -> list[tuple[str, str, str, str]]:
    """Everything in a node's inventory: seller, buyer, item and state."""
    with node.begin() as tx:
        found = [
            *inventory.sold(tx, us=node.us.id),
            *inventory.bought(tx, us=node.us.id),
            *inventory.own(tx, us=node.us.id),
        ]
    return sorted((h.ref.seller, h.buyer, h.item, str(h.state)) for h in found)


def buy(alliance: Alliance, front: Storefront, *sites: str, key: str = "k1") -> OrderId:
    """Lines at these places are quoted and ordered; nothing has been delivered yet."""
    quote = front.quote(alliance.need(*sites))
    return front.order(quote_id=quote.id, key=BuyerKey(key)).id


def test_two_operators_sell_one_line(alliance: Alliance) -> None:
    """The second resells the first's line: a price on top, one order each, and both know it."""
    front = chain(alliance, 2)
    quote = front.quote(alliance.need("Durban"))
    # 5.00 + 100 x 0.25 of its own, and 125.00 bought with 10 % on top.
    assert quote.lines[0].terms.monthly == Money(16750, "GBP")
    order = front.order(quote_id=quote.id, key=BuyerKey("k1"))
    assert order.state is OrderState.ACKNOWLEDGED

    alliance.work()

    progress = front.progress(order.id)
    assert progress.state is OrderState.COMPLETED
    assert progress.hops == 2
    assert [one.item for one in progress.provided] == ["line-Durban"]
    op1, op2 = alliance.nodes.values()
    assert holdings(op2) == [
        ("op1", "op2", "line-Durban.line", "active"),
        ("op2", "shop", "line-Durban", "active"),
    ]
    assert holdings(op1) == [
        ("op1", "op1", "line-Durban.line.line", "active"),
        ("op1", "op2", "line-Durban.line", "active"),
    ]


def test_both_sides_know_the_same_instant(alliance: Alliance) -> None:
    """What is bought begins when its seller says, even if the buyer hears of it later."""
    front = chain(alliance, 2)
    op1, op2 = alliance.nodes.values()
    buy(alliance, front, "Durban")
    op2.work_once()
    alliance.clock.move(timedelta(seconds=1))
    op1.work_once()
    alliance.pass_time(timedelta(minutes=7))
    with op1.begin() as tx:
        (sold,) = inventory.sold(tx, us=op1.us.id)
    with op2.begin() as tx:
        (bought,) = inventory.bought(tx, us=op2.us.id)
    assert bought.started == sold.started
    assert bought.spells[0].terms == sold.spells[0].terms


def test_trace_shows_the_way_down_without_a_name_beyond_the_neighbour(alliance: Alliance) -> None:
    front = chain(alliance, 3)
    order = buy(alliance, front, "Durban")
    alliance.work()
    with alliance.top.begin() as tx:
        trace = delivery.trace(tx, us=alliance.top.us.id, order_id=order)
    (leg,) = trace.legs
    assert (leg.seller, leg.label, leg.state, leg.hops) == ("op2", "line", "completed", 2)
    assert trace.hops == 3
    assert max(one.depth for one in leg.milestones) >= 1
    assert "op1" not in repr(trace)
    steps = [(one.name, one.depth) for one in front.progress(order).milestones]
    assert steps == [("line", 0), ("service", 0)], "a customer is told of our own steps alone"


def test_a_change_and_then_a_cease_go_down_the_whole_chain(alliance: Alliance) -> None:
    front = chain(alliance, 3)
    first = buy(alliance, front, "Durban")
    alliance.work()
    (provided,) = front.progress(first).provided
    alliance.pass_time(timedelta(days=3))

    change = front.quote(alliance.need("Durban", speed=300, holding=provided.holding))
    assert change.lines[0].terms.one_off == Money.zero("GBP")
    second = front.order(quote_id=change.id, key=BuyerKey("k2"))
    alliance.work()
    assert front.progress(second.id).provided[0].holding == provided.holding
    assert speeds(alliance) == {300}

    alliance.pass_time(timedelta(days=3))
    ceased = front.cease(order_id=first, key=BuyerKey("k3"))
    alliance.work()
    assert front.progress(ceased.id).state is OrderState.COMPLETED
    for node in alliance.nodes.values():
        assert {state for *_, state in holdings(node)} == {"terminated"}


def test_ceasing_a_change_restores_what_was_before_it(alliance: Alliance) -> None:
    front = chain(alliance, 3)
    first = buy(alliance, front, "Durban")
    alliance.work()
    (provided,) = front.progress(first).provided
    alliance.pass_time(timedelta(days=1))
    change = front.quote(alliance.need("Durban", speed=300, holding=provided.holding))
    second = front.order(quote_id=change.id, key=BuyerKey("k2"))
    alliance.work()
    alliance.pass_time(timedelta(days=1))

    front.cease(order_id=second.id, key=BuyerKey("k3"))
    alliance.work()

    assert speeds(alliance) == {100}
    for node in alliance.nodes.values():
        assert {state for *_, state in holdings(node)} == {"active"}


def speeds(alliance: Alliance) -> set[int | str]:
    """The speed that each node says is in force for what it sells or delivers itself."""
    found: set[int | str] = set()
    for node in alliance.nodes.values():
        with node.begin() as tx:
            for one in (*inventory.sold(tx, us=node.us.id), *inventory.own(tx, us=node.us.id)):
                found.add(one.spells[-1].characteristics["speed_mbps"])
    return found


def test_a_failure_at_the_bottom_takes_back_everything_above(alliance: Alliance) -> None:
    """The first two suspend their agreement between quote and order. The second has built its
    own access by then: it is taken down again, nobody keeps a holding, and the credit that
    was held for the order is free.
    """
    op1, op2, op3 = (alliance.add(name) for name in ("op1", "op2", "op3"))
    alliance.build_network(op1)
    alliance.build_network(op2)
    alliance.join(op1, op2)
    alliance.join(op2, op3)
    below = alliance.agree(op1, op2, currency="GBP")
    alliance.agree(op2, op3, currency="GBP")
    alliance.offer(op1, sources=[op1.us.id], currency="GBP")
    alliance.offer(op2, sources=[op1.us.id], currency="GBP", margin_bp=1000, access=True)
    alliance.offer(op3, sources=[op2.us.id], currency="GBP", margin_bp=1000)
    front = alliance.customer(op3)
    order = buy(alliance, front, "Durban")
    with op1.begin() as tx:
        agreement.suspend(
            tx, us=op1.us.id, ref=below, keys=op1.keys, ids=op1.ids, now=alliance.clock.now()
        )

    alliance.work()
    alliance.pass_time(timedelta(minutes=1))

    progress = front.progress(order)
    assert progress.state is OrderState.FAILED
    assert progress.reason == "The line could not be delivered."
    with op2.begin() as tx:  # its own people see why
        (placed,) = orders.orders(tx, us=op2.us.id)
        assert "agreement-suspended" in placed.reason
    assert holdings(op2) == [("op2", "op2", "line-Durban.line.access", "terminated")]
    assert holdings(op1) == holdings(op3) == []
    for node in alliance.nodes.values():
        with node.begin() as tx:
            assert plans.fallout(tx) == []
            for party in ("op2", "op3", SHOP):
                assert not ledger.exposure(tx, party=PartyId(party), currency="GBP")


def test_an_order_waits_for_a_silent_partner_and_then_goes_on(alliance: Alliance) -> None:
    front = chain(alliance, 3)
    order = buy(alliance, front, "Durban")
    silent = next(iter(alliance.nodes))
    alliance.silent.add(silent)
    for _ in range(5):
        alliance.pass_time(timedelta(seconds=20))
    assert front.progress(order).state in (OrderState.IN_PROGRESS, OrderState.HELD)

    alliance.silent.clear()
    alliance.pass_time(timedelta(minutes=5))

    assert front.progress(order).state is OrderState.COMPLETED
    assert all(len(holdings(node)) == 2 for node in alliance.nodes.values())


def test_cancelling_an_order_in_progress_leaves_nothing(alliance: Alliance) -> None:
    """The bottom is silent, so the order hangs; its customer takes it back."""
    front = chain(alliance, 3)
    op1 = next(iter(alliance.nodes))
    order = buy(alliance, front, "Durban")
    alliance.silent.add(op1)
    alliance.work()
    cease = front.cease(order_id=order, key=BuyerKey("k2"))
    alliance.work()
    alliance.silent.clear()
    alliance.pass_time(timedelta(minutes=10))

    assert front.progress(order).state is OrderState.CANCELLED
    assert front.progress(cease.id).state is OrderState.COMPLETED
    for node in alliance.nodes.values():
        assert not [one for one in holdings(node) if one[3] == "active"]


def test_an_order_is_taken_back_before_anybody_has_begun_with_it(alliance: Alliance) -> None:
    """And the clock was put right in between: by its times the end came first."""
    front = chain(alliance, 1)
    order = buy(alliance, front, "Durban")
    alliance.clock.move(-timedelta(milliseconds=5))
    end = front.cease(order_id=order, key=BuyerKey("k2"))
    alliance.clock.move(timedelta(seconds=1))
    alliance.work()

    assert front.progress(end.id).state is OrderState.COMPLETED
    for node in alliance.nodes.values():
        assert not [one for one in holdings(node) if one[3] == "active"]


def test_an_order_completed_just_before_it_is_cancelled_is_ceased(alliance: Alliance) -> None:
    """The wish to cancel is entered while the order is under way, and taken up too late."""
    front = chain(alliance, 2)
    op1, op2 = alliance.nodes.values()
    order = buy(alliance, front, "Durban")
    op2.work_once()
    cease = front.cease(order_id=order, key=BuyerKey("k2"))
    op1.work_once()
    op2.engine().run_until_idle()
    assert front.progress(order).state is OrderState.COMPLETED

    alliance.work()

    assert front.progress(cease.id).state is OrderState.COMPLETED
    for node in alliance.nodes.values():
        assert {state for *_, state in holdings(node)} == {"terminated"}


def test_a_partner_that_never_answers_ends_in_the_fallout_queue(alliance: Alliance) -> None:
    """Tries run out; a person sees why, waits until the partner is back, and resumes."""
    front = chain(alliance, 2)
    op1 = next(iter(alliance.nodes))
    order = buy(alliance, front, "Durban")
    alliance.silent.add(op1)
    for _ in range(45):
        alliance.pass_time(timedelta(minutes=1))
    assert front.progress(order).state is OrderState.HELD
    with alliance.top.begin() as tx:
        (stuck,) = plans.fallout(tx)
        (held,) = [task for task in stuck.tasks if task.state is TaskState.HELD]
        assert "partner-silent" in held.error

    alliance.silent.clear()
    with alliance.top.begin() as tx:
        plans.resume(tx, task=held.id, by="ops", why="partner is back", now=alliance.clock.now())
    alliance.pass_time(timedelta(minutes=1))

    assert front.progress(order).state is OrderState.COMPLETED
    with alliance.top.begin() as tx:
        plan = plans.of_subject(tx, subject=order)
    assert plan is not None and plan.state is PlanState.DONE


def test_a_lost_push_is_made_good_by_asking(alliance: Alliance) -> None:
    """The buyer is silent when its seller wants to tell it; the safety net asks by itself."""
    front = chain(alliance, 2)
    op1, op2 = alliance.nodes.values()
    order = buy(alliance, front, "Durban")
    op2.work_once()
    alliance.silent.add(op2.us.id)
    op1.work_once()
    assert front.progress(order).state is OrderState.IN_PROGRESS

    alliance.clock.move(timedelta(seconds=31))
    op2.work_once()

    assert front.progress(order).state is OrderState.COMPLETED


def test_the_credit_limit_counts_open_orders(alliance: Alliance) -> None:
    """Two orders fit under the limit, the third does not, and nothing of it is written."""
    front = chain(alliance, 1)
    shop = alliance.customer(alliance.top, PartyId("small-shop"), credit_limit=Money(45000, "GBP"))
    one = shop.quote(alliance.need("Durban"))
    two = shop.quote(alliance.need("Cape Town"))
    three = shop.quote(alliance.need("Johannesburg"))
    # Each line: 50.00 once and 125.00 a month, with 20 % tax: 210.00.
    shop.order(quote_id=one.id, key=BuyerKey("1"))
    shop.order(quote_id=two.id, key=BuyerKey("2"))
    with pytest.raises(Refused) as refusal:
        shop.order(quote_id=three.id, key=BuyerKey("3"))
    assert refusal.value.code == "credit-limit"
    with alliance.top.begin() as tx:
        exposure = ledger.exposure(tx, party=one.buyer, currency="GBP")
    assert exposure == Money(42000, "GBP")
    assert front.offers()


def test_progress_is_the_buyers_alone(alliance: Alliance) -> None:
    """Another customer of the same operator sees nothing of the order, by its very id."""
    front = chain(alliance, 1)
    order = buy(alliance, front, "Durban")
    other = alliance.customer(alliance.top, PartyId("other-shop"))
    for attempt in (
        lambda: other.progress(order),
        lambda: other.cease(order_id=order, key=BuyerKey("x")),
    ):
        with pytest.raises(Exception, match="order-unknown"):
            attempt()
    assert isinstance(front.progress(order), Progress)
