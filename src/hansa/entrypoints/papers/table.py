"""Rows as a CSV file for people's spreadsheet programs: RFC 4180, UTF-8 with a byte order mark.

Amounts are plain numbers; their currency stands beside them. Texts come from partners and
customers and are never taken for formulas: one that begins like a formula gets an apostrophe
before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from hansa.foundation.money import Money

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet program takes for a formula."""

PIECE = 1 << 16
"""Characters that are written at once."""

Cell = str | int | Decimal | Money


def written(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The whole file."""
    return b"".join(pieces(headings, rows))


def pieces(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The same piece by piece, each as soon as there are rows enough."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    text.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
        if text.tell() > PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _plain(cell: Cell) -> str:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA) else cell
    return f"{cell.amount if isinstance(cell, Money) else Decimal(cell):f}"
