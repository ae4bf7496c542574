"""Every operation says what a client needs for it, and few are open to anyone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hansa.entrypoints.http import dialects, scopes
from hansa.federation.clients import endpoint
from hansa.federation.exchange import Operation
from hansa.foundation.database import Database
from hansa.foundation.time import SetClock
from tests.alliance import Alliance

OPEN = re.compile(r"/tmf-api/\w+/v4(/openapi\.json)?|/mefApi/.*openapi.*")
"""What is told to anyone: what there is to ask for."""


@pytest.fixture
def served(
    databases: Callable[[], Database], tmp_path: Path, clock: SetClock
) -> Iterator[list[Operation]]:
    alliance = Alliance(databases, tmp_path, clock, b"scopes")
    spoken = dialects(alliance.add("acme"))
    yield [operation for dialect in spoken for operation in dialect.operations]
    alliance.close()


def test_what_is_asked_of_a_node_needs_a_caller_and_a_scope(served: list[Operation]) -> None:
    asked = [one for one in served if one.gated]
    assert len(asked) > 100
    bare = [f"{one.method} {one.template}" for one in asked if not one.scope]
    assert bare == []
    odd = [
        one.scope for one in asked if not re.fullmatch(r"[A-Za-z0-9.-]+:(read|write)", one.scope)
    ]
    assert odd == []


def test_what_only_looks_needs_no_right_to_write(served: list[Operation]) -> None:
    """Every hub is to be subscribed to by whoever may read, and so are questions by POST."""
    wrong = [
        f"{one.method} {one.template}: {one.scope}"
        for one in served
        if one.gated and one.method == "GET" and not one.scope.endswith(":read")
    ]
    assert wrong == []


def test_what_changes_something_is_not_done_by_who_may_read(served: list[Operation]) -> None:
    lax = [
        f"{one.method} {one.template}"
        for one in served
        if one.gated
        and one.method != "GET"
        and one.scope.endswith(":read")
        and "/hub" not in one.template
    ]
    assert lax == []


def test_few_things_are_open_to_anyone(served: list[Operation]) -> None:
    open_to_all = [one for one in served if not one.gated]
    assert [one.template for one in open_to_all if one.method != "GET"] == []
    assert [one.template for one in open_to_all if not OPEN.fullmatch(one.template)] == []


def test_scopes_can_be_given(desk_scopes: frozenset[str]) -> None:
    assert {"tmf621:read", "tmf621:write", "tmf622:write"} <= desk_scopes
    assert endpoint.GRANT == "client_credentials"


@pytest.fixture
def desk_scopes(
    databases: Callable[[], Database], tmp_path: Path, clock: SetClock
) -> Iterator[frozenset[str]]:
    alliance = Alliance(databases, tmp_path, clock, b"scopes")
    yield scopes(dialects(alliance.add("acme")))
    alliance.close()
