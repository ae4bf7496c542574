"""A list a page at a time."""

from __future__ import annotations

from datetime import UTC
from typing import cast

import pytest
from starlette.requests import Request

from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.paging import Turn, turn
from hansa.foundation.people.model import Brand
from hansa.foundation.time import Instant
from hansa.node import Node


def asked(query: str) -> Ask:
    scope = {"type": "http", "method": "GET", "path": "/orders", "headers": []}
    request = Request({**scope, "query_string": query.encode()})
    now = Instant(2026, 11, 1, tzinfo=UTC)
    return Ask(cast(Node, None), request, "/orders", now, "en", Brand("op1"))


@pytest.mark.parametrize(
    ("query", "number", "base"),
    [
        ("", 1, "/orders?page="),
        ("page=3", 3, "/orders?page="),
        ("q=a%26b&page=2", 2, "/orders?q=a%26b&page="),
        ("page=-1", 1, "/orders?page="),
        ("page=none", 1, "/orders?page="),
    ],
)
def test_other_pages_are_of_the_same_list(query: str, number: int, base: str) -> None:
    assert turn(asked(query), 25) == Turn(number, 25, base)


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (25, 1), (26, 2), (1204, 49)])
def test_the_last_page_may_be_short(total: int, pages: int) -> None:
    assert Turn(1, 25, "").pages(total) == pages


def test_a_page_begins_after_those_before_it() -> None:
    assert [Turn(number, 25, "").offset for number in (1, 2, 10)] == [0, 25, 225]
