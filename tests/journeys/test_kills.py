"""Three operators with real processes; one of them is killed at every moment of an order.

SIGKILL, from within, so that the moment is exact: before a partner is asked, after it has
answered and before that is recorded, when all is recorded and nothing committed. Then the
process is started again, and the order must be completed: nothing lost, nothing done twice.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hansa.federation.contract import OrderState
from hansa.foundation.database import Database
from hansa.foundation.ids import BuyerKey, OrderId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Period, SystemClock
from hansa.ledger import actions as ledger
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.order.actions import ending, orders
from hansa.lifecycle.order.model import Charge
from hansa.node import SETTINGS, HttpSettings, Node
from tests.alliance import SHOP, Alliance, chain
from tests.databases import Pool
from tests.nursery import Nursery, nursery

pytestmark = pytest.mark.slow

NODES = ("op1", "op2", "op3")
WAIT_S = 120.0
NOTICES = "listener/productOrderStateChangeEvent"


@dataclass
class Living:
    """A node's two processes."""

    folder: Path
    port: int
    api: int = 0
    worker: int = 0


class Addressed(Alliance):
    """An alliance whose operators are found at real ports by those who are not in this process."""

    ports: dict[str, int]

    def _http(self, party: PartyId) -> HttpSettings:
        return HttpSettings(port=self.ports[party])


class World:
    """A chain of three with real processes; the test is the customer's hand at the last one."""

    def __init__(self, alliance: Alliance, nurse: Nursery, nodes: dict[str, Living]) -> None:
        self.alliance = alliance
        self.nurse = nurse
        self.nodes = nodes
        self.front = alliance.top.storefront(Actor(SHOP, "customer"))
        self.placed = 0
        self.cancelled = 0

    def start(self, name: str, process: str, **told: str) -> int:
        living = self.nodes[name]
        pid = self.nurse.start(process, living.folder, **told)
        setattr(living, process, pid)
        if process == "api":
            wait(lambda: listens(living.port), f"{name}'s API")
        return pid

    def replace(self, name: str, process: str, **told: str) -> int:
        """Kills a process of a node and starts another in its place."""
        old = getattr(self.nodes[name], process)
        self.nurse.kill(old)
        wait(lambda: not self.nurse.lives(old), f"the death of {name}'s {process}")
        return self.start(name, process, **told)

    def quote(self) -> str:
        return self.front.quote(self.alliance.need(f"P{next(_places)}")).id

    def order(self, quote: str) -> OrderId:
        self.placed += 1
        return self.front.order(quote_id=quote, key=BuyerKey(quote)).id  # type: ignore[arg-type]

    def wait_for(self, order: OrderId, state: OrderState = OrderState.COMPLETED) -> None:
        wait(lambda: self.front.progress(order).state is state, f"an order that is {state}")

    def check(self) -> None:
        """Every order so far was delivered once at every node, or cancelled and charged for once,
        and nothing is left over.
        """
        for name, node in self.alliance.nodes.items():
            wait(lambda n=node: no_open_task(n), f"{name}'s tasks")  # type: ignore[misc]
            with node.begin() as tx:
                assert plans.fallout(tx) == []
                assert len(inventory.sold(tx, us=name)) == self.placed
                entered = self.placed + 2 * self.cancelled
                assert len(orders.orders(tx, us=name, limit=1000)) == entered
                below = inventory.own if name == "op1" else inventory.bought
                assert len(below(tx, us=name)) == self.placed
                buyer = SHOP if name == "op3" else PartyId(f"op{int(name[-1]) + 1}")
                held = ledger.exposure(tx, party=buyer, currency="GBP")
                owed = charges(node, name)
                assert len(owed) == (0 if name == "op1" else self.cancelled)
                in_all = COMMITTED[name] * self.placed + CANCELLED.get(name, 0) * len(owed)
                assert held == Money(in_all, "GBP")


COMMITTED = {"op1": 21000, "op2": 26700, "op3": 32970}
"""What an order commits each operator's buyer to, in pence: one-off and a month, with 20 % tax."""

CANCELLED = {"op2": 2700, "op3": 3900}
"""What a cancelled order costs op2's and op3's buyers, with tax; op1 has not begun with any."""

_places = itertools.count()


def charges(node: Node, seller: PartyId) -> Sequence[Charge]:
    with node.begin() as tx:
        return ending.charges(tx, seller=seller, period=Period.month_of(SystemClock().now()))


def no_open_task(node: object) -> bool:
    with node.begin() as tx:  # type: ignore[attr-defined]
        return not set(plans.counts(tx)) - {"done", "skipped", "undone"}


def wait(happened: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < until, f"{what} did not happen within {WAIT_S} s"
        time.sleep(0.01)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("kills")
    ports = {name: free_port() for name in NODES}
    with pool.lend() as databases, nursery() as nurse:
        alliance = Addressed(databases, folder, SystemClock(), b"kills")  # type: ignore[arg-type]
        alliance.ports = ports
        try:
            chain(alliance, len(NODES), cancellation=lambda number: f"{number}2.50")
            nodes = {name: Living(folder / name, ports[name]) for name in NODES}
            for party, node in alliance.nodes.items():
                write_settings(nodes[party], node.database)
            made = World(alliance, nurse, nodes)
            for name in NODES:
                made.start(name, "api")
                made.start(name, "worker")
            yield made
        finally:
            alliance.close()


def write_settings(living: Living, database: Database) -> None:
    name = living.folder.name
    (living.folder / SETTINGS).write_text(
        f'[party]\nid = "{name}"\nname = "{name.upper()}"\ncountry = "GB"\ncurrency = "GBP"\n'
        f"[http]\nport = {living.port}\n"
        f'[database]\nurl = "{database.url}"\n'
        "[worker]\nthreads = 2\n"
    )


def test_nobody_is_killed(world: World) -> None:
    """How it is when all goes well; also shows that what the others count is right."""
    world.wait_for(world.order(world.quote()))
    world.check()


MOMENTS = (
    ("deliver", "recorded"),
    ("delivery.supply", "before"),
    ("delivery.supply", "after"),
    ("delivery.supply", "recorded"),
    ("delivery.provide", "before"),
    ("delivery.provide", "recorded"),
    ("federation.notice", "before"),
    ("federation.notice", "after"),
    ("federation.notice", "recorded"),
)
"""Every task of an order; `deliver` is the writing of its plan."""


@pytest.mark.parametrize(
    ("name", "kind", "moment"),
    [
        (name, kind, moment)
        for name in NODES
        for kind, moment in MOMENTS
        if (name, kind) != ("op3", "federation.notice")  # its buyer is no partner to be told
    ],
)
def test_a_worker_is_killed(world: World, name: str, kind: str, moment: str) -> None:
    quote = world.quote()
    doomed = world.replace(name, "worker", kind=kind, moment=moment)
    order = world.order(quote)
    wait(lambda: not world.nurse.lives(doomed), f"the death of {name}'s worker at {kind}")
    world.start(name, "worker")
    world.wait_for(order)
    world.check()


@pytest.mark.parametrize("name", ["op2", "op3"])
@pytest.mark.parametrize(
    ("kind", "moment"),
    [
        ("deliver", "recorded"),
        ("delivery.withdraw", "before"),
        ("delivery.withdraw", "after"),
        ("delivery.withdraw", "recorded"),
        ("delivery.fail", "before"),
        ("delivery.fail", "recorded"),
    ],
)
def test_a_worker_is_killed_as_it_takes_an_order_back(
    world: World, name: str, kind: str, moment: str
) -> None:
    """op1 has the order and has not begun with it when the customer gives up."""
    world.nurse.kill(world.nodes["op1"].worker)
    order = world.order(world.quote())
    op1 = world.alliance.nodes[PartyId("op1")]
    wait(lambda: waiting(op1) == 1, "the order at op1")
    doomed = world.replace(name, "worker", kind=kind, moment=moment)
    world.front.cease(order_id=order, key=BuyerKey(f"back-{order}"))
    steps = [
        (lambda: not world.nurse.lives(doomed), name),
        (lambda: waiting(op1) == 2, "op1"),
    ]
    if kind == "delivery.fail":  # which comes when everything below has been taken back
        steps.reverse()
    for happened, next_one in steps:
        wait(happened, f"what {next_one}'s worker is to follow")
        world.start(next_one, "worker")
    wait(lambda: world.front.progress(order).state is OrderState.CANCELLED, "the end of it")
    world.placed -= 1
    world.cancelled += 1
    world.check()


def waiting(node: Node) -> int:
    """How many orders nobody has begun with."""
    with node.begin() as tx:
        return len(orders.orders(tx, us=node.us.id, state=OrderState.ACKNOWLEDGED))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("op1", "/productOrder"),
        ("op2", "/productOrder"),
        ("op2", NOTICES),
        ("op3", NOTICES),
    ],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_api_is_killed(world: World, name: str, path: str, moment: str) -> None:
    """When a request comes in, and when it has been done but not answered."""
    quote = world.quote()
    doomed = world.replace(name, "api", path=path, moment=moment)
    order = world.order(quote)
    wait(lambda: not world.nurse.lives(doomed), f"the death of {name}'s API at {path}")
    world.start(name, "api")
    world.wait_for(order)
    world.check()


def test_a_partner_is_frozen_for_a_while(world: World) -> None:
    """It takes connections and does not answer; then it goes on as if nothing had been."""
    quote = world.quote()
    os.kill(world.nodes["op1"].api, signal.SIGSTOP)
    order = world.order(quote)
    world.wait_for(order, OrderState.IN_PROGRESS)
    time.sleep(0.5)
    assert world.front.progress(order).state is OrderState.IN_PROGRESS
    os.kill(world.nodes["op1"].api, signal.SIGCONT)
    world.wait_for(order)
    world.check()


def test_a_partner_is_away_for_a_while(world: World) -> None:
    quote = world.quote()
    for process in ("api", "worker"):
        world.nurse.kill(getattr(world.nodes["op1"], process))
    order = world.order(quote)
    world.wait_for(order, OrderState.IN_PROGRESS)
    time.sleep(0.5)
    assert world.front.progress(order).state is OrderState.IN_PROGRESS
    for process in ("api", "worker"):
        world.start("op1", process)
    world.wait_for(order)
    world.check()
