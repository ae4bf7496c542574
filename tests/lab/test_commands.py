"""`hansa lab`, as an engineer types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.lab.conftest import needs

pytestmark = needs("ground")


def hansa(*words: str, folder: Path, status: int = 0) -> str:
    """What `hansa lab` says, on the standard output or, if it fails, on the other."""
    done = subprocess.run(
        [sys.executable, "-m", "hansa.entrypoints.cli.main", "lab", *words],
        env={**os.environ, "HANSA_LAB": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_a_lab_is_started_looked_into_and_taken_down(tmp_path: Path) -> None:
    folder = tmp_path / ("a-folder-of-a-long-name" * 5) / "lab"
    assert "try-later (lab-silent)" in hansa("status", folder=folder, status=5)
    assert "is up. Nodes deliver on it" in hansa("up", folder=folder)
    assert "is up already" in hansa("up", folder=folder)
    assert json.loads(hansa("status", "--json", folder=folder)) == {"boxes": {}}
    assert "box-unknown" in hansa("run", "pop", "--", "ip", "link", folder=folder, status=4)
    assert "is down" in hansa("down", folder=folder)
    assert "was not up" in hansa("down", folder=folder)


def test_what_the_machine_can_is_said_with_what_to_do(tmp_path: Path) -> None:
    found = json.loads(hansa("check", "--json", folder=tmp_path))
    assert found["parts"]["ground"] == {"possible": True, "lacks": []}
    lacking = [name for name, there in found["programs"].items() if not there]
    assert bool(found["remedy"]) == bool(lacking)
    for name in lacking:
        assert name in str(found["parts"])
