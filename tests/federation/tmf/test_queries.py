"""Lists are found, sorted and paged alike, in the database and in memory; patches merge."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hansa.federation.tmf.engine import query
from hansa.federation.tmf.engine.model import Found
from hansa.federation.tmf.engine.query import Window, windowed
from hansa.federation.wire import parse, render
from hansa.foundation.errors import Refused
from tests.federation.tmf.door import Door

PATH = "/tmf-api/party/v4/organization"

THINGS: list[dict[str, Any]] = [
    {"tradingName": "Alpha", "x": 1, "when": "2026-11-01T00:00:00Z", "tags": ["red", "blue"]},
    {"tradingName": "Beta", "x": Decimal("1.50"), "flag": True, "tags": ["green"]},
    {"tradingName": "Gamma, Delta", "x": "1.5", "deep": [{"er": [{"one": 7}]}, {"er": None}]},
    {"tradingName": "O'Brien", "when": "2026-12-01T00:00:00Z", 'odd "name"': "Łódź"},
    {"tradingName": "Epsilon", "x": None, "flag": False, "deep": {"er": {"one": "7"}}},
]

QUERIES = [
    "tradingName=Alpha",
    "tradingName='Alpha'",
    'tradingName="Alpha"',
    "tradingName=Alpha,Beta",
    'tradingName="Gamma, Delta"',
    "tradingName=O'Brien",
    "tradingName=O'Brien,Beta",
    "tradingName=alpha",
    "x=1",
    "x=1.0",
    "x=1.5",
    "x=1.50",
    "x.gt=1",
    "x.gte=1",
    "x.lt=2",
    "x.lte=1",
    "x=null",
    "flag=true",
    "flag=false,true",
    "tags=blue",
    "tags=blue&tags=red",
    "tags=red,green",
    "deep.er.one=7",
    "deep.er.one.gte=7",
    "when=2026-11-01T00:00:00Z",
    "when.gt=2026-11-01T00:00:00Z",
    "when.gte=2026-11-01T00:00:00Z&when.lt=2026-12-01T00:00:00Z",
    "odd%20%22name%22=%C5%81%C3%B3d%C5%BA",
    "%F0%9F%98%80.%C5%81=1",
    "a%5C.b%24%5B%2A%5D=1",
    "sort=%F0%9F%98%80%22",
    "sort=tradingName",
    "sort=-tradingName",
    "sort=x,tradingName",
    "sort=-x,-tradingName",
    "sort=-flag,%2BtradingName",
    "sort=-when&flag=true,false",
    "tradingName.gte=B&sort=-tradingName&limit=2",
    "sort=tradingName&offset=1&limit=2",
    "limit=0",
    "offset=9",
    "no.such=1",
    "tags.x=1",
    "deep=7",
    "@type=Organization&sort=tradingName",
]


@pytest.fixture(scope="module")
def listed(door: Door) -> list[dict[str, Any]]:
    """What was made, as it is kept; the newest first, as lists are."""
    made = []
    for one in THINGS:
        made.append(parse(door.ask("POST", PATH, render(one)).content))
        door.clock.at += timedelta(seconds=1)
    return made[::-1]


@pytest.mark.parametrize("text", QUERIES)
def test_the_database_finds_what_memory_finds(
    text: str, door: Door, listed: list[dict[str, Any]]
) -> None:
    answer = door.ask("GET", f"{PATH}?{text}")
    pairs = list(answer.request.url.params.multi_items())
    found = query.select(listed, query.read(pairs))
    assert parse(answer.content) == list(found.documents)
    assert answer.headers["x-total-count"] == str(found.total)
    assert answer.headers["x-result-count"] == str(len(found.documents))
    assert answer.status_code == (200 if len(found.documents) == found.total else 206)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tradingName='Alpha'", ["Alpha"]),
        ("tradingName=Alpha,Beta", ["Beta", "Alpha"]),
        ('tradingName="Gamma, Delta"', ["Gamma, Delta"]),
        ("tradingName=O'Brien", ["O'Brien"]),
        ("x=1.5", ["Gamma, Delta", "Beta"]),
        ("x.gt=1", ["Gamma, Delta", "Beta"]),
        ("tags=blue&tags=red", ["Alpha"]),
        ("deep.er.one=7", ["Epsilon", "Gamma, Delta"]),
        ("sort=tradingName&offset=1&limit=2", ["Beta", "Epsilon"]),
        ("sort=-x", ["Beta", "Alpha", "Gamma, Delta", "Epsilon", "O'Brien"]),
    ],
)
def test_lists_are_as_a_reader_expects(
    text: str, names: list[str], door: Door, listed: list[dict[str, Any]]
) -> None:
    assert [one["tradingName"] for one in door.ask("GET", f"{PATH}?{text}").json()] == names


def test_fields_are_chosen(door: Door, listed: list[dict[str, Any]]) -> None:
    (one,) = door.ask("GET", f"{PATH}?fields=x,deep.er&tradingName=Epsilon").json()
    assert one.keys() == {"id", "href", "@type", "x", "deep"}
    (one,) = door.ask("GET", f"{PATH}?fields=none&tradingName=Epsilon").json()
    assert one.keys() == {"id", "href", "@type"}


def test_a_source_is_asked_for_a_window_or_looked_through() -> None:
    asked: list[Window] = []
    things = [{"id": str(number), "state": "on", "size": number} for number in range(5)]

    def find(_visit: object, window: Window) -> Found:
        asked.append(window)
        page = things[window.offset : window.offset + window.limit]
        return Found(page, 20_000 if window.filters else len(things))

    source = windowed(find, known=("state",))

    def found(text: str) -> list[str]:
        read = query.read(parse_qsl(text))
        return [one["id"] for one in source(None, read).documents]  # type: ignore[arg-type]

    assert found("limit=2&offset=1") == ["1", "2"]
    assert found("state=on&limit=2") == ["0", "1"]
    assert found("size.gt=2") == ["3", "4"]
    assert found("sort=-size&limit=1") == ["4"]
    assert [dict(one.filters) for one in asked] == [{}, {"state": "on"}, {}, {}]
    with pytest.raises(Refused, match="search-too-wide"):
        found("state=on&size=1")


# --- properties -------------------------------------------------------------------------------

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
NUMBERS = st.integers(-(10**26), 10**26) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=4
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
UNKNOWN = st.dictionaries(NAMES.map(lambda name: f"x-{name}"), VALUES, max_size=4)

QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@QUICK
@given(sent=UNKNOWN)
@example(
    sent={
        "x-n": Decimal("1.500"),
        "x-e": Decimal("1E+5"),
        "x-s": Decimal("1.23456789012345678901234567E-28"),
    }
)
def test_what_we_do_not_know_survives(sent: dict[str, Any], door: Door) -> None:
    body = {"tradingName": "Unknown", "@type": "HansaGuild", **sent}
    made = parse(door.ask("POST", PATH, render(body)).content)
    assert made["@baseType"] == "Organization"
    assert {name: made[name] for name in body} == body
    kept = parse(door.ask("GET", f"{PATH}/{made['id']}").content)
    assert kept == made
    assert door.ask("DELETE", f"{PATH}/{made['id']}").status_code == 204


@QUICK
@given(before=UNKNOWN, patch=UNKNOWN)
def test_patches_merge_as_the_rfc_says(
    before: dict[str, Any], patch: dict[str, Any], door: Door
) -> None:
    made = parse(door.ask("POST", PATH, render({"tradingName": "One", **before})).content)
    here = f"{PATH}/{made['id']}"
    after = parse(door.ask("PATCH", here, render(patch)).content)
    assert after == merged(made, patch)
    assert parse(door.ask("GET", here).content) == after
    assert parse(door.ask("PATCH", here, render(patch)).content) == merged(after, patch)
    assert door.ask("DELETE", here).status_code == 204


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    target = dict(target)
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merged(target.get(name), value)
    return target
