"""Signing in, staying signed in, and what happens to what was typed when one was not."""

from __future__ import annotations

from datetime import timedelta

from hansa.foundation.people.actions import audit, persons, sessions
from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.entrypoints.portal.visitor import PASSWORD, Visitor, enter


def test_a_page_asks_to_sign_in_and_leads_back_to_where_one_wanted_to_go(
    node: Node, visitor: Visitor
) -> None:
    enter(node, "ada", "admin")
    asked = visitor.open("/people?of=all")
    assert asked.heading == "Sign in"
    form = {**asked.form("/sign-in"), "login": "ada", "password": PASSWORD}
    came = visitor.send("/sign-in", form, follow=False)
    assert came.answer.headers["location"] == "/people?of=all"
    assert visitor.open("/people").heading == "People"


def test_a_wrong_password_is_said_beside_the_form_and_counts(node: Node, visitor: Visitor) -> None:
    enter(node, "ada", "admin")
    for _ in range(5):
        refused = visitor.send("/sign-in", {"login": "ada", "password": "not this one, no"})
    assert refused.status == 429
    assert "hansa_session" not in visitor.client.cookies
    right = visitor.send("/sign-in", {"login": "ada", "password": PASSWORD})
    assert right.status == 429, "five wrong ones in a row have it wait"
    assert "hansa_session" not in visitor.client.cookies


def test_nobody_is_sent_elsewhere_after_signing_in(node: Node, visitor: Visitor) -> None:
    enter(node, "ada", "admin")
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "people"):
        came = visitor.send(
            "/sign-in", {"login": "ada", "password": PASSWORD, "next": elsewhere}, follow=False
        )
        assert came.answer.headers["location"] == "/"


def test_the_cookie_is_for_the_browser_alone(node: Node, visitor: Visitor) -> None:
    enter(node, "ada", "admin")
    came = visitor.send("/sign-in", {"login": "ada", "password": PASSWORD}, follow=False)
    (cookie,) = [
        one for one in came.answer.headers.get_list("set-cookie") if one.startswith("hansa_session")
    ]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_who_was_away_for_long_finds_again_what_was_typed(
    node: Node, admin: Visitor, clock: SetClock
) -> None:
    clock.move(timedelta(minutes=31))
    typed = {"login": "ben", "name": "Ben <b>Ox</b>", "roles": ["sales", "finance"]}
    asked = admin.send("/people/new", {**typed, "password": PASSWORD})
    assert asked.heading == "Sign in"
    assert "What you typed is kept" in asked.text
    kept = admin.send("/sign-in", {**asked.form("/sign-in"), "login": "ada", "password": PASSWORD})
    assert kept.heading == "What you typed"
    assert "Ben <b>Ox</b>" in kept.text
    assert PASSWORD not in kept.text
    (form,) = kept.tree.xpath("//form[@action='/people/new']")
    sent = admin.send("/people/new", {**_fields(form), "password": PASSWORD})
    assert sent.heading == "Ben <b>Ox</b>"


def _fields(form: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in form.form_values():  # type: ignore[attr-defined]
        found.setdefault(name, []).append(value)
    return found


def test_a_session_that_somebody_ended_shows_nothing_any_more(node: Node, admin: Visitor) -> None:
    other = Visitor(node).sign_in("ada")
    page = admin.open("/account")
    (end,) = [one for one in page.tree.xpath("//form/@action") if one.endswith("/end")]
    assert "That session is ended." in admin.send(end).text
    assert other.open("/people").heading == "Sign in"
    assert admin.open("/people").heading == "People"


def test_what_is_said_after_a_change_is_said_once(admin: Visitor) -> None:
    assert "is ended" not in admin.open("/account").text
    out = admin.send("/sign-out")
    assert "You are signed out." in out.text
    assert "You are signed out." not in admin.open("/sign-in").text


def test_a_password_is_changed_by_who_knows_it(node: Node, admin: Visitor) -> None:
    new = "eight dry umbrellas"
    wrong = admin.send("/account/password", {"old": "nine umbrellas", "new": new, "again": new})
    assert wrong.status == 422
    twice = admin.send("/account/password", {"old": PASSWORD, "new": new, "again": "other words x"})
    assert "differ" in twice.text
    done = admin.send("/account/password", {"old": PASSWORD, "new": new, "again": new})
    assert done.heading == "Sign in"
    assert admin.sign_in("ada", new).open("/account").heading == "Your account"


def test_a_role_that_was_taken_away_is_gone_at_once(node: Node, admin: Visitor) -> None:
    enter(node, "ben", "sales")
    ben = Visitor(node).sign_in("ben")
    assert ben.open("/people").status == 403
    assert ben.open("/approvals").heading == "Approvals"
    with node.begin() as tx:
        id = persons.find(tx, login="ben").id
    admin.send(f"/people/{id}", {"name": "Ben", "roles": "sales", "why": "has left"})
    assert ben.open("/approvals").heading == "Sign in"
    with node.begin() as tx:
        (entry, *_) = audit.trail(tx, action="person-changed")
    assert (entry.who, entry.why) == ("ada", "has left")


def test_a_change_without_a_reason_is_not_made_and_nothing_typed_is_lost(
    node: Node, admin: Visitor
) -> None:
    enter(node, "ben", "sales")
    with node.begin() as tx:
        id = persons.find(tx, login="ben").id
    shown = admin.send(f"/people/{id}", {"name": "Benjamin", "roles": "finance", "active": "yes"})
    assert shown.status == 422
    assert "Say why" in shown.text
    assert shown.tree.xpath("//input[@name='name']/@value") == ["Benjamin"]
    assert shown.tree.xpath("//input[@name='roles'][@checked]/@value") == ["finance"]
    with node.begin() as tx:
        assert persons.get(tx, person=id).name == "Ben"


def test_a_session_lasts_no_longer_than_the_settings_say(
    node: Node, admin: Visitor, clock: SetClock
) -> None:
    for _ in range(25):
        clock.move(timedelta(minutes=29))
        shown = admin.open("/account").heading
    assert shown == "Sign in"
    with node.begin() as tx:
        ada = persons.find(tx, login="ada")
        assert not sessions.sessions(tx, person=ada.id, now=clock.now())
