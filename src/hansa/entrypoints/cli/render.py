"""What commands print: one JSON document, or tables and facts for people."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.tree import Tree

    from hansa.foundation.documents import Json

WIDE = 400
"""Columns when nobody looks at a terminal: lines are for other programs and never folded."""

Cell = object


def as_json(thing: object) -> None:
    """Prints one JSON document. Money is {"minor", "currency"}, decimals and times are text."""
    typer.echo(json.dumps(plain(thing), indent=2, ensure_ascii=False))


def line(thing: object) -> None:
    """The thing as JSON on a line of its own, for one of many."""
    typer.echo(json.dumps(plain(thing), ensure_ascii=False))


def plain(thing: object) -> Json:
    """Dataclasses, and what is made of them, as plain JSON values."""
    from hansa.foundation import documents

    if is_dataclass(thing) and not isinstance(thing, type):
        return documents.write(thing)
    if isinstance(thing, Mapping):
        return {str(key): plain(one) for key, one in thing.items()}
    if isinstance(thing, list | tuple | set | frozenset):
        return [plain(one) for one in thing]
    if isinstance(thing, datetime):
        return documents.write(thing)
    return thing if thing is None or isinstance(thing, bool | int | str) else str(thing)


def say(words: str) -> None:
    """Prints one line for a person."""
    typer.echo(clean(words))


def facts(title: str, pairs: Mapping[str, Cell]) -> None:
    """Prints names and values, one a line; those without a value are left out."""
    if title:
        say(title)
    shown = {name: text(value) for name, value in pairs.items()}
    wide = max((len(name) for name, value in shown.items() if value), default=0)
    for name, value in shown.items():
        if value:
            say(f"  {name:<{wide}}  {value}")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Prints rows under a title. A column whose name ends in `>` is set to the right."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    if not rows:
        say(f"{title}: none")
        return
    say(title)
    made = Table(box=SIMPLE, pad_edge=False)
    for name in columns:
        right = name.endswith(">")
        made.add_column(
            name.removesuffix(">"), justify="right" if right else "left", overflow="fold"
        )
    for row in rows:
        made.add_row(*(Text(text(cell)) for cell in row))
    show(made)


def tree(root: Tree) -> None:
    """Prints a tree."""
    show(root)


def show(thing: RenderableType) -> None:
    """Prints anything that rich can render, without trailing spaces."""
    console = _console()
    with console.capture() as captured:
        console.print(thing)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def text(value: Cell) -> str:
    """A value as a table shows it: times in UTC to the second, nothing for None."""
    shown: object = value
    if value is None:
        shown = ""
    elif isinstance(value, bool):
        shown = "yes" if value else "no"
    elif isinstance(value, datetime):
        shown = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    elif isinstance(value, Enum):
        shown = value.value
    elif isinstance(value, Mapping):
        shown = ", ".join(f"{key}={text(one)}" for key, one in value.items())
    elif isinstance(value, list | tuple):
        shown = ", ".join(text(one) for one in value)
    return clean(str(shown))


def exact(nano: int, currency: str) -> str:
    """Billionths of the major unit, with all digits that say something."""
    return f"{Decimal(nano).scaleb(-9).normalize():,f} {currency}"


def clean(words: str) -> str:
    """Without control characters, so that a partner's text cannot steer a terminal."""
    return "".join(
        char
        if char == "\n" or unicodedata.category(char)[0] != "C"
        else "\N{REPLACEMENT CHARACTER}"
        for char in words
    )


def _console() -> Console:
    from rich.console import Console

    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        width=None if terminal else WIDE,
        markup=False,
        highlight=False,
        emoji=False,
        no_color=True,
    )
