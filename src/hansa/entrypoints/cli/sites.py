"""A list of sites as CSV, the way it comes out of a customer's spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from hansa.entrypoints.cli.files import values
from hansa.entrypoints.yaml_files import text_of
from hansa.federation.contract import NeedItem
from hansa.foundation.errors import Refused
from hansa.foundation.ids import OfferCode
from hansa.foundation.site import Site

NEEDED = ("name", "country", "place")
KNOWN = ("id", *NEEDED, "latitude", "longitude", "quantity")
FORMULA = ("=", "+", "@")
"""How a cell begins that a spreadsheet would compute; none of ours does."""


def read_sites(file: Path, offer: OfferCode) -> tuple[NeedItem, ...]:
    """One item a row. Columns: name, country and place; id, latitude, longitude and quantity if
    need be; every other column is a characteristic of the offer, left out where it is empty.

    Raises Refused `file-unreadable`; `sites-invalid` naming the row and the column.
    """
    rows = csv.reader(text_of(file).splitlines(), strict=True)
    try:
        columns = [name.strip() for name in next(rows, [])]
        _check(columns)
        return tuple(_items(rows, columns, offer))
    except csv.Error as error:
        raise _invalid(f"line {rows.line_num}", f"it is not CSV: {error}") from None


def _check(columns: list[str]) -> None:
    for name in NEEDED:
        if name not in columns:
            raise _invalid(name, f"the column is missing; the first line names {', '.join(NEEDED)}")
    for name in columns:
        if not name or columns.count(name) > 1:
            raise _invalid(name or "columns", "each column needs a name of its own")


def _items(rows: Iterator[list[str]], columns: list[str], offer: OfferCode) -> Iterator[NeedItem]:
    for number, row in enumerate((row for row in rows if any(row)), start=2):
        if len(row) != len(columns):
            raise _invalid(f"row {number}", f"{len(columns)} cells are expected, not {len(row)}")
        cells = {name: cell.strip() for name, cell in zip(columns, row, strict=True)}
        for name, cell in cells.items():
            if cell.startswith(FORMULA):
                raise _invalid(f"row {number}.{name}", f"{cell[:40]!r} is a formula")
        for name in NEEDED:
            if not cells[name]:
                raise _invalid(f"row {number}.{name}", "it is empty")
        yield _item(cells, number, offer)


def _item(cells: Mapping[str, str], number: int, offer: OfferCode) -> NeedItem:
    identity = cells.get("id") or f"row-{number}"
    chosen = {name: cell for name, cell in cells.items() if name not in KNOWN and cell}
    quantity = cells.get("quantity") or "1"
    if not (quantity.isascii() and quantity.isdigit() and len(quantity) < 10):
        raise _invalid(f"row {number}.quantity", f"{quantity[:40]!r} is no whole number")
    return NeedItem(
        id=identity,
        offer=offer,
        site=Site(
            id=identity,
            name=cells["name"],
            country=cells["country"],
            place=cells["place"],
            latitude=_degrees(cells, "latitude", number),
            longitude=_degrees(cells, "longitude", number),
        ),
        characteristics=values(chosen),
        quantity=int(quantity),
    )


def _degrees(cells: Mapping[str, str], name: str, number: int) -> Decimal | None:
    text = cells.get(name)
    if not text:
        return None
    try:
        degrees = Decimal(text)
    except InvalidOperation:
        degrees = Decimal("NaN")
    if not degrees.is_finite():
        raise _invalid(f"row {number}.{name}", f"{text[:40]!r} is no number of degrees")
    return degrees


def _invalid(field: str, why: str) -> Refused:
    return Refused(
        "sites-invalid", f"The list of sites: {field}: {why}. Nothing was asked.", field=field
    )
