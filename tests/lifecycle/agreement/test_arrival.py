"""Notices come late, twice and in any order; what a node makes of them is always the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.foundation.database import Database
from hansa.foundation.errors import TryLater
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.model import Agreement
from tests.lifecycle.agreement.examples import (
    MTN,
    Letter,
    Office,
    World,
    document,
    introduce,
    item,
)

Rehearsal = tuple[Office, Sequence[Letter], Sequence[Agreement]]


class ForgetError(Exception):
    """Ends a transaction without keeping anything."""


def a_year(world: World) -> Sequence[Letter]:
    """All that is said at MTN in the life of an agreement of three parties and two versions:
    what the others tell it, and what it tells them.
    """
    said: list[Letter] = []

    def tell() -> None:
        letters = world.collect()
        said.extend(letter for letter in letters if MTN in (letter.to, letter.sender))
        world.deliver(letters)
        world.bt.clock.move(timedelta(hours=1))

    for version, countries in ((1, ("ZA", "GH")), (2, ("ZA", "NG"))):
        world.bt.draft(document(version, three=True, items=(item(countries=countries),)))
        tell()
        for office in (world.mci, world.bt, world.mtn):
            office.sign(version)
            tell()
        for country in countries:
            world.bt.pass_gates(country, version)
            world.bt.launch(country, version)
        world.bt.suspend(version)
        world.bt.resume(version)
        tell()
    world.bt.run_off(2)
    tell()
    world.mci.end(2)
    tell()
    return [replace(letter, to=MTN) for letter in said]


def hear_all(office: Office, letters: Sequence[Letter]) -> Sequence[Agreement]:
    """What the office makes of the letters in this order, before it forgets all of them.

    What must wait for another letter is sent again after all others.
    """
    waiting, patience = list(letters), len(letters) ** 2 + 1
    known: list[Agreement] = []
    with suppress(ForgetError), office.begin() as tx:
        while waiting:
            letter, patience = waiting.pop(0), patience - 1
            assert patience > 0, f"nobody takes {letter}"
            try:
                office.hear_in(tx, letter)
            except TryLater:
                waiting.append(letter)
        known += actions.all(tx)
        raise ForgetError
    return known


@pytest.fixture
def rehearsal(three: World, databases: Callable[[], Database]) -> Rehearsal:
    """MTN with an empty database, all that was ever said at it, and what that should come to."""
    letters = a_year(three)
    empty = replace(three.mtn, database=databases())
    for office in three.offices.values():
        introduce(office, to=empty)
    return empty, letters, hear_all(empty, letters)


def test_the_story_ends_at_every_party_as_it_was_told(rehearsal: Rehearsal, three: World) -> None:
    _, letters, expected = rehearsal
    assert len(letters) == 19
    for office in three.offices.values():
        with office.begin() as tx:
            theirs = actions.all(tx)
        for ours, other in zip(expected, theirs, strict=True):
            assert (ours.state, ours.in_force, ours.launched, ours.signatures) == (
                other.state,
                other.in_force,
                other.launched,
                other.signatures,
            )
    assert [one.state for one in expected] == ["ended", "ended"]
    assert [one.launched for one in expected] == [("GH", "ZA"), ("NG", "ZA")]


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_order_and_any_repetition_lead_to_the_same_state(
    rehearsal: Rehearsal, data: st.DataObject
) -> None:
    office, letters, expected = rehearsal
    again = data.draw(st.lists(st.sampled_from(letters), max_size=5), label="heard twice")
    order = data.draw(st.permutations([*letters, *again]), label="order of arrival")
    assert hear_all(office, order) == expected


@settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_half_of_the_story_in_any_order_leads_to_the_same_state(
    rehearsal: Rehearsal, data: st.DataObject
) -> None:
    """Cut anywhere, so that the states on the way are compared and not the end alone."""
    office, letters, _ = rehearsal
    heard = letters[: data.draw(st.integers(5, len(letters)), label="letters that have come")]
    order = data.draw(st.permutations(heard), label="order of arrival")
    assert hear_all(office, order) == hear_all(office, heard)
