"""Alliances for journeys: several operators in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hansa.foundation.database import Database
from hansa.foundation.time import SetClock
from tests.alliance import Alliance


@pytest.fixture
def alliance(
    databases: Callable[[], Database], tmp_path: Path, clock: SetClock
) -> Iterator[Alliance]:
    """An alliance without operators; add them."""
    made = Alliance(databases, tmp_path, clock, b"journey")
    yield made
    made.close()
