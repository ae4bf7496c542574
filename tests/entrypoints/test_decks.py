"""A buyer's people keep a supplier's price list of calls, and a seller's its own."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.entrypoints.desk import SOON, Desk, set_clock

TERMS = """
name: mtn-az
seller: mtn
buyers: [acme]
currency: USD
zone: Africa/Johannesburg
peak_from_h: 7
peak_to_h: 19
holidays: [2026-12-25]
notice: {increase_days: 7}
layout: {increment: 60/1}
"""
FIRST = """Destination,Code,Rate,Valid from
South Africa,27,0.05,2026-11-03
South Africa mobile,2771-2772,0.08,2026-11-03
"""
SECOND = """Destination,Code,Rate,Valid from
South Africa,27,0.06,2026-11-09
South Africa mobile,2771,0.07,2026-11-06
South Africa mobile,2772,0.08,2026-11-03
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in (("terms.yaml", TERMS), ("one.csv", FIRST), ("two.csv", SECOND)):
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def kept(desk: Desk, files: Path) -> Desk:
    """With a first version that counts."""
    words = ("--kind", "full", "--terms", str(files / "terms.yaml"))
    desk("deck", "import", "mtn-az", str(files / "one.csv"), *words)
    desk("deck", "publish", "mtn-az", "--version", "1")
    return desk


def test_a_deck_from_its_first_file_on(kept: Desk, files: Path) -> None:
    said = kept("deck", "import", "mtn-az", str(files / "two.csv"), "--kind", "full")
    assert "Version 2 of mtn-az is kept; publish it to make it count" in said.out
    assert "increase   1" in said.out and said.err == ""
    found = kept.json("deck", "preview", "mtn-az")
    assert found["counts"] == {"increase": 1, "decrease": 1, "unchanged": 1}
    assert found["late"] == 0
    kept("deck", "publish", "mtn-az", "--version", "2")
    set_clock(files / "clock", SOON + timedelta(days=3))
    acknowledged = kept.json("deck", "acknowledge", "mtn-az", "--version", "2")
    assert [one["party"] for one in acknowledged["receipts"]] == ["acme"]
    assert acknowledged["receipts"][0]["noted_by"] == "ada"
    said = kept("deck", "preview", "mtn-az", "--version", "2")
    assert "Increases at shorter notice than agreed: 1." in said.out

    (listed,) = kept.json("deck", "list")
    assert listed["deck"]["zone"] == "Africa/Johannesburg"
    assert [one["version"] for one in listed["versions"]] == [1, 2]
    shown = kept("deck", "show", "mtn-az", "--code", "27")
    assert "2026-11-12 00:00:00" in shown.out, "seven days from the fifth, not on the ninth"
    assert (
        kept.json("deck", "show", "mtn-az", "--code", "27")["prices"][1]["rate_peak"] == 6 * 10**7
    )
    (one, *_) = kept.json("deck", "diff", "mtn-az", "1", "2")
    assert (one["what"], one["code"]) == ("removed", "27")
    assert "rate peak 0.07" in kept("deck", "diff", "mtn-az", "1", "2").out
    assert "mtn-az" in kept("deck", "list").out


def test_every_problem_is_told_by_its_row(kept: Desk, files: Path) -> None:
    file = files / "two.csv"
    file.write_text(SECOND.replace("2771", "27X").replace("0.06", "-6"))
    said = kept("deck", "import", "mtn-az", str(file), "--kind", "full", exit_code=3)
    assert said.out == ""
    one, other, last = said.err.splitlines()
    assert one == "error: two.csv, row 2: -6 is below zero (amount)"
    assert other == "error: two.csv, row 3: '27X' is no dial code: 1 to 15 digits (code)"
    assert last.startswith("refused (deck-refused): 2 errors; nothing was written.")
    assert [one["version"] for one in kept.json("deck", "list")[0]["versions"]] == [1]


def test_what_is_doubtful_is_taken_on_purpose(kept: Desk, files: Path) -> None:
    file = files / "two.csv"
    file.write_text(SECOND.replace("0.06", "0.6"))
    words = ("deck", "import", "mtn-az", str(file), "--kind", "full")
    said = kept(*words, exit_code=3)
    assert said.err.splitlines()[0].startswith("warning: two.csv, row 2: 27 goes from 0.05 to 0.6")
    assert "deck-doubtful" in said.err
    taken = kept.json(*words, "--accept")
    assert [one["code"] for one in taken["problems"]] == ["tenfold"] and taken["new"]
    again = kept.json(*words)
    assert (again["new"], again["version"]["version"]) == (False, 2)
    assert "says the same; nothing was changed" in kept(*words).out


def test_what_is_refused(desk: Desk, files: Path) -> None:
    one = ("deck", "import", "mtn-az", str(files / "one.csv"), "--kind", "full")
    assert "deck-unknown" in desk.refused(*one, exit_code=4)
    assert "deck-invalid" in desk.refused(
        "deck", "import", "other", *one[3:], "--terms", str(files / "terms.yaml")
    )
    terms = ("--terms", str(files / "terms.yaml"))
    assert "time-unreadable" in desk.refused(*one, *terms, "--received", "soon")
    assert "received-time" in desk.refused(*one, *terms, "--received", "2026-12-01")
    assert "kind" in desk(*one[:-2], exit_code=2).err
    assert desk.json("deck", "list") == []


def test_a_damaged_file_is_named(kept: Desk) -> None:
    (file,) = (kept.folder / "decks" / "mtn-az").iterdir()
    file.write_bytes(b"PAR1")
    line = kept.refused("deck", "show", "mtn-az", "--code", "27", exit_code=1)
    assert line.startswith("error (deck-file-damaged)") and file.name in line


def test_a_node_without_the_libraries_says_so(
    kept: Desk, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    words = ("deck", "import", "mtn-az", str(files / "two.csv"), "--kind", "full")
    assert "error (bulk-missing): This needs pyarrow" in kept.refused(*words, exit_code=1)
    assert "mtn-az" in kept("deck", "list").out
