"""A table belongs to one room: that room alone makes it, reads it and writes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hansa.node import ROOMS
from tests.house.tree import SOURCE, parsed, plant, where

MAKES = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:unlogged\s+)?(?:table|view|materialized\s+view|sequence)"
    r"\s+(?:if\s+not\s+exists\s+)?(\w+)",
    re.IGNORECASE,
)
MAKES_FUNCTION = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\s+(\w+)", re.IGNORECASE
)
REFERS = re.compile(r"\breferences\s+(\w+)", re.IGNORECASE)
USES = re.compile(r"\b(?:from|join|into|update|using|table|truncate|only)\s+(\w+)", re.IGNORECASE)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)

COMMON = "foundation"
"""The room whose functions, `hansa_…`, are there for all."""

DOORS = re.compile(r"\w+_party")
"""What a room tells later ones about the party of the current request, for their policies."""

SQL_WORDS = re.compile(r"\b(select|insert|update|delete|with|truncate|lock)\b", re.IGNORECASE)


def schema_texts(source: Path, room: str) -> Iterator[tuple[Path, str]]:
    for file in sorted((source / room / "schema").glob("*.sql")):
        yield file, COMMENT.sub("", file.read_text())


def owners(source: Path, rooms: Sequence[str]) -> Mapping[str, str]:
    """The room of every table and function."""
    found = {}
    for room in rooms:
        for _, text in schema_texts(source, room):
            for name in (*MAKES.findall(text), *MAKES_FUNCTION.findall(text)):
                found[name.lower()] = room
    return found


def strange_names(source: Path, rooms: Sequence[str]) -> Iterator[str]:
    """Tables and functions that do not bear their room's name, in full or in the singular."""
    for room in rooms:
        own = room.rsplit("/", 1)[-1]
        names = (own, own.removesuffix("s")) if own != COMMON else ("hansa",)
        for file, text in schema_texts(source, room):
            for name in (*MAKES.findall(text), *MAKES_FUNCTION.findall(text)):
                if name not in names and not name.startswith(tuple(f"{n}_" for n in names)):
                    yield f"{where(file, root=source)} makes {name}"


def looks_ahead(source: Path, rooms: Sequence[str]) -> Iterator[str]:
    """Foreign keys from a room to one that comes after it on the path."""
    owner = owners(source, rooms)
    for place, room in enumerate(rooms):
        for file, text in schema_texts(source, room):
            for name in REFERS.findall(text):
                theirs = owner.get(name.lower())
                if theirs is not None and rooms.index(theirs) > place:
                    yield f"{where(file, root=source)} refers ahead to {name}"


def statements(file: Path) -> Iterator[tuple[int, str]]:
    """Every text in a module that looks like SQL, with what is pasted into it left out."""
    tree = parsed(file)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if id(node) not in docstrings and SQL_WORDS.search(node.value):
            yield node.lineno, COMMENT.sub("", node.value)


def trespasses(source: Path, rooms: Sequence[str]) -> Iterator[str]:
    """Statements of one room about the tables and functions of another."""
    owner = owners(source, rooms)
    for room in rooms:
        files = sorted((source / room).glob("store.py")) + sorted(
            (source / room).glob("store/*.py")
        )
        texts = [(file, *found) for file in files for found in statements(file)]
        texts += [(file, 0, REFERS.sub("", text)) for file, text in schema_texts(source, room)]
        for file, line, text in texts:
            called = re.findall(r"\b(\w+)\s*\(", text)
            for name in sorted({found.lower() for found in (*USES.findall(text), *called)}):
                if owner.get(name, room) in (room, COMMON):
                    continue
                if file.suffix != ".sql" or not DOORS.fullmatch(name):
                    yield f"{where(file, line, root=source)} uses {name} of {owner[name]}"


def test_tables_bear_their_rooms_name() -> None:
    assert list(strange_names(SOURCE, ROOMS)) == []


def test_foreign_keys_point_back_along_the_path() -> None:
    assert list(looks_ahead(SOURCE, ROOMS)) == []


def test_a_room_touches_its_own_tables_only() -> None:
    assert owners(SOURCE, ROOMS)
    assert list(trespasses(SOURCE, ROOMS)) == []


def test_a_node_makes_every_rooms_tables() -> None:
    found = {str(folder.parent.relative_to(SOURCE)) for folder in SOURCE.rglob("schema")}
    assert found <= set(ROOMS)


def test_offences_are_caught(tmp_path: Path) -> None:
    rooms = ("order", "bills")
    plant(
        tmp_path,
        "order/schema/0001_order.sql",
        "create table order_line (bill int references bill_line); -- create table x ()\n"
        "create table line ();",
    )
    plant(tmp_path, "bills/schema/0001_bill.sql", "create table bill_line ();")
    plant(
        tmp_path,
        "bills/store.py",
        '"""Select from order_line, in words."""\n'
        'A = "select 1 from order_line"\n'
        'B = f"delete from {A} using bill_line"\n',
    )
    assert list(strange_names(tmp_path, rooms)) == ["order/schema/0001_order.sql makes line"]
    assert list(looks_ahead(tmp_path, rooms)) == [
        "order/schema/0001_order.sql refers ahead to bill_line"
    ]
    assert list(trespasses(tmp_path, rooms)) == ["bills/store.py:2 uses order_line of order"]
