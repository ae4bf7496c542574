"""North sells lines to a shop: from its own network, and where it has none, from south's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hansa.drivers import actions as network
from hansa.drivers.model import Coverage
from hansa.foundation.money import Money
from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.alliance import LINE, Alliance
from tests.databases import Pool
from tests.entrypoints.portal.visitor import Visitor, enter


@pytest.fixture(scope="module")
def alliance(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alliance]:
    """Shared by the tests of a module: what one changes, another must not look at."""
    folder: Path = tmp_path_factory.mktemp("sales")
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        made = Alliance(databases, folder, clock, b"sales")
        south, north = made.add("south", "ZA"), made.add("north")
        made.build_network(south)
        made.offer(south, sources=[south.us.id], currency="GBP")
        made.join(south, north)
        made.agree(south, north, currency="GBP")
        made.build_network(north, countries=())
        with north.begin() as tx:
            network.cover(tx, entries=[Coverage(LINE, "GB", town) for town in ("London", "Leeds")])
        made.offer(
            north,
            sources=[north.us.id, south.us.id],
            currency="GBP",
            one_off="10",
            monthly="20",
            margin_bp=1000,
            countries=("GB", "ZA"),
        )
        made.customer(north, credit_limit=Money.of("5000", "GBP"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def north(alliance: Alliance) -> Node:
    return alliance.top


@pytest.fixture(scope="module")
def sal(north: Node) -> Visitor:
    """Sal sells."""
    return Visitor(north).sign_in(enter(north, "sal", "sales"))


@pytest.fixture(scope="module")
def fin(north: Node) -> Visitor:
    """Fin keeps the books and may see what is earned."""
    return Visitor(north).sign_in(enter(north, "fin", "finance"))


@pytest.fixture(scope="module")
def app(north: Node) -> Visitor:
    """App approves what others propose."""
    return Visitor(north).sign_in(enter(north, "app", "approver"))
