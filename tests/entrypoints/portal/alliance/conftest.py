"""North drafts, south signs: the people of both, at their portals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hansa.federation.papers import Deduction, RevenueShare
from hansa.foundation.money import Money
from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.alliance import LINE, Alliance
from tests.databases import Pool
from tests.entrypoints.portal.visitor import Visitor, enter


@pytest.fixture(scope="module")
def alliance(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alliance]:
    """South sells to north in South Africa, where it is live, and in Ghana, where it is not.

    Shared by the tests of a module: what one changes, another must not look at.
    """
    folder = tmp_path_factory.mktemp("alliance")
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    with pool.lend() as databases:
        made = Alliance(databases, folder, clock, b"alliance")
        south, north = made.add("south", "ZA", "ZAR"), made.add("north")
        made.join(south, north)
        made.agree(
            south,
            north,
            currency="GBP",
            countries=("GH", "ZA"),
            launched=("ZA",),
            credit_limit=Money.of("5000", "GBP"),
            shares=[
                RevenueShare(
                    operator=south.us.id,
                    beneficiary=north.us.id,
                    share_bp=1250,
                    offers=(LINE,),
                    currency="GBP",
                    fx_source="ecb",
                    waterfall=(Deduction("credits"), Deduction("taxes", part_bp=500)),
                )
            ],
        )
        yield made
        made.close()


@pytest.fixture(scope="module")
def south(alliance: Alliance) -> Node:
    return next(iter(alliance.nodes.values()))


@pytest.fixture(scope="module")
def north(alliance: Alliance) -> Node:
    return alliance.top


def come(node: Node, login: str, *roles: str) -> Visitor:
    """Somebody with these roles, signed in."""
    return Visitor(node).sign_in(enter(node, login, *roles))


@pytest.fixture(scope="module")
def sal(north: Node) -> Visitor:
    """Sal sells at north."""
    return come(north, "sal", "sales")


@pytest.fixture(scope="module")
def app(north: Node) -> Visitor:
    """App approves at north what others propose."""
    return come(north, "app", "approver")


@pytest.fixture(scope="module")
def siya(south: Node) -> Visitor:
    """Siya sells at south, which leads."""
    return come(south, "siya", "sales")


@pytest.fixture(scope="module")
def anna(south: Node) -> Visitor:
    """Anna approves at south."""
    return come(south, "anna", "approver", "sales")
