"""What docs/commands.md and docs/settings.md show can be typed, read and run as it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hansa.entrypoints.cli.files import DeviceFile, NeedFile, RatesFile
from hansa.entrypoints.operator_files import AgreementFile, Operator
from hansa.entrypoints.yaml_files import load
from hansa.federation.contract import Tariff
from hansa.node import Settings, load_settings
from tests.entrypoints.desk import command
from tests.house.tree import ROOT

COMMANDS = (ROOT / "docs" / "commands.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()


@dataclass(frozen=True, slots=True)
class Tariffs:
    """A file that holds one tariff."""

    tariff: Tariff


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def examples() -> list[str]:
    """The example of every command, as its help shows it."""
    found: list[str] = []

    def walk(command: Any) -> None:
        if hasattr(command, "commands"):
            for inner in command.commands.values():
                walk(inner)
        else:
            found.append(" ".join(command.epilog.split()).removeprefix("Example: "))

    walk(command())
    return found


def test_every_command_has_its_example_on_the_page() -> None:
    """Some are shown in more than one way there."""
    shown = "".join(blocks(COMMANDS, "sh")).splitlines()
    assert sorted(set(examples()) - set(shown)) == []


def shown(with_key: str) -> str:
    """The one file on the page that has this key at its outermost level."""
    (found,) = [text for text in blocks(COMMANDS, "yaml") if re.search(rf"(?m)^{with_key}:", text)]
    return found


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("products", Operator),
        ("rates", RatesFile),
        ("parties", AgreementFile),
        ("items", NeedFile),
        ("make", DeviceFile),
    ],
)
def test_files_can_be_read(tmp_path: Path, key: str, kind: type) -> None:
    file = tmp_path / "shown.yaml"
    # An agreement has items, too; of a need they are of a currency.
    file.write_text(shown("currency: ZAR\nitems" if kind is NeedFile else key))
    assert isinstance(load(file, kind), kind)


def test_tariffs_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "shown.yaml"
    kinds = []
    for text in re.split(r"(?m)^(?=tariff:)", shown("tariff")):
        if text:
            file.write_text(text)
            kinds.append(load(file, Tariffs).tariff.kind)
    assert kinds == ["percentile", "seats", "volume", "voice"]


def test_settings_can_be_read(tmp_path: Path) -> None:
    (text,) = blocks(SETTINGS, "toml")
    (tmp_path / "node.toml").write_text(text)
    assert isinstance(load_settings(tmp_path), Settings)


def test_scenarios_can_be_entered_by_hand() -> None:
    for file in sorted((ROOT / "scenarios").glob("*/operators/*.yaml")):
        assert isinstance(load(file, Operator), Operator)
    for file in sorted((ROOT / "scenarios").glob("*/agreements/*.yaml")):
        assert isinstance(load(file, AgreementFile), AgreementFile)
