"""A slow second definition of which price is in force when: lists, one code after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hansa.lifecycle.catalogue.model import OPEN_S


@dataclass(frozen=True)
class Price:
    """One row of a version: [from_s, to_s) as it says itself."""

    id: int
    key: int
    from_s: int
    to_s: int = OPEN_S
    charges: tuple[int, ...] = (0,)
    blocked: bool = False
    label: int = 0


@dataclass(frozen=True)
class Version:
    """As a layer: its rows, and the seconds before which they mean nothing."""

    rows: tuple[Price, ...]
    full: bool = False
    floor_s: int = 0
    increase_s: int = 0
    other_s: int = 0
    gone_s: int = 0


Line = list[tuple[int, int, Price]]
"""In order, without overlaps: from, up to, which."""


def timelines(versions: Sequence[Version]) -> Mapping[int, Line]:
    """The timeline of each code as these versions make it."""
    lines: dict[int, Line] = {}
    for version in versions:
        said: dict[int, list[Price]] = {}
        for row in sorted(version.rows, key=lambda one: one.from_s):
            if row.to_s > version.floor_s:
                said.setdefault(row.key, []).append(row)
        for key, rows in said.items():
            lines[key] = _changed(lines.get(key, []), rows, version)
        if version.full:
            for key in lines.keys() - said.keys():
                lines[key] = ended(lines[key], version.gone_s)
    return lines


def _changed(before: Line, rows: Sequence[Price], version: Version) -> Line:
    line = list(before)
    for row in rows:
        from_s = max(row.from_s, version.floor_s)
        reference = at(before, from_s)
        here = reference is not None
        if reference is None:
            reference = next((one for start, end, one in line if start < from_s <= end), None)
        kind = what(row, reference)
        if kind == "unchanged" and here and reference is not None:
            begun = [part for part in line if part[0] <= from_s]
            if begun and begun[-1][1:] == (row.to_s, reference) and reference.label == row.label:
                line = ended(line, row.to_s) if row is rows[-1] else line
                continue
        at_s = from_s if kind == "unchanged" else max(from_s, version.other_s)
        if kind == "increase":
            fair = [p[0] for p in before if p[0] > from_s and what(row, p[2]) != "increase"]
            at_s = min(max(from_s, version.increase_s), *fair, row.to_s)
        at_s = min(at_s, row.to_s)
        line = ended(line, at_s)
        if kind == "increase" and at_s > from_s and line:
            start, _, last = line[-1]
            line[-1] = (start, at_s, last)
        if at_s < row.to_s:
            line.append((at_s, row.to_s, row))
    return line


def ended(line: Line, at_s: int) -> Line:
    return [(start, min(end, at_s), one) for start, end, one in line if start < at_s]


def at(line: Line, second: int) -> Price | None:
    """The price in force at that second."""
    return next((one for start, end, one in line if start <= second < end), None)


def what(row: Price, reference: Price | None) -> str:
    """What a row is beside the one that it is compared with."""
    if reference is None or (reference.blocked and not row.blocked):
        return "blocked" if row.blocked else "new"
    if row.blocked:
        return "unchanged" if reference.blocked else "blocked"
    pairs = list(zip(row.charges, reference.charges, strict=True))
    if any(new > old for new, old in pairs):
        return "increase"
    return "decrease" if any(new < old for new, old in pairs) else "unchanged"
