"""A stage for plans: one database for all stories, emptied before each; a desk for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hansa.foundation.database import Database, run
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import Ids
from hansa.foundation.time import SetClock
from tests.foundation.reception import Desk
from tests.foundation.stage import Stage

EMPTY = (
    "set local session_replication_role = replica",  # interventions are never removed otherwise
    "truncate plan, plan_task, plan_intervention",
    "create table if not exists effect (task text, way text)",
    "truncate effect",
)


@pytest.fixture(scope="package")
def stage_database(server: EmbeddedServer, template: str) -> Iterator[Database]:
    server.create_database("stage", template=template)
    database = Database(server.url("stage"), role=None)
    database.open()
    yield database
    database.close()
    server.drop_database("stage")


@pytest.fixture
def empty_stage(stage_database: Database, clock: SetClock, ids: Ids) -> Callable[[], Stage]:
    """Each call gives a stage on which nothing has happened, and clears the one before."""
    opening = clock.now()

    def empty() -> Stage:
        with stage_database.begin() as tx:
            for statement in EMPTY:
                run(tx, statement)
        clock.at = opening
        return Stage(stage_database, clock, ids)

    return empty


@pytest.fixture
def stage(empty_stage: Callable[[], Stage]) -> Stage:
    return empty_stage()


@pytest.fixture
def desk(database: Database, clock: SetClock, ids: Ids) -> Desk:
    return Desk(database, clock, ids)
