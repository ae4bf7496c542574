"""A list of sites as it comes out of somebody's spreadsheet: CSV in any usual encoding, XLSX, or
pasted. What is wrong is said by row and column, all of it at once.

Cells are texts and stay so: what looks like a formula is kept as it was written, and computed by
nobody.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec

from hansa.entrypoints.papers import table
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.language import ngettext
from hansa.entrypoints.portal.language import number as said_number
from hansa.entrypoints.portal.pages.sales import places
from hansa.entrypoints.portal.pages.sales.places import folded
from hansa.federation.contract import CharacteristicSpec
from hansa.foundation.errors import Refused
from hansa.foundation.site import Site
from hansa.lifecycle.quote.model import WISHES_MAX, Wish

FAULTS_MAX = 25
"""How many faults are listed: who has more has the same one many times."""
CELL_MAX = 200
UNPACKED_MAX = 128 << 20
"""The most octets that a spreadsheet may have when it is unpacked."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "site id", "number", "no", "nr", "ref", "reference", "referencia",
           "codigo", "code", "numero", "n", "nummer"),
    "name": ("name", "site", "site name", "location name", "branch", "nome", "nombre", "nom",
             "local", "sede", "loja", "filial", "sitio", "sucursal", "agence", "bezeichnung",
             "standort"),
    "country": ("country", "country code", "iso", "pais", "pays", "land"),
    "place": ("place", "city", "town", "cidade", "localidade", "municipio", "ciudad", "localidad",
              "poblacion", "ville", "commune", "lieu", "ort", "stadt"),
    "latitude": ("latitude", "lat", "latitud", "breite"),
    "longitude": ("longitude", "lon", "lng", "long", "longitud", "laenge", "lange"),
    "quantity": ("quantity", "qty", "quantidade", "qtd", "cantidad", "quantite", "qte", "anzahl",
                 "menge"),
}  # fmt: skip
"""Headers of each column, folded, in English, Portuguese, Spanish, French and German."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong. row: of the file, its first line is 1; None for the list as a whole."""

    row: int | None
    column: str
    words: str


@dataclass(frozen=True, slots=True)
class SiteList:
    """What was read. notes: what people may want to know of how it was understood."""

    wishes: Sequence[Wish] = ()
    faults: Sequence[Fault] = ()
    notes: Sequence[str] = ()
    more_faults: int = 0


Rows = Iterator[tuple[int, Sequence[str]]]


@dataclass
class _Reading:
    specs: Sequence[CharacteristicSpec]
    columns: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    twins: set[str] = field(default_factory=set)

    def fault(self, row: int | None, column: str, words: str) -> None:
        self.faults.append(Fault(row, self.headers.get(column, column), words))


def read(name: str, octets: bytes, *, specs: Sequence[CharacteristicSpec]) -> SiteList:
    """The sites of a file of that name, or what is wrong with it. specs: what may be chosen."""
    reading = _Reading(specs)
    try:
        rows = _sheet(octets) if _is_sheet(name, octets) else _csv(octets, reading)
        wishes = _wishes(rows, reading)
    except _Unreadable as error:
        return SiteList(faults=[Fault(error.row, "", error.words)])
    if reading.unknown:
        reading.notes.append(
            _note(
                _(
                    "Not on the map, since no town of that name is known there: "
                    "%(names)s. Give coordinates to see them."
                ),
                reading.unknown,
            )
        )
    if reading.twins:
        reading.notes.append(
            _note(
                _(
                    "There are several towns of the name; the largest was taken: "
                    "%(names)s. Give coordinates to say which."
                ),
                reading.twins,
            )
        )
    faults = reading.faults
    if faults:
        return SiteList((), faults[:FAULTS_MAX], (), max(0, len(faults) - FAULTS_MAX))
    return SiteList(wishes, (), reading.notes)


class _Unreadable(Exception):
    def __init__(self, words: str, row: int | None = None) -> None:
        super().__init__(words)
        self.words, self.row = words, row


def _note(text: str, names: set[str]) -> str:
    shown = sorted(names)[:8]
    more = [] if len(names) <= len(shown) else ["…"]
    return text % {"names": ", ".join([*shown, *more])}


# --- as rows of cells -----------------------------------------------------------------------------


def _is_sheet(name: str, octets: bytes) -> bool:
    return octets[:4] == b"PK\x03\x04" or name.lower().endswith((".xlsx", ".xlsm", ".ods"))


def _sheet(octets: bytes) -> Rows:
    """The first sheet of a workbook; a cell with a formula has the value that was last computed."""
    if find_spec("python_calamine") is None:
        raise _Unreadable(
            _("Spreadsheets cannot be read on this machine. Save the list as CSV, or have “make "
              "bulk” run here.")
        )  # fmt: skip
    import python_calamine as calamine

    damaged = _("The file cannot be read as a spreadsheet. Save it as XLSX or CSV and try again.")
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as packed:
            if sum(one.file_size for one in packed.infolist()) > UNPACKED_MAX:
                raise _Unreadable(_("The spreadsheet is too large. Save its first sheet as CSV."))
        book = calamine.load_workbook(io.BytesIO(octets))
        sheet = book.get_sheet_by_index(0)
        first = sheet.start[0] if sheet.start else 0
        _bounded(sheet.height)
        rows = sheet.to_python(skip_empty_area=True)
    except (calamine.CalamineError, zipfile.BadZipFile, IndexError):
        raise _Unreadable(damaged) from None
    for number, cells in enumerate(rows, start=first + 1):
        yield number, [_cell(cell) for cell in cells]


def _cell(value: object) -> str:
    """Whole numbers come out of spreadsheets as fractions."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _bare(str(value).strip())


def _bare(cell: str) -> str:
    """Without the apostrophe that we put before what a spreadsheet would compute."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(table.FORMULA) else cell


def _bounded(rows: int) -> None:
    if rows > WISHES_MAX + 1:
        raise _Unreadable(
            ngettext(
                "The list has %(num)s row; one quote takes %(max)s sites. Split it into several "
                "quotes, or have the whole priced by the command “hansa quote bulk”.",
                "The list has %(rows)s rows; one quote takes %(max)s sites. Split it into several "
                "quotes, or have the whole priced by the command “hansa quote bulk”.",
                rows,
                rows=said_number(rows - 1),
                max=said_number(WISHES_MAX),
            )
        )


def _csv(octets: bytes, reading: _Reading) -> Rows:
    text = _text(octets, reading)
    _bounded(text.rstrip().count("\n") + 1)
    first = text.lstrip().partition("\n")[0]
    mark = max((",", ";", "\t"), key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        for cells in rows:
            yield rows.line_num, [_bare(cell.strip()) for cell in cells]
    except csv.Error:
        raise _Unreadable(
            _("A quotation mark is never closed, or stands in the middle of a cell. Save the list "
              "as CSV once more."),
            rows.line_num,
        ) from None  # fmt: skip


def _text(octets: bytes, reading: _Reading) -> str:
    """What the octets say: UTF-8, UTF-16 where it says so, else what old spreadsheets write."""
    for bom, encoding in BOMS:
        if octets.startswith(bom):
            try:
                return octets[len(bom) :].decode(encoding)
            except UnicodeDecodeError as error:
                row = octets[: error.start].count(b"\n") + 1
                words = _("It begins as %(encoding)s and goes on as something else. Save it as "
                          "CSV UTF-8.", encoding=encoding.upper())  # fmt: skip
                raise _Unreadable(words, row) from None
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("cp1252", errors="replace")
        reading.notes.append(
            _("The file is not in UTF-8 and was read as Western European (Windows-1252): look "
              "whether accents are right.")
        )  # fmt: skip
    if "\0" in text:
        raise _Unreadable(
            _("This is no text: it may be UTF-16 without a mark, or another kind of file. Save "
              "it as CSV UTF-8, or as XLSX.")
        )  # fmt: skip
    return text


# --- as sites -------------------------------------------------------------------------------------


def _wishes(rows: Rows, reading: _Reading) -> Sequence[Wish]:
    filled = ((number, cells) for number, cells in rows if any(cells))
    _number, headers = next(filled, (1, []))
    _columns(headers, reading)
    if reading.faults:
        return []
    listed = []
    for number, cells in filled:
        if any(cells[len(headers) :]):
            reading.fault(number, "", _("There are more cells than the first line has columns."))
            continue
        named = {
            name: cells[at] for at, name in reading.columns.items() if at < len(cells) and cells[at]
        }
        listed.append((number, named))
    if not listed and not reading.faults:
        raise _Unreadable(_("There is no site below the first line, which names the columns."))
    places.prepare(
        {code for _n, cells in listed if (code := places.country(cells.get("country", "")))}
    )
    found = [(number, _wish(cells, number, reading)) for number, cells in listed]
    _check_names(found, reading)
    return [wish for _number, wish in found if wish is not None]


def _columns(headers: Sequence[str], reading: _Reading) -> None:
    known = {alias: name for name, aliases in COLUMNS.items() for alias in aliases}
    for spec in reading.specs:
        plain = folded(spec.name)
        unit = folded(spec.unit)
        known |= dict.fromkeys((plain, plain.split()[0], f"{plain.split()[0]} {unit}"), spec.name)
    columns: dict[int, str] = {}
    left_out = []
    for at, header in enumerate(headers):
        name = known.get(folded(header))
        if name is None:
            left_out += [header] if header else []
        elif name in columns.values():
            reading.fault(1, header, _("Two columns say the same. Take one out."))
        else:
            columns[at] = name
    reading.columns = columns
    reading.headers = {name: headers[at] for at, name in columns.items()}
    has = set(columns.values())
    if "country" not in has:
        reading.fault(1, _("country"), _("The column is missing. The first line names the columns: "
                                         "name, country, place; latitude and longitude instead of "
                                         "a place."))  # fmt: skip
    if "place" not in has and not {"latitude", "longitude"} <= has:
        reading.fault(1, _("place"), _("The column is missing. Name the town of each site, or give "
                                       "its latitude and longitude."))  # fmt: skip
    if left_out:
        reading.notes.append(
            _("Columns that are not used: %(names)s.", names=", ".join(left_out[:8]))
        )


def _wish(cells: Mapping[str, str], number: int, reading: _Reading) -> Wish | None:
    """One site, or nothing and its faults."""
    before = len(reading.faults)
    for name, cell in cells.items():
        if len(cell) > CELL_MAX:
            reading.fault(number, name, _("It is longer than %(max)s characters.", max=CELL_MAX))
    identity = cells.get("id") or str(number)
    country = places.country(cells.get("country", ""))
    if "country" not in cells:
        reading.fault(number, "country", _("It is empty. Write the country, such as ZA."))
    elif country is None:
        words = _("“%(cell)s” is no country. Write its name, or its code such as ZA.",
                  cell=cells["country"][:40])  # fmt: skip
        reading.fault(number, "country", words)
    at = _point(cells, number, reading)
    if "place" not in cells and at is None and len(reading.faults) == before:
        reading.fault(
            number,
            "place",
            _("It is empty, and there are no coordinates. Write the town."),
        )
    quantity = _whole(cells, "quantity", number, reading, least=1, most=1_000_000)
    chosen = {
        spec.name: value
        for spec in reading.specs
        if (value := _whole(cells, spec.name, number, reading, spec.minimum, spec.maximum))
        is not None
    }
    if len(reading.faults) > before or country is None:
        return None
    place, point = _placed(cells.get("place", ""), country, at, reading)
    return Wish(
        site=Site(
            id=identity,
            name=cells.get("name") or place,
            country=country,
            place=place,
            latitude=point[0] if point else None,
            longitude=point[1] if point else None,
        ),
        quantity=quantity or 1,
        characteristics=chosen,
    )


def _placed(
    place: str, country: str, at: places.Point | None, reading: _Reading
) -> tuple[str, places.Point | None]:
    """The town by its usual name, and where the site is, as far as that can be known."""
    if not place:
        assert at is not None
        near = places.nearest(country, at)
        return (near.name if near else country), at
    found = places.town(country, place)
    if found is None:
        if at is None:
            reading.unknown.add(f"{place} ({country})")
        return place, at
    town, twins = found
    if twins and at is None:
        reading.twins.add(f"{place} ({country})")
    return town.name, at or (town.latitude, town.longitude)


def _point(cells: Mapping[str, str], number: int, reading: _Reading) -> places.Point | None:
    found = []
    for name, most in (("latitude", 90), ("longitude", 180)):
        if name not in cells:
            continue
        try:
            degrees = Decimal(cells[name].replace(",", ".").rstrip("°"))
        except InvalidOperation:
            degrees = Decimal("NaN")
        if not degrees.is_finite() or abs(degrees) > most:
            words = _("“%(cell)s” is no number of degrees from -%(most)s to %(most)s.",
                      cell=cells[name][:40], most=most)  # fmt: skip
            reading.fault(number, name, words)
        else:
            found.append(round(degrees, 6))
    if len(found) == 1 and ("latitude" in cells) != ("longitude" in cells):
        reading.fault(number, "", _("A latitude needs a longitude, and the other way round."))
    return (found[0], found[1]) if len(found) == 2 else None


def _whole(
    cells: Mapping[str, str],
    name: str,
    number: int,
    reading: _Reading,
    least: int,
    most: int,
) -> int | None:
    cell = cells.get(name)
    if cell is None:
        return None
    if cell.isascii() and cell.isdecimal() and len(cell) < 16 and least <= int(cell) <= most:
        return int(cell)
    words = _("“%(cell)s” is no whole number from %(least)s to %(most)s.",
              cell=cell[:40], least=said_number(least), most=said_number(most))  # fmt: skip
    reading.fault(number, name, words)
    return None


def _check_names(found: Sequence[tuple[int, Wish | None]], reading: _Reading) -> None:
    seen: dict[str, int] = {}
    for number, wish in found:
        if wish is None:
            continue
        first = seen.setdefault(wish.site.id, number)
        if first != number:
            words = _("“%(id)s” is also the id of row %(row)s. Give each site its own, or leave "
                      "the column out.", id=wish.site.id[:40], row=first)  # fmt: skip
            reading.fault(number, "id", words)


def as_csv(wishes: Sequence[Wish], specs: Sequence[CharacteristicSpec]) -> bytes:
    """The list as it can be read again."""
    names = [spec.name for spec in specs]
    return table.written([*COLUMNS, *names], [_cells(wish, names) for wish in wishes])


def _cells(wish: Wish, names: Sequence[str]) -> Sequence[table.Cell]:
    site = wish.site
    at = ["" if one is None else one for one in (site.latitude, site.longitude)]
    chosen = [str(wish.characteristics.get(name, "")) for name in names]
    return [site.id, site.name, site.country, site.place, *at, wish.quantity, *chosen]


def refused(found: SiteList) -> Refused:
    """Why a list is not taken, for those who ask for one sentence."""
    first = found.faults[0]
    place = [_("row %(row)s", row=first.row)] if first.row else []
    place += [first.column] if first.column else []
    return Refused("sites-invalid", ": ".join([*place, first.words]), field="sites")
