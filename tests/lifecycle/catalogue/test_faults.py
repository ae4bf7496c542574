"""What is wrong with files of decks, each named with its row; nothing is written then."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import xlsxwriter

from hansa.foundation.errors import NotFound, Refused
from hansa.lifecycle.catalogue.actions import decks
from hansa.lifecycle.catalogue.model import DeckLayout
from hansa.lifecycle.catalogue.rules.notice import seconds
from tests.lifecycle.catalogue.stage import DECK, Stage, day

HEADER = "Destination,Code,Origin,Rate,Currency,Increment,Set-up,Valid from,Valid to,Change\n"
BEFORE = """South Africa,27,,0.05,USD,60/1,,2026-11-02,,
South Africa mobile,27710-27711,,0.08,USD,60/1,,2026-11-02,,
Portugal,351,,0.01,USD,1/1,,2026-11-02,,
Portugal mobile,3519,eea,0.02,USD,1/1,,2026-11-02,,
"""

GOOD = "South Africa,27,,0.04,USD,60/1,,2026-11-10,,decrease"

FAULTS = [
    ("no destination is needed", ",27,,0.04,,60/1,,2026-11-10,,", None),
    ("number with letters", "x,27A,,0.04,,60/1,,2026-11-10,,", "error code"),
    ("no code", "x,,,0.04,,60/1,,2026-11-10,,", "error code"),
    ("a range that runs back", "x,279-270,,0.04,,60/1,,2026-11-10,,", "error code"),
    ("no rate", "x,27,,,,60/1,,2026-11-10,,", "error rate-missing"),
    ("no rate, blocked", "x,27,,,,60/1,,2026-11-10,,blocked", None),
    ("rate with letters", "x,27,,free,,60/1,,2026-11-10,,", "error amount"),
    ("rate below zero", "x,27,,-0.04,,60/1,,2026-11-10,,", "error amount"),
    ("too many decimals", "x,27,,0.0000000001,,60/1,,2026-11-10,,", "error amount"),
    ("too much", "x,27,,1000000,,60/1,,2026-11-10,,", "error amount"),
    ("set-up below zero", "x,27,,0.04,,60/1,-1,2026-11-10,,", "error amount"),
    ("unknown currency", "x,27,,0.04,XXD,60/1,,2026-11-10,,", "error currency"),
    ("another currency", "x,27,,0.04,EUR,60/1,,2026-11-10,,", "error currency"),
    ("unknown origin group", "x,27,roam,0.04,,60/1,,2026-11-10,,", "error origin"),
    ("increment of none", "x,27,,0.04,,0/1,,2026-11-10,,", "error increment"),
    ("increment of words", "x,27,,0.04,,per second,,2026-11-10,,", "error increment"),
    ("impossible date", "x,27,,0.04,,60/1,,2026-11-31,,", "error dates"),
    ("no date", "x,27,,0.04,,60/1,,,,", "error dates"),
    ("ends before it begins", "x,27,,0.04,,60/1,,2026-11-10,2026-11-08,", "error dates"),
    ("ends on its first day", "x,27,,0.04,,60/1,,2026-11-10,2026-11-10,", None),
    ("unknown change flag", "x,27,,0.04,,60/1,,2026-11-10,,perhaps", "error flag"),
    ("more cells than the header", "x,27,,0.04,,60/1,,2026-11-10,,,,5", "error columns"),
    ("the same code again", "x,27,,0.04,,60/1,,2026-11-10,,", "error duplicate"),
    ("overlaps", "x,27,,0.03,,60/1,,2026-11-12,,", "error overlap"),
    ("a gap", "x,351,,0.01,,1/1,,2026-11-15,,", "error gap"),
    ("no gap", "x,351,,0.01,,1/1,,2026-11-12,,", None),
    ("a change in the past", "x,2779,,0.03,,60/1,,2026-11-01,,", "error past-date"),
    ("no change, since long ago", "x,27711,,0.08,,60/1,,2026-11-02,,", None),
    ("ten times as much", "x,27711,,0.8,,60/1,,2026-11-20,,", "warning tenfold"),
    ("a tenth", "x,27711,,0.008,,60/1,,2026-11-20,,", "warning tenfold"),
    ("flag says decrease", "x,27711,,0.09,,60/1,,2026-11-20,,decrease", "warning flag"),
    ("flag says unchanged", "x,27711,,0.08,,60/1,,2026-11-20,,no change", None),
]
REST = "Portugal,351,,0.009,,1/1,,2026-11-10,2026-11-11,"
ALSO = {"the same code again": GOOD, "overlaps": GOOD, "a gap": REST, "no gap": REST}


@pytest.fixture
def traded(stage: Stage) -> Stage:
    """With a first full version in force."""
    stage.put()
    stage.clock.at = day(2)
    stage.keep(stage.read(HEADER + BEFORE, kind="full"))
    stage.clock.at = day(3, 8)
    return stage


def version_count(stage: Stage) -> int:
    with stage.begin() as tx:
        return len(decks.versions(tx))


@pytest.mark.parametrize(
    ("line", "problem", "name"), [(f[1], f[2], f[0]) for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_a_row(traded: Stage, line: str, problem: str | None, name: str) -> None:
    also = ALSO.get(name, "x,49,,0.04,,60/1,,2026-11-10,,")
    draft = traded.read(f"{HEADER}{also}\n{line}\n")
    found = [f"{one.severity} {one.code}" for one in draft.problems]
    assert found == ([problem] if problem else [])
    assert [one.row for one in draft.problems] == ([3] if problem else [])
    if problem:
        code = "deck-refused" if problem.startswith("error") else "deck-doubtful"
        with pytest.raises(Refused, match=code) as refused:
            traded.keep(draft)
        assert "d.csv, row 3: " in refused.value.words
        assert version_count(traded) == 1
    if problem is None or problem.startswith("warning"):
        assert traded.keep(draft, accept=True).version == 2


def test_all_problems_are_told_and_not_only_the_first(traded: Stage) -> None:
    lines = "\n".join(one[1] for one in FAULTS)
    draft = traded.read(HEADER + lines)
    named = {(one.row, one.code) for one in draft.problems}
    wanted = {
        (number, problem.split()[1])
        for number, (_, _, problem) in enumerate(FAULTS, start=2)
        if problem and problem.startswith("error") and "past" not in problem
    }
    assert wanted - named <= {(number, "gap") for number in range(40)}
    with pytest.raises(Refused) as refused:
        traded.keep(draft, accept=True)
    assert refused.value.words.startswith(f"{len(draft.errors)} errors; nothing was written.")


def test_a_row_may_be_wrong_in_more_than_one_way(traded: Stage) -> None:
    draft = traded.read(f"{HEADER}x,27A,roam,-1,EUR,x,-1,2026-02-30,soon,maybe\n")
    assert sorted(one.code for one in draft.problems) == [
        "amount", "amount", "code", "currency", "dates", "dates", "flag", "increment", "origin",
    ]  # fmt: skip


def test_a_full_deck_that_leaves_out_a_code(traded: Stage) -> None:
    """Of a country that is there it is a doubt; a whole country may go."""
    kept = "South Africa,27,,0.05,USD,60/1,,2026-11-02,,\n"
    draft = traded.read(HEADER + kept, kind="full", effective_at=day(10))
    assert [(one.severity, one.code) for one in draft.problems] == [("warning", "missing-code")] * 2
    assert "27710" in draft.problems[0].words
    assert draft.preview and draft.preview.counts == {"withdrawn": 4, "unchanged": 1}
    traded.keep(draft, accept=True)
    assert {p["code"] for p in traded.prices() if p["to_s"] > 253402300000} == {"27"}


def test_a_first_version_may_tell_of_the_past(stage: Stage) -> None:
    stage.put()
    draft = stage.read(HEADER + BEFORE.replace("2026-11-02", "2026-10-01"), kind="full")
    assert [(one.severity, one.code, one.row) for one in draft.problems] == [
        ("warning", "past-date", 2)
    ]
    stage.keep(draft, accept=True)
    assert len(stage.prices()) == 5


def test_a_correction_speaks_of_the_past(traded: Stage) -> None:
    line = "x,27,,0.04,,60/1,,2026-11-02,,\n"
    assert [one.code for one in traded.read(HEADER + line).problems] == ["past-date"]
    traded.keep(traded.read(HEADER + line, correction="the rate of the contract is 0.04"))
    prices = {p["code"]: p for p in traded.prices()}
    assert prices["27"]["version"] == 2 and prices["27"]["rate_peak"] == 40_000_000


FILES: list[tuple[str, bytes, str, int | None]] = [
    ("empty", b"", "empty", None),
    ("a header alone", HEADER.encode(), "empty", None),
    ("no column for the rate", b"Destination,Code\nx,27\n", "columns", 1),
    ("another delimiter", HEADER.replace(",", ";").encode(), "columns", 1),
    ("no column for the date", b"Code,Rate\n27,0.04\n", "columns", 1),
    ("latin-1 said to be utf-8", HEADER.encode() + "Côte,225,".encode("latin-1"), "unreadable", 2),
    ("utf-16", HEADER.encode("utf-16"), "unreadable", 1),
    ("utf-16 without a mark", HEADER.encode("utf-16-le"), "unreadable", 1),
    ("a quote that is not closed", HEADER.encode() + b'"x,27', "unreadable", 2),
]


@pytest.mark.parametrize(
    ("content", "code", "row"), [f[1:] for f in FILES], ids=[f[0] for f in FILES]
)
def test_a_file(traded: Stage, content: bytes, code: str, row: int | None) -> None:
    draft = traded.read(content)
    assert (draft.errors[0].code, draft.errors[0].row) == (code, row)
    with pytest.raises(Refused, match="deck-refused"):
        traded.keep(draft)


def test_a_fault_before_a_broken_end_is_told_too(traded: Stage) -> None:
    draft = traded.read(f'{HEADER}x,27A,,0.04,,60/1,,2026-11-10,,\n"x,27')
    assert [(one.code, one.row) for one in draft.errors] == [("code", 2), ("unreadable", 3)]


def test_a_file_that_is_not_there(traded: Stage) -> None:
    with traded.begin() as tx, pytest.raises(Refused, match="file-missing"):
        from hansa.lifecycle.catalogue.actions import imports

        imports.read(
            tx, name="mtn-az", file=traded.folder / "none.csv", kind="full", folder=traded.folder,
            by="ann", now=day(3, 8),
        )  # fmt: skip
    with pytest.raises(Refused, match="received-time"):
        traded.read(HEADER, received_at=day(4))
    with traded.begin() as tx, pytest.raises(NotFound, match="deck-unknown"):
        decks.deck(tx, name="none")


def test_encodings_and_delimiters_are_declared(traded: Stage) -> None:
    line = "Côte d'Ivoire,225,,0.04,,60/1,,2026-11-10,,\n"
    assert traded.read((HEADER + line).encode("utf-8-sig")).problems == ()
    traded.put(replace(DECK, layout=DeckLayout(encoding="latin-1", delimiter=";", decimal=",")))
    other = (HEADER + line).replace(",", ";").replace("0.04", "0,04")
    draft = traded.read(other.encode("latin-1"))
    assert draft.problems == () and draft.rows["destination"].to_pylist() == ["Côte d'Ivoire"]
    assert [one.code for one in traded.read(other.encode()).problems] == ["encoding"]


def sheet(*rows: tuple[object, ...], name: str = "Rates") -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        made = book.add_worksheet(name)
        for number, cells in enumerate(rows):
            made.write_row(number, 0, cells)
    return out.getvalue()


def test_a_spreadsheet(traded: Stage) -> None:
    """Codes and rates are numbers there; the header is not its first row."""
    content = sheet(
        ("Price notification of MTN",),
        (),
        (
            "Area",
            "Dial Codes",
            "Peak Rate",
            "Off-peak rate",
            "Interval 1",
            "Interval N",
            "Effective Date",
        ),
        ("South Africa", 27, 0.1, 0.0123, 60, 1, "2026-11-20"),
        ("Egypt", "20-22", 3, 0.00001, 30, 6, "2026-11-20"),
        ("Nowhere", 27.5, 1e-10, 1, 30, 6, "2026-11-20"),
    )
    draft = traded.read(content, name="mtn.xlsx")
    assert [(one.code, one.row) for one in draft.errors] == [("amount", 6), ("code", 6)]
    rows = draft.rows.to_pylist()
    shown = [
        (r["row"], r["code"], r["rate_peak"], r["rate_off"], r["first_s"], r["next_s"])
        for r in rows
    ]
    assert shown == [
        (4, "27", 100_000_000, 12_300_000, 60, 1),
        (5, "20", 3_000_000_000, 10_000, 30, 6),
        (5, "21", 3_000_000_000, 10_000, 30, 6),
        (5, "22", 3_000_000_000, 10_000, 30, 6),
    ]


def test_dates_of_a_spreadsheet(traded: Stage) -> None:
    """As dates they are read; a date without its format is a number, and refused."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        made, shown = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        made.write_row(1, 1, ("Code", "Rate", "Valid from", "Valid to"))
        made.write_row(2, 1, (27, 0.04))
        made.write_datetime(2, 3, day(20).replace(tzinfo=None), shown)
        made.write_datetime(2, 4, day(25, 6).replace(tzinfo=None), shown)
        made.write_row(3, 1, (49, 0.04, 46346))
    draft = traded.read(out.getvalue(), name="mtn.xlsx")
    assert [(one.code, one.row) for one in draft.problems] == [("dates", 4)]
    (found,) = draft.rows.to_pylist()
    assert (found["from_s"], found["to_s"]) == (seconds(day(20)), seconds(day(25, 6)))


def test_a_spreadsheet_that_cannot_be_read(traded: Stage) -> None:
    content = sheet(("Code", "Rate"))
    for broken in (content[:300], b"PK\x03\x04 no more", b""):
        (problem,) = traded.read(broken, name="mtn.xlsx").errors
        assert problem.code == "unreadable"
    traded.put(replace(DECK, layout=DeckLayout(sheet="A-Z")))
    (problem,) = traded.read(content, name="mtn.xlsx").errors
    assert "Rates" in problem.words


def test_own_headers_and_dates(traded: Stage) -> None:
    layout = DeckLayout(
        columns={"code": ("Vorwahl",), "rate": ("Preis",), "from": ("ab",), "to": ("bis",)},
        dates=("%d.%m.%Y",), last_day=False, increment="60/60",
    )  # fmt: skip
    traded.put(replace(DECK, layout=layout))
    draft = traded.read("Vorwahl,Preis,ab,bis\n49,0.04,10.11.2026,12.11.2026\n")
    assert draft.problems == ()
    (found,) = draft.rows.to_pylist()
    assert (found["to_s"] - found["from_s"], found["next_s"]) == (2 * 86_400, 60)
