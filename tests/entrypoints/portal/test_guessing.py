"""Guessing passwords at the portal's door: who has to wait, and what is said then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hansa.entrypoints.portal.main import served
from hansa.foundation.people.model import PortalSettings
from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.entrypoints.portal.visitor import OURS, PASSWORD, Shown, Visitor, enter

WRONG = "seven dry umbrellas"


def coming(node: Node, address: str) -> Visitor:
    """Somebody whose connection comes from this address, as the portal is served."""
    config = served(node)
    config.load()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await config.loaded_app({**scope, "client": (address, 50_000)}, receive, send)

    return Visitor(node, app)


def tried(visitor: Visitor, login: str = "ada", password: str = WRONG, **headers: str) -> Shown:
    """What the door says. headers: with `_` for `-`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    form = {"login": login, "password": password}
    return visitor.send("/sign-in", form, follow=False, headers={**OURS, **sent})


def test_who_has_to_wait_is_told_how_long_and_what_to_do(node: Node, clock: SetClock) -> None:
    enter(node, "ada", "admin")
    visitor = coming(node, "192.0.2.7")
    assert [tried(visitor).status for _ in range(4)] == [422] * 4
    late = tried(visitor)
    assert (late.status, late.answer.headers["retry-after"]) == (429, "30")
    assert late.heading == "Sign in"
    assert "Wait 30 seconds, then try again" in late.text
    assert "ask an administrator" in late.text
    assert late.tree.xpath("//input[@name='login']/@value") == ["ada"]
    assert WRONG not in late.answer.text
    assert tried(visitor, password=PASSWORD).status == 429
    clock.move(timedelta(seconds=30))
    assert tried(visitor, password=PASSWORD).status == 303


def test_it_is_said_in_the_language_of_the_browser(node: Node) -> None:
    visitor = coming(node, "192.0.2.7")
    for _ in range(5):
        late = tried(visitor, accept_language="fr")
    assert "30 secondes" in late.text
    assert "Wait" not in late.text


def test_the_same_is_said_whether_anybody_has_the_login(node: Node) -> None:
    enter(node, "ada", "admin")
    visitor = coming(node, "192.0.2.7")
    for _ in range(7):
        ada, eve = tried(visitor, "ada"), tried(visitor, "eve")
        assert (ada.status, ada.text) == (eve.status, eve.text)
        assert ada.answer.headers.get("retry-after") == eve.answer.headers.get("retry-after")
        assert ada.answer.headers.keys() == eve.answer.headers.keys()
    assert ada.status == 429


def test_who_guesses_shuts_nobody_out(node: Node) -> None:
    enter(node, "ada", "admin")
    ada, eve = coming(node, "192.0.2.7"), coming(node, "198.51.100.9")
    ada.sign_in("ada")
    for number in range(40):
        late = tried(eve, "ada" if number < 8 else f"nobody{number}")
    assert late.status == 429
    assert tried(coming(node, "203.0.113.1"), password=PASSWORD).status == 303
    assert tried(coming(node, "198.51.100.9"), password=PASSWORD).status == 429
    beside = coming(node, "198.51.100.9")
    beside.client.cookies.update(ada.client.cookies)
    beside.client.cookies.delete("hansa_session")
    assert tried(beside, password=PASSWORD).status == 303, "a browser that is known"


def test_the_count_outlives_the_process(node: Node) -> None:
    for _ in range(5):
        tried(coming(node, "192.0.2.7"))
    assert tried(coming(node, "192.0.2.7")).status == 429


def test_an_address_is_believed_from_our_proxies_alone(node: Node) -> None:
    """X-Forwarded-For of anybody else is what somebody made up."""
    enter(node, "ada", "admin")
    proxy = coming(node, "127.0.0.1")
    for _ in range(5):
        tried(proxy, x_forwarded_for="203.0.113.1, 192.0.2.7")
    made_up = tried(proxy, password=PASSWORD, x_forwarded_for="203.0.113.2, 192.0.2.7")
    assert made_up.status == 429, "what stands before was there when it came to the proxy"
    assert tried(proxy, password=PASSWORD, x_forwarded_for="192.0.2.8").status == 303
    stranger = coming(node, "198.51.100.9")
    told = [tried(stranger, x_forwarded_for=f"203.0.113.{number}").status for number in range(5)]
    assert told == [422] * 4 + [429]


@pytest.mark.parametrize("proxies", [("10.1.0.0/16",), ("10.1.2.3", "10.1.9.0/24")])
def test_proxies_are_named_in_the_settings(node: Node, proxies: tuple[str, ...]) -> None:
    portal = replace(node.settings.portal, proxies=proxies)
    assert isinstance(portal, PortalSettings)
    node.settings = replace(node.settings, portal=portal)
    proxy = coming(node, "10.1.2.3")
    told = [tried(proxy, x_forwarded_for=f"203.0.113.{number}").status for number in range(6)]
    assert told == [422] * 6


def test_the_cookie_of_a_known_browser_says_nothing_and_is_for_the_portal_alone(
    node: Node,
) -> None:
    enter(node, "ada", "admin")
    came = tried(coming(node, "192.0.2.7"), password=PASSWORD)
    (cookie,) = [
        one for one in came.answer.headers.get_list("set-cookie") if one.startswith("hansa_known")
    ]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "ada" not in cookie
    stranger = coming(node, "192.0.2.8")
    stranger.client.cookies.set("hansa_known", came.answer.cookies["hansa_known"])
    assert stranger.open("/people").heading == "Sign in", "it lets nobody in"


def test_a_signed_in_person_who_mistypes_the_old_password_too_often_is_told_to_wait(
    node: Node, admin: Visitor
) -> None:
    new = {"new": "eight dry umbrellas", "again": "eight dry umbrellas"}
    for _ in range(5):
        shown = admin.send("/account/password", {"old": WRONG, **new})
    assert shown.status == 422
    assert "too many wrong passwords" in shown.text
    assert Visitor(node).sign_in("ada").open("/people").heading == "People"
