"""Who may sign in, with which password, and after how many wrong ones nobody may."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.foundation.database import all_rows
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.people import rules
from hansa.foundation.people.actions import audit, persons, sessions
from hansa.foundation.people.model import (
    Denied,
    Seen,
)
from tests.foundation.reception import PASSWORD, WRONG, Desk

# --- entering -----------------------------------------------------------------------------------


def test_a_person_is_entered_once_and_found_however_it_is_written(desk: Desk) -> None:
    ada = desk.enter(" Ada ")
    assert ada.login == "ada" and ada.active
    with desk.begin() as tx:
        assert persons.find(tx, login="ADA") == persons.get(tx, person=ada.id) == ada
        assert persons.people(tx) == [ada]
    with pytest.raises(Refused, match="login-taken"):
        desk.enter("ada")
    with desk.begin() as tx, pytest.raises(NotFound, match="person-unknown"):
        persons.find(tx, login="eve")


@pytest.mark.parametrize(
    ("roles", "party", "fits"),
    [
        ({"sales", "approver"}, None, True),
        ({"customer"}, "shop", True),
        ({"customer"}, None, False),
        ({"customer", "sales"}, "shop", False),
        ({"sales"}, "shop", False),
        (set(), None, False),
        (set(), "shop", False),
    ],
)
def test_customers_come_for_a_party_and_do_nothing_else(
    roles: set[str], party: str | None, fits: bool
) -> None:
    given = rules.known_roles(roles)
    named = PartyId(party) if party else None
    if fits:
        rules.check_roles(given, named)
    else:
        with pytest.raises(Refused, match="roles-invalid"):
            rules.check_roles(given, named)


@pytest.mark.parametrize("login", ["", "ada lovelace", "console:root", "ädä", "-ada", "a" * 81])
def test_a_login_is_plain(desk: Desk, login: str) -> None:
    with pytest.raises(Refused, match="login-invalid"):
        desk.enter(login)


@pytest.mark.parametrize("password", ["", "short", "eleven char", "ada.lovelace", "x" * 1025])
def test_a_password_is_long_and_not_the_login(desk: Desk, password: str) -> None:
    with pytest.raises(Refused, match="password-weak"):
        desk.enter("ada.lovelace", password)


def test_long_passwords_and_any_characters_are_good(desk: Desk) -> None:
    password = "\N{SNOWMAN} é" + "x" * 1000
    desk.enter(password=password)
    desk.signed_in(password=password.replace("é", "e\N{COMBINING ACUTE ACCENT}"))
    assert desk.denied(password=password[:-1]) == "sign-in-refused"
    assert desk.denied(password=password * 100) == "sign-in-refused"


@settings(deadline=None, max_examples=25)  # each takes as long as a sign-in
@given(password=st.text(max_size=40))
def test_whatever_is_typed_is_right_or_wrong(password: str) -> None:
    """Nothing that can be typed is an error, and nobody has the password of nobody."""
    assert not rules.is_password(password, None)
    assert not rules.is_password(password, rules.NOBODYS)


def test_what_nobody_has_is_kept_as_all_others_are() -> None:
    """Or it would take another time to be told that it is wrong."""
    made = rules.hashed(PASSWORD, bytes(rules.SALT_OCTETS))
    assert made.split("$")[:5] == rules.NOBODYS.split("$")[:5]
    assert len(made) == len(rules.NOBODYS)


def test_new_passwords_are_good_ones() -> None:
    made = persons.new_password()
    rules.check_password(made, "ada")
    assert len(made) == 29 and made != persons.new_password()


# --- signing in ---------------------------------------------------------------------------------


def test_who_knows_the_password_comes_in(desk: Desk) -> None:
    ada = desk.enter()
    came = desk.signed_in()
    assert came.person == ada
    assert came.session.ends_at - came.session.begun_at == timedelta(hours=12)
    assert desk.look(came.token) == Seen(came.session, ada)
    assert came.token not in repr(came)
    with desk.begin() as tx:
        (entry,) = audit.trail(tx)
    assert (entry.who, entry.action, entry.roles) == ("ada", "signed-in", ("sales",))


def test_the_token_and_the_password_are_nowhere_in_the_database(desk: Desk) -> None:
    desk.enter()
    came = desk.signed_in()
    with desk.begin() as tx:
        kept = str(
            [
                all_rows(tx, f"select * from {table}")
                for table in ("people_person", "people_session", "people_audit")
            ]
        )
    assert "argon2id" in kept
    assert came.token not in kept and PASSWORD not in kept


def test_wrong_password_unknown_login_and_off_are_told_alike(desk: Desk) -> None:
    ada = desk.enter()
    desk.enter("without", password=None)
    desk.enter("off")
    with desk.begin() as tx:
        persons.change(
            tx, person=persons.find(tx, login="off").id, active=False, now=desk.clock.now()
        )
    answers = [
        desk.sign_in(login, password)
        for login, password in (
            ("ada", WRONG), ("nobody", WRONG), ("without", ""), ("off", PASSWORD), ("n o", WRONG),
        )
    ]  # fmt: skip
    told = {(found.error.code, found.error.words) for found in answers if isinstance(found, Denied)}
    assert len(answers) == 5 and len(told) == 1
    assert ada.active


def test_they_take_alike_in_time(desk: Desk) -> None:
    """Within half of what it takes: the work on a password is the most of it."""
    desk.enter()
    took: dict[str, list[float]] = {"ada": [], "nobody": [], "n o": []}
    for _ in range(4):
        for login, times in took.items():
            began = time.process_time()
            desk.denied(login)
            times.append(time.process_time() - began)
    best = {login: min(times) for login, times in took.items()}
    assert max(best.values()) < 1.5 * min(best.values()), best
    assert statistics.fmean(best.values()) > 0.005


def test_a_new_password_is_good_at_once(desk: Desk) -> None:
    ada = desk.enter()
    while "waits" not in desk.denied():
        pass
    with desk.begin() as tx:
        persons.set_password(tx, person=ada.id, password=WRONG, now=desk.clock.now())
    assert desk.denied(password=PASSWORD) == "sign-in-refused"
    desk.signed_in(password=WRONG)


def test_tries_at_once_are_counted_one_by_one(desk: Desk) -> None:
    desk.enter()
    start = Barrier(8)

    def attempt(_: int) -> str:
        start.wait()
        return desk.denied()

    with ThreadPoolExecutor(8) as threads:
        told = sorted(threads.map(attempt, range(8)))
    assert told == ["sign-in-refused"] * 4 + ["sign-in-waits 30"] * 4


def test_who_is_signed_in_proves_to_know_the_password(desk: Desk) -> None:
    ada = desk.enter()
    with desk.begin() as tx:
        assert sessions.prove(tx, person=ada.id, password=PASSWORD, now=desk.clock.now()) is None
    for _ in range(4):
        with desk.begin() as tx:
            denied = sessions.prove(tx, person=ada.id, password=WRONG, now=desk.clock.now())
        assert denied is not None and denied.error.code == "sign-in-refused"
    with desk.begin() as tx:
        last = sessions.prove(tx, person=ada.id, password=WRONG, now=desk.clock.now())
    assert last is not None and last.error.code == "sign-in-waits"
    assert desk.denied() == "sign-in-refused", "it is counted apart from what is tried at the door"
