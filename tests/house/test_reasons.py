"""Every reason code that can be raised is explained, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.house.tree import ROOT, SOURCE, parsed, plant, python_files, where

REASONS = ROOT / "docs" / "reasons.md"
FAMILIES = {
    "Refused": "refused",
    "NotFound": "not-found",
    "TryLater": "try-later",
    "HansaError": "error",
}
CODE = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)+$|^[a-z]+$")
ROW = re.compile(r"^\|\s*`([a-z0-9-]+)`\s*\|\s*([^|]+?)\s*\|\s*(\S[^|]*?)\s*\|$", re.MULTILINE)


def errors(file: Path) -> Iterator[tuple[ast.Call, str, ast.expr]]:
    """Every error made in a module: the call, its family, and the expression of its code."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Call) and node.args:
            function = node.func
            name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            if name in FAMILIES:
                yield node, FAMILIES[name], node.args[0]


def raised(source: Path) -> Mapping[str, set[str]]:
    """The families in which each code is raised."""
    found: dict[str, set[str]] = {}
    for file in python_files(source):
        for _, family, code in errors(file):
            for inner in literals(code):
                found.setdefault(inner, set()).add(family)
    return found


def literals(code: ast.expr) -> Iterator[str]:
    """The codes that an expression may give, of those that stand in it."""
    if isinstance(code, ast.IfExp):
        yield from literals(code.body)
        yield from literals(code.orelse)
    elif isinstance(code, ast.Constant) and isinstance(code.value, str):
        yield code.value


def unreadable(source: Path) -> Iterator[str]:
    """Codes that are neither literals nor handed on from another error."""
    for file in python_files(source):
        for call, _, code in errors(file):
            handed_on = isinstance(code, ast.Attribute) and code.attr in ("code", "reason")
            codes = list(literals(code))
            if handed_on or "federation/tmf" in file.as_posix():
                continue
            if not codes or not all(CODE.match(found) for found in codes):
                yield where(file, call.lineno, root=source)


def documented(page: Path) -> Mapping[str, set[str]]:
    """The families under which each code is explained."""
    return {
        code: set(re.split(r"[,\s]+", families))
        for code, families, _ in ROW.findall(page.read_text())
    }


def tables(page: Path) -> Mapping[str, list[str]]:
    """The codes of each area, as they stand."""
    sections = re.split(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)[1:]
    return {
        area: [code for code, _, _ in ROW.findall(text)]
        for area, text in zip(sections[::2], sections[1::2], strict=True)
    }


def spoken(source: Path) -> set[str]:
    """Every text constant of the source: a code may reach its error through an argument."""
    return {
        node.value
        for file in python_files(source)
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_codes_are_literals_where_they_are_raised() -> None:
    assert list(unreadable(SOURCE)) == []


def test_every_code_is_explained_under_its_family() -> None:
    known = documented(REASONS)
    missing = [
        f"{code} ({family})"
        for code, families in sorted(raised(SOURCE).items())
        for family in sorted(families - known.get(code, set()))
    ]
    assert missing == []


def test_every_explained_code_can_be_raised() -> None:
    known = documented(REASONS)
    assert sorted(set(known) - spoken(SOURCE)) == []
    never = {code: known[code] - families for code, families in raised(SOURCE).items()}
    assert {code: families for code, families in never.items() if families} == {}


def test_codes_are_found_where_they_are_looked_for() -> None:
    """One table an area, in the order of the alphabet, and no code twice."""
    areas = tables(REASONS)
    assert [area for area, codes in areas.items() if not codes or codes != sorted(codes)] == []
    codes = [code for area in areas.values() for code in area]
    assert sorted(codes) == sorted(documented(REASONS))


def test_offences_are_caught(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "rules.py",
        'raise Refused("too-big" if big else "too-small", "Words.")\n'
        'raise NotFound(f"{what}-unknown", "Words.")\n'
        'raise TryLater(error.code, "Words.")\n'
        'raise errors.Refused("Not kebab", "Words.")\n',
    )
    assert set(raised(tmp_path)) == {"too-big", "too-small", "Not kebab"}
    assert list(unreadable(tmp_path)) == ["rules.py:2", "rules.py:4"]
    page = plant(
        tmp_path,
        "reasons.md",
        "| refused | 422 | 3 |\n## Sizes\n| code | family | meaning |\n|---|---|---|\n"
        "| `too-big` | refused, try-later | Ask for less. |\n| `too-old` | refused | |\n",
    )
    assert documented(page) == {"too-big": {"refused", "try-later"}}
    assert tables(page) == {"Sizes": ["too-big"]}
