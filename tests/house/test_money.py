"""No float comes near money, in Python or in a table."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import SOURCE, parsed, plant, python_files, where

NEAR_MONEY = (
    "foundation/money.py",
    "ledger",
    "lifecycle/agreement",
    "lifecycle/catalogue",
    "lifecycle/quote",
    "lifecycle/rating",
    "lifecycle/billing",
    "lifecycle/settlement",
    "lifecycle/clearing",
    "entrypoints/papers",
)

INEXACT_MODULES = {"cmath", "math", "numpy", "statistics"}
WHOLE = (
    "lifecycle/catalogue/rules/effective.py",
    "lifecycle/rating/actions/books.py",
    "lifecycle/rating/model/book.py",
    "lifecycle/rating/rules/book.py",
    "lifecycle/rating/rules/kernel.py",
    "lifecycle/rating/store/parquet.py",
    "lifecycle/settlement/store/records.py",
)
"""Where numpy counts in whole numbers: nothing divides there, and no type of it has a fraction."""

INEXACT_TYPE = re.compile(r"(float|complex|double|half|single|longdouble)\w*")
INEXACT_COLUMN = re.compile(r"\b(real|float\d?|double\s+precision|money)\b(?!\s*\()", re.IGNORECASE)


def harmless(node: ast.AST) -> Iterator[ast.AST]:
    """Where a float is no money: seconds, by a name that ends in `_s`; and turning one away."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "isinstance":
            yield from ast.walk(node.args[1])
    elif isinstance(node, ast.keyword) and (node.arg or "").endswith("_s"):
        yield from ast.walk(node.value)
    elif isinstance(node, ast.arg) and node.arg.endswith("_s") and node.annotation:
        yield from ast.walk(node.annotation)


def floats(file: Path) -> Iterator[str]:
    """Float literals, the name `float`, and modules that count in floats."""
    tree = parsed(file)
    allowed = {id(inner) for node in ast.walk(tree) for inner in harmless(node)}
    whole = where(file) in WHOLE
    for node in ast.walk(tree):
        if id(node) in allowed:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{where(file, node.lineno)} writes {node.value}"
        elif isinstance(node, ast.Name) and node.id == "float":
            yield f"{where(file, node.lineno)} says float"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                names = {node.module or ""}
            for name in sorted(names & (INEXACT_MODULES - {"numpy"} if whole else INEXACT_MODULES)):
                yield f"{where(file, node.lineno)} imports {name}"
        elif whole:
            yield from fractions(file, node)


def fractions(file: Path, node: ast.AST) -> Iterator[str]:
    """What makes a fraction of whole numbers."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
        yield f"{where(file, node.lineno)} divides"
    elif isinstance(node, ast.Attribute) and INEXACT_TYPE.fullmatch(node.attr):
        yield f"{where(file, node.lineno)} says {node.attr}"


def inexact_columns(file: Path) -> Iterator[str]:
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        found = INEXACT_COLUMN.search(line.partition("--")[0])
        if found:
            yield f"{where(file, number)} has type {found[0]}"


def near_money(pattern: str) -> Iterator[Path]:
    for name in NEAR_MONEY:
        place = SOURCE / name
        yield from [place] if place.is_file() else sorted(place.rglob(pattern))


def test_no_float_near_money() -> None:
    assert [found for file in near_money("*.py") for found in floats(file)] == []


def test_no_inexact_column_anywhere() -> None:
    files = sorted(SOURCE.rglob("*.sql"))
    assert [found for file in files for found in inexact_columns(file)] == []


def test_offences_are_caught(tmp_path: Path) -> None:
    file = plant(
        tmp_path,
        "rules.py",
        "import math\n"
        "def gross(net: float) -> int:\n"
        "    if isinstance(net, float):\n"
        "        raise TypeError(net)\n"
        "    return round(net * 1.2, after_s=0.5)\n",
    )
    assert {found.split(" ", 1)[1] for found in floats(file)} == {
        "imports math",
        "says float",
        "writes 1.2",
    }
    table = plant(tmp_path, "t.sql", "create table bill (\n    net double precision -- money\n)")
    assert [found.split(" ", 1)[1] for found in inexact_columns(table)] == [
        "has type double precision"
    ]
    assert list(python_files(tmp_path)) == [file]


def test_a_fraction_of_whole_numbers_is_caught(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = plant(
        tmp_path, "whole.py", "import numpy as np\na = np.ones(3, np.float64)\na /= 3\nb = a / 2\n"
    )
    assert [found.split(" ", 1)[1] for found in floats(file)] == ["imports numpy"]
    monkeypatch.setattr("tests.house.test_money.WHOLE", (where(file),))
    assert [found.split(" ", 1)[1] for found in floats(file)] == [
        "divides",
        "divides",
        "says float64",
    ]
