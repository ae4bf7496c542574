"""What lists of this area share: filters that are parsed, pages, and sheets that stream."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation

from starlette.responses import Response, StreamingResponse

from hansa.entrypoints.papers import sheets
from hansa.entrypoints.portal import words
from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.language import gettext as _
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import party_id
from hansa.foundation.time import Period

PAGE = 50
"""How many rows a page shows."""

DIGITS_MAX = 15
"""No amount that somebody types has more digits."""

Cell = str | int | Decimal | Money


def month(ask: Ask) -> Period | None:
    """The month that is asked for, if any. Raises Refused `period-invalid` for none that is."""
    text = ask.query.get("month", "").strip()
    return Period.parse(text) if text else None


def party(ask: Ask) -> PartyId | None:
    """The party that is asked for, if any. Raises Refused `party-name` for what cannot be one."""
    text = ask.query.get("party", "").strip().lower()
    return party_id(text) if text else None


def currency(ask: Ask) -> str | None:
    """The currency that is asked for, if any."""
    return ask.query.get("currency", "").strip().upper() or None


def amount(ask: Ask, name: str, currency: str) -> Money:
    """An amount that was typed, `1250.00` or `1250,00`. Raises Refused `amount-invalid`,
    `money-too-precise`.
    """
    text = ask.typed(name).strip().replace(",", ".").replace("\N{NO-BREAK SPACE}", "")
    try:
        written = Decimal(text)
        if written.is_finite() and abs(written.adjusted()) < DIGITS_MAX:
            return Money.of(written, currency)
    except InvalidOperation:
        pass
    raise Refused("amount-invalid", _("Write the amount as 1250.00."), field=name)


def options(values: Iterable[object]) -> Sequence[tuple[str, str]]:
    """What a select offers: all, and each of these in words."""
    return [("", _("All")), *((str(one), words.said(one)) for one in values)]


def as_csv(name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A file that is written as it is sent: UTF-8 with a byte order mark, RFC 4180.

    No text ever comes out as a formula; amounts are plain numbers with their currency beside.
    """
    return StreamingResponse(
        _lines(headings, rows),
        media_type="text/csv; charset=utf-8",
        headers=attached(f"{name}.csv"),
    )


def _lines(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    text.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_cell(one) for one in row])
        if text.tell() > 1 << 16:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _cell(value: Cell) -> str:
    if isinstance(value, Money):
        return f"{value.amount:f}"
    return sheets.plain(Decimal(value) if isinstance(value, int) else value)


def attached(name: str) -> dict[str, str]:
    """Headers of a file that is kept, not shown. name: of ASCII letters, digits, `.` and `-`."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}
