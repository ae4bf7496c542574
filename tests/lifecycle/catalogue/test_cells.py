"""Cells of decks: what text, codes, amounts and times they are."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.lifecycle.catalogue.rules import cells
from hansa.lifecycle.catalogue.rules.checks import country_code
from hansa.lifecycle.catalogue.rules.notice import seconds
from tests.lifecycle.catalogue.stage import day


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" 27 ", "27"),
        (27710.0, "27710"),
        (2.77e11, "277000000000"),
        (1e16, "10000000000000000"),
        (0.1, "0.1"),
        (0.00001, "0.00001"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float("nan"), "nan"),
        (27710, "27710"),
        (None, ""),
        (date(2026, 11, 9), "2026-11-09"),
        (datetime(2026, 11, 9), "2026-11-09"),
        (datetime(2026, 11, 9, 12, 30), "2026-11-09 12:30:00"),
    ],
)
def test_a_cell_as_text(cell: object, text: str) -> None:
    assert cells.text(cell) == text


@given(st.integers(0, 10**15 - 1))
def test_a_code_that_a_spreadsheet_made_a_number_is_the_same_code(code: int) -> None:
    assert cells.text(float(code)) == str(code)


@given(st.integers(0, 10**15 - 1))
def test_an_amount_is_read_as_it_is_written(nano: int) -> None:
    assert cells.amount(cells.nano_text(nano)) == nano


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("27", ("27",)),
        ("+27", ("27",)),
        ("0044", ("0044",)),
        ("27710, 27711;27712", ("27710", "27711", "27712")),
        ("2258-2259", ("2258", "2259")),
        ("27 , 2898 \N{EN DASH} 2901,", ("27", "2898", "2899", "2900", "2901")),
        ("007-009", ("007", "008", "009")),
    ],
)
def test_codes(text: str, codes: tuple[str, ...]) -> None:
    assert cells.codes(text) == codes


@pytest.mark.parametrize(
    "text",
    ["", ",", "27x", "27.5", "2.77E+11", "27719-27710", "27710-19", "1" * 16, "٢٧", "1000-19999"],
)
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(cells.Fault, match="code"):
        cells.codes(text)


@pytest.mark.parametrize(
    ("text", "mark", "nano"),
    [
        ("0.0123", ".", 12_300_000),
        ("0,0123", ",", 12_300_000),
        ("1", ".", 10**9),
        ("0.1234567890000", ".", 123_456_789),
        ("999999.999999999", ".", 10**15 - 1),
    ],
)
def test_amounts(text: str, mark: str, nano: int) -> None:
    assert cells.amount(text, mark) == nano


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("-0.01", "."), ("0.0000000001", "."), ("1000000", "."), ("0,5", "."), ("0.5", ","),
        ("1e-3", "."), ("0.05 USD", "."), ("O.05", "."), ("nan", "."), (".5", "."), ("1 000", "."),
    ],
)  # fmt: skip
def test_what_is_no_amount(text: str, mark: str) -> None:
    with pytest.raises(cells.Fault, match="amount"):
        cells.amount(text, mark)


@pytest.mark.parametrize(
    ("text", "end", "at"),
    [
        ("2026-11-09", False, day(9)),
        ("2026-11-09", True, day(10)),
        ("2026-11-09 12:00", True, day(9, 12)),
        ("2026-11-09T12:00:00+02:00", False, day(9, 10)),
        ("2026-11-09T12:00:00Z", False, day(9, 12)),
        ("09/11/2026", False, day(9)),
        ("09/11/2026", True, day(10)),
        ("09/11/2026 06:00", True, day(9, 6)),
    ],
)
def test_times(text: str, end: bool, at: datetime) -> None:
    assert cells.second(text, ("%d/%m/%Y", "%d/%m/%Y %H:%M"), end=end) == seconds(at)


@pytest.mark.parametrize(
    "text",
    ["2026-02-30", "2026-13-01", "46335", "20261109", "0026-11-09", "9999-12-31", "soon", ""],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(cells.Fault, match="dates"):
        cells.second(text)


@pytest.mark.parametrize(
    ("code", "country"),
    [("1", "1"), ("1876", "1"), ("7701", "7"), ("2771", "27"), ("35191", "351"), ("35", "35")],
)
def test_country_codes(code: str, country: str) -> None:
    assert country_code(code) == country
