"""Every settings key and every command has its line in the documents."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from tests.house.tree import ROOT

SETTINGS = ROOT / "docs" / "settings.md"
COMMANDS = ROOT / "docs" / "commands.md"

Command = typing.Any
"""A command or a group of them; typer carries a click of its own, without public names."""


def settings_keys(kind: type, prefix: str = "") -> Iterator[str]:
    """`http.port` for every key that a settings file may hold, through nested tables."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        inner = hints[field.name]
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from settings_keys(inner, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def commands(command: Command, name: str) -> Iterator[tuple[str, Command]]:
    """`hansa node run` for every command that does something."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for word, inner in sorted(command.commands.items()):
        if not inner.hidden:
            yield from commands(inner, f"{name} {word}")


def quoted(file: Path) -> set[str]:
    """Everything between back quotes in a document."""
    return set(re.findall(r"`([^`\n]+)`", file.read_text()))


@pytest.fixture
def hansa() -> Command:
    main = pytest.importorskip(
        "hansa.entrypoints.cli.main", reason="the command line does not exist yet"
    )
    return typer.main.get_command(main.app)


def test_every_setting_is_explained() -> None:
    from hansa.node import Settings

    if not SETTINGS.exists():
        pytest.skip("docs/settings.md does not exist yet")
    assert sorted(set(settings_keys(Settings)) - quoted(SETTINGS)) == []


def test_every_command_is_explained(hansa: Command) -> None:
    if not COMMANDS.exists():
        pytest.skip("docs/commands.md does not exist yet")
    names = {name for name, _ in commands(hansa, "hansa")}
    known = {re.sub(r"\s+[-A-Z<\[{].*", "", found) for found in quoted(COMMANDS)}
    assert sorted(names - known) == []
    groups = {name.rsplit(" ", 1)[0] for name in names} | names
    assert (
        sorted(found for found in known if found.startswith("hansa ") and found not in groups) == []
    )


def test_every_command_helps(hansa: Command) -> None:
    silent = [name for name, command in commands(hansa, "hansa") if not command.help]
    assert silent == []
