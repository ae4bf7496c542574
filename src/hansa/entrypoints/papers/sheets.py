"""A statement or a bill as a sheet for people's spreadsheet programs: XLSX and CSV.

Amounts are numbers, written digit by digit from exact decimals. Texts come from partners and
are never taken for formulas.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal

from hansa.entrypoints.papers import table
from hansa.entrypoints.papers.extra import extra
from hansa.federation.papers import StatementLine
from hansa.foundation.money import minor_digits
from hansa.lifecycle.billing.model import Bill
from hansa.lifecycle.settlement.model import Held

HEADINGS = ("line", "offer", "description", "quantity", "unit", "currency", "net", "tax", "total")
DIGITS_MAX = 15
"""How many digits of a number a spreadsheet program keeps; a longer number is written as text."""

Cell = str | Decimal


def rows(of: Held | Bill) -> list[tuple[Cell, ...]]:
    """The lines, and their sums as the last row."""
    paper = of.statement if isinstance(of, Held) else of
    return [*map(row, paper.lines), sums(of)]


def sums(of: Held | Bill) -> tuple[Cell, ...]:
    """The last row."""
    paper = of.statement if isinstance(of, Held) else of
    total = ("", "", "Total", "", "", paper.currency)
    return (*total, paper.net.amount, paper.tax.amount, of.total.amount)


def row(line: StatementLine) -> tuple[Cell, ...]:
    return (
        line.key,
        line.offer,
        line.description,
        line.quantity,
        line.unit,
        line.net.currency,
        line.net.amount,
        line.tax.amount,
        (line.net + line.tax).amount,
    )


def facts(of: Held | Bill) -> list[tuple[str, str]]:
    """What stands above the lines."""
    return _of_bill(of) if isinstance(of, Bill) else _of_statement(of)


def _of_bill(bill: Bill) -> list[tuple[str, str]]:
    return [
        ("Bill", bill.id),
        ("Number", bill.number),
        ("State", bill.state),
        ("For", bill.kind_of),
        ("From", bill.issuer),
        ("To", bill.buyer),
        ("Period", bill.period.name),
    ]


def _of_statement(held: Held) -> list[tuple[str, str]]:
    paper = held.statement
    return [
        ("Statement", paper.id),
        ("State", held.state),
        ("For", paper.kind_of),
        ("Creditor", paper.creditor),
        ("Debtor", paper.debtor),
        ("Period", paper.period.name),
        ("From (UTC)", f"{paper.period.start.astimezone(UTC):%Y-%m-%d %H:%M}"),
        ("Until, excluded (UTC)", f"{paper.period.end.astimezone(UTC):%Y-%m-%d %H:%M}"),
        ("Agreement", f"{paper.agreement.id} version {paper.agreement.version}"),
        ("Invoice", held.number),
    ]


def as_csv(of: Held | Bill) -> bytes:
    """The lines and their sums, headings first."""
    return table.written(HEADINGS, rows(of))


def as_xlsx(of: Held | Bill) -> bytes:
    """A workbook of two sheets: what the paper is, and its lines with their sums.

    Raises Refused `extra-missing` where the library for it is not installed.
    """
    xlsxwriter = extra("xlsxwriter")
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    bold = book.add_format({"bold": True})
    head = book.add_worksheet("Statement" if isinstance(of, Held) else "Bill")
    head.set_column(0, 1, 28)
    for number, (name, value) in enumerate(facts(of)):
        head.write_string(number, 0, name, bold)
        head.write_string(number, 1, value)
    digits = minor_digits(of.total.currency)
    money = book.add_format({"num_format": "#,##0" + ("." + "0" * digits if digits else "")})
    lines = book.add_worksheet("Lines")
    lines.set_column(0, 2, 36)
    lines.set_column(3, 8, 14)
    lines.freeze_panes(1, 0)
    for column, name in enumerate(HEADINGS):
        lines.write_string(0, column, name, bold)
    for number, row in enumerate(rows(of), start=1):
        _write(lines, number, row, money)
    book.close()
    return file.getvalue()


def _write(sheet: object, number: int, row: Sequence[Cell], money: object) -> None:
    write_string, write_number = sheet.write_string, sheet.write_number  # type: ignore[attr-defined]
    for column, cell in enumerate(row):
        if isinstance(cell, str):
            write_string(number, column, cell)
        elif len(cell.as_tuple().digits) > DIGITS_MAX:
            write_string(number, column, f"{cell:f}")
        else:
            write_number(number, column, cell, money if HEADINGS[column] != "quantity" else None)
