"""`hansa demo`, as a user runs it: real nodes, two alliances, and the one object that it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_both_alliances_end_with_books_that_agree(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "hansa.entrypoints.cli.main", "demo", "--simulated", "--json"],
        cwd=ROOT,
        env={**os.environ, "HANSA_DEMO_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    told = json.loads(run.stdout)
    assert [
        {key: value for key, value in one.items() if key != "seconds"} for one in told["scenarios"]
    ] == [
        {
            "name": "bt-mtn",
            "nodes": 2,
            "orders": 4,
            "hops": 2,
            "invoices": 2,
            "settlements": 1,
            "books_agree": True,
            "measured": [],
        },
        {
            "name": "iberia",
            "nodes": 4,
            "orders": 3,
            "hops": 3,
            "invoices": 4,
            "settlements": 3,
            "books_agree": True,
            "measured": [],
        },
    ]
    assert list(tmp_path.iterdir()) == []
