"""A month between operators of three currencies, and the people who keep their books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.alliance import Alliance
from tests.databases import Pool
from tests.entrypoints.portal.visitor import Visitor, enter
from tests.journeys.month import OP1, OP2, OP3, build


@pytest.fixture(scope="module")
def alliance(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alliance]:
    """OP1 (GBP) sells to OP2 (EUR), that to OP3 (JPY), which has a customer; November is over.

    OP2 confirms by hand. Shared by the tests of a module.
    """
    folder = tmp_path_factory.mktemp("finance")
    with pool.lend() as databases:
        made = Alliance(databases, folder, SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC)), b"books")
        build(made, 3)
        for name, node in made.nodes.items():
            if name == OP2:
                by_hand = replace(node.settings.settlement, auto_confirm=False)
                node.settings = replace(node.settings, settlement=by_hand)
        made.work()
        yield made
        made.close()


@pytest.fixture(scope="module")
def come(alliance: Alliance) -> Callable[..., Visitor]:
    """Somebody with these roles comes to an operator's portal."""

    def coming(node: Node, login: str, *roles: str) -> Visitor:
        return Visitor(node).sign_in(enter(node, login, *roles))

    return coming


@pytest.fixture(scope="module")
def op1(alliance: Alliance) -> Node:
    return alliance.nodes[OP1]


@pytest.fixture(scope="module")
def op2(alliance: Alliance) -> Node:
    return alliance.nodes[OP2]


@pytest.fixture(scope="module")
def op3(alliance: Alliance) -> Node:
    return alliance.nodes[OP3]
