"""One node's TMF door, with a database behind it, at which everyone says who they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hansa.foundation.time import SetClock
from tests.alliance import Alliance, chain
from tests.databases import Pool
from tests.federation.tmf.door import Door, Front


@pytest.fixture(scope="module")
def door(pool: Pool) -> Iterator[Door]:
    """BT's door; what comes in stays for the other tests of the module."""
    with pool.lend() as another:
        yield Door(another())


@pytest.fixture(scope="package")
def front(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A whole node that buys from another, at which everyone is the customer that it has."""
    with pool.lend() as databases:
        clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
        alliance = Alliance(databases, tmp_path_factory.mktemp("front"), clock, b"front")
        chain(alliance, 2)
        made = Front(alliance.top)
        yield made
        made.keeper.close()
        alliance.close()
