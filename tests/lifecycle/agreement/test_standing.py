"""Where a version stands, worked out from signatures and moves alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation.papers import AgreementAct, AgreementDocument, AgreementMoved, Signature
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.lifecycle.agreement.model import AgreementState, InForce, Standing
from hansa.lifecycle.agreement.rules import standing
from tests.lifecycle.agreement.examples import BT, FROM, MTN, document, item, ref


def day(number: float) -> datetime:
    """So many days after the agreement says that it begins."""
    return FROM + timedelta(days=number)


def signed(on: float, *parties: PartyId) -> Sequence[Signature]:
    return [Signature(party, "…", day(on)) for party in parties or (BT, MTN)]


def move(
    act: AgreementAct, on: float, country: str = "", *, by: PartyId = BT, version: int = 1
) -> AgreementMoved:
    return AgreementMoved(ref(version), act, country, {}, Signature(by, "…", day(on)))


def one(*moves: AgreementMoved, signatures: Sequence[Signature] | None = None) -> Standing:
    """Where the only version stands after these moves."""
    given_ = signed(0) if signatures is None else signatures
    return standing.standings([(document(), given_)], moves)[0]


LIVES: list[tuple[str, list[AgreementMoved], str, list[str]]] = [
    ("nothing yet", [], "signed", []),
    ("launched", [move("launch", 1, "ZA")], "live", ["ZA"]),
    ("launched twice", [move("launch", 1, "ZA"), move("launch", 2, "GH")], "live", ["ZA", "GH"]),
    ("suspended", [move("launch", 1, "ZA"), move("suspend", 2)], "suspended", ["ZA"]),
    (
        "resumed",
        [move("launch", 1, "ZA"), move("suspend", 2), move("resume", 3)],
        "live",
        ["ZA"],
    ),
    ("running off", [move("launch", 1, "ZA"), move("run-off", 2)], "run-off", ["ZA"]),
    (
        "running off after a suspension",
        [move("launch", 1, "ZA"), move("suspend", 2), move("run-off", 3)],
        "run-off",
        ["ZA"],
    ),
    (
        "nothing is launched while suspended",
        [move("launch", 1, "ZA"), move("suspend", 2), move("launch", 3, "GH")],
        "suspended",
        ["ZA"],
    ),
    (
        "nothing is resumed once running off",
        [move("launch", 1, "ZA"), move("run-off", 2), move("resume", 3)],
        "run-off",
        ["ZA"],
    ),
    ("nothing to resume", [move("resume", 1)], "signed", []),
    ("nothing to suspend", [move("suspend", 1)], "signed", []),
    ("nothing to run off", [move("run-off", 1)], "signed", []),
    ("ended by the lead", [move("launch", 1, "ZA"), move("end", 2)], "ended", ["ZA"]),
    ("ended by the other", [move("launch", 1, "ZA"), move("end", 2, by=MTN)], "ended", ["ZA"]),
    (
        "nothing after the end",
        [move("launch", 1, "ZA"), move("end", 2, by=MTN), move("launch", 3, "GH")],
        "ended",
        ["ZA"],
    ),
]


@pytest.mark.parametrize(
    ("moves", "state", "live"), [row[1:] for row in LIVES], ids=[row[0] for row in LIVES]
)
def test_the_life_of_an_agreement(moves: list[AgreementMoved], state: str, live: list[str]) -> None:
    stands = one(*moves)
    assert (stands.state, list(stands.live)) == (state, live)


def test_unsigned_it_is_a_draft_whatever_moved() -> None:
    missing = signed(0, BT)
    assert one(move("launch", 1, "ZA"), signatures=missing).state is AgreementState.DRAFT
    assert one(signatures=missing).in_force is None


def test_a_draft_can_be_ended() -> None:
    stands = one(move("end", 1), signatures=signed(0, BT))
    assert (stands.state, stands.in_force) == (AgreementState.ENDED, None)


def test_the_end_closes_the_time_in_force() -> None:
    assert one(move("end", 5)).in_force == InForce(day(0), day(5))


@pytest.mark.parametrize("act", ["suspend", "resume", "run-off"])
def test_an_agreement_that_is_not_live_cannot_be_moved(act: AgreementAct) -> None:
    with pytest.raises(Refused, match="state-move: The agreement is signed"):
        standing.check_move(AgreementState.SIGNED, act)


# --- versions -----------------------------------------------------------------------------------

FORCE: list[tuple[str, list[tuple[AgreementDocument, float | None]], list[object]]] = [
    (
        "from the day it says",
        [(document(valid_from=day(3)), 0)],
        [(3, None)],
    ),
    ("not before the last has signed", [(document(), 2)], [(2, None)]),
    ("until the day it says", [(document(valid_to=day(9)), 0)], [(0, 9)]),
    ("signed too late", [(document(valid_to=day(9)), 10)], [None]),
    (
        "the next takes over on its day",
        [(document(), 0), (document(2, valid_from=day(5)), 3)],
        [(0, 5), (5, None)],
    ),
    (
        "the next takes over when it is signed",
        [(document(), 0), (document(2, valid_from=day(5)), 8)],
        [(0, 8), (8, None)],
    ),
    (
        "the next is not signed",
        [(document(), 0), (document(2, valid_from=day(5)), None)],
        [(0, None), None],
    ),
    (
        "a gap between two",
        [(document(valid_to=day(2)), 0), (document(2, valid_from=day(5)), 0)],
        [(0, 2), (5, None)],
    ),
    (
        "the third before the second",
        [
            (document(), 0),
            (document(2, valid_from=day(9)), 0),
            (document(3, valid_from=day(5)), 0),
        ],
        [(0, 5), None, (5, None)],
    ),
    (
        "the first, unsigned, was replaced",
        [(document(), None), (document(2), 1)],
        [None, (1, None)],
    ),
    (
        "signed out of turn",
        [(document(), 6), (document(2), 4)],
        [None, (4, None)],
    ),
]


@pytest.mark.parametrize(
    ("versions", "expected"), [row[1:] for row in FORCE], ids=[row[0] for row in FORCE]
)
def test_which_version_is_in_force(
    versions: list[tuple[AgreementDocument, float | None]], expected: list[object]
) -> None:
    known = [(text, [] if on is None else signed(on)) for text, on in versions]
    found = [
        stands.in_force
        and (
            (stands.in_force.start - FROM) / timedelta(days=1),
            stands.in_force.end and (stands.in_force.end - FROM) / timedelta(days=1),
        )
        for stands in standing.standings(known, [])
    ]
    assert found == expected


days = st.none() | st.integers(0, 20)


@given(
    st.lists(st.tuples(st.integers(0, 20), days, days), min_size=1, max_size=6),
    days,
)
def test_two_versions_are_never_in_force_at_once(
    drawn: list[tuple[int, int | None, int | None]], ended: int | None
) -> None:
    """drawn: each version's first day, how long it says it lasts, and when it was signed."""
    texts = [
        document(
            number,
            valid_from=day(start),
            valid_to=None if length is None else day(start + length + 1),
        )
        for number, (start, length, _) in enumerate(drawn, start=1)
    ]
    signings = {
        number: day(on) for number, (_, _, on) in enumerate(drawn, start=1) if on is not None
    }
    force = standing.timeline(texts, signings, None if ended is None else day(ended))
    for moment in range(45):
        holding = [number for number, its in force.items() if its.holds(day(moment))]
        assert len(holding) <= 1
        for number in holding:
            assert number in signings
            assert ended is None or moment < ended


def test_a_launched_country_stays_live_in_the_next_version_that_lists_it() -> None:
    launches = [move("launch", 1, "ZA"), move("launch", 2, "GH")]
    south = document(2, items=(item(countries=("ZA", "NG")),))
    first, second = standing.standings([(document(), signed(0)), (south, signed(3))], launches)
    assert first.live == {"ZA": day(1), "GH": day(2)}
    assert second.live == {"ZA": day(1)}


def test_a_country_that_was_dropped_has_to_be_launched_again() -> None:
    without = document(2, items=(item(countries=("GH",)),))
    versions = [(document(), signed(0)), (without, signed(2)), (document(3), signed(3))]
    moves = [move("launch", 1, "ZA")]
    assert [dict(stands.live) for stands in standing.standings(versions, moves)] == [
        {"ZA": day(1)},
        {},
        {},
    ]
    moves.append(move("launch", 4, "ZA", version=3))
    assert standing.standings(versions, moves)[2].live == {"ZA": day(4)}


def test_a_draft_that_drops_a_country_changes_nothing_until_it_is_signed() -> None:
    without = document(2, items=(item(countries=("GH",)),))
    versions = [(document(), signed(0)), (without, signed(2, BT)), (document(3), signed(3))]
    third = standing.standings(versions, [move("launch", 1, "ZA")])[2]
    assert third.live == {"ZA": day(1)}


def test_a_launch_under_the_next_version_is_none_under_this_one() -> None:
    versions = [(document(), signed(0)), (document(2, valid_from=day(9)), signed(1))]
    first, second = standing.standings(versions, [move("launch", 2, "ZA", version=2)])
    assert (first.live, first.state) == ({}, AgreementState.SIGNED)
    assert (second.live, second.state) == ({"ZA": day(2)}, AgreementState.LIVE)


every = st.lists(
    st.builds(
        move,
        st.sampled_from(["launch", "suspend", "resume", "run-off", "end"]),
        st.integers(1, 30),
        st.sampled_from(["ZA", "GH"]),
    ),
    unique_by=lambda one_: one_.signature.at,
    max_size=12,
)


@given(every.flatmap(lambda moves: st.tuples(st.just(moves), st.permutations(moves))))
def test_the_order_in_which_moves_become_known_does_not_matter(
    both: tuple[list[AgreementMoved], list[AgreementMoved]],
) -> None:
    assert one(*both[0]) == one(*both[1])
