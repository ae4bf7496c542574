"""Long runs show how far they are on a terminal, and are silent where nobody looks."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hansa.entrypoints.cli import progress
from tests.entrypoints.desk import hansa

CALLS = pa.table({"called": ["441"], "answered_us": [1793491200000000], "duration_s": [7]})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 120 columns."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def test_a_bar_on_a_terminal(wide: Terminal) -> None:
    with redirect_stderr(wide), progress.bar() as tell:
        tell("Rating [2026-11]", 1_500, 6_000)
    shown = wide.getvalue()
    assert "Rating [2026-11]" in shown
    assert "1,500 of 6,000" in shown
    assert shown.endswith("\x1b[1A\x1b[2K")  # it leaves nothing behind


def test_nothing_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar() as tell:
        tell("Rating", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_comparison_that_is_piped_says_what_it_found_alone(tmp_path: Path) -> None:
    file = tmp_path / "calls.parquet"
    pq.write_table(CALLS, file)
    said = hansa(
        "settle", "reconcile", "--ours", str(file), "--theirs", str(file), "--to", str(tmp_path),
        "--currency", "GBP", "--json",
    )  # fmt: skip
    assert (said.err, json.loads(said.out)["rows_ours"]) == ("", 1)
