"""How guessing passwords is slowed down, and that nobody is shut out by who guesses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.foundation.database import all_rows
from hansa.foundation.people import rules
from hansa.foundation.people.actions import audit
from hansa.foundation.people.model import AuditEntry, Denied, Tries
from tests.foundation.reception import PASSWORD, WRONG, Desk

SECOND = timedelta(seconds=1)
ELSEWHERE = "198.51.100.9"


def seconds(told: str) -> timedelta:
    """How long one was told to wait."""
    return timedelta(seconds=int(told.partition(" ")[2] or 0))


def trail(desk: Desk) -> list[AuditEntry]:
    with desk.begin() as tx:
        return list(audit.trail(tx, action="sign-in-waits"))


def hunt(desk: Desk, login: str = "ada") -> None:
    """A login is tried from everywhere."""
    for place in range(10):
        for _ in range(5):
            desk.denied(login, address=f"203.0.113.{place}")


# --- one place ----------------------------------------------------------------------------------


def test_after_five_wrong_ones_from_a_place_it_waits_longer_and_longer(desk: Desk) -> None:
    desk.enter()
    told = [desk.denied() for _ in range(5)]
    assert told == ["sign-in-refused"] * 4 + ["sign-in-waits 30"]
    desk.clock.move(10 * SECOND)
    assert desk.denied(password=PASSWORD) == "sign-in-waits 20", "the right one waits as well"
    desk.clock.move(20 * SECOND)
    waits = []
    for _ in range(9):
        waits.append(seconds(desk.denied()))
        desk.clock.move(waits[-1])
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (60 * SECOND, rules.WAIT_MAX)
    desk.signed_in()
    assert [desk.denied() for _ in range(2)] == ["sign-in-refused"] * 2, "it counts from nought"


def test_what_was_tried_while_it_waits_makes_no_wait_longer(desk: Desk) -> None:
    desk.enter()
    for _ in range(25):
        desk.denied()
    assert desk.denied() == "sign-in-waits 30"


def test_who_goes_on_for_a_day_has_a_hundred_tries(desk: Desk) -> None:
    desk.enter()
    end, tries = desk.clock.now() + timedelta(days=1), 0
    while desk.clock.now() < end:
        tries += 1
        desk.clock.move(seconds(desk.denied()))
    assert tries <= 5 + 24 * 4 + 10


def test_wrong_ones_are_forgotten_one_by_one_and_nothing_of_them_is_kept(desk: Desk) -> None:
    desk.enter()
    for _ in range(4):
        desk.denied()
    desk.clock.move(2 * rules.EASE)
    told = [desk.denied() for _ in range(3)]
    assert told == ["sign-in-refused"] * 2 + ["sign-in-waits 30"]
    desk.clock.move(5 * rules.EASE)
    desk.signed_in()
    with desk.begin() as tx:
        assert all_rows(tx, "select * from people_try") == []


@given(failures=st.integers(0, 10**9), forgiven=st.integers(1, 60))
def test_no_wait_is_shorter_than_the_one_before(failures: int, forgiven: int) -> None:
    before, after = (rules.wait_after(count, forgiven) for count in (failures, failures + 1))
    assert (before is None) == (failures < forgiven)
    assert after is None or (before or timedelta()) <= after <= rules.WAIT_MAX


@given(gaps=st.lists(st.integers(0, 40_000), max_size=120), login=st.booleans())
def test_nothing_that_was_tried_is_kept_for_a_day(gaps: list[int], login: bool) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    tries = Tries("ada" if login else "", "192.0.2.7", now)
    for gap in gaps:
        now += timedelta(seconds=gap)
        tries = rules.one_more(tries, now, hunted=gap % 2 == 0)
        assert tries.forgotten_at - now < timedelta(days=1)
        assert tries.waits_until is None or tries.waits_until <= tries.forgotten_at


# --- others' guesses ----------------------------------------------------------------------------


def test_who_guesses_elsewhere_makes_nobody_wait(desk: Desk) -> None:
    desk.enter()
    while "waits" not in desk.denied(address=ELSEWHERE):
        pass
    desk.signed_in()
    assert desk.denied(password=PASSWORD, address=ELSEWHERE) == "sign-in-waits 30"


def test_a_place_that_tries_many_logins_waits_with_all_of_them(desk: Desk) -> None:
    desk.enter()
    told = [desk.denied(f"nobody{number}") for number in range(30)]
    assert told == ["sign-in-refused"] * 29 + ["sign-in-waits 30"]
    assert desk.denied(password=PASSWORD) == "sign-in-waits 30"
    assert desk.denied("n o") == "sign-in-waits 30"
    desk.signed_in(address=ELSEWHERE)
    desk.clock.move(30 * SECOND)
    desk.signed_in()
    assert desk.denied("nobody") == "sign-in-waits 60", "coming in makes no place a better one"


def test_a_browser_that_is_known_waits_for_nobody_else(desk: Desk) -> None:
    desk.enter()
    came = desk.signed_in()
    hunt(desk)
    for number in range(30):
        desk.denied(f"nobody{number}")
    assert "waits" in desk.denied(password=PASSWORD)
    again = desk.signed_in(known=came.known)
    assert again.known == came.known
    told = [desk.denied(known=came.known) for _ in range(5)]
    assert told == ["sign-in-refused"] * 4 + ["sign-in-waits 30"], "but for its own wrong ones"
    desk.enter("ben")
    assert "waits" in desk.denied("ben", PASSWORD, known=came.known), "and it is ada's alone"


def test_a_login_that_is_tried_from_everywhere_gives_each_place_one_try(desk: Desk) -> None:
    desk.enter()
    hunt(desk)
    assert desk.denied(address="203.0.113.99") == "sign-in-waits 3600"
    desk.signed_in(address=ELSEWHERE)
    assert desk.denied(address=ELSEWHERE) == "sign-in-waits 3600"
    desk.clock.move(timedelta(hours=1))
    desk.signed_in(address=ELSEWHERE)


def test_a_browser_is_known_for_three_months_and_ten_of_a_person_are(desk: Desk) -> None:
    desk.enter()
    first = desk.signed_in()
    for _ in range(10):
        desk.clock.move(SECOND)
        last = desk.signed_in()
    with desk.begin() as tx:
        kept = all_rows(tx, "select token_hash from people_browser")
        assert len(kept) == 10 and last.known not in str(kept)
    assert desk.signed_in(known=first.known).known != first.known
    desk.clock.move(timedelta(days=90))
    desk.signed_in()
    with desk.begin() as tx:
        assert len(all_rows(tx, "select token_hash from people_browser")) == 1


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:22ff::7", "2001:db8:1:2200::/56"),
        ("2001:db8:1:2200:ffff::8", "2001:db8:1:2200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", "unknown"),
        ("no address", "unknown"),
    ],
)
def test_of_ipv6_a_whole_network_is_one_place(address: str, place: str) -> None:
    assert rules.place(address) == place


# --- nothing is told ----------------------------------------------------------------------------


def test_a_login_that_nobody_has_waits_as_any_other(desk: Desk) -> None:
    desk.enter()
    for address in ("192.0.2.1", "192.0.2.2"):
        told = [
            (desk.denied("ada", address=address), desk.denied("nobody", address=address))
            for _ in range(7)
        ]
        assert all(known == unknown for known, unknown in told)
    hunt(desk, "ada")
    hunt(desk, "nobody")
    words = {
        found.error.words
        for login in ("ada", "nobody")
        for password in (WRONG, PASSWORD if login == "nobody" else WRONG)
        if isinstance(found := desk.sign_in(login, password, address="192.0.2.3"), Denied)
    }
    assert len(words) == 1


def test_the_audit_log_says_once_that_guessing_is_held_up(desk: Desk) -> None:
    desk.enter()
    for _ in range(6):
        desk.clock.move(seconds(desk.denied()))
        desk.clock.move(seconds(desk.denied("nobody", address=ELSEWHERE)))
    (entry,) = trail(desk)
    assert (entry.who, entry.subject) == ("ada", "ada")
    assert entry.details == {"failures": 5, "from": "192.0.2.7"}


def test_the_audit_log_names_a_place_that_tries_many_logins(desk: Desk) -> None:
    for number in range(30):
        desk.denied(f"nobody{number}")
    (entry,) = trail(desk)
    assert (entry.who, entry.subject) == ("address:192.0.2.7", "192.0.2.7")
    assert entry.details == {"failures": 30, "from": "192.0.2.7"}


def test_the_audit_log_says_once_that_a_login_is_tried_from_everywhere(desk: Desk) -> None:
    desk.enter()
    hunt(desk)
    before = len(trail(desk))
    for place in range(5):
        desk.denied(address=f"198.51.100.{place}")
    assert [entry.details["from"] for entry in trail(desk)].count("everywhere") == 1
    assert len(trail(desk)) == before
