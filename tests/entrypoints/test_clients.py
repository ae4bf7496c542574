"""Systems without a node: they get a token for their secret, and do what their scopes allow."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from hansa.entrypoints.http import app
from hansa.federation import directory
from hansa.federation.clients import actions
from hansa.federation.clients.model import Registered
from hansa.foundation.database import Database
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor, Role
from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.alliance import SHOP, Alliance
from tests.entrypoints.desk import Desk
from tests.inside import Inside

OFFERS = "/tmf-api/productCatalogManagement/v4/productOffering"
TICKETS = "/tmf-api/troubleTicket/v4/troubleTicket"
GRANT = {"grant_type": "client_credentials"}


class House:
    """One operator's node with a customer, and its door."""

    def __init__(self, alliance: Alliance) -> None:
        self.clock = alliance.clock
        self.node: Node = alliance.add("acme")
        alliance.build_network(self.node)
        alliance.offer(self.node, sources=[self.node.us.id], currency="GBP")
        alliance.customer(self.node)
        self.http = Inside(app(self.node), base_url=self.node.settings.address)

    def client(self, *scopes: str, party: str = SHOP, role: Role = "customer") -> Registered:
        with self.node.begin() as tx:
            return actions.register(
                tx, name="crm", actor=Actor(PartyId(party), role), scopes=scopes, by="ada",
                ids=self.node.ids, now=self.clock.now(),
            )  # fmt: skip

    def ask(self, form: dict[str, str], *, basic: tuple[str, str] | None = None) -> Any:
        headers = {}
        if basic:
            headers["authorization"] = f"Basic {b64encode(':'.join(basic).encode()).decode()}"
        return self.http.post("/oauth2/token", data=form, headers=headers)

    def token(self, made: Registered, **more: str) -> str:
        answer = self.ask({**GRANT, **more}, basic=(made.client.id, made.secret))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def get(self, path: str, token: str) -> Any:
        return self.http.get(path, headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def alliance(
    databases: Callable[[], Database], tmp_path: Path, clock: SetClock
) -> Iterator[Alliance]:
    made = Alliance(databases, tmp_path, clock, b"clients")
    yield made
    made.close()


@pytest.fixture
def house(alliance: Alliance) -> House:
    return House(alliance)


def test_a_client_gets_a_token_and_asks_with_it(house: House) -> None:
    made = house.client("tmf620:read", "tmf621:write")
    answer = house.ask(GRANT, basic=(made.client.id, made.secret))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 600)
    assert told["scope"] == "tmf620:read tmf621:write"
    claims = jwt.decode(told["access_token"], options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["client_id"]) == ("acme", "acme", made.client.id)
    assert claims["exp"] - claims["iat"] == 600
    found = house.get(OFFERS, told["access_token"])
    assert (found.status_code, len(found.json())) == (200, 1)


def test_the_secret_may_stand_in_the_form(house: House) -> None:
    made = house.client("tmf620:read")
    form = {**GRANT, "client_id": made.client.id, "client_secret": made.secret}
    assert house.ask(form).status_code == 200


def test_a_token_does_what_its_scopes_allow(house: House) -> None:
    made = house.client("tmf620:read", "tmf621:read")
    token = house.token(made, scope="tmf620:read")
    assert house.get(OFFERS, token).status_code == 200
    refused = house.get(TICKETS, token)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    written = house.http.post(TICKETS, headers={"authorization": f"Bearer {token}"}, json={})
    assert written.json()["code"] == "scope-missing"


def test_what_is_revoked_is_shut_out_at_once(house: House) -> None:
    made = house.client("tmf620:read")
    token = house.token(made)
    with house.node.begin() as tx:
        actions.revoke(tx, client_id=made.client.id, by="ada", now=house.clock.now())
    assert house.get(OFFERS, token).status_code == 401
    answer = house.ask(GRANT, basic=(made.client.id, made.secret))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_token_is_good_for_ten_minutes(house: House) -> None:
    token = house.token(house.client("tmf620:read"))
    house.clock.move(timedelta(minutes=9, seconds=59))
    assert house.get(OFFERS, token).status_code == 200
    house.clock.move(timedelta(seconds=2))
    assert house.get(OFFERS, token).status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({**GRANT, "scope": "tmf622:write"}, 400, "invalid_scope"),
        ({**GRANT, "client_secret": "x"}, 400, "invalid_request"),
        ({**GRANT, "client_id": "another"}, 400, "invalid_request"),
    ],
)
def test_errors_are_as_rfc_6749_says(
    house: House, form: dict[str, str], status: int, error: str
) -> None:
    made = house.client("tmf620:read")
    answer = house.ask(form, basic=(made.client.id, made.secret))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert made.secret not in answer.text


def test_who_does_not_know_the_secret_gets_nothing(house: House) -> None:
    made = house.client("tmf620:read")
    for client_id, secret in ((made.client.id, "guess"), ("cli_none", made.secret), ("", "")):
        answer = house.ask(GRANT, basic=(client_id, secret))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert house.ask(GRANT).status_code == 401
    twice = house.http.post(
        "/oauth2/token",
        content="grant_type=client_credentials&grant_type=client_credentials",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert house.http.post("/oauth2/token", json=GRANT).json()["error"] == "invalid_request"


def test_tokens_of_others_are_not_taken(house: House) -> None:
    made = house.client("tmf620:read")
    now = int(house.clock.now().timestamp())
    claims: dict[str, str | int] = {
        "iss": "acme", "aud": "acme", "sub": made.client.id, "client_id": made.client.id,
        "iat": now, "exp": now + 600, "scope": "tmf620:read",
    }  # fmt: skip
    key = house.node.keys.current(house.clock.now())
    assert house.get(OFFERS, key.token(claims, typ="at+jwt")).status_code == 200
    assert house.get(OFFERS, key.token(claims)).status_code == 401
    for replaced in ({"aud": "bt"}, {"sub": "x"}, {"exp": "never"}, {"client_id": "cli_none"}):
        token = key.token({**claims, **replaced}, typ="at+jwt")
        assert house.get(OFFERS, token).status_code == 401, replaced
    assert house.get(OFFERS, jwt.encode(claims, "secret" * 8)).status_code == 401
    assert house.get(OFFERS, jwt.encode(claims, "", algorithm="none")).status_code == 401
    assert house.get(OFFERS, "x" * 5000).status_code == 401


def test_what_there_is_to_know_is_told(house: House) -> None:
    told = house.http.get("/.well-known/oauth-authorization-server").json()
    assert told["issuer"] == house.node.settings.address
    assert told["token_endpoint"] == f"{house.node.settings.address}/oauth2/token"
    assert told["grant_types_supported"] == ["client_credentials"]
    assert {"tmf622:read", "tmf622:write"} <= set(told["scopes_supported"])


def test_an_operators_tool_sees_everything(house: House) -> None:
    shop = house.token(house.client("tmf621:read", "tmf621:write"))
    report = {"description": "No light.", "severity": "major", "ticketType": "incident"}
    made = house.http.post(TICKETS, headers={"authorization": f"Bearer {shop}"}, json=report)
    assert made.status_code == 201
    tool = house.token(house.client("tmf621:read", party="acme", role="operator"))
    assert [one["id"] for one in house.get(TICKETS, tool).json()] == [made.json()["id"]]


def test_clients_at_the_command_line(desk: Desk) -> None:
    add = ("client", "add", "crm", "--scope", "tmf620:read")
    made = desk.json(*add)
    assert made["client"]["actor"] == {"party": "acme", "role": "operator", "by_node": False}
    assert len(made["secret"]) == 43
    (listed,) = desk.json("client", "list")
    assert listed == made["client"]
    assert made["secret"] not in desk("client", "list").out
    assert "Its secret" in desk("client", "add", "tool", "--scope", "tmf621:write").out
    assert desk.json("client", "revoke", listed["id"])["revoked_by"] == "ada"
    assert "client-unknown" in desk.refused("client", "revoke", "cli_none", exit_code=4)
    assert "choice-unknown" in desk.refused("client", "add", "x", "--scope", "tmf999:read")
    assert "choice-unknown" in desk.refused(*add, "--as", "king")
    assert "partner-unknown" in desk.refused(*add, "--as", "partner", "--for", "bt", exit_code=4)


def test_callback_hosts_at_the_command_line(desk: Desk) -> None:
    desk("partner", "callback", "mtn", "Hooks.MTN.example")
    (found,) = desk.json("partner", "callback", "mtn", "hooks.mtn.example")
    assert (found["host"], found["added_by"]) == ("hooks.mtn.example", "ada")
    assert "hooks.mtn.example" in desk("partner", "callback", "mtn").out
    assert "callback-refused" in desk.refused("partner", "callback", "mtn", "https://x/")
    assert desk.json("partner", "callback", "mtn", "hooks.mtn.example", "--remove") == []
    line = desk.refused("partner", "callback", "mtn", "x.example", "--remove", exit_code=4)
    assert "callback-host-unknown" in line


def test_systems_of_a_partner_go_with_the_partner(house: House, alliance: Alliance) -> None:
    other = alliance.add("bt")
    alliance.join(house.node, other)
    made = house.client("tmf621:read", party="bt", role="partner")
    token = house.token(made)
    assert house.get(TICKETS, token).status_code == 200
    place = Actor(PartyId("bt"), "partner")
    house.node.callbacks.check(place, f"{other.settings.address}/hooks")
    with house.node.begin() as tx:
        directory.revoke(tx, party=PartyId("bt"), why="stolen", by="ada", now=house.clock.now())
    assert house.get(TICKETS, token).status_code == 401
    answer = house.ask(GRANT, basic=(made.client.id, made.secret))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    with pytest.raises(TryLater, match="partner-revoked"):
        house.node.callbacks.check(place, f"{other.settings.address}/hooks")
