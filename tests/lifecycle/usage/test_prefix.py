"""The longest dial code that a number begins with, held against a slow definition of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.foundation.errors import HansaError
from hansa.lifecycle.usage.actions import events

DIGITS = st.text("0123456789", min_size=1, max_size=14)
FEW = st.text("012", min_size=1, max_size=5)
"""Of so few digits that codes often are the beginnings of other codes."""


def slowly(codes: Sequence[str], number: str) -> int:
    """What `match` promises, from its words."""
    if not number:
        return -2
    fitting = [code for code in codes if number.startswith(code)]
    return codes.index(max(fitting, key=len)) if fitting else -1


def quickly(codes: Sequence[str], numbers: Sequence[str]) -> list[int]:
    found: list[int] = events.match(codes, numbers).tolist()
    return found


@settings(max_examples=300, deadline=None)
@given(
    codes=st.sets(st.one_of(FEW, DIGITS), max_size=40).map(sorted),
    numbers=st.lists(st.one_of(st.just(""), FEW, DIGITS, st.text("0129+a", max_size=8))),
)
def test_it_is_the_longest_code_that_fits(codes: list[str], numbers: list[str]) -> None:
    some = [code + tail for code in codes for tail in ("", "0", "7")]
    asked = [*numbers, *some, *(code[:-1] for code in codes)]
    assert quickly(codes, asked) == [slowly(codes, number) for number in asked]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("27115550000", "2711"),
        ("27215550000", "27"),
        ("27", "27"),
        ("2", None),
        ("", None),
        ("2250707000000", "22507"),
        ("22500000", "2250"),
        ("225", "225"),
        ("881612345678901", "8816123456789"),
        ("88161234567", "8816"),
        ("2711a5550000", "2711"),
        ("+27115550000", None),
    ],
)
def test_zeros_and_lengths_count(number: str, code: str | None) -> None:
    codes = sorted(["225", "2250", "22507", "27", "2711", "8816", "8816123456789"])
    assert quickly(codes, [number]) == [codes.index(code) if code else -1 if number else -2]


@pytest.mark.parametrize(
    "codes", [["27", "1"], ["27", "27"], ["27", "2a"], [""], ["27", ""], ["271", "27"]]
)
def test_a_list_of_codes_that_cannot_be_right_is_refused(codes: list[str]) -> None:
    with pytest.raises(HansaError, match="codes-invalid"):
        quickly(codes, ["27"])
