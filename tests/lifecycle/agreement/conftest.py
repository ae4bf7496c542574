"""Two or three operators who know each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hansa.foundation.database import Database, run
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import Ids
from hansa.foundation.time import SetClock
from tests.lifecycle.agreement.examples import BT, MCI, MTN, World, world

EMPTY = """
do $$
declare
    name regclass;
begin
    set local session_replication_role = replica;
    for name in select oid from pg_class
                where relkind = 'r' and relnamespace = 'public'::regnamespace
                  and relname <> 'migration'
    loop
        execute 'delete from ' || name;
    end loop;
end $$
"""
"""Forgets all that a database holds, past the triggers that keep records."""


@pytest.fixture(scope="package")
def kept(server: EmbeddedServer, template: str) -> Iterator[Sequence[Database]]:
    """Databases for all tests of this folder: emptying one is quicker than making one."""
    made = []
    for number in range(4):
        server.create_database(f"agreement_{number}", template=template)
        made.append(Database(server.url(f"agreement_{number}")))
        made[-1].open()
    yield made
    for number, database in enumerate(made):
        database.close()
        server.drop_database(f"agreement_{number}")


@pytest.fixture
def databases(kept: Sequence[Database]) -> Iterator[Callable[[], Database]]:
    """Each call gives another empty database of a node."""
    given = iter(kept)
    yield lambda: next(given)
    for database in kept:
        with database.begin() as tx:
            run(tx, EMPTY)


@pytest.fixture
def two(databases: Callable[[], Database], tmp_path: Path, ids: Ids, clock: SetClock) -> World:
    """BT and MTN."""
    return world(databases, tmp_path, ids, clock, BT, MTN)


@pytest.fixture
def three(databases: Callable[[], Database], tmp_path: Path, ids: Ids, clock: SetClock) -> World:
    """BT, MTN and MCI."""
    return world(databases, tmp_path, ids, clock, BT, MTN, MCI)
