"""The files of decks as rows of cells: CSV, and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from hansa.foundation.extras import need
from hansa.lifecycle.catalogue.model import DeckLayout

SHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
BOM = b"\xef\xbb\xbf"


class Unreadable(Exception):
    """A file that cannot be read further. row: where it stopped, if that is known."""

    def __init__(self, words: str, *, row: int | None = None) -> None:
        super().__init__(words)
        self.words, self.row = words, row


def lines(path: Path, content: bytes, layout: DeckLayout) -> Iterator[tuple[int, Sequence[object]]]:
    """Row numbers, from 1 on, and the cells of each. Raises Unreadable, and `bulk-missing`."""
    if path.suffix.lower() in SHEETS:
        return _sheet(content, layout)
    return _csv(content, layout)


def looks_like_utf8(content: bytes) -> bool:
    """Whether text that was said to be something else is UTF-8 beyond ASCII."""
    try:
        return not content.decode("utf-8").isascii()
    except UnicodeDecodeError:
        return False


def _csv(content: bytes, layout: DeckLayout) -> Iterator[tuple[int, Sequence[object]]]:
    bare = content.removeprefix(BOM) if layout.encoding != "latin-1" else content
    try:
        text = bare.decode("utf-8" if layout.encoding == "utf-8-sig" else layout.encoding)
    except UnicodeDecodeError as error:
        row = bare[: error.start].count(b"\n") + 1
        raise Unreadable(f"a byte is not {layout.encoding}", row=row) from None
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise Unreadable("it holds zero bytes, as text in UTF-16 does", row=row)
    mark = "\t" if layout.delimiter == "tab" else layout.delimiter
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise Unreadable(f"it is no CSV: {error}", row=reader.line_num) from None


def _sheet(content: bytes, layout: DeckLayout) -> Iterator[tuple[int, Sequence[object]]]:
    need("python_calamine")
    import python_calamine as calamine

    try:
        book = calamine.load_workbook(io.BytesIO(content))
        names = book.sheet_names
        if layout.sheet and layout.sheet not in names:
            raise Unreadable(f"it has no sheet {layout.sheet!r}, but {', '.join(names)}")
        if not names:
            raise Unreadable("it has no sheet")
        sheet = book.get_sheet_by_name(layout.sheet or names[0])
        first = sheet.start[0] if sheet.start else 0
        rows = sheet.to_python(skip_empty_area=True)
    except calamine.CalamineError as error:
        raise Unreadable(f"it cannot be read as a spreadsheet: {error}") from None
    yield from enumerate(rows, start=first + 1)
