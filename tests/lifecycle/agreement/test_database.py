"""What the database holds of its own accord, even against the code."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from hansa.foundation.database import run
from tests.databases import unbound
from tests.lifecycle.agreement.examples import MCI, MTN, Letter, World, document


def refused(world: World, sql: str) -> psycopg.Error:
    """What the database says, even to the superuser."""
    with pytest.raises(psycopg.Error) as caught, unbound(world.bt.database.url) as tx:
        run(tx, sql)
    return caught.value


def test_two_versions_cannot_be_in_force_at_once(two: World) -> None:
    two.agree(document())
    two.agree(document(2))
    error = refused(two, "update agreement_version set in_force = tstzrange('2026-11-01', null)")
    assert isinstance(error, psycopg.errors.ExclusionViolation)


CHANGES = (
    "update agreement_version set document = document || '{\"gates\": []}'",
    "delete from agreement_version",
    "update agreement_life set lead = 'mtn'",
    "delete from agreement_party where party = 'mtn'",
    "update agreement_item set seller = 'mtn', buyer = 'bt'",
    "update agreement_signature set value = ''",
    "delete from agreement_signature",
    "update agreement_gate set evidence = 'nothing'",
    "delete from agreement_gate",
    "update agreement_move set act = 'end'",
    "delete from agreement_move",
    "truncate agreement_move",
    "truncate agreement_life, agreement_version cascade",
)


def test_what_was_said_is_never_changed(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    for sql in CHANGES:
        assert isinstance(refused(two, sql), psycopg.errors.RestrictViolation), sql


def test_only_parties_sign(two: World) -> None:
    two.agree(document())
    error = refused(
        two,
        """insert into agreement_signature values
           ('agr_africa.bt', 1, 'mci', '', '2026-11-02', '2026-11-02')""",
    )
    assert isinstance(error, psycopg.errors.ForeignKeyViolation)


def test_two_signatures_that_arrive_at_once_are_both_counted(three: World) -> None:
    three.bt.draft(document(three=True))
    three.deliver()
    for office in three.offices.values():
        office.sign()
    letters = [
        letter
        for letter in three.collect()
        if letter.to == three.bt.us and letter.sender in (MTN, MCI)
    ]
    together = Barrier(2)

    def hear(letter: Letter) -> None:
        with three.bt.begin() as tx:
            together.wait(timeout=10)
            three.bt.hear_in(tx, letter)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(hear, letters))
    assert three.bt.show().state == "signed"
