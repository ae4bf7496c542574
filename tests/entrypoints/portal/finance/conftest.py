"""A month between operators of three currencies, one between two who net, and their people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hansa.federation.papers import CountryNetting, NettingTerms
from hansa.foundation.ids import BuyerKey
from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.alliance import Alliance
from tests.databases import Pool
from tests.entrypoints.portal.visitor import Visitor, enter
from tests.journeys.month import MORNING_AFTER, OP1, OP2, OP3, ORDERED, build
from tests.standing import Standing, standing


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


@pytest.fixture(scope="session")
def built(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    with pool.lend() as databases:
        folder = tmp_path_factory.mktemp("netting")
        alliance = Alliance(databases, folder, SetClock(ORDERED), b"netting")
        op1, op2 = alliance.add(OP1), alliance.add(OP2, "PT")
        alliance.build_network(op1)
        alliance.join(op1, op2)
        may = [CountryNetting(one, "multilateral", f"leave of {one}") for one in ("GB", "PT")]
        terms = NettingTerms(OP1, tuple(may))
        alliance.agree(op1, op2, currency="GBP", netting=terms)
        alliance.offer(op1, sources=[OP1], currency="GBP")
        alliance.offer(op2, sources=[OP1], currency="GBP", margin_bp=1000)
        front = alliance.customer(op2)
        quote = front.quote(alliance.need("Durban", "Paarl"))
        front.order(quote_id=quote.id, key=BuyerKey("new"))
        alliance.work()
        by_hand = replace(op2.settings.settlement, auto_confirm=False)
        op2.settings = replace(op2.settings, settlement=by_hand)
        alliance.clock.at = MORNING_AFTER
        alliance.work()
        for node in (op1, op2):
            for login, role in (("fin", "finance"), ("fay", "finance"), ("cai", "approver")):
                enter(node, login, role)
        with standing(alliance) as made:
            yield made


@pytest.fixture
def two(built: Standing) -> Alliance:
    """OP1 has stated November to OP2, in pounds; OP2 confirms by hand, and both sign by hand what
    is netted among many, of which OP1 is the centre. As it was built, for every test.
    """
    return built.again()
