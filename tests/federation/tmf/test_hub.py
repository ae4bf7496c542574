"""Who subscribes is told of what is its own: at least once, and for a bounded time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.databases import Pool
from tests.federation import swagger
from tests.federation.tmf.cases import RECORDS, declared
from tests.federation.tmf.door import ADDRESS, Door

PARTY = "/tmf-api/party/v4"
PATH = f"{PARTY}/organization"
CALLBACK = "https://mtn.test/told"


@pytest.fixture
def door(pool: Pool) -> Iterator[Door]:
    with pool.lend() as another:
        yield Door(another())


def subscribe(
    door: Door, callback: str = CALLBACK, query: str = "", *, by: str = "mtn/partner"
) -> dict[str, Any]:
    body = {"callback": callback, "query": query}
    answer = door.ask("POST", f"{PARTY}/hub", json.dumps(body).encode(), by=by)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == made["href"] == f"{ADDRESS}{PARTY}/hub/{made['id']}"
    return made


def make(door: Door, name: str = "MTN", *, by: str = "mtn/partner") -> dict[str, Any]:
    body = json.dumps({"tradingName": name}).encode()
    made: dict[str, Any] = door.ask("POST", PATH, body, by=by).json()
    return made


def test_a_subscriber_is_told_of_all_that_happens(door: Door) -> None:
    subscribe(door)
    made = make(door)
    here = f"{PATH}/{made['id']}"
    ((url, notice),) = door.tell()
    assert url == CALLBACK
    assert notice["eventType"] == "OrganizationCreateEvent"
    assert notice["event"] == {"organization": made}
    official = {"$ref": "#/definitions/OrganizationCreateEvent"}
    assert list(swagger.faults(632, official, notice)) == []

    changed = door.ask("PATCH", here, b'{"name": "MTN Group"}').json()
    ((_, notice),) = door.tell()
    assert notice["eventType"] == "OrganizationAttributeValueChangeEvent"
    assert notice["event"]["organization"] == changed

    door.ask("PATCH", here, b'{"status": "validated"}')
    assert [one["eventType"] for _, one in door.tell()] == ["OrganizationStateChangeEvent"]
    door.ask("DELETE", here)
    ((_, notice),) = door.tell()
    assert notice["eventType"] == "OrganizationDeleteEvent"
    assert notice["event"]["organization"]["id"] == made["id"]
    assert door.tell() == []


def test_every_event_is_one_of_the_standard() -> None:
    for name, (api, resource) in declared().items():
        if name not in RECORDS or not resource.events:
            continue
        known = {path.rsplit("/", 1)[-1] for path in swagger.document(api.number)["paths"]}
        for suffix in resource.events:
            event = f"{resource.name}{suffix}Event"
            assert event in known
            payload = swagger.document(api.number)["definitions"].get(
                f"{event[0].upper()}{event[1:]}Payload"
            )
            assert payload is None or resource.name in payload["properties"]


def test_nobody_is_told_of_what_is_not_its_own(door: Door) -> None:
    subscribe(door)
    subscribe(door, "https://eve.test/told", by="eve/partner")
    subscribe(door, "https://bt.test/told", by="bt/operator")
    make(door)
    assert sorted(url for url, _ in door.tell()) == ["https://bt.test/told", CALLBACK]
    make(door, by="eve/partner")
    assert sorted(url for url, _ in door.tell()) == [
        "https://bt.test/told",
        "https://eve.test/told",
    ]


def test_a_query_chooses(door: Door) -> None:
    subscribe(door, query="eventType=OrganizationStateChangeEvent")
    subscribe(door, "https://mtn.test/listener", "event.organization.tradingName='B', C")
    first, _ = make(door, "A"), make(door, "B")
    assert [url for url, _ in door.tell()] == ["https://mtn.test/listener/organizationCreateEvent"]
    door.ask("PATCH", f"{PATH}/{first['id']}", b'{"status": "closed"}')
    assert [url for url, _ in door.tell()] == [CALLBACK]


def test_subscriptions_are_their_owners(door: Door) -> None:
    made = subscribe(door)
    here = f"{PARTY}/hub/{made['id']}"
    assert subscribe(door) == made
    assert door.ask("GET", here).json() == made
    assert door.ask("GET", f"{PARTY}/hub").json() == [made]
    assert door.ask("GET", f"{PARTY}/hub", by="eve/partner").json() == []
    assert door.ask("GET", f"{PARTY}/hub", by="mtn/customer").json() == []
    unknown = door.ask("GET", f"{PARTY}/hub/sub_0", by="eve/partner")
    for method in ("GET", "DELETE"):
        answer = door.ask(method, here, by="eve/partner")
        assert (answer.status_code, answer.content) == (404, unknown.content)
    other = here.replace("/party/", "/partyRoleManagement/")
    assert door.ask("GET", other).status_code == 404
    assert door.ask("DELETE", here).status_code == 204
    assert door.ask("DELETE", here).status_code == 404
    make(door)
    assert door.tell() == []


def test_long_subscriptions_are_kept(door: Door) -> None:
    callback = f"{CALLBACK}/{'x' * 1900}"
    query = f"event.organization.tradingName={'Ł😀' * 400}"
    made = subscribe(door, callback, query)
    assert subscribe(door, callback, query) == made
    assert len(door.ask("GET", f"{PARTY}/hub").json()) == 1


def test_what_is_not_taken_is_sent_again_and_in_the_end_given_up(door: Door) -> None:
    made = subscribe(door)
    door.deaf.add(CALLBACK)
    make(door)
    assert door.tell() == []
    door.clock.at += timedelta(minutes=10)
    door.deaf.clear()
    assert len(door.tell()) == 1

    door.deaf.add(CALLBACK)
    make(door)
    for _ in range(60):
        door.clock.at += timedelta(minutes=31)
        assert door.tell() == []
    silent = door.ask("GET", f"{PARTY}/hub/{made['id']}").json()
    assert "hansaSilentSince" in silent
    door.deaf.clear()
    make(door)
    assert door.tell() == []
    assert subscribe(door)["id"] == made["id"]
    make(door)
    assert len(door.tell()) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "callback"),
        ({"callback": ""}, "callback"),
        ({"callback": 7}, "callback"),
        ({"callback": "http://mtn.test/told"}, "callback"),
        ({"callback": "https://me:secret@mtn.test/told"}, "callback"),
        ({"callback": "https:///told"}, "callback"),
        ({"callback": "https://[::1/told"}, "callback"),
        ({"callback": "ftp://mtn.test/told"}, "callback"),
        ({"callback": f"https://mtn.test/{'x' * 2000}"}, "callback"),
        ({"callback": CALLBACK, "query": 7}, "query"),
        ({"callback": CALLBACK, "query": "a..b=1"}, "a..b"),
        ({"callback": CALLBACK, "query": "&".join("a=1" for _ in range(21))}, "query"),
    ],
)
def test_a_subscription_that_cannot_be(body: dict[str, Any], field: str, door: Door) -> None:
    answer = door.ask("POST", f"{PARTY}/hub", json.dumps(body).encode())
    assert 400 <= answer.status_code < 500
    assert answer.json()["hansaField"] == field
    assert door.ask("GET", f"{PARTY}/hub").json() == []
