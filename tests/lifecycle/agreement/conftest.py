"""Two or three operators who know each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hansa.foundation.database import Database
from hansa.foundation.ids import Ids
from hansa.foundation.time import SetClock
from tests.lifecycle.agreement.examples import BT, MCI, MTN, World, world


@pytest.fixture
def two(databases: Callable[[], Database], tmp_path: Path, ids: Ids, clock: SetClock) -> World:
    """BT and MTN."""
    return world(databases, tmp_path, ids, clock, BT, MTN)


@pytest.fixture
def three(databases: Callable[[], Database], tmp_path: Path, ids: Ids, clock: SetClock) -> World:
    """BT, MTN and MCI."""
    return world(databases, tmp_path, ids, clock, BT, MTN, MCI)
