"""`hansa demo` on real daemons: what two operators sell is delivered, tried out, and ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT
from tests.lab.conftest import needs

pytestmark = needs("connectivity", "security", "voice")


def test_what_is_ordered_of_one_operator_is_delivered_by_two(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "hansa.entrypoints.cli.main", "demo", "bt-mtn", "--json"],
        cwd=ROOT,
        env={**os.environ, "HANSA_DEMO_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    (told,) = json.loads(run.stdout)["scenarios"]
    assert told["books_agree"]
    assert [one for one in told["measured"] if not one["ok"]] == []
    assert {one["check"] for one in told["measured"]} >= {
        "ping Johannesburg to London",
        "speed London to Johannesburg",
        "name malware.example",
        "call to +442079460123",
        "their records",
        "calls used at bt",
        "calls charged by mtn",
        "first line of Johannesburg cut",
        "ping Johannesburg to London after its cease",
    }
    assert list(tmp_path.iterdir()) == []
