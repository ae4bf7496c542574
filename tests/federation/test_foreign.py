"""Partners of another make: how they are entered, and how we get a token for them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from hansa.federation import directory
from hansa.federation.courier import Bearer, Courier
from hansa.federation.grants import GrantedToken, read_secret
from hansa.federation.keys.ring import KeyRing
from hansa.federation.model import Grant, Partner
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.party import Party
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin, Transaction
from tests.federation.shop import BT, EVE, START

ACME = Party(EVE, "ACME", "DE", "EUR")
GRANT = Grant("https://login.acme.test/token", "hansa", "secrets/acme")


def add(begin: Begin, clock: SetClock, **other: Any) -> Partner:
    given: dict[str, Any] = {
        "party": ACME, "address": "https://api.acme.test/oss/v1", "dialect": "tmf", "grant": GRANT,
        **other,
    }  # fmt: skip
    with begin() as tx:
        return directory.add_foreign(tx, now=clock.now(), **given)


def comes(tx: Transaction, clock: SetClock) -> bool:
    found = directory.standing(
        tx, party=EVE, kid="0" * 16, certificate_sha256=None, now=clock.now()
    )
    assert found.public_key is None
    return found.may_come


def test_a_partner_of_another_make_is_entered_and_changed(begin: Begin, clock: SetClock) -> None:
    partner = add(begin, clock)
    assert (partner.trust, partner.grant, partner.keys) == ("oauth2", GRANT, ())
    assert add(begin, clock) == partner
    changed = add(begin, clock, grant=None, address="http://acme.test", dialect="sonata")
    assert (changed.trust, changed.grant, changed.dialect) == ("none", None, "sonata")
    with begin() as tx:
        assert comes(tx, clock)
        directory.revoke(tx, party=EVE, why="unpaid", by="ada", now=clock.now())
        assert not comes(tx, clock)


def test_a_partner_has_a_card_or_is_of_another_make(
    begin: Begin, bt_ring: KeyRing, clock: SetClock
) -> None:
    card = directory.invite(bt_ring, party=ACME, address="http://acme.test", now=START)
    add(begin, clock)
    with pytest.raises(Refused) as caught, begin() as tx:
        directory.join(tx, card=card, now=clock.now())
    assert (caught.value.code, caught.value.field) == ("partner-foreign", "party")
    party = replace(ACME, id=BT)
    card = directory.invite(bt_ring, party=party, address="http://acme.test", now=START)
    with begin() as tx:
        directory.join(tx, card=card, now=clock.now())
    with pytest.raises(Refused) as caught:
        add(begin, clock, party=party)
    assert (caught.value.code, caught.value.field) == ("partner-exists", "party")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"party": replace(ACME, name="")}, "card-invalid", "party.name"),
        ({"party": replace(ACME, country="de")}, "card-invalid", "party.country"),
        ({"party": replace(ACME, currency="E")}, "currency-unknown", "currency"),
        ({"address": "https://acme.test/a?b"}, "card-invalid", "address"),
        ({"address": "https://acme.test//a"}, "card-invalid", "address"),
        ({"address": "https://acme.test/../a b"}, "card-invalid", "address"),
        ({"grant": replace(GRANT, token_url="token")}, "card-invalid", "token_url"),
        ({"grant": replace(GRANT, client_id=" ")}, "card-invalid", "client_id"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(
    begin: Begin, clock: SetClock, change: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Refused) as caught:
        add(begin, clock, **change)
    assert (caught.value.code, caught.value.field) == (code, field)
    with begin() as tx:
        assert directory.partners(tx) == []


# --- tokens ---------------------------------------------------------------------------------------


class Desk:
    """The server that gives tokens: what it was asked, and what it answers next."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[httpx2.Request] = []
        self.answer: Any = {"access_token": "t1", "token_type": "Bearer", "expires_in": 3600}
        self.status = 200
        secret = folder / GRANT.secret_file
        secret.parent.mkdir()
        secret.write_text("s3cret:/ö\n")
        secret.chmod(0o600)
        self.http = httpx2.Client(transport=httpx2.MockTransport(self._answer))
        self.token = GrantedToken(GRANT, partner=EVE, http=self.http, folder=folder)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, bytes):
            return httpx2.Response(self.status, content=self.answer)
        return httpx2.Response(self.status, json=self.answer)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with made.http:
        yield made


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock by which tokens age."""
    now = [1000.0]
    monkeypatch.setattr("hansa.federation.grants.time.monotonic", lambda: now[0])

    def move(by_s: float) -> None:
        now[0] += by_s

    return move


def test_a_token_is_kept_until_shortly_before_it_ends(
    desk: Desk, pass_time: Callable[[float], None]
) -> None:
    assert [desk.token() for _ in range(3)] == ["t1"] * 3
    (request,) = desk.asked
    assert str(request.url) == GRANT.token_url
    assert parse_qs(request.read().decode()) == {"grant_type": ["client_credentials"]}
    scheme, _, pair = request.headers["authorization"].partition(" ")
    assert (scheme, b64decode(pair)) == ("Basic", b"hansa:s3cret%3A%2F%C3%B6")
    desk.answer = {"access_token": "t2"}
    pass_time(3569)
    assert desk.token() == "t1"
    pass_time(2)
    assert desk.token() == "t2"
    desk.answer = {"access_token": "t3", "expires_in": "10"}
    pass_time(271)
    assert desk.token() == "t3"
    desk.token.drop()
    desk.answer = {"access_token": "t4"}
    assert desk.token() == "t4"


def test_a_token_that_the_partner_refuses_is_not_shown_again(desk: Desk) -> None:
    trust = Bearer(desk.token, desk.token.drop)
    courier = Courier(partner=EVE, address="https://acme.test/oss/", http=desk.http, trust=trust)
    assert courier.send("GET", "/tmf-api/x").status == 200
    desk.answer = {"access_token": "t2"}
    assert courier.send("GET", "/tmf-api/x").status == 200
    desk.status = 401
    assert courier.send("GET", "/tmf-api/x").status == 401
    desk.status = 200
    courier.send("GET", "/tmf-api/x")
    shown = [one for one in desk.asked if str(one.url) == "https://acme.test/oss/tmf-api/x"]
    assert [one.headers["authorization"] for one in shown] == [
        "Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, {"error": "invalid_client"}),
        (302, {"access_token": "t"}),
        (200, {}),
        (200, []),
        (200, b"{"),
        (200, b'{"access_token": "' + b"a" * 70_000 + b'"}'),
        (200, {"access_token": ""}),
        (200, {"access_token": "a\r\nb"}),
        (200, {"access_token": 7}),
        (200, {"access_token": "t", "token_type": "mac"}),
        (200, {"access_token": "t", "expires_in": "soon"}),
        (200, {"access_token": "t", "expires_in": None}),
        (200, httpx2.ConnectError("no route")),
    ],
)
def test_a_server_that_gives_no_token_is_asked_later(desk: Desk, status: int, answer: Any) -> None:
    desk.status, desk.answer = status, answer
    for _ in range(2):
        with pytest.raises(TryLater, match="token-not-granted") as caught:
            desk.token()
        assert "s3cret" not in caught.value.words
    assert len(desk.asked) == 2


@pytest.mark.parametrize(
    ("name", "text", "mode", "code"),
    [
        ("secrets/none", None, 0o600, "secret-missing"),
        ("secrets/empty", " \n", 0o600, "secret-missing"),
        ("secrets/long", "x" * 5000, 0o600, "secret-missing"),
        ("../outside", "x", 0o600, "secret-missing"),
        ("secrets/open", "x", 0o640, "secret-exposed"),
    ],
)
def test_a_secret_is_private_and_in_the_nodes_folder(
    tmp_path: Path, name: str, text: str | None, mode: int, code: str
) -> None:
    folder = tmp_path / "node"
    (folder / "secrets").mkdir(parents=True)
    if text is not None:
        (folder / name).write_text(text)
        (folder / name).chmod(mode)
    with pytest.raises(HansaError) as caught:
        read_secret(folder, name)
    assert (caught.value.code, caught.value.field) == (code, "secret_file")
