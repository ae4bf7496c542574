"""One house for all who look at it over HTTP: it takes a month to build."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Pool
from tests.isolation.world import House, build


@pytest.fixture(scope="package")
def house(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pool.lend() as databases:
        made = build(databases, tmp_path_factory.mktemp("house"))
        yield made
        made.alliance.close()
