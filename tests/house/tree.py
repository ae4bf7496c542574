"""The house's own files, read for the house rules."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "hansa"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: Path) -> Iterator[Path]:
    """Every Python file under the folders, in order."""
    for folder in folders:
        yield from sorted(folder.rglob("*.py"))


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), filename=str(file))


def committed_files() -> Iterator[Path]:
    """What is in the repository or about to be: no ignored and no made files."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield ROOT / name


def where(file: Path, line: int | None = None, root: Path = SOURCE) -> str:
    """`lifecycle/order/rules.py:12`, for a message."""
    name = file.relative_to(root) if file.is_relative_to(root) else file
    return f"{name}:{line}" if line else str(name)


def plant(root: Path, name: str, text: str) -> Path:
    """Writes a file of a made-up house, or adds to one."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        out.write(text)
    return file
