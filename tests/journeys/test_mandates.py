"""Who asked for a change, for an end, for an order to be taken back: the last operator proves it,
and hears no node that does not show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hansa.federation.contract import OrderState
from hansa.federation.keys import vouching
from hansa.federation.keys.vouching import Voucher
from hansa.federation.mandate import Mandate
from hansa.federation.model import Dialect
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, OrderId, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import SetClock
from hansa.lifecycle.order.model import KeptOrder
from hansa.lifecycle.quote.actions import quotes
from hansa.node import Node
from tests.alliance import Alliance, chain
from tests.databases import Pool
from tests.journeys.shown import (
    CUSTOMER,
    ordered,
    placed_with,
    read_elsewhere,
    show,
    speak,
    state_of,
)
from tests.standing import Standing, standing


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Four operators, each reselling the line of the one before."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        made = Alliance(databases, tmp_path_factory.mktemp("mandates"), clock, b"mandates")
        chain(made, 4)
        with standing(made) as stood:
            yield stood


@pytest.fixture
def alliance(world: Standing) -> Alliance:
    return world.again()


def begun(alliance: Alliance) -> None:
    """Everyone begins with what was asked of it, and the last one gets no further."""
    bottom, *above = alliance.nodes.values()
    for node in reversed(above):
        node.work_once()
    with bottom.begin() as tx:
        bottom.deliver(tx, alliance.clock.now())


def newest(node: Node) -> KeptOrder:
    found: KeptOrder = placed_with(node)[0]
    return found


def cease(alliance: Alliance, order: OrderId) -> None:
    alliance.work()
    alliance.clock.move(timedelta(seconds=1))
    alliance.top.storefront(CUSTOMER).cease(order_id=order, key=BuyerKey("end"))
    alliance.work()


def cancel(alliance: Alliance, order: OrderId) -> None:
    """While all of them work on it."""
    begun(alliance)
    alliance.clock.move(timedelta(seconds=1))
    alliance.top.storefront(CUSTOMER).cease(order_id=order, key=BuyerKey("end"))
    begun(alliance)
    alliance.work()


def change(alliance: Alliance, order: OrderId) -> None:
    alliance.work()
    alliance.clock.move(timedelta(seconds=1))
    front = alliance.top.storefront(CUSTOMER)
    (held,) = front.progress(order).provided
    faster = front.quote(alliance.need("Durban", speed=300, holding=held.holding))
    front.order(quote_id=faster.id, key=BuyerKey("faster"))
    alliance.work()


@pytest.mark.parametrize(("act", "said"), [(change, "ordered of"), (cease, "had"), (cancel, "had")])
@pytest.mark.parametrize("dialect", ["tmf", "sonata"])
def test_the_last_of_four_proves_who_changed_ended_and_cancelled(
    alliance: Alliance, act: Callable[[Alliance, OrderId], None], said: str, dialect: Dialect
) -> None:
    speak(alliance, dialect)
    act(alliance, ordered(alliance))
    first = next(iter(alliance.nodes.values()))
    kept = newest(first)
    verdict = read_elsewhere(show(first, kept))
    assert verdict.holds, [one for one in (*verdict.findings, *verdict.chain) if one.fault]
    end = " end" if said == "had" else ""
    assert [one.said.partition(":")[0] for one in verdict.chain] == [
        f"op4 {said} op3{end}",
        f"op3 {said} op2{end}",
        f"op2 {said} op1{end}",
    ]
    assert all("1 x line in ZA" in one.said for one in verdict.chain)
    assert kept.mandate is not None
    assert {one.act for one in kept.mandate.links} == {"cease" if end else "order"}
    assert kept.kind == ("cease" if end else "provide")
    for node in alliance.nodes.values():
        for one in placed_with(node):
            assert read_elsewhere(show(node, one)).holds


def test_who_takes_an_order_back_by_itself_says_so(alliance: Alliance) -> None:
    """op2's own people give up; the customer at the top has asked for nothing of the kind."""
    ordered(alliance)
    begun(alliance)
    op1, op2, *_ = alliance.nodes.values()
    (placed,) = placed_with(op2)
    with op2.begin() as tx:
        plan = plans.of_subject(tx, subject=placed.order.id)
        assert plan is not None
        plans.cancel(tx, plan=plan.id, by="ana", why="no fibre", now=alliance.clock.now())
    alliance.clock.move(timedelta(seconds=1))
    begun(alliance)
    alliance.work()
    kept = newest(op1)
    assert kept.kind == "cease"
    verdict = read_elsewhere(show(op1, kept))
    assert verdict.holds
    assert [one.said.partition(":")[0] for one in verdict.chain] == ["op2 had op1 end"]


def test_a_node_is_not_heard_without_a_mandate(alliance: Alliance) -> None:
    """By whichever way it asks; what it has been given before it gets again."""
    op1, op2, *_ = alliance.nodes.values()
    seller = op2.seller(op1.us.id)
    need = replace(alliance.need("Durban"), trail=(op2.us.id,))
    quote = seller.quote(need)
    with pytest.raises(Refused, match="mandate-missing") as refused:
        seller.order(quote_id=quote.id, key=BuyerKey("bare"))
    assert refused.value.field == "mandate"
    assert placed_with(op1) == []

    order = ordered(alliance)
    alliance.work()
    assert state_of(alliance, order) is OrderState.COMPLETED
    (done,) = placed_with(op1)
    again = seller.order(quote_id=done.order.quote, key=done.order.key)
    assert again.id == done.order.id
    with pytest.raises(Refused, match="mandate-missing"):
        seller.cease(order_id=done.order.id, key=BuyerKey("bare"))
    with pytest.raises(NotFound, match="order-unknown"):
        seller.cease(order_id=OrderId("ord_none"), key=BuyerKey("bare"))
    assert placed_with(op1) == [done]


def test_a_node_ceases_and_does_not_cancel(alliance: Alliance) -> None:
    ordered(alliance)
    begun(alliance)
    op1 = next(iter(alliance.nodes.values()))
    (placed,) = placed_with(op1)
    node = Actor(PartyId("op2"), "partner", by_node=True)
    with pytest.raises(Refused, match="mandate-missing"):
        op1.seat(node).shelf.cancel_order(placed.order.id)
    other_system = Actor(PartyId("op2"), "partner")
    wish = op1.seat(other_system).shelf.cancel_order(placed.order.id)
    assert wish.order == placed.order.id


def test_a_mandate_over_something_else_ends_nothing(alliance: Alliance) -> None:
    """Over the order itself, over another order's end, under another key, of somebody else."""
    ordered(alliance)
    alliance.work()
    op1, op2, *_ = alliance.nodes.values()
    (done,) = placed_with(op1)
    assert done.mandate is not None
    with op1.begin() as tx:
        quote = quotes.get(tx, quote_id=done.order.quote)
    vouch = Voucher(op2.us.id, op2.neighbours.key)
    ask, key, trace = vouching.asking(quote.quote), BuyerKey("end"), quote.trace
    right = vouching.ceasing(ask, done.order.id)
    before = Mandate(tuple(replace(one, act="cease") for one in done.mandate.links[:-1]))

    def over(ask: vouching.Asking, key: BuyerKey = key, before: Mandate | None = None) -> Mandate:
        return vouch(before, ask=ask, key=key, trace=trace, now=alliance.clock.now())

    seller = op2.seller(op1.us.id)
    for wrong in (
        done.mandate,
        over(ask),
        over(vouching.ceasing(ask, OrderId("ord_other"))),
        over(replace(right, lines=())),
        over(right, BuyerKey("other")),
        over(right, before=Mandate(done.mandate.links[:-1])),
        over(right, before=before),
        Mandate((replace(over(right).links[0], act="order"),)),
    ):
        with pytest.raises(Refused, match="mandate-wrong"):
            seller.cease(order_id=done.order.id, key=key, mandate=wrong)
    assert placed_with(op1) == [done]
    assert seller.cease(order_id=done.order.id, key=key, mandate=over(right)).key == key
