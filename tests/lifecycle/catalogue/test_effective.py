"""Which price of a deck is in force when: examples, and any versions beside the slow twin."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.lifecycle.catalogue.model import OPEN_S
from hansa.lifecycle.catalogue.rules import effective
from hansa.lifecycle.catalogue.rules.effective import Layer, Stated, Timelines
from tests.lifecycle.catalogue import twin
from tests.lifecycle.catalogue.twin import Line, Price, Version

KINDS = ("past", "new", "increase", "decrease", "unchanged", "blocked")


def laid(versions: Sequence[Version]) -> tuple[Timelines, Sequence[Price]]:
    rows = [row for one in versions for row in one.rows]
    stated = Stated(
        key=np.array([row.key for row in rows], np.int64),
        keys=max((row.key for row in rows), default=-1) + 1,
        from_s=np.array([row.from_s for row in rows], np.int64),
        to_s=np.array([row.to_s for row in rows], np.int64),
        charges=tuple(
            np.array(one, np.int64) for one in zip(*(r.charges for r in rows), strict=True)
        ),
        blocked=np.array([row.blocked for row in rows], np.bool_),
        label=np.array([row.label for row in rows], np.int64),
    )
    layers, start = [], 0
    for one in versions:
        stop = start + len(one.rows)
        gone = one.gone_s if one.full else None
        layers.append(Layer(start, stop, one.floor_s, one.increase_s, one.other_s, gone))
        start = stop
    return effective.unfold(stated, layers), rows


def unfolded(versions: Sequence[Version]) -> Mapping[int, Line]:
    lines, rows = laid(versions)
    found: dict[int, Line] = {}
    for place in lines.alive.nonzero()[0].tolist():
        part = (int(lines.from_s[place]), int(lines.to_s[place]), rows[place])
        found.setdefault(rows[place].key, []).append(part)
    return {key: sorted(line, key=lambda part: part[:2]) for key, line in found.items()}


def told(versions: Sequence[Version]) -> str:
    """The timeline of code 0 as text: `10-20:5 20-:7`."""
    line = unfolded(versions).get(0, [])
    return " ".join(
        f"{start}-{'' if end == OPEN_S else end}:{'x' if one.blocked else one.charges[0]}"
        for start, end, one in line
    )


def price(from_s: int, charge: int, to_s: int = OPEN_S, *, blocked: bool = False) -> Price:
    return Price(0, 0, from_s, to_s, (charge,), blocked)


FIRST = Version((price(10, 5),))
ENDING = Version((price(10, 5, 60),))
ANNOUNCED = Version((price(10, 5, 60), price(60, 8)))


def later(*rows: Price, full: bool = False, notice: int = 100, received: int = 50) -> Version:
    """Received at 50; an increase may take effect from 100 on."""
    return Version(rows, full, received, notice, received, received)


EXAMPLES = [
    ("a first version is in force as it says", [FIRST], "10-:5"),
    ("it may name two prices", [ANNOUNCED], "10-60:5 60-:8"),
    ("a decrease takes effect at once", [FIRST, later(price(50, 4))], "10-50:5 50-:4"),
    ("or when it says", [FIRST, later(price(70, 4))], "10-70:5 70-:4"),
    ("an increase with its notice, when it says", [FIRST, later(price(120, 6))], "10-120:5 120-:6"),
    ("with short notice, when that has run", [FIRST, later(price(70, 6))], "10-100:5 100-:6"),
    ("not acknowledged: never", [FIRST, later(price(70, 6), notice=OPEN_S)], "10-:5"),
    ("the old price is prolonged", [ENDING, later(price(60, 6))], "10-100:5 100-:6"),
    ("notice outlasts the new price", [FIRST, later(price(70, 6, 90))], "10-90:5"),
    ("after a gap it is a new code", [ENDING, later(price(70, 6))], "10-60:5 70-:6"),
    ("what was announced is in force", [ANNOUNCED, later(price(80, 9))], "10-60:5 60-100:8 100-:9"),
    ("less than was announced", [ANNOUNCED, later(price(60, 7))], "10-60:5 60-:7"),
    ("a block at once", [FIRST, later(price(55, 0, blocked=True))], "10-55:5 55-:x"),
    (
        "and open again, dearer, at once: nothing could be called",
        [FIRST, later(price(55, 0, blocked=True)), later(price(57, 9), received=56)],
        "10-55:5 55-57:x 57-:9",
    ),
    ("the same again changes nothing", [FIRST, later(price(10, 5))], "10-:5"),
    ("nor does what was announced", [ANNOUNCED, later(*ANNOUNCED.rows)], "10-60:5 60-:8"),
    ("but it may end sooner", [FIRST, later(price(10, 5, 80))], "10-50:5 50-80:5"),
    ("and take back what was to follow", [ANNOUNCED, later(price(10, 5, 60))], "10-60:5"),
    ("full: withdrawn unless named", [FIRST, later(Price(1, 1, 50), full=True)], "10-50:5"),
    ("partial: goes on", [FIRST, later(Price(1, 1, 50))], "10-:5"),
    (
        "what is withdrawn and comes back is new",
        [FIRST, later(Price(1, 1, 50), full=True), later(price(60, 9), received=55)],
        "10-50:5 60-:9",
    ),
    (
        "a correction speaks of the past",
        [FIRST, later(price(50, 4)), Version((price(20, 3, 50), price(50, 4)))],
        "10-20:5 20-50:3 50-:4",
    ),
    (
        "sent again, its notice runs on",
        [FIRST, later(price(70, 6)), later(price(70, 6), received=80, notice=130)],
        "10-100:5 100-:6",
    ),
    (
        "dearer than now, not than what was announced",
        [ANNOUNCED, later(price(55, 6), notice=200)],
        "10-60:5 60-:6",
    ),
    ("what ended before it came says nothing", [FIRST, later(price(10, 9, 40))], "10-:5"),
]


@pytest.mark.parametrize(
    ("versions", "line"), [one[1:] for one in EXAMPLES], ids=[e[0] for e in EXAMPLES]
)
def test_a_timeline(versions: list[Version], line: str) -> None:
    assert told(versions) == line


TIMES = st.integers(0, 12)


@st.composite
def rows_of_a_code(draw: st.DrawFn, key: int) -> list[Price]:
    """One after the other, with gaps or without."""
    bounds = sorted(draw(st.lists(TIMES, min_size=2, max_size=5, unique=True)))
    if draw(st.booleans()):
        bounds[-1] = OPEN_S
    made: list[Price] = []
    for from_s, to_s in itertools.pairwise(bounds):
        if not made or draw(st.integers(0, 3)):
            charges = (draw(st.integers(0, 2)), draw(st.integers(0, 1)))
            blocked, label = not draw(st.integers(0, 4)), draw(st.integers(0, 1))
            made.append(
                Price(draw(st.integers(0, 10**9)), key, from_s, to_s, charges, blocked, label)
            )
    return made


@st.composite
def version(draw: st.DrawFn) -> Version:
    keys = draw(st.sets(st.integers(0, 2), min_size=1))
    rows = [row for key in sorted(keys) for row in draw(rows_of_a_code(key))]
    floor = draw(TIMES)
    other = floor + draw(st.integers(0, 2))
    increase = draw(st.one_of(TIMES, st.just(OPEN_S)))
    gone = max(other, draw(TIMES))
    return Version(
        tuple(draw(st.permutations(rows))), draw(st.booleans()), floor, increase, other, gone
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(version(), min_size=1, max_size=5))
def test_any_versions_beside_the_twin(versions: list[Version]) -> None:
    slow = {key: line for key, line in twin.timelines(versions).items() if line}
    fast = unfolded(versions)
    assert fast == slow
    for line in fast.values():
        assert all(start < end for start, end, _ in line)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(line))


def test_kinds_and_what_is_withdrawn() -> None:
    versions = [
        Version(tuple(Price(key, key, 10, charges=(5,)) for key in range(5))),
        later(
            Price(10, 0, 60, charges=(6,)),
            Price(11, 1, 60, charges=(4,)),
            Price(12, 2, 10, charges=(5,)),
            Price(13, 3, 60, blocked=True),
            Price(14, 5, 60),
            Price(15, 5, 10, 20),
            full=True,
        ),
    ]
    lines, _ = laid(versions)
    assert [KINDS[kind] for kind in lines.kind[5:]] == [
        "increase", "decrease", "unchanged", "blocked", "new", "past",
    ]  # fmt: skip
    assert list(lines.reference[5:9]) == [0, 1, 2, 3]
    assert [list(gone) for gone in lines.gone] == [[], [4]]
