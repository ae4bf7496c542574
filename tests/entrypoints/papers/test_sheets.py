"""Statements as sheets: numbers exact, and no text ever a formula."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from hansa.entrypoints.papers import extra, sheets
from hansa.federation.packed import keep
from hansa.federation.papers import Signature, Statement, StatementLine, StatementState
from hansa.foundation.errors import Refused
from hansa.foundation.ids import OfferCode, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Period
from hansa.lifecycle.settlement.model import Held
from hansa.lifecycle.settlement.rules import papers
from tests.entrypoints.papers.bills import ALLIANCE, SAMPA, TEJO

NOVEMBER = Period.month(2026, 11)
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "{=1}", "http://x"]


def held(*lines: StatementLine, currency: str = "EUR") -> Held:
    bare = Statement(
        id=StatementId("stm_1"),
        kind_of="services",
        agreement=ALLIANCE,
        creditor=TEJO.party.id,
        debtor=SAMPA.party.id,
        period=NOVEMBER,
        currency=currency,
        lines=(),
        net=Money.zero(currency),
        tax=Money.zero(currency),
    )
    return Held(
        statement=keep(papers.summed(bare, lines)),
        direction="issued",
        signature=Signature(TEJO.party.id, "", NOVEMBER.end),
        state=StatementState.ISSUED,
    )


def line(
    minor: int, words: str = "Ligação", *, currency: str = "EUR", quantity: str = "1"
) -> StatementLine:
    return StatementLine(
        key=f"hld/{words}",
        offer=OfferCode("fibra"),
        description=words,
        quantity=Decimal(quantity),
        unit="GB",
        net=Money(minor, currency),
        tax=Money(minor // 5, currency),
    )


def cells(of: Held) -> list[str]:
    """The numbers of the sheet of lines, as the file has them."""
    with zipfile.ZipFile(io.BytesIO(sheets.as_xlsx(of))) as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
    assert "<f>" not in sheet
    return re.findall(r'<c r="[A-Z]+\d+"(?: s="\d+")?><v>([^<]+)</v>', sheet)


def test_a_sheet_says_what_the_statement_says() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(sheets.as_xlsx(held(line(-1_995), line(995)))))
    head = {str(row[0]): row[1] for row in book.get_sheet_by_name("Statement").to_python()}
    assert head["Statement"] == "stm_1" and head["Agreement"] == "agr_1 version 2"
    rows = book.get_sheet_by_name("Lines").to_python()
    assert tuple(rows[0]) == sheets.HEADINGS
    assert rows[1][2:] == ["Ligação", 1, "GB", "EUR", -19.95, -3.99, -23.94]
    assert rows[3][5:] == ["EUR", -10, -2, -12]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=20))
def test_amounts_are_written_digit_by_digit(minors: list[int]) -> None:
    of = held(*(line(minor) for minor in minors))
    wanted = [
        cell
        for row in sheets.rows(of)
        for cell in row
        if isinstance(cell, Decimal) and len(cell.as_tuple().digits) <= sheets.DIGITS_MAX
    ]
    assert [Decimal(found) for found in cells(of)] == wanted


def test_what_no_spreadsheet_can_hold_is_written_as_text() -> None:
    of = held(line(1_234_567_890_123_456))
    assert "1" in cells(of) and not any(found.startswith("12345") for found in cells(of))
    book = CalamineWorkbook.from_filelike(io.BytesIO(sheets.as_xlsx(of)))
    assert book.get_sheet_by_name("Lines").to_python()[1][6] == "12345678901234.56"


@pytest.mark.parametrize("words", FORMULAS)
def test_a_text_is_no_formula(words: str) -> None:
    of = held(line(100, words))
    cells(of)
    rows = list(csv.reader(io.StringIO(sheets.as_csv(of).decode("utf-8-sig"))))
    assert rows[1][2] == ("'" + words if words[0] in "=+-@\t" else words)


def test_numbers_of_a_csv_are_left_alone() -> None:
    of = held(line(-1_234_567), line(5, currency="EUR", quantity="0.000001"))
    rows = list(csv.reader(io.StringIO(sheets.as_csv(of).decode("utf-8-sig"))))
    assert rows[1][6:] == ["-12345.67", "-2469.14", "-14814.81"]
    assert rows[2][3] == "0.000001"


def test_currencies_show_their_own_decimals() -> None:
    of = held(line(1_000, currency="UGX"), currency="UGX")
    with zipfile.ZipFile(io.BytesIO(sheets.as_xlsx(of))) as book:
        styles = book.read("xl/styles.xml").decode()
    assert cells(of)[1:4] == ["1000", "200", "1200"]
    assert 'numFmtId="3"' in styles or "#,##0" in styles


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extra, "import_module", missing)
    with pytest.raises(Refused, match="make papers"):
        sheets.as_xlsx(held(line(1)))
    assert sheets.as_csv(replace(held(line(1)), number="X"))
