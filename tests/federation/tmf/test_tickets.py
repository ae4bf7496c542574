"""TMF621 at a real node: what any client may ask of tickets, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hansa.entrypoints.http import app
from hansa.federation.callbacks import actions as callbacks
from hansa.federation.clients import actions as clients
from hansa.foundation.database import Database
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor, Role
from hansa.foundation.time import SetClock
from hansa.lifecycle.assurance.actions import tickets as assurance
from tests.alliance import SHOP, Alliance
from tests.federation import swagger
from tests.inside import Inside

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
TICKETS = "/tmf-api/troubleTicket/v4/troubleTicket"
REPORT: dict[str, Any] = {
    "description": "Some Description",
    "severity": "Urgent",
    "ticketType": "Bills, charges or payment",
    "externalId": "crm-7",
    "requestedResolutionDate": "2026-11-30T00:00:00.000Z",
    "channel": {"id": "8774", "name": "Self Service"},
    "attachment": [{"id": "44", "description": "Scanned bill", "x-size": 1.5}],
    "note": [{"author": "Mr Jones", "text": "This is quite important."}],
    "relatedEntity": [{"id": "3472", "role": "disputedBill", "@referredType": "CustomerBill"}],
    "relatedParty": [{"id": "9866", "role": "member", "@referredType": "Individual"}],
    "customerMood": "patient",
    "@type": "CrmTicket",
}


class Desk:
    """One operator's node and the systems of its customers, who have tokens."""

    def __init__(self, alliance: Alliance) -> None:
        self.told = alliance.told
        self.node = alliance.add("acme")
        for name in (SHOP, PartyId("other")):
            alliance.customer(self.node, name)
        self.http = Inside(app(self.node), base_url=self.node.settings.address)
        self._tokens: dict[str, str] = {}

    def __call__(
        self,
        method: str,
        path: str = TICKETS,
        body: Any = None,
        *,
        party: str = SHOP,
        role: Role = "customer",
        media_type: str = "application/json",
    ) -> Any:
        if party not in self._tokens:
            with self.node.begin() as tx:
                made = clients.register(
                    tx, name="crm", actor=Actor(PartyId(party), role), by="ada",
                    scopes=["tmf621:read", "tmf621:write"], ids=self.node.ids,
                    now=self.node.clock.now(),
                )  # fmt: skip
            grant = self.node.clients.grant(made.client.id, made.secret, None)
            self._tokens[party] = grant.token
        headers = {"authorization": f"Bearer {self._tokens[party]}", "content-type": media_type}
        return self.http.request(method, path, json=body, headers=headers)

    def made(self, **other: Any) -> Any:
        answer = self("POST", body={**REPORT, **other})
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def desk(databases: Callable[[], Database], tmp_path: Path, clock: SetClock) -> Iterator[Desk]:
    alliance = Alliance(databases, tmp_path, clock, b"tickets")
    yield Desk(alliance)
    alliance.close()


def faults(ticket: Any) -> list[str]:
    schema = swagger.document(621)["definitions"]["TroubleTicket"]
    return list(swagger.faults(621, schema, ticket))


def test_what_a_client_sent_comes_back(desk: Desk) -> None:
    made = desk.made()
    found = desk("GET", f"{TICKETS}/{made['id']}").json()
    for shown in (made, found):
        assert faults(shown) == []
        for name, value in REPORT.items():
            if name == "relatedParty":
                assert value[0] in shown[name]
            elif name == "note":
                assert [one["text"] for one in shown[name]] == ["This is quite important."]
            else:
                assert shown[name] == value, name
        assert shown["status"] == "acknowledged"
        assert shown["href"].endswith(f"{TICKETS}/{made['id']}")
        assert shown["@baseType"] == "TroubleTicket"
    again = desk("POST", body=REPORT)
    assert (again.status_code, again.json()["id"]) == (201, made["id"])
    other = desk("POST", body={**REPORT, "severity": "Low"})
    assert (other.status_code, other.json()["code"]) == (409, "key-reused")


def test_tickets_are_found_by_what_they_say(desk: Desk) -> None:
    first = desk.made()
    desk.made(externalId="crm-8", severity="Low")
    for query in ("severity=Urgent", "channel.id='8774'&externalId=crm-7", "relatedEntity.id=3472"):
        found = desk("GET", f"{TICKETS}?{query}&sort=externalId")
        assert first["id"] == found.json()[0]["id"], query
    assert desk("GET", f"{TICKETS}?status=closed").json() == []
    assert desk("GET", f"{TICKETS}?status=asleep").json() == []
    page = desk("GET", f"{TICKETS}?limit=1&offset=1&fields=severity")
    assert page.headers["x-total-count"] == "2"
    assert [set(one) for one in page.json()] == [{"id", "href", "@type", "severity"}]


def test_a_ticket_is_patched_as_its_buyer_may(desk: Desk) -> None:
    path = f"{TICKETS}/{desk.made()['id']}"
    merge = "application/merge-patch+json"
    found = desk("PATCH", path, {"note": [{"text": "Still so."}]}, media_type=merge).json()
    assert [one["text"] for one in found["note"]] == ["This is quite important.", "Still so."]
    assert desk("PATCH", path, {"note": found["note"]}).json() == found
    fixed = desk("PATCH", path, {"severity": "Low"})
    assert (fixed.status_code, fixed.json()["hansaField"]) == (400, "severity")
    wrong = desk("PATCH", path, {"status": "asleep"})
    assert (wrong.status_code, wrong.json()["hansaField"]) == (400, "status")
    theirs = desk("PATCH", path, {"status": "resolved"})
    assert (theirs.status_code, theirs.json()["code"]) == (422, "ticket-move-not-yours")
    ended = desk("PATCH", path, {"status": "cancelled", "statusChangeReason": "Found it."}).json()
    assert (ended["status"], ended["statusChangeReason"]) == ("cancelled", "Found it.")
    assert desk("PATCH", path, {"status": "inProgress"}).status_code == 409
    assert desk("DELETE", path).status_code == 405


def test_nobody_else_finds_it(desk: Desk) -> None:
    made = desk.made()
    path = f"{TICKETS}/{made['id']}"
    assert desk("GET", party="other").json() == []
    unknown = desk("GET", f"{TICKETS}/tck_none", party="other")
    for method, body in (("GET", None), ("PATCH", {"status": "cancelled"})):
        answer = desk(method, path, body, party="other")
        assert answer.status_code == unknown.status_code == 404
        assert answer.json()["code"] == unknown.json()["code"]


def test_private_notes_are_for_our_own_tools(desk: Desk) -> None:
    path = f"{TICKETS}/{desk.made()['id']}"
    with desk.node.begin() as tx:
        (one,) = assurance.tickets(tx, actor=Actor(desk.node.us.id, "operator")).tickets
        assurance.note(
            tx, actor=Actor(desk.node.us.id, "operator"), ticket_id=one.id, text="Pays late.",
            key=one.key, private=True, by="ada", ids=desk.node.ids, now=desk.node.clock.now(),
        )  # fmt: skip
    assert "Pays late." not in desk("GET", path).text
    noted = desk("PATCH", path, {"note": [{"id": one.key, "text": "And now?"}]})
    assert [note["text"] for note in noted.json()["note"]][-1] == "And now?"
    tool = desk("GET", path, party="acme", role="operator").json()
    assert [note["text"] for note in tool["note"] if note.get("hansaPrivate")] == ["Pays late."]
    moved = desk("PATCH", path, {"status": "inProgress"}, party="acme", role="operator")
    assert moved.json()["status"] == "inProgress"


@pytest.mark.parametrize("name", ["description", "severity", "ticketType"])
def test_what_is_mandatory_is_named(desk: Desk, name: str) -> None:
    report = {key: value for key, value in REPORT.items() if key != name}
    answer = desk("POST", body=report)
    assert (answer.status_code, answer.json()["hansaField"]) == (400, name)
    assert desk("GET").json() == []


def test_who_has_subscribed_is_told(desk: Desk) -> None:
    with desk.node.begin() as tx:
        for party in (SHOP, PartyId("other")):
            callbacks.add(tx, party=party, host="hooks.example", by="ada", now=NOW)
    hub = {"callback": "http://hooks.example/hansa"}
    for party in (SHOP, PartyId("other")):
        made = desk("POST", "/tmf-api/troubleTicket/v4/hub", hub, party=party)
        assert made.status_code == 201, made.text
    ticket = desk.made()
    desk.node.work_once()
    desk("PATCH", f"{TICKETS}/{ticket['id']}", {"status": "cancelled"})
    desk.node.work_once()
    told = [body for _, body in desk.told]
    assert sorted(one["eventType"] for one in told) == [
        "TroubleTicketAttributeValueChangeEvent",
        "TroubleTicketCreateEvent",
        "TroubleTicketStatusChangeEvent",
    ]
    for one in told:
        assert one["event"]["troubleTicket"]["id"] == ticket["id"]
        schema = swagger.document(621)["definitions"][one["eventType"]]
        assert list(swagger.faults(621, schema, one)) == []


def test_nobody_is_told_at_a_host_that_is_not_registered(desk: Desk) -> None:
    for callback in ("https://evil.example/", "https://169.254.169.254/latest/meta-data"):
        answer = desk("POST", "/tmf-api/troubleTicket/v4/hub", {"callback": callback})
        assert (answer.status_code, answer.json()["code"]) == (422, "callback-refused")
