"""Sizes, plaques and names: what a reader may count on in every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, SOURCE, committed_files, parsed, plant, python_files, where

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
PLAQUE_LINES_MAX = 5

HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("crates", "io"),
        ("golang", "org"),
        ("maven", "org"),
        ("debian", "org"),
    )
)
"""Where packages come from is for the machine's set-up, never for a file of ours."""


def long_functions(file: Path) -> Iterator[str]:
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{where(file, node.lineno)} {node.name} has {lines} lines"


def long_files(*files: Path) -> Iterator[str]:
    for file in files:
        lines = len(file.read_text().splitlines())
        if lines > FILE_LINES_MAX:
            yield f"{where(file)} has {lines} lines"


def folders_without_plaque(source: Path) -> Iterator[str]:
    """Folders with code but no plaque; import contracts would not see into them."""
    for folder in sorted({file.parent for file in source.rglob("*.py")}):
        if not (folder / "__init__.py").exists():
            yield where(folder, root=source)


def odd_plaques(source: Path) -> Iterator[str]:
    """Plaques that hold code, say nothing, say too much, or leave out what a room hands on."""
    for file in sorted(source.rglob("__init__.py")):
        tree = parsed(file)
        words = ast.get_docstring(tree) or ""
        if len(tree.body) != 1 or not words:
            yield f"{where(file, root=source)}: a plaque is a docstring and nothing else"
            continue
        if len(words.splitlines()) > PLAQUE_LINES_MAX or not words.endswith("."):
            yield f"{where(file, root=source)}: at most {PLAQUE_LINES_MAX} lines of whole sentences"
        is_room = (file.parent / "model.py").exists() or (file.parent / "contract.py").exists()
        if is_room and not ("Takes in " in words and "; hands " in words):
            yield f"{where(file, root=source)}: say `Takes in …; hands on …`"


def test_functions_fit_on_a_page() -> None:
    files = python_files(SOURCE, ROOT / "tests", ROOT / "bench")
    assert [found for file in files for found in long_functions(file)] == []


def test_files_can_be_read_in_one_go() -> None:
    files = [*python_files(SOURCE, ROOT / "tests", ROOT / "bench"), *SOURCE.rglob("*.sql")]
    assert list(long_files(*files)) == []


def test_every_folder_has_its_plaque() -> None:
    assert list(folders_without_plaque(SOURCE)) == []
    assert list(odd_plaques(SOURCE)) == []


def test_no_registry_is_named() -> None:
    found = []
    for file in committed_files():
        text = file.read_text(errors="ignore")
        found += [f"{file.relative_to(ROOT)} names {host}" for host in HOSTS if host in text]
    assert found == []


def test_offences_are_caught(tmp_path: Path) -> None:
    long = plant(tmp_path, "long.py", "def f():\n" + "    pass\n" * 70 + "\n" * 500)
    assert [found.rsplit(":", 1)[1] for found in long_functions(long)] == ["1 f has 71 lines"]
    assert len(list(long_files(long))) == 1
    plant(tmp_path, "room/model.py", "")
    assert list(folders_without_plaque(tmp_path)) == [".", "room"]
    plaque = plant(tmp_path, "room/__init__.py", '"""What is kept."""\n')
    assert "Takes in" in next(odd_plaques(tmp_path))
    plaque.write_text('"""Takes in one thing; hands on another."""\n')
    assert list(odd_plaques(tmp_path)) == []
    plant(tmp_path, "room/__init__.py", "from room import model\n")
    assert "nothing else" in next(odd_plaques(tmp_path))
