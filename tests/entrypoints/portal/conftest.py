"""A node with a portal, and people who come to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.party import Party
from hansa.foundation.people.model import Brand, PortalSettings
from hansa.foundation.time import SetClock
from hansa.node import HttpSettings, Node, Settings
from tests.conftest import seeded_entropy
from tests.entrypoints.portal.visitor import Visitor, enter


@pytest.fixture
def node(databases: Callable[[], object], tmp_path: Path, clock: SetClock) -> Iterator[Node]:
    """ACME's node, with a portal and nobody who can sign in."""
    settings = Settings(
        party=Party(PartyId("acme"), "ACME", "GB", "GBP"),
        http=HttpSettings(port=1, address="http://acme.test"),
        portal=PortalSettings(port=2, address="http://portal.test", brand=Brand("ACME Business")),
    )
    made = Node(
        settings,
        folder=tmp_path,
        database_url=databases().url,  # type: ignore[attr-defined]
        clock=clock,
        ids=Ids(clock, seeded_entropy(b"portal")),
    )
    made.open()
    yield made
    made.close()


@pytest.fixture
def visitor(node: Node) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(node)


@pytest.fixture
def admin(node: Node, visitor: Visitor) -> Visitor:
    """Ada, who looks after the portal."""
    return visitor.sign_in(enter(node, "ada", "admin"))
