"""What every test may ask for: a server, fresh databases, a clock that stands still, ids."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hansa.foundation.database import Database
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.ids import Ids
from hansa.foundation.migrations import migrate
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from hansa.node import SCHEMAS
from tests.databases import Pool
from tests.shares import Shares, in_order

TEMPLATE = "template_hansa"

MEMORY = Path("/dev/shm")
ROOM_MIN = 6 << 30
"""Octets that have to be free in memory before tests write there."""


def pytest_configure() -> None:
    """Tests write their files into memory where there is plenty, and wait for no disk."""
    if "TMPDIR" not in os.environ and _room() >= ROOM_MIN:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares | None:
    """How workers share files: see `tests.shares`."""
    return Shares(config, log) if config.getoption("dist") == "loadfile" else None


def _room() -> int:
    """What may be written into memory, in octets."""
    try:
        told = Path("/proc/meminfo").read_text("ascii")
        left = int(told.partition("MemAvailable:")[2].split()[0]) << 10
        return min(left, shutil.disk_usage(MEMORY).free)
    except (OSError, IndexError, ValueError):
        return 0


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A running PostgreSQL for the whole session; the disk is not waited for."""
    folder = Path(tempfile.mkdtemp(prefix="hansa-test-"))
    folder.chmod(0o711)  # the server's user, when we are root, has to pass through
    try:
        with EmbeddedServer(folder / "database", durable=False) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """The name of a database with every room's tables, to copy from."""
    server.create_database(TEMPLATE)
    migrate(server.url(TEMPLATE), SCHEMAS)
    return TEMPLATE


@pytest.fixture(scope="session")
def pool(server: EmbeddedServer, template: str) -> Iterator[Pool]:
    """Databases of nodes, lent to one test after the other."""
    made = Pool(server, template)
    yield made
    made.close()


@pytest.fixture
def databases(pool: Pool) -> Iterator[Callable[[], Database]]:
    """Each call gives another opened database of a node, with nothing in it."""
    with pool.lend() as another:
        yield another


@pytest.fixture
def database(databases: Callable[[], Database]) -> Database:
    """One opened database of a node, with every room's tables and nothing in them."""
    return databases()


@pytest.fixture
def begin(database: Database) -> Begin:
    """Opens transactions on `database`."""
    return database.begin


@pytest.fixture
def clock() -> SetClock:
    """Monday 2 November 2026, 08:00 UTC, until the test moves it."""
    return SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))


@pytest.fixture
def ids(clock: SetClock) -> Ids:
    """Ids that are the same in every run of the test."""
    return Ids(clock, seeded_entropy(b"hansa"))


def seeded_entropy(seed: bytes) -> Callable[[int], bytes]:
    """A stand-in for `secrets.token_bytes` that repeats itself from the same seed."""
    counter = itertools.count()

    def entropy(length: int) -> bytes:
        drawn = hashlib.shake_256(seed + next(counter).to_bytes(8, "big"))
        return drawn.digest(length)

    return entropy
