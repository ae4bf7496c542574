"""One node's TMF door, with a database behind it, at which everyone says who they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Pool
from tests.federation.tmf.door import Door


@pytest.fixture(scope="module")
def door(pool: Pool) -> Iterator[Door]:
    """BT's door; what comes in stays for the other tests of the module."""
    with pool.lend() as another:
        yield Door(another())
