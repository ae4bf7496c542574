"""Lists of sites as people have them, and what is said of those that cannot be read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal

import pytest

from hansa.entrypoints.portal.pages.sales import places, site_list
from hansa.entrypoints.portal.pages.sales.site_list import SiteList
from hansa.federation.contract import CharacteristicSpec
from hansa.lifecycle.quote.model import WISHES_MAX
from tests.entrypoints.portal.sales.desk import begin, give
from tests.entrypoints.portal.visitor import Visitor

SPEED = CharacteristicSpec("speed_mbps", "Mbit/s", 1, 10_000, 100)
PLAIN = "name,country,place\nCafé,PT,Évora\n"


def read(text: str | bytes, name: str = "sites.csv") -> SiteList:
    octets = text.encode() if isinstance(text, str) else text
    return site_list.read(name, octets, specs=(SPEED,))


def faults(text: str | bytes, name: str = "sites.csv") -> list[tuple[int | None, str, str]]:
    found = read(text, name)
    assert not found.wishes
    return [(one.row, one.column, one.words) for one in found.faults]


def book(rows: Sequence[Sequence[object]]) -> bytes:
    """A workbook; a text that begins with = is a formula with the value 7."""
    xlsxwriter = pytest.importorskip("xlsxwriter")
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if str(cell).startswith("="):
                    sheet.write_formula(at, column, cell, value=7)
                else:
                    sheet.write(at, column, cell)
    return file.getvalue()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom", "cp1252"]
)
def test_every_usual_encoding(encoding: str) -> None:
    name = encoding.removesuffix("-bom")
    mark = "\ufeff" if name != encoding else ""
    octets = f"{mark}{PLAIN}".encode(name)
    found = read(octets)
    assert not found.faults, found.faults
    (wish,) = found.wishes
    assert (wish.site.name, wish.site.place, wish.site.country) == ("Café", "Évora", "PT")
    assert ("Windows-1252" in " ".join(found.notes)) == (encoding == "cp1252")


def test_utf16_without_a_mark_says_what_to_do() -> None:
    ((row, _column, words),) = faults("name,country,place\nA,PT,Faro\n".encode("utf-16-le"))
    assert row is None
    assert "UTF-16 without a mark" in words and "CSV UTF-8" in words


def test_a_file_that_changes_its_encoding_names_the_row() -> None:
    ((row, _column, words),) = faults(b"\xef\xbb\xbfname,country,place\nA,PT,\xc9vora\n")
    assert (row, words[:18]) == (2, "It begins as UTF-8")


@pytest.mark.parametrize(
    ("head", "mark"),
    [
        ("name,country,place,lat,lon,qty,speed", ","),
        ("Nome;País;Localidade;Latitude;Longitude;Quantidade;speed_mbps", ";"),
        ("Nombre;País;Población;Latitud;Longitud;Cantidad;Speed (Mbit/s)", ";"),
        ("Nom\tPays\tVille\tLatitude\tLongitude\tQuantité\tspeed mbps", "\t"),
    ],
)
def test_columns_in_several_languages(head: str, mark: str) -> None:
    row = mark.join(["Porto 1", "Portugal", "Porto", "41.15", "-8.61", "2", "50"])
    (wish,) = read(f"{head}\n{row}\n").wishes
    assert (wish.site.country, wish.site.place, wish.quantity) == ("PT", "Porto", 2)
    assert (wish.site.latitude, wish.site.longitude) == (Decimal("41.15"), Decimal("-8.61"))
    assert wish.characteristics == {"speed_mbps": 50}


def test_missing_columns_are_named_with_what_to_do() -> None:
    found = faults("town\tpostcode\nA\tB\n")
    assert [(row, column) for row, column, _words in found] == [(1, "country")]
    found = faults("name,country\nA,PT\n")
    assert found[0][:2] == (1, "place")
    assert "latitude and longitude" in found[0][2]


def test_every_fault_is_named_by_row_and_column() -> None:
    text = (
        "id,name,Country,place,lat,lon,quantity,speed_mbps\n"
        "1,A,,Faro,,,,\n"
        "2,B,Atlantis,Faro,,,,\n"
        "3,C,PT,,,,,\n"
        "4,D,PT,,91,0,,\n"
        "5,E,PT,,38.7,,,\n"
        "6,F,PT,Faro,,,many,99999\n"
        "7,G,PT,Faro,,,,,,surplus\n"
        "8,H,PT,Faro,,,,\n"
        "8,I,PT,Faro,,,,\n"
    )
    assert [fault[:2] for fault in faults(text)] == [
        (8, ""),
        (2, "Country"),
        (3, "Country"),
        (4, "place"),
        (5, "lat"),
        (6, ""),
        (7, "quantity"),
        (7, "speed_mbps"),
        (10, "id"),
    ]
    assert "“Atlantis” is no country" in faults(text)[2][2]
    assert "also the id of row 9" in faults(text)[-1][2]


def test_the_same_fault_a_thousand_times_is_not_listed_a_thousand_times() -> None:
    found = read("name,country,place\n" + "A,,Faro\n" * 1000)
    assert len(found.faults) == site_list.FAULTS_MAX
    assert found.more_faults == 1000 - site_list.FAULTS_MAX


@pytest.mark.parametrize("octets", [b"", b"\n\n", b"name,country,place\n", b"name,country,place"])
def test_a_list_without_sites_says_so(octets: bytes) -> None:
    assert faults(octets)


def test_an_open_quotation_mark_names_the_row() -> None:
    ((row, _column, words),) = faults('name,country,place\nA,PT,Faro\n"B,PT,Faro\n')
    assert row == 3
    assert "quotation mark" in words


def test_formulas_stay_what_they_are() -> None:
    text = (
        'name,country,place\n"=HYPERLINK(""x"")",PT,Faro\n+1,PT,Lagos\n-1,PT,Beja\n@A1,PT,Tomar\n'
    )
    found = read(text)
    names = [wish.site.name for wish in found.wishes]
    assert names == ['=HYPERLINK("x")', "+1", "-1", "@A1"]
    out = site_list.as_csv(found.wishes, (SPEED,)).decode("utf-8-sig")
    assert all(f"'{sign}" in out for sign in "=+-@")
    assert [wish.site.name for wish in read(out).wishes] == names


def test_a_workbook_is_read_as_it_was_last_computed() -> None:
    pytest.importorskip("python_calamine")
    found = read(
        book([["Site", "Country", "City", "Qty"], ["A", "PT", "Lisboa", "=3+4"]]), "x.xlsx"
    )
    (wish,) = found.wishes
    assert (wish.site.place, wish.quantity) == ("Lisbon", 7)


def test_what_is_no_workbook_says_so() -> None:
    assert "cannot be read as a spreadsheet" in faults(b"PK\x03\x04 not really", "x.xlsx")[0][2]
    assert "cannot be read as a spreadsheet" in faults(b"plain text", "x.xlsx")[0][2]


@pytest.mark.parametrize(("kind", "count"), [("csv", 50_000), ("xlsx", 12_000)])
def test_fifty_thousand_rows_are_too_many_and_the_limit_is_said(kind: str, count: int) -> None:
    rows = [["name", "country", "place"], *[[f"S{n}", "PT", "Faro"] for n in range(count)]]
    octets = book(rows) if kind == "xlsx" else "\n".join(",".join(row) for row in rows).encode()
    ((_row, _column, words),) = faults(octets, f"x.{kind}")
    assert f"{count:,} rows" in words and "10,000 sites" in words and "hansa quote bulk" in words


def test_as_many_as_may_be_are_read() -> None:
    text = "name,country,place\n" + "A,PT,Faro\n" * WISHES_MAX
    assert len(read(text).wishes) == WISHES_MAX


def test_places_by_any_of_their_names() -> None:
    text = (
        "name,country,place\nA,PT,lisboa\nB,ZA,Joanesburgo\nC,GB,Newport\nD,PT,Nowhere\n"
        "E,Cote d Ivoire,Abidjan\n"
    )
    found = read(text)
    assert [wish.site.place for wish in found.wishes] == [
        "Lisbon", "Johannesburg", "Newport", "Nowhere", "Abidjan",
    ]  # fmt: skip
    notes = " ".join(found.notes)
    assert "no town of that name is known there: Nowhere (PT)" in notes
    assert "several towns of the name; the largest was taken: Newport (GB)" in notes


def test_coordinates_name_the_nearest_town() -> None:
    (wish,) = read("country,latitude,longitude\nPT,41.15,-8.62\n").wishes
    assert (wish.site.place, wish.site.name) == ("Porto", "Porto")


def test_distances_over_the_ground() -> None:
    lisbon, porto = places.town("PT", "Lisbon"), places.town("PT", "Porto")
    assert lisbon and porto
    far = places.distance_km(
        (lisbon[0].latitude, lisbon[0].longitude), (porto[0].latitude, porto[0].longitude)
    )
    assert 270 < far < 280


def test_a_faulty_list_changes_nothing_and_stays_in_the_field(sal: Visitor) -> None:
    quote = begin(sal, "Faulty")
    wrong = "name,country,place\nA,Atlantis,Faro\n"
    shown = give(sal, quote, wrong)
    assert shown.status == 422
    assert shown.rows()[0] == [
        "2",
        "country",
        "“Atlantis” is no country. Write its name, or its code such as ZA.",
    ]
    assert shown.form(f"{quote}/sites")["pasted"].strip() == wrong.strip()
    assert "No sites yet" in sal.open(quote).text
    nothing = give(sal, quote, "  ")
    assert "Choose a file, or paste the list" in nothing.text


def test_an_uploaded_workbook_without_what_reads_it_says_so(
    sal: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = book([["name", "country", "place"], ["A", "GB", "London"]])
    monkeypatch.setattr(site_list, "find_spec", lambda _name: None)
    quote = begin(sal, "No calamine")
    form = sal.open(f"{quote}/sites").form(f"{quote}/sites")
    shown = sal.send(f"{quote}/sites", form, files={"file": ("x.xlsx", octets, "x")})
    assert shown.status == 422
    assert "Save the list as CSV" in shown.text
