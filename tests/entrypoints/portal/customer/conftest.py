"""The world of the customers, built once, and as it was for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hansa.foundation.time import SetClock
from tests.alliance import Alliance
from tests.databases import Pool
from tests.entrypoints.portal.customer.world import ORDERED, World
from tests.entrypoints.portal.visitor import Visitor
from tests.standing import Standing, standing


@pytest.fixture(scope="session")
def built(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Standing]]:
    with pool.lend() as databases:
        folder = tmp_path_factory.mktemp("customers")
        world = World(Alliance(databases, folder, SetClock(ORDERED), b"customers"))
        with standing(world.alliance) as made:
            yield world, made


@pytest.fixture
def world(built: tuple[World, Standing]) -> World:
    """As it was built."""
    world, stands = built
    stands.again()
    return world


@pytest.fixture
def shop(world: World) -> Visitor:
    """Somebody of the shop, signed in."""
    return world.visitor()
