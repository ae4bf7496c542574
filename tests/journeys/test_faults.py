"""Two operators, in which one thing goes wrong after the other: every run of a task fails once in
every way, every node dies once at each of its commits, and every call is made twice. In the end
all is as if nothing had happened: nothing lost, nothing done twice, no money moved twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeVar

import pytest

from hansa.federation.contract import OrderState, PercentileTariff
from hansa.federation.papers import StatementState
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import BuyerKey, OrderId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import Handler, Handlers, Outside, TaskState
from hansa.foundation.time import Period, SetClock
from hansa.ledger import actions as ledger
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.agreement.model import AgreementState
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.delivery.model import SUPPLY
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding
from hansa.lifecycle.order.actions import ending, orders
from hansa.lifecycle.settlement.actions import positions, statements
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests import faults
from tests.alliance import SHOP, Alliance
from tests.databases import Pool
from tests.faults import Fault, Killed, Wrap
from tests.standing import Standing

pytestmark = pytest.mark.slow

NOVEMBER = Period.month(2026, 11)
OPENING = datetime(2026, 11, 2, 8, tzinfo=UTC)
Answer = TypeVar("Answer")
ENDED = {TaskState.DONE, TaskState.SKIPPED, TaskState.UNDONE, TaskState.FAILED}


class Pair:
    """op1 delivers, op2 resells it on top of an access of its own. What every story begins with.

    empty: nothing was ordered. begun: op2 has built its access for a line, and op1 has begun with
    the rest. held: a line is held since some days. over: another one was cancelled while both
    worked on it, and the month is over.
    """

    def __init__(self, alliance: Alliance) -> None:
        self.alliance = alliance
        self.op1, self.op2 = (alliance.add(name) for name in ("op1", "op2"))
        self._handlers = [dict(node.handlers) for node in alliance.nodes.values()]
        for node in alliance.nodes.values():
            alliance.build_network(node)
        alliance.join(self.op1, self.op2)
        self.below = alliance.agree(self.op1, self.op2, currency="GBP")
        tariff = PercentileTariff(rate_per_mbps=Decimal("0.35"), commit_mbps=10)
        alliance.offer(
            self.op1,
            sources=[self.op1.us.id],
            currency="GBP",
            tariff=tariff,
            cancellation="11.10",
        )
        alliance.offer(
            self.op2,
            sources=[self.op1.us.id],
            currency="GBP",
            margin_bp=1000,
            access=True,
            cancellation="22.20",
        )
        self.front: Storefront = alliance.customer(self.op2)
        self.empty = Standing(alliance)
        self.begun_order, self.begun = self._begin()
        self.again(self.empty, as_they_are)
        self.order = place(self, "Durban", key="first")
        alliance.work()
        self.holding = self.front.progress(self.order).provided[0].holding
        alliance.clock.move(timedelta(days=3))
        self.held = Standing(alliance)
        self._cancel_one()
        alliance.clock.at = NOVEMBER.end + timedelta(hours=6)
        self.over = Standing(alliance)

    def _begin(self) -> tuple[OrderId, Standing]:
        self.leave_unanswered()
        order = place(self, "Durban", "begun")
        live(self, for_at_most=timedelta(minutes=1))
        with self.op1.begin() as tx:
            states = [one.order.state for one in orders.orders(tx, us=self.op1.us.id)]
        assert states == ["inProgress"]
        return order, Standing(self.alliance)

    def _cancel_one(self) -> None:
        order = place(self, "Paarl", key="cancelled")
        self.op2.work_once()
        self._begin_below()
        self.front.cease(order_id=order, key=BuyerKey("back"))
        self.op2.work_once()
        self._begin_below()
        self.alliance.work()
        assert self.front.progress(order).state is OrderState.CANCELLED

    def _begin_below(self) -> None:
        with self.op1.begin() as tx:
            assert self.op1.deliver(tx, self.alliance.clock.now()) == 1

    def leave_unanswered(self) -> None:
        """What op1 has begun comes to no end."""
        self.op1.handlers = {**self.op1.handlers, SUPPLY: unanswered(self.op1.handlers[SUPPLY])}

    def close(self) -> None:
        for standing in (self.empty, self.begun, self.held, self.over):
            standing.close()
        self.alliance.close()

    def again(self, standing: Standing, wrap: Wrap) -> None:
        """Everything as it stood, and from now on handlers as wrapped."""
        standing.again()
        for node, handlers in zip(self.alliance.nodes.values(), self._handlers, strict=True):
            node.handlers = wrap(handlers)


def place(pair: Pair, place: str, key: str, **wanted: Any) -> OrderId:
    """A customer's order, asked for until there is an answer."""
    quote = _insist(lambda: pair.front.quote(pair.alliance.need(place, **wanted)))
    return _insist(lambda: pair.front.order(quote_id=quote.id, key=BuyerKey(key))).id


def _insist(ask: Callable[[], Answer]) -> Answer:
    """Asks until there is an answer, as long as it pays to ask again."""
    while True:
        try:
            return ask()
        except (Killed, TryLater):
            continue


def live(pair: Pair, *, for_at_most: timedelta = timedelta(hours=1)) -> None:
    """Both work, and after each death again; the clock moves on to whatever is due next."""
    clock = pair.alliance.clock
    end = clock.at + for_at_most
    while True:
        moved = 0
        for node in pair.alliance.nodes.values():
            try:
                moved += node.work_once()
            except Killed:
                moved += 1
        if moved:
            continue
        due = [node.engine().next_due() for node in pair.alliance.nodes.values()]
        soonest = min((at for at in due if at is not None), default=None)
        if soonest is None or soonest > end:
            return
        clock.at = max(clock.at, soonest)


@pytest.fixture(scope="module")
def pair(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pool.lend() as databases:
        folder = tmp_path_factory.mktemp("faults")
        made = Pair(Alliance(databases, folder, SetClock(OPENING), b"faults"))
        yield made
        made.close()


# --- how a story must end -------------------------------------------------------------------------


def nothing_left(pair: Pair) -> None:
    """No task waits or is lost, and nobody has to look at anything."""
    for node in pair.alliance.nodes.values():
        with node.begin() as tx:
            assert plans.fallout(tx) == []
            assert plans.counts(tx).keys() <= ENDED
            assert ledger.verify(tx).ok


def holdings(node: Node) -> list[Holding]:
    with node.begin() as tx:
        us = node.us.id
        return [*inventory.own(tx, us=us), *inventory.bought(tx, us=us), *inventory.sold(tx, us=us)]


def settings_of(node: Node) -> list[list[dict[str, int | str] | None]]:
    """What each device of a node was set to, one after the other."""
    driver: Any = node.kit.drivers["connectivity"]
    found = []
    for one in sorted(holdings(node), key=lambda one: one.ref.id):
        if one.ref.seller == one.buyer == node.us.id:
            history = driver.devices.history(one.ref.id)
            found.append([setting.characteristics for setting in history])
    return found


def spells(pair: Pair, count: int) -> None:
    """Every holding has so many stretches, and both sides of the trade know the same ones."""
    (sold,) = [one for one in holdings(pair.op1) if one.buyer == pair.op2.us.id]
    (bought,) = [one for one in holdings(pair.op2) if one.ref.seller == pair.op1.us.id]
    assert [(one.start, one.end, one.terms) for one in sold.spells] == [
        (one.start, one.end, one.terms) for one in bought.spells
    ]
    for node in (pair.op1, pair.op2):
        assert {len(one.spells) for one in holdings(node)} == {count}


def credit(pair: Pair) -> tuple[Money, Money]:
    """What is held of op2's credit at op1, and of the customer's at op2."""
    with pair.op1.begin() as tx:
        below = ledger.exposure(tx, party=pair.op2.us.id, currency="GBP")
    with pair.op2.begin() as tx:
        return below, ledger.exposure(tx, party=SHOP, currency="GBP")


# --- the stories ----------------------------------------------------------------------------------


def a_line_is_sold(pair: Pair, wrap: Wrap) -> None:
    pair.again(pair.empty, wrap)
    order = place(pair, "Durban", "k")
    live(pair)
    assert pair.front.progress(order).state is OrderState.COMPLETED
    assert len(holdings(pair.op1)) == 2
    assert len(holdings(pair.op2)) == 3
    for node in (pair.op1, pair.op2):
        assert settings_of(node) == [[{"speed_mbps": 100}]]
        with node.begin() as tx:
            assert len(orders.orders(tx, us=node.us.id)) == 1
    spells(pair, 1)
    # 50.00 + 125.00 with 20 % tax; 105.00 + 262.50 at the customer's.
    assert credit(pair) == (Money(21000, "GBP"), Money(44100, "GBP"))
    nothing_left(pair)


def a_line_is_made_faster(pair: Pair, wrap: Wrap) -> None:
    pair.again(pair.held, wrap)
    order = place(pair, "Durban", "k", speed=300, holding=pair.holding)
    live(pair)
    assert pair.front.progress(order).state is OrderState.COMPLETED
    spells(pair, 2)
    for node in (pair.op1, pair.op2):
        assert [[one and one["speed_mbps"] for one in each] for each in settings_of(node)] == [
            [100, 300]
        ]
    nothing_left(pair)


def a_line_is_ceased(pair: Pair, wrap: Wrap) -> None:
    pair.again(pair.held, wrap)
    cease = _insist(lambda: pair.front.cease(order_id=pair.order, key=BuyerKey("k"))).id
    live(pair)
    assert pair.front.progress(cease).state is OrderState.COMPLETED
    for node in (pair.op1, pair.op2):
        assert {str(one.state) for one in holdings(node)} == {"terminated"}
        assert [[one and one["speed_mbps"] for one in each] for each in settings_of(node)] == [
            [100, None]
        ]
    spells(pair, 1)
    nothing_left(pair)


def suspend(pair: Pair) -> None:
    """The agreement between the two, by the one that leads it; suspended already stays so."""
    with pair.op1.begin() as tx:
        if agreement.show(tx, ref=pair.below).state is AgreementState.SUSPENDED:
            return
        agreement.suspend(
            tx, us=pair.op1.us.id, ref=pair.below, keys=pair.op1.keys, ids=pair.op1.ids,
            now=pair.alliance.clock.now(),
        )  # fmt: skip


def an_order_fails_and_is_taken_back(pair: Pair, wrap: Wrap) -> None:
    """op2 has built its access when op1 refuses the rest; it is taken down again."""
    pair.again(pair.empty, wrap)
    order = place(pair, "Durban", "k")
    _insist(lambda: suspend(pair))
    live(pair)
    assert pair.front.progress(order).state is OrderState.FAILED
    assert holdings(pair.op1) == []
    assert [str(one.state) for one in holdings(pair.op2)] == ["terminated"]
    ((first, last),) = settings_of(pair.op2)
    assert first is not None
    assert last is None
    assert credit(pair) == (Money.zero("GBP"), Money.zero("GBP"))
    nothing_left(pair)


def an_order_is_cancelled(pair: Pair, wrap: Wrap) -> None:
    """op2 has built its access, and op1 has begun with the rest, when the customer gives up. What
    goes wrong before that goes wrong when a line is sold.
    """
    pair.again(pair.begun, wrap)
    pair.leave_unanswered()
    end = _insist(lambda: pair.front.cease(order_id=pair.begun_order, key=BuyerKey("back"))).id
    live(pair)
    assert pair.front.progress(pair.begun_order).state is OrderState.CANCELLED
    assert pair.front.progress(end).state is OrderState.COMPLETED
    for node in (pair.op1, pair.op2):
        assert {str(one.state) for one in holdings(node)} <= {"terminated"}
    assert charged(pair.op1) == [("op1", "op2", 1110)]
    assert charged(pair.op2) == [("op1", "op2", 1110), ("op2", SHOP, 2220)]
    # With 20 % tax.
    assert credit(pair) == (Money(1332, "GBP"), Money(2664, "GBP"))
    nothing_left(pair)


def unanswered(handler: Handler) -> Handler:
    """Has no answer from the seller, and is not asked again before the story goes on."""

    def call(_task: object, _now: object) -> None:
        raise TryLater("silent", "The seller does not answer; ask again.", after_s=90)

    assert isinstance(handler, Outside)
    return replace(handler, call=call)


def charged(node: Node) -> list[tuple[PartyId, PartyId, int]]:
    """What the node knows to be owed for cancelled orders: to whom, by whom, how much."""
    with node.begin() as tx:
        found = ending.charges(tx, period=NOVEMBER)
    return sorted((one.seller, one.buyer, one.net.minor) for one in found)


def a_month_is_settled(pair: Pair, wrap: Wrap) -> None:
    pair.again(pair.over, wrap)
    live(pair)
    owed = []
    for node in (pair.op1, pair.op2):
        with node.begin() as tx:
            (statement,) = statements.find(tx, period=NOVEMBER)
            assert (statement.state, statement.differences) == (StatementState.INVOICED, ())
            (line,) = [one for one in statement.statement.lines if "/cancellation/" in one.key]
            assert line.net == Money(1110, "GBP")
            owed.append(statement.total)
    with pair.op1.begin() as tx:
        (bill,) = billing.bills(tx)
        assert ledger.balance(tx, code="receivable/op2/GBP") == bill.total == owed[0] == owed[1]
        assert bill.number == "OP1-2026-000001"
    with pair.op2.begin() as tx:
        (invoice,) = billing.supplier_invoices(tx)
        (customers,) = billing.bills(tx)
        assert sum("/cancellation/" in line.key for line in customers.lines) == 1
        assert (invoice.number, invoice.total) == (bill.number, bill.total)
        assert ledger.balance(tx, code="payable/op1/GBP") == -bill.total
        assert ledger.balance(tx, code=f"receivable/{SHOP}/GBP") == customers.total
        assert customers.number == "OP2-2026-000001"
    books = []
    for node in (pair.op1, pair.op2):
        with node.begin() as tx:
            books.append(positions.books(tx, us=node.us.id))
    proof = positions.proof(books)
    assert proof.ok, proof.breaks
    nothing_left(pair)


Story = Callable[[Pair, Wrap], None]
STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        a_line_is_sold,
        a_line_is_made_faster,
        a_line_is_ceased,
        an_order_fails_and_is_taken_back,
        an_order_is_cancelled,
        a_month_is_settled,
    )
}


def as_they_are(handlers: Handlers) -> Handlers:
    return handlers


@pytest.mark.parametrize("name", STORIES)
def test_it_goes_well(pair: Pair, name: str) -> None:
    STORIES[name](pair, as_they_are)


@pytest.mark.parametrize("name", STORIES)
def test_every_call_is_made_twice(pair: Pair, name: str) -> None:
    STORIES[name](pair, faults.twice)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
@pytest.mark.parametrize("name", STORIES)
def test_every_task_fails_in_turn(pair: Pair, name: str, fault: Fault) -> None:
    told = faults.each_in_turn(fault, lambda wrap: STORIES[name](pair, wrap))
    assert told >= 5


# --- a node dies at a commit ----------------------------------------------------------------------


class Doomed:
    """The pools of both nodes, of which the one dies that makes the n-th commit that writes.

    at: before the commit, which is then lost, or after it. struck: whether there was an n-th.
    """

    def __init__(self, pair: Pair, at: Literal["before", "after"], nth: int) -> None:
        self._pair = pair
        self._at = at
        self._nth = nth
        self._commits = itertools.count()
        self.struck = False

    def __enter__(self) -> Doomed:
        self._pools = []
        for node in self._pair.alliance.nodes.values():
            database: Any = node.database
            self._pools.append((database, database._pool))
            database._pool = _Pool(database._pool, self)
        return self

    def __exit__(self, *_: object) -> None:
        for database, pool in self._pools:
            database._pool = pool

    @contextmanager
    def connection(self, pool: Any) -> Iterator[Any]:
        dies = False
        with pool.connection() as connection:
            yield connection
            row = connection.execute("select pg_current_xact_id_if_assigned() as id").fetchone()
            if row["id"] is not None:
                dies = next(self._commits) == self._nth
            if dies and self._at == "before":
                self._strike()
        if dies and self._at == "after":
            self._strike()

    def _strike(self) -> None:
        self.struck = True
        raise Killed


class _Pool:
    """A pool whose connections may be the last."""

    def __init__(self, pool: Any, doomed: Doomed) -> None:
        self._pool = pool
        self._doomed = doomed

    def connection(self) -> Any:
        return self._doomed.connection(self._pool)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


@pytest.mark.parametrize("at", ["before", "after"])
@pytest.mark.parametrize("name", STORIES)
def test_a_node_dies_at_each_commit(pair: Pair, name: str, at: Literal["before", "after"]) -> None:
    """Worker or API, whichever makes the commit."""
    for nth in itertools.count():
        with Doomed(pair, at, nth) as doomed:
            STORIES[name](pair, as_they_are)
        if not doomed.struck:
            break
    assert nth > 10
