"""One small world for all tests of a module that mostly look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hansa.entrypoints.portal import live
from tests.databases import Pool
from tests.entrypoints.portal.operations.world import World
from tests.entrypoints.portal.visitor import Visitor


@pytest.fixture(scope="module")
def world(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patched, pool.lend() as databases:
        patched.setattr(live, "BEAT_S", 0.05)
        made = World(databases, tmp_path_factory.mktemp("operations"))
        yield made
        made.alliance.close()


@pytest.fixture(scope="module")
def ops(world: World) -> Visitor:
    """Olu, of operations."""
    return world.visitor("olu", "operations")


@pytest.fixture(scope="module")
def fin(world: World) -> Visitor:
    """Fin, who has nothing to do here."""
    return world.visitor("fin", "finance")
