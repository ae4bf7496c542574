"""Time and chance come in as arguments; three places may read them from the machine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import SOURCE, parsed, plant, python_files, where

ALLOWED = ("entrypoints/", "foundation/ids.py", "foundation/time.py")

READS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("uuid", "uuid1"),
    ("uuid", "uuid4"),
    ("uuid", "uuid7"),
}


def reads(file: Path) -> Iterator[str]:
    """Every place at which a module asks the machine for the time or for chance."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if (name, node.attr) in READS:
                yield f"{where(file, node.lineno)} reads {name}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (node.module, alias.name) in READS:
                    yield f"{where(file, node.lineno)} imports {node.module}.{alias.name}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                modules = {node.module or ""}
            if "random" in modules:
                yield f"{where(file, node.lineno)} imports random"


def test_nobody_reads_the_clock_unasked() -> None:
    files = [file for file in python_files(SOURCE) if not where(file).startswith(ALLOWED)]
    assert [found for file in files for found in reads(file)] == []


def test_offences_are_caught(tmp_path: Path) -> None:
    file = plant(
        tmp_path,
        "rules.py",
        "import datetime, random\nfrom uuid import uuid4\nthen = datetime.datetime.now()\n",
    )
    assert [found.split(" ", 1)[1] for found in sorted(reads(file))] == [
        "imports random",
        "imports uuid.uuid4",
        "reads datetime.now",
    ]
