"""Text on and in an operator's colour can be read, whatever the colour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.entrypoints.portal import colours

ANY = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def test_contrast_is_that_of_the_standard() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@given(ANY)
def test_text_on_any_colour_can_be_read(colour: str) -> None:
    assert colours.contrast(colours.text_on(colour), colour) >= colours.READABLE


@given(ANY)
def test_text_in_any_colour_can_be_read(colour: str) -> None:
    ink = colours.readable(colour, colours.GROUND)
    assert colours.contrast(ink, colours.GROUND) >= colours.READABLE
    assert colours.contrast(ink, colours.PAPER) >= colours.READABLE


def test_a_colour_that_does_stays_as_it_is() -> None:
    assert colours.readable("#5514b4", colours.GROUND) == "#5514b4"
    assert colours.text_on("#ffcc00") == colours.INK


@pytest.mark.parametrize("wrong", ["", "red", "#fff", "#5514b4;}", "#5514b4\n", "#GGGGGG"])
def test_what_is_no_colour_is_not_written(wrong: str) -> None:
    assert colours.stylesheet(wrong) == colours.stylesheet(colours.BRAND)
