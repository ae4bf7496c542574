"""Signing in by the operator's own identity provider, and answers of it that are not taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hansa.foundation.ids import PartyId
from hansa.foundation.people.actions import persons
from hansa.foundation.people.model import ProviderSettings
from hansa.foundation.time import SetClock, SystemClock
from hansa.node import Node
from tests.entrypoints.portal.idp import CLIENT, SECRET, Idp, running
from tests.entrypoints.portal.visitor import Visitor


@pytest.fixture(scope="module")
def idp() -> Iterator[Idp]:
    with running() as one:
        yield one


@pytest.fixture
def guest(node: Node, idp: Idp, clock: SetClock) -> Visitor:
    """A browser at a portal whose people sign in at the provider. Both go by today's clock."""
    (node.folder / "oidc").write_text(SECRET)
    provider = ProviderSettings(
        issuer=idp.issuer,
        client_id=CLIENT,
        secret_file="oidc",
        party_claim="company",
        roles={"noc": "operations", "clients": "customer"},
    )
    node.settings = replace(node.settings, portal=replace(node.settings.portal, provider=provider))
    clock.move(SystemClock().now() - clock.now())
    idp.claims, idp.spoil = {"sub": "1", "name": "Ada Obi", "email": "ada@acme.test"}, {}
    return Visitor(node)


def sign_in(guest: Visitor, idp: Idp, onward: str = "/approvals") -> Any:
    left = guest.open(f"/sign-in/provider?next={onward}", follow=False)
    return guest.open(idp.lets_in(left.answer.headers["location"]))


def test_staff_come_in_with_the_roles_that_the_provider_says(
    node: Node, guest: Visitor, idp: Idp
) -> None:
    idp.claims["roles"] = ["noc", "something-else"]
    assert sign_in(guest, idp).heading == "Approvals"
    with node.begin() as tx:
        ada = persons.find(tx, login="ada@acme.test")
    assert (ada.name, set(ada.roles)) == ("Ada Obi", {"operations"})
    idp.claims["roles"] = ["finance"]
    sign_in(Visitor(node), idp)
    with node.begin() as tx:
        assert set(persons.get(tx, person=ada.id).roles) == {"finance"}


def test_a_customers_people_come_in_for_their_company(node: Node, guest: Visitor, idp: Idp) -> None:
    idp.claims |= {"sub": "2", "email": "zoe@karoo.test", "roles": "clients", "company": "karoo"}
    sign_in(guest, idp, "/account")
    with node.begin() as tx:
        assert persons.find(tx, login="zoe@karoo.test").party == PartyId("karoo")


def test_who_has_no_role_here_stays_outside(guest: Visitor, idp: Idp) -> None:
    idp.claims |= {"sub": "3", "email": "bob@acme.test", "roles": ["gardener"]}
    refused = sign_in(guest, idp)
    assert refused.status == 422
    assert "no role" in refused.text
    assert guest.open("/approvals").heading == "Sign in"


Spoil = Callable[[Idp], dict[str, Any]]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: {"nonce": "another"}, id="another nonce"),
        pytest.param(lambda _: {"aud": "another-client"}, id="for another client"),
        pytest.param(lambda _: {"iss": "https://evil.example"}, id="by another provider"),
        pytest.param(lambda _: {"exp": int(time.monotonic())}, id="long over"),
    ],
)
def test_a_token_that_does_not_hold_lets_nobody_in(guest: Visitor, idp: Idp, spoil: Spoil) -> None:
    idp.claims["roles"] = ["sales"]
    idp.spoil = spoil(idp)
    refused = sign_in(guest, idp)
    assert refused.status == 422
    assert "does not hold" in refused.text
    assert guest.open("/approvals").heading == "Sign in"


def test_an_answer_that_this_browser_did_not_ask_for_is_not_taken(
    node: Node, guest: Visitor, idp: Idp
) -> None:
    idp.claims["roles"] = ["sales"]
    left = guest.open("/sign-in/provider", follow=False)
    back = idp.lets_in(left.answer.headers["location"])
    assert "began in another browser" in Visitor(node).open(back).text
    other = Visitor(node)
    other.open("/sign-in/provider", follow=False)
    assert "belongs to no sign-in of this browser" in other.open(back).text


def test_the_same_answer_counts_once(node: Node, guest: Visitor, idp: Idp) -> None:
    idp.claims["roles"] = ["sales"]
    left = guest.open("/sign-in/provider", follow=False)
    back = idp.lets_in(left.answer.headers["location"])
    guest.open(back)
    assert guest.open(back).status == 422


def test_a_provider_that_is_silent_is_said_to_be(
    node: Node, guest: Visitor, tmp_path: Path
) -> None:
    provider = replace(node.settings.portal.provider, issuer="http://127.0.0.1:9")
    node.settings = replace(node.settings, portal=replace(node.settings.portal, provider=provider))
    shown = guest.open("/sign-in/provider")
    assert shown.status == 503
    assert "does not answer" in shown.text


def test_passwords_are_of_no_use_where_a_provider_is(guest: Visitor) -> None:
    shown = guest.send("/sign-in", {"login": "ada", "password": "seven wet umbrellas"})
    assert shown.status == 422
    assert not guest.open("/sign-in").tree.xpath("//input[@name='password']")
