"""An invoice as a PDF: whole, tagged, page by page, and never read as a program."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from hansa.entrypoints.papers import invoice as papers
from hansa.entrypoints.papers import pdf
from hansa.entrypoints.papers.invoice import Preceding
from tests.entrypoints.papers.bills import SAMPA, TEJO, bill, line

NASTY = '#panic("x") *b* $x$ "quoted" \\ <a@b>'


def read(*, many: int = 1, preceding: Preceding | None = None) -> PdfReader:
    lines = [line(123_456_789, bp=2_300), line(100, code="exempt", legend="Isento de IVA"),
             *(line(1, name=NASTY) for _ in range(many))]  # fmt: skip
    paper = papers.of_bill(bill(lines), seller=TEJO, buyer=SAMPA, preceding=preceding)
    return PdfReader(BytesIO(pdf.write(paper)))


def test_it_says_all_in_portuguese_letters_too() -> None:
    text = read().pages[0].extract_text()
    for wanted in ("Tejo Comunicações, S.A.", "São Paulo", "3.º", "Isento de IVA", "1,234,567.89",
                   "Invoice TEJO-2026-000007", "page 1 of 1", NASTY):  # fmt: skip
        assert wanted in text


def test_it_is_tagged_titled_and_has_its_fonts() -> None:
    found = read()
    root: Any = found.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in root
    assert root["/Lang"] == "en" and found.metadata is not None
    assert found.metadata.title == "Invoice TEJO-2026-000007"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    page: Any = found.pages[0]
    for font in page["/Resources"]["/Font"].values():
        inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(inner.get_object())


def test_every_page_is_numbered_and_heads_its_table() -> None:
    found = read(many=120)
    pages = len(found.pages)
    assert pages > 2
    for number, page in enumerate(found.pages, start=1):
        assert f"page {number} of {pages}" in page.extract_text()
    assert "Description" in found.pages[1].extract_text()


def test_a_credit_note_says_what_it_corrects() -> None:
    text = read(preceding=Preceding("TEJO-2026-000001", date(2026, 10, 1))).pages[0].extract_text()
    assert "Credit note TEJO-2026-000007" in text
    assert "TEJO-2026-000001 of 2026-10-01" in text
