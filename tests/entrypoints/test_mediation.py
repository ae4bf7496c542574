"""Usage records come in at the command line, are corrected there, and always add up."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.entrypoints.desk import Desk, hansa
from tests.lifecycle.usage.counter import call, csv


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cdr"
    made.mkdir()
    (made / "a.csv").write_bytes(csv(call("c1", answered="", duration="0"), call("c2", called="x")))
    (made / "b.csv").write_bytes(csv(call("c3", started="", answered="2026-11-01T08:00:00")))
    (made / ".hidden").write_bytes(b"?")
    return made


def test_a_day_of_files(desk: Desk, folder: Path) -> None:
    a, b = desk.json("usage", "import", str(folder))
    assert (a["rows"], a["events"], a["quarantined"], b["events"]) == (2, 1, 1, 1)
    assert [one["months"][0]["month"] for one in (a, b)] == ["2026-11", "2026-11"]
    assert desk.json("usage", "import", str(folder / "b.csv"))[0]["file"] == b["file"]
    number = str(a["file"])
    (bad,) = desk.json("usage", "quarantine", number)
    assert (bad["row"], bad["reason"], bad["field"]) == (3, "number-invalid", "called")
    assert "number-invalid" in desk("usage", "quarantine", number).out
    words = ("--field", "called", "--value", "27111", "--why", "asked them", "--row", "3")
    assert desk.json("usage", "repair", number, *words) == {"file": a["file"], "records": 1}
    again = desk.json("usage", "replay", number)
    assert (again["replays"], again["events"]) == (a["file"], 1)
    assert desk.json("usage", "quarantine", number) == []
    balance = desk.json("usage", "balance", "--period", "2026-11")
    assert balance["even"]
    assert balance["sum"] == {
        "rows": 4, "rated": 0, "waiting": 3, "quarantined": 1, "no_price": 0, "duplicate": 0,
    }  # fmt: skip
    assert desk("usage", "balance").out.endswith("It adds up.\n")
    assert len(desk.json("usage", "files")) == 3
    assert desk.json("usage", "files", "--period", "2026-10") == []
    assert "a.csv (replayed)" in desk("usage", "files").out


def test_a_file_that_cannot_be_read_holds_up_no_other(desk: Desk, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"colour\nred\n")
    said = desk("usage", "import", str(folder), exit_code=3)
    assert "a.csv: refused (columns-missing): There is no column called" in said.out
    assert [one["state"] for one in desk.json("usage", "files")] == ["refused", "taken"]


def test_a_layout_of_ones_own(desk: Desk, tmp_path: Path) -> None:
    layout = tmp_path / "switch.yaml"
    layout.write_text(
        "source: lagos\nkind: calls\nformat: csv\ndelimiter: ';'\nzone: Africa/Lagos\n"
        "columns: {called: B, answered: 2, duration: S, calling: 'A?'}\n"
        "international: '009'\nnational: '0'\ncountry: '234'\n"
    )
    file = tmp_path / "a.txt"
    file.write_text("B;When;S\n08031234567;20261101080000;5\n00927115550000;20261101080000;5\n")
    (made,) = desk.json("usage", "import", "--layout", str(layout), str(file))
    assert (made["source"], made["events"]) == ("lagos", 2)
    layout.write_text("source: lagos\n")
    assert "file-invalid" in desk("usage", "import", "--layout", str(layout), "x", exit_code=3).err


def test_what_is_not_known_is_refused(desk: Desk) -> None:
    assert "choice-unknown" in desk.refused("usage", "import", "--layout", "nothing", "x")
    assert "delivery-unknown" in desk.refused("usage", "quarantine", "7", exit_code=4)
    assert "delivery-unknown" in desk.refused("usage", "replay", "7", exit_code=4)
    assert "choice-unknown" in desk.refused("usage", "quarantine", "7", "--reason", "x")
    assert "file-unreadable" in desk("usage", "import", "/no/such", exit_code=3).err


def test_trunks(desk: Desk) -> None:
    put = ("usage", "trunk", "put", "shop-1", "hld_1")
    assert "choice-unknown" in desk.refused(*put, "--side", "up", "--from", "2026-11-01")
    assert "time-unreadable" in desk.refused(*put, "--side", "in", "--from", "yesterday")
    assert "holding-unknown" in desk.refused(
        *put, "--side", "in", "--from", "2026-11-01", exit_code=4
    )
    assert desk.json("usage", "trunk", "list") == {"trunks": [], "unknown": []}


def test_standard_input(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, csv(call("c1", answered="", duration="0")))
    os.close(writing)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "1 records, 1 events" in desk("usage", "import", "-").out


def test_a_watched_folder(desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that grows is left alone until it does not; Ctrl-C ends without a word."""
    turns = iter(range(5))

    def pause(_s: float) -> None:
        turn = next(turns, None)
        if turn is None:
            raise KeyboardInterrupt
        if turn < 2:
            with (folder / "c.csv").open("ab") as file:
                line = call(f"c{turn + 7}", answered="", duration="0")
                file.write(csv(line) if turn == 0 else f"{line}\n".encode())

    monkeypatch.setattr(time, "sleep", pause)
    said = desk("usage", "import", "--watch", str(folder))
    assert [line.split(":")[0] for line in said.out.splitlines()] == ["a.csv", "b.csv", "c.csv"]
    assert "2 records, 2 events" in said.out.splitlines()[2]


def test_without_the_extra_it_says_what_to_do(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hansa.foundation import extras

    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "duckdb" else name)
    said = hansa("usage", "import", str(folder), node=desk.folder)
    assert said.exit_code == 1
    assert "error (bulk-missing): This needs duckdb; run `make bulk`" in said.err
