"""People are entered, changed and shut out at the command line, and it is written down who did."""

from __future__ import annotations

import getpass
import io
import re
from typing import Any
from unittest import mock

import pytest

from hansa.foundation.people.actions import sessions
from hansa.foundation.people.model import Denied, SignedIn
from tests.entrypoints.desk import Desk

ADA = ("person", "add", "ada", "--name", "Ada Lovelace", "--role", "sales")
PASSWORD = "horses carry letters"


@pytest.fixture(autouse=True)
def stdin() -> Any:
    """What is piped in; nothing until a test says so."""
    with mock.patch("sys.stdin", io.StringIO()) as piped:
        yield piped


def pipe(stdin: io.StringIO, text: str) -> None:
    stdin.write(text)
    stdin.seek(0)


def sign_in(desk: Desk, password: str, login: str = "ada") -> SignedIn | Denied:
    with desk.node() as node, node.begin() as tx:
        return sessions.sign_in(
            tx, login=login, password=password, address="192.0.2.7", agent="", ids=node.ids,
            now=node.clock.now(),
        )  # fmt: skip


def test_a_person_is_entered_with_a_password_that_is_shown_once(desk: Desk) -> None:
    said = desk(*ADA, "--generate").out
    (password,) = re.findall(r"shown this once: (\S+)", said)
    came = sign_in(desk, password)
    assert isinstance(came, SignedIn) and came.person.name == "Ada Lovelace"
    for words in (("person", "list"), ("audit", "list"), ("audit", "list", "--json")):
        assert password not in desk(*words).out
    assert desk.json("person", "list") == [
        {
            "id": came.person.id, "login": "ada", "name": "Ada Lovelace", "roles": ["sales"],
            "party": None, "language": "en", "active": True, "sessions": 1,
        }
    ]  # fmt: skip


def test_a_password_comes_through_a_pipe(desk: Desk, stdin: io.StringIO) -> None:
    pipe(stdin, PASSWORD + "\n")
    desk(*ADA)
    assert isinstance(sign_in(desk, PASSWORD), SignedIn)


def test_a_password_is_typed_twice_at_a_terminal(desk: Desk) -> None:
    typed = mock.Mock(return_value=PASSWORD)
    with mock.patch("sys.stdin.isatty", return_value=True), mock.patch("typer.prompt", typed):
        desk(*ADA)
    assert typed.call_args.kwargs == {"hide_input": True, "confirmation_prompt": True, "err": True}
    assert isinstance(sign_in(desk, PASSWORD), SignedIn)


def test_nothing_piped_in_is_no_password(desk: Desk) -> None:
    assert "password-weak" in desk.refused(*ADA)


def test_who_has_no_password_yet_gets_one(desk: Desk) -> None:
    desk(*ADA, "--without-password")
    assert isinstance(sign_in(desk, ""), Denied)
    given = desk.json("person", "password", "ada", "--generate")["password"]
    assert isinstance(sign_in(desk, given), SignedIn)


def test_a_customers_person_is_of_a_customer_that_there_is(shop: Desk) -> None:
    add = ("person", "add", "eve", "--name", "Eve", "--role", "customer", "--without-password")
    assert shop.json(*add, "--for", "shop")["party"] == "shop"
    other = ("person", "add", "joe", *add[3:])
    assert "customer-unknown" in shop.refused(*other, "--for", "nobody", exit_code=4)
    assert "roles-invalid" in shop.refused(*other)


def test_other_roles_revoking_and_off_end_sessions(desk: Desk) -> None:
    password = desk.json(*ADA, "--generate")["password"]

    def count() -> int:
        (row,) = desk.json("person", "list")
        return int(row["sessions"])

    def come() -> None:
        assert isinstance(sign_in(desk, password), SignedIn)
        assert count() > 0

    come()
    assert desk.json("person", "roles", "ada", "--role", "finance", "--role", "approver")[
        "roles"
    ] == ["approver", "finance"]
    assert count() == 0
    come()
    come()
    assert desk.json("person", "revoke", "ada")["sessions"] == 2
    come()
    assert desk.json("person", "off", "ada")["active"] is False
    assert count() == 0 and isinstance(sign_in(desk, password), Denied)
    assert desk.json("person", "off", "ada", "--back")["active"] is True
    come()


def test_what_was_done_is_kept_with_the_user_of_the_machine(desk: Desk) -> None:
    desk(*ADA, "--without-password", "--why", "new in sales")
    desk("person", "roles", "ada", "--role", "admin", "--why", "moved")
    desk("person", "off", "ada", "--why", "left")
    found = desk.json("audit", "list")
    assert [(entry["action"], entry["subject"], entry["why"]) for entry in found] == [
        ("person-off", "ada", "left"),
        ("person-roles", "ada", "moved"),
        ("person-entered", "ada", "new in sales"),
    ]
    assert {entry["who"] for entry in found} == {f"console:{getpass.getuser()}"}
    assert found[1]["details"] == {"before": ["sales"], "roles": ["admin"]}
    assert len(desk.json("audit", "list", "--before", str(found[0]["number"]))) == 2
    assert len(desk.json("audit", "list", "--action", "person-off")) == 1
    assert "person-roles" in desk("audit", "list", "--limit", "2").out


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("person", "roles", "eve", "--role", "sales"), "person-unknown", 4),
        (("person", "password", "eve", "--generate"), "person-unknown", 4),
        (("person", "revoke", "eve"), "person-unknown", 4),
        (("person", "off", "eve"), "person-unknown", 4),
        ((*ADA[:-1], "boss", "--generate"), "choice-unknown", 3),
        ((*ADA, "--language", "english", "--generate"), "person-invalid", 3),
    ],
)
def test_refusals(desk: Desk, words: tuple[str, ...], code: str, exit_code: int) -> None:
    assert code in desk.refused(*words, exit_code=exit_code)
