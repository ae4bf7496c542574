"""For how long who has signed in is in, what ends it, and what becomes of what was typed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.foundation.database import all_rows
from hansa.foundation.errors import Refused
from hansa.foundation.ids import SessionId
from hansa.foundation.people.actions import audit, persons, sessions
from hansa.foundation.people.model import (
    Denied,
    Person,
    SignedIn,
    StaffRole,
)
from tests.foundation.reception import FINANCE, HOME, PASSWORD, SALES, WRONG, Desk

# --- sessions -----------------------------------------------------------------------------------


def test_a_session_of_which_nothing_is_seen_is_over(desk: Desk) -> None:
    desk.enter()
    token = desk.signed_in().token
    for _ in range(4):
        desk.clock.move(timedelta(minutes=29))
        assert desk.why(token) == ""
    desk.clock.move(timedelta(minutes=30))
    assert desk.why(token) == "idle"


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(gaps_s=st.lists(st.integers(0, 2000), min_size=1, max_size=8))
def test_however_it_is_used_it_ends_in_the_last_minute_of_silence(
    desk: Desk, gaps_s: list[int]
) -> None:
    """As what is seen is written once a minute at most, half an hour may be a minute less."""
    with desk.begin() as tx:
        known = persons.people(tx)
    if not known:
        desk.enter()
    token = desk.signed_in().token
    for gap_s in gaps_s:
        desk.clock.move(timedelta(seconds=gap_s))
        why = desk.why(token)
        if gap_s >= 1800:
            assert why == "idle"
        elif gap_s <= 1740:
            assert why == ""
        if why:
            return


def test_a_session_lasts_half_a_day_at_most(desk: Desk) -> None:
    desk.enter()
    token = desk.signed_in().token
    for _ in range(12 * 3 - 1):
        desk.clock.move(timedelta(minutes=20))
        assert desk.why(token) == ""
    desk.clock.move(timedelta(minutes=20))
    assert desk.why(token) == "age"


def test_reading_pages_writes_once_a_minute(desk: Desk) -> None:
    desk.enter()
    came = desk.signed_in()
    written = []
    for _ in range(6):
        desk.clock.move(timedelta(seconds=25))
        desk.look(came.token)
        with desk.begin() as tx:
            (row,) = all_rows(tx, "select seen_at from people_session")
        written.append((row["seen_at"] - came.session.begun_at).total_seconds())
    assert written == [0, 0, 75, 75, 75, 150]


def test_a_token_that_was_never_given_is_none(desk: Desk) -> None:
    desk.enter()
    came = desk.signed_in()
    for token in ("", "x" * 43, came.token[:-1], came.token + "=", "\udce9"):
        assert desk.look(token) is None


def test_signing_out_ends_it_once(desk: Desk) -> None:
    desk.enter()
    came = desk.signed_in()
    for _ in range(2):
        with desk.begin() as tx:
            sessions.sign_out(tx, session=came.session.id, now=desk.clock.now())
    assert desk.why(came.token) == "ended"
    with desk.begin() as tx:
        assert [entry.action for entry in audit.trail(tx)] == ["signed-out", "signed-in"]


def test_sessions_are_listed_and_ended_one_by_one(desk: Desk) -> None:
    ada = desk.enter()
    first, second = desk.signed_in(), desk.signed_in()
    desk.clock.move(timedelta(minutes=20))
    assert desk.why(first.token) == ""
    with desk.begin() as tx:
        found = sessions.sessions(tx, person=ada.id, now=desk.clock.now())
        assert [one.id for one in found] == [first.session.id, second.session.id]
        assert sessions.revoke(tx, session=first.session.id, now=desk.clock.now())
        assert not sessions.revoke(tx, session=first.session.id, now=desk.clock.now())
        assert not sessions.revoke(tx, session=SessionId("ses_0"), now=desk.clock.now())
    assert (desk.why(first.token), desk.why(second.token)) == ("ended", "")
    desk.clock.move(timedelta(minutes=30))
    with desk.begin() as tx:
        assert sessions.sessions(tx, person=ada.id, now=desk.clock.now()) == []


Change = Callable[[Desk, Person, SignedIn], object]


def _change(**what: object) -> Change:
    def done(desk: Desk, ada: Person, _: SignedIn) -> None:
        with desk.begin() as tx:
            persons.change(tx, person=ada.id, now=desk.clock.now(), **what)  # type: ignore[arg-type]

    return done


def _password(*, besides: bool) -> Change:
    def done(desk: Desk, ada: Person, came: SignedIn) -> None:
        with desk.begin() as tx:
            persons.set_password(
                tx, person=ada.id, password=WRONG, now=desk.clock.now(),
                besides=came.session.id if besides else None,
            )  # fmt: skip

    return done


def _revoke_all(desk: Desk, ada: Person, _: SignedIn) -> None:
    with desk.begin() as tx:
        assert sessions.revoke_all(tx, person=ada.id, now=desk.clock.now()) == 1


@pytest.mark.parametrize(
    ("done", "ends"),
    [
        (_change(roles=FINANCE), True),
        (_change(active=False), True),
        (_change(roles=SALES), False),
        (_change(name="Augusta", language="pt-BR"), False),
        (_password(besides=False), True),
        (_password(besides=True), False),
        (_revoke_all, True),
    ],
)
def test_what_ends_a_session(desk: Desk, done: Change, ends: bool) -> None:
    ada = desk.enter()
    desk.enter("bob")
    came, other = desk.signed_in(), desk.signed_in("bob")
    done(desk, ada, came)
    assert desk.why(came.token) == ("ended" if ends else "")
    assert desk.why(other.token) == "", "and nobody else's"


def test_who_is_signing_in_with_an_old_password_is_out_as_well(desk: Desk) -> None:
    """A new password waits for the sign-in, or the sign-in meets the new password."""
    ada = desk.enter()

    def set_password() -> None:
        with desk.begin() as tx:
            persons.set_password(tx, person=ada.id, password=WRONG, now=desk.clock.now())

    with ThreadPoolExecutor(1) as threads:
        with desk.begin() as tx:
            came = sessions.sign_in(
                tx, login="ada", password=PASSWORD, address=HOME, agent="", ids=desk.ids,
                now=desk.clock.now(),
            )  # fmt: skip
            setting = threads.submit(set_password)
            with pytest.raises(TimeoutError):
                setting.result(timeout=0.3)
        setting.result(timeout=60)
    assert isinstance(came, SignedIn)
    assert desk.why(came.token) == "ended"


def test_who_is_signing_in_while_shut_out_is_out(desk: Desk) -> None:
    ada = desk.enter()
    with ThreadPoolExecutor(1) as threads:
        with desk.begin() as tx:
            persons.change(tx, person=ada.id, active=False, now=desk.clock.now())
            coming = threads.submit(desk.sign_in)
            with pytest.raises(TimeoutError):
                coming.result(timeout=0.3)
        assert isinstance(coming.result(timeout=60), Denied)


def test_sessions_are_forgotten_a_month_after_their_end(desk: Desk) -> None:
    desk.enter()
    old = desk.signed_in()
    desk.clock.move(timedelta(days=30, hours=11))
    desk.signed_in()
    assert desk.why(old.token) == "age"
    desk.clock.move(timedelta(hours=1))
    desk.signed_in()
    assert desk.look(old.token) is None


# --- by an identity provider --------------------------------------------------------------------


def test_whom_a_provider_knows_is_entered_at_first_sight(desk: Desk) -> None:
    came = desk.come("finance", "approver", "offline_access")
    assert isinstance(came, SignedIn)
    assert came.person.roles == {StaffRole.FINANCE, StaffRole.APPROVER}
    assert desk.denied("grace", "") == "sign-in-refused", "there is no password"
    again = desk.come("sales", login="renamed")
    assert isinstance(again, SignedIn)
    assert (again.person.id, again.person.login) == (came.person.id, "grace")
    assert again.person.roles == {StaffRole.SALES}
    assert desk.why(came.token) == "ended", "its roles were others"
    assert desk.why(again.token) == ""


def test_a_person_whose_roles_were_taken_is_out(desk: Desk) -> None:
    came = desk.come("sales")
    assert isinstance(came, SignedIn)
    found = desk.come("offline_access")
    assert isinstance(found, Denied) and found.error.code == "person-without-role"
    assert desk.why(came.token) == "ended"
    with desk.begin() as tx:
        assert persons.find(tx, login="grace").roles == frozenset()
    assert isinstance(desk.come("sales"), SignedIn)


def test_a_customers_person_comes_for_its_party(desk: Desk) -> None:
    came = desk.come("customer", party="shop")
    assert isinstance(came, SignedIn) and came.person.party == "shop"
    staff = desk.come("sales", party="shop")
    assert isinstance(staff, SignedIn) and staff.person.party is None
    with pytest.raises(Refused, match="roles-invalid"):
        desk.come("customer")


def test_a_provider_cannot_give_somebody_anothers_login(desk: Desk) -> None:
    desk.enter("grace")
    with pytest.raises(Refused, match="login-taken"):
        desk.come("admin")


def test_who_is_off_stays_off_whatever_a_provider_says(desk: Desk) -> None:
    came = desk.come("sales")
    assert isinstance(came, SignedIn)
    with desk.begin() as tx:
        persons.change(tx, person=came.person.id, active=False, now=desk.clock.now())
    found = desk.come("sales")
    assert isinstance(found, Denied) and found.error.code == "sign-in-refused"


def test_who_comes_by_two_doors_at_once_is_entered_once(desk: Desk) -> None:
    start = Barrier(4)

    def attempt(_: int) -> SignedIn | Denied:
        start.wait()
        return desk.come("sales")

    with ThreadPoolExecutor(4) as threads:
        came = list(threads.map(attempt, range(4)))
    people = {found.person.id for found in came if isinstance(found, SignedIn)}
    assert len(came) == 4 and len(people) == 1
    with desk.begin() as tx:
        assert len(persons.people(tx)) == 1


# --- forms that wait ----------------------------------------------------------------------------


@pytest.fixture
def late(desk: Desk) -> SignedIn:
    """A session that was over when its form came."""
    desk.enter()
    came = desk.signed_in()
    desk.clock.move(timedelta(hours=1))
    assert desk.why(came.token) == "idle"
    return came


def park(desk: Desk, came: SignedIn, fields: object, path: str = "/quotes/new") -> str:
    with desk.begin() as tx:
        return sessions.park(
            tx, session=came.session, path=path, fields=fields, now=desk.clock.now()
        )


def test_what_was_typed_waits_for_who_typed_it(desk: Desk, late: SignedIn) -> None:
    bob = desk.enter("bob")
    fields = {"site": ["Cape Town", "\x00 and \ud800"], "key": "k1"}
    id = park(desk, late, fields)
    with desk.begin() as tx:
        found = sessions.parked(tx, id=id, person=late.person.id, now=desk.clock.now())
        assert found is not None and (found.path, found.fields) == ("/quotes/new", fields)
        assert sessions.parked(tx, id=id, person=bob.id, now=desk.clock.now()) is None


def test_it_waits_for_a_day(desk: Desk, late: SignedIn) -> None:
    id = park(desk, late, {})
    desk.clock.move(timedelta(hours=23))
    with desk.begin() as tx:
        assert sessions.parked(tx, id=id, person=late.person.id, now=desk.clock.now())
    desk.clock.move(timedelta(hours=1))
    with desk.begin() as tx:
        assert sessions.parked(tx, id=id, person=late.person.id, now=desk.clock.now()) is None
    park(desk, late, {})
    with desk.begin() as tx:
        assert len(all_rows(tx, "select id from people_parked")) == 1


def test_it_is_bounded(desk: Desk, late: SignedIn) -> None:
    park(desk, late, "x" * (256 * 1024 - 2))
    with pytest.raises(Refused, match="form-too-big"):
        park(desk, late, "x" * (256 * 1024 - 1))
    kept = []
    for number in range(12):
        desk.clock.move(timedelta(seconds=1))
        kept.append(park(desk, late, number))
    with desk.begin() as tx:
        found = all_rows(tx, "select id from people_parked order by parked_at")
    assert [row["id"] for row in found] == kept[-10:]


@pytest.mark.parametrize("path", ["", "quotes", "//evil.example/", "/\\evil", "/a\nb"])
def test_it_goes_back_to_this_server_alone(desk: Desk, late: SignedIn, path: str) -> None:
    with pytest.raises(Refused, match="form-invalid"):
        park(desk, late, {}, path)
