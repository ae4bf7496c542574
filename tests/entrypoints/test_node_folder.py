"""A node's folder: made once, private, and read back as it was meant."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from hansa.drivers.model import NetworkSettings
from hansa.entrypoints import node_folder
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Party
from hansa.node import (
    ClockSettings,
    DatabaseSettings,
    HttpSettings,
    Settings,
    SettlementSettings,
    load_settings,
)
from tests.entrypoints.desk import SOON, hansa

SETTINGS = Settings(
    party=Party(PartyId("bt"), 'BT "plc" \\ Ünï', "GB", "GBP", "GB 1"),
    http=HttpSettings(port=7101),
)


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        replace(
            SETTINGS,
            http=HttpSettings(port=1, host="::1", address="https://bt.example:8443"),
            database=DatabaseSettings(url="postgresql://u:p@h/x"),
            network=NetworkSettings(seed="other"),
            settlement=SettlementSettings(auto_confirm=True),
            clock=ClockSettings(shift_file="/tmp/clock"),
            log_level="debug",
        ),
    ],
)
def test_what_is_written_is_read(tmp_path: Path, settings: Settings) -> None:
    keys = node_folder.create(tmp_path / "a" / "node", settings, now=SOON)
    folder = tmp_path / "a" / "node"
    assert load_settings(folder) == settings
    files = {path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    before = {path: path.read_text() for path in files}
    with pytest.raises(Refused, match="node-exists"):
        node_folder.create(folder, replace(settings, log_level="error"), now=SOON)
    assert before == {path: path.read_text() for path in files}
    assert keys.public not in (folder / "node.toml").read_text()
    assert (folder / "tls.key").resolve() in files


@pytest.mark.parametrize(
    ("option", "value", "code", "field"),
    [
        ("--party", "B T", "party-name", "party"),
        ("--country", "gb", "card-invalid", "party.country"),
        ("--currency", "QQQ", "currency-unknown", "currency"),
        ("--name", " ", "card-invalid", "party.name"),
        ("--port", "70000", "settings-invalid", "http.port"),
        ("--address", "bt.example/hansa", "card-invalid", "address"),
        ("--address", "ftp://bt.example", "card-invalid", "address"),
        ("--database-url", "localhost", "settings-invalid", "database.url"),
    ],
)
def test_nothing_is_made_of_bad_settings(
    tmp_path: Path, option: str, value: str, code: str, field: str
) -> None:
    words = {
        "--party": "bt", "--name": "BT", "--country": "GB", "--currency": "GBP", "--port": "7101",
        option: value,
    }  # fmt: skip
    folder = tmp_path / "node"
    said = hansa("node", "init", *(word for pair in words.items() for word in pair), node=folder)
    assert said.exit_code == 3
    assert said.err.startswith(f"refused ({code}): ")
    assert said.err.rstrip().endswith(f"[{field}]")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("[http]", "[htp]", "http"),
        ("port = 7101", "port = 7101\nprot = 1", "http.prot"),
        ("port = 7101", 'port = "x"', "http.port"),
        ('country = "GB"', 'country = "GB', "node.toml"),
    ],
)
def test_a_setting_that_is_mistyped_is_named(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    node_folder.create(tmp_path / "node", SETTINGS, now=SOON)
    file = tmp_path / "node" / "node.toml"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(Refused, match="settings-invalid") as refused:
        load_settings(tmp_path / "node")
    assert refused.value.field == field
    assert str(file) in refused.value.words


def test_init_says_how_to_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    said = hansa(
        "node", "init", "--party", "bt", "--name", "BT", "--country", "GB", "--currency", "GBP",
        "--port", "7101", node=folder,
    )  # fmt: skip
    assert said.exit_code == 0
    assert f"hansa node run --node {folder}" in said.out
    status = hansa("node", "status", node=folder)
    assert status.exit_code == 5
    assert "api not running" in status.out
    assert "hansa node run" in status.out
