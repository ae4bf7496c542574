"""The worker of a node is killed while devices are being told: the next one ends what it began."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hansa.drivers import store
from hansa.drivers.connectivity.driver import LabConnectivity
from hansa.drivers.lab import plan, register
from hansa.drivers.lab.box import Lab
from hansa.drivers.model import NetworkSettings
from hansa.federation.contract import OrderState
from hansa.foundation.database import Database
from hansa.foundation.ids import BuyerKey
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import SystemClock
from hansa.lifecycle.inventory import actions as inventory
from hansa.node import SETTINGS, Node
from hansa.storefront.seller import Storefront
from tests.alliance import Alliance
from tests.lab.conftest import needs
from tests.lab.sites import heals
from tests.nursery import Nursery, nursery

pytestmark = needs("connectivity")

WAIT_S = 60.0


@dataclass
class Operator:
    """One that delivers in the lab; its worker is a process of its own."""

    alliance: Alliance
    node: Node
    front: Storefront
    folder: Path
    nurse: Nursery


@pytest.fixture
def operator(lab: Lab, databases: Callable[[], Database], tmp_path: Path) -> Iterator[Operator]:
    alliance = Alliance(databases, tmp_path, SystemClock(), b"killed")  # type: ignore[arg-type]
    alliance.network = NetworkSettings({"connectivity": "lab"}, lab=str(lab.folder))
    node = alliance.add("op1")
    alliance.build_network(node)
    alliance.offer(node, sources=[node.us.id], currency="GBP")
    folder = tmp_path / "op1"
    (folder / SETTINGS).write_text(
        '[party]\nid = "op1"\nname = "OP1"\ncountry = "GB"\ncurrency = "GBP"\n'
        f'[http]\nport = 1\n[database]\nurl = "{node.database.url}"\n'
        f'[network]\nlab = "{lab.folder}"\n[network.drivers]\nconnectivity = "lab"\n'
    )
    with nursery() as nurse:
        yield Operator(alliance, node, alliance.customer(node), folder, nurse)
    alliance.close()


def until(happened: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def test_an_order_whose_worker_is_killed_twice_is_delivered_once(
    operator: Operator, lab: Lab
) -> None:
    front, nurse = operator.front, operator.nurse
    quote = front.quote(operator.alliance.need("P1", speed=20))
    order = front.order(quote_id=quote.id, key=BuyerKey("killed")).id
    for moment, what in (
        (lambda: bool(register.all(lab, "connectivity")), "its place in the lab"),
        (lambda: lab.boxes().get("cpe-1", {}).get("t1r", False), "the router's tunnel"),
    ):
        worker = nurse.start("worker", operator.folder)
        until(moment, what)
        nurse.kill(worker)
        until(lambda pid=worker: not nurse.lives(pid), "its death")  # type: ignore[misc]
        assert front.progress(order).state is not OrderState.COMPLETED

    nurse.start("worker", operator.folder)
    until(lambda: front.progress(order).state is OrderState.COMPLETED, "the order")
    with operator.node.begin() as tx:
        assert plans.fallout(tx) == []
        assert not set(plans.counts(tx)) - {"done", "skipped"}
        (holding,) = inventory.own(tx, us=operator.node.us.id)
        (service,) = store.in_service(tx, ["connectivity"])
    driver = operator.node.kit.drivers["connectivity"]
    assert isinstance(driver, LabConnectivity)
    assert service.holding == holding.ref.id
    assert service.intent is not None
    (there,) = register.all(lab, "connectivity").values()
    assert there["service"] == service.intent.service
    assert driver.bring(service.intent, now=SystemClock().now()) == []
    heals(lambda: driver.verify(service.intent))  # type: ignore[arg-type]
    boxes = lab.boxes()
    assert {name for name in boxes if name.startswith(("cpe", "host", "net", "acc"))} == {
        "cpe-1",
        "host-1",
        "net-1",
        "acc-za",
    }
    told = lab.box(plan.POP).run("ip", "-br", "link", "show", "type", "vxlan")
    assert len(told.splitlines()) == 1
    assert set(boxes["net-1"]) >= {"bird", "t1n"}
    assert not [name for name in boxes["net-1"] if name.startswith("t") and name != "t1n"]
