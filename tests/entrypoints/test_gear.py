"""`hansa gear`: what equipment is told of a site, shown, and taken there when somebody says so."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from hansa.drivers.connectivity import services
from hansa.drivers.connectivity.intent import SiteVpn
from hansa.drivers.gear import netconf
from hansa.drivers.gear.netconf import Difference, Pushed
from hansa.foundation import documents
from hansa.foundation.readings import Check
from tests.drivers.test_gear import GOLDEN, ONE_LINE, SITE
from tests.entrypoints.desk import Desk, Said, hansa
from tests.house.tree import ROOT

DEVICE = """
make: openconfig
host: 192.0.2.2
user: hansa
key_file: keys/london
host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a site, and with the device that it is for."""
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(documents.write(ONE_LINE)))
    (tmp_path / "london.yaml").write_text(DEVICE)
    return tmp_path


def told(folder: Path, *words: str, exit_code: int = 0) -> Said:
    """`gear` with one of its verbs, for the site of the folder."""
    verb, *more = words
    said = hansa("gear", verb, str(folder / "site.yaml"), *more)
    assert said.exit_code == exit_code, said
    return said


def test_makes_are_listed_with_what_they_can_bear() -> None:
    found = hansa("gear", "makes", "--json").json
    assert [(one["name"], one["speaks"], one["limits"]["lines_max"]) for one in found] == [
        ("ios-xe", "cli", 2),
        ("openconfig", "netconf", 1),
    ]
    assert "certificates" in hansa("gear", "makes").out


def test_a_site_is_written_down_and_rendered_from_there(files: Path) -> None:
    (files / "site.yaml").write_text(told(files, "intent").out)
    said = told(files, "render", "--make", "openconfig")
    assert said.out == (GOLDEN / "openconfig-configure.xml").read_text()
    assert said.err.startswith("left to you: the encryption of the tunnel")
    gone = told(files, "render", "--make", "openconfig", "--remove").out
    assert gone == (GOLDEN / "openconfig-remove.xml").read_text()
    both = told(files, "render", "--make", "openconfig", "--json").json
    assert (both["configure"], both["remove"]) == (said.out, gone)


def test_the_site_of_the_recipe_can_be_told(files: Path) -> None:
    recipe = (ROOT / "docs" / "recipes" / "equipment.md").read_text()
    (text,) = re.findall(r"```yaml\n(service:.*?)```", recipe, re.DOTALL)
    (files / "site.yaml").write_text(text)
    for make in ("ios-xe", "openconfig"):
        assert "65001" in told(files, "render", "--make", make).out


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("asn: 65001", "asn: 0", "gear-intent", "asn"),
        ("asn: 65001", "asn: many", "file-invalid", "asn"),
        ("tunnel: ipsec", "tunnel: wireguard", "gear-cannot", "tunnel"),
    ],
)
def test_a_site_that_cannot_be_told_is_refused(
    files: Path, old: str, new: str, code: str, field: str
) -> None:
    file = files / "site.yaml"
    assert f"\n{old}" in f"\n{file.read_text()}"
    file.write_text(f"\n{file.read_text()}".replace(f"\n{old}", f"\n{new}", 1))
    line = told(files, "render", "--make", "openconfig", exit_code=3).err
    assert line.startswith(f"refused ({code})") and line.endswith(f"[{field}]\n")


# --- of a node ------------------------------------------------------------------------------------


@pytest.fixture
def holding(shop: Desk, need: Callable[..., str]) -> str:
    """What a customer holds; it stands on a line of our own network."""
    quote = shop.json("quote", "make", "--for", "shop", need())["id"]
    shop("order", "place", quote, "--for", "shop", "--key", "k")
    shop.work()
    (found,) = shop.json("inventory", "list", "--for", "shop")
    return str(found["ref"]["id"])


def test_a_simulated_site_has_no_addresses_to_tell(shop: Desk, holding: str) -> None:
    render = ("gear", "render", "--make", "ios-xe")
    assert "equipment.md" in shop.refused(*render, holding)
    assert "holding-unknown" in shop.refused(*render, "hld_none", exit_code=4)


def test_a_holding_is_told_as_the_lab_has_it(
    shop: Desk, holding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = shop.folder / "node.toml"
    toml.write_text(f'{toml.read_text()}\n[network.drivers]\nconnectivity = "lab"\n')
    asked: list[str] = []

    def site_of(_: object, service: str) -> SiteVpn:
        asked.append(service)
        return SITE

    monkeypatch.setattr(services, "site_of", site_of)
    (own,) = shop.json("inventory", "list", "--own")
    for one in (holding, own["ref"]["id"]):
        assert "router bgp 65001" in shop("gear", "render", one, "--make", "ios-xe").out
    assert asked == [own["ref"]["id"]] * 2


# --- on a device ----------------------------------------------------------------------------------

CHANGE = Difference("<a>1</a>", "<a>2</a>")
NOTHING = Difference("<a>1</a>", "<a>1</a>")
WELL = Check("management", "answers", "answers", ok=True)


@pytest.fixture
def pushes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Difference, Sequence[Check]]]:
    """A device that would change, and takes all that it is told: what was shown, and found."""
    seen: list[tuple[Difference, Sequence[Check]]] = []

    def push(device, configuration, *, verify, confirm_s, shown):  # type: ignore[no-untyped-def]
        checks = verify()
        seen.append((shown, checks))
        return Pushed(bool(shown.lines), all(one.ok for one in checks), checks)

    monkeypatch.setattr(netconf, "difference", lambda *_: CHANGE)
    monkeypatch.setattr(netconf, "answers", lambda _: WELL)
    monkeypatch.setattr(netconf, "push", push)
    return seen


def test_nothing_is_pushed_that_nobody_agreed_to(
    files: Path, pushes: list[tuple[Difference, Sequence[Check]]]
) -> None:
    push = ("push", "--device", str(files / "london.yaml"))
    said = told(files, *push, exit_code=3)
    assert "+<a>2</a>" in said.out and "gear-unconfirmed" in said.err
    assert told(files, *push, "--json", exit_code=3).out == ""
    assert pushes == []
    said = told(files, *push, "--yes", "--verify", "true")
    assert "+<a>2</a>" in said.out and "192.0.2.2: kept" in said.out
    assert "left to you" in said.err
    ((shown, checks),) = pushes
    assert shown == CHANGE and [one.check for one in checks] == ["management", "true"]


def test_what_is_there_already_needs_no_yes(
    files: Path, pushes: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(netconf, "difference", lambda *_: NOTHING)
    said = told(files, "push", "--device", str(files / "london.yaml"))
    assert "has all of it already" in said.out and "nothing was to do" in said.out


def test_what_was_taken_back_is_a_failure(files: Path, pushes: list[object]) -> None:
    push = ("push", "--device", str(files / "london.yaml"), "--yes", "--verify", "false")
    said = told(files, *push, exit_code=3)
    assert "taken back" in said.out and "gear-taken-back" in said.err
    found = told(files, *push, "--json", exit_code=3).json
    assert (found["changed"], found["kept"]) == (True, False)
    assert [one["ok"] for one in found["checks"]] == [True, False]


def test_a_check_shows_what_would_change(files: Path, pushes: list[object]) -> None:
    check = ("check", "--device", str(files / "london.yaml"))
    assert "-<a>1</a>" in told(files, *check).out
    assert "+<a>2</a>" in told(files, *check, "--json").json["difference"]
    assert pushes == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("make: openconfig", "make: ios-xe", "gear-typed"),
        ("make: openconfig", "make: tin", "make-unknown"),
        ("make: openconfig", "make: tin.yaml", "make-invalid"),
        ("ssh-ed25519 AAAAC3", "AAAAC3", "file-invalid"),
        ("ssh-ed25519 AAAAC3", "ssh-rsa AAAAC3", "file-invalid"),
        ("AAAAC3NzaC1", "!", "file-invalid"),
        ("user: hansa", "password: secret", "file-invalid"),
    ],
)
def test_a_device_that_cannot_be_told_is_refused(
    files: Path, old: str, new: str, code: str
) -> None:
    device = files / "london.yaml"
    device.write_text(DEVICE.replace(old, new))
    line = told(files, "check", "--device", str(device), exit_code=3).err
    assert line.startswith(f"refused ({code})")


def test_without_the_extra_it_is_named(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lxml.etree", None)
    line = told(files, "check", "--device", str(files / "london.yaml"), exit_code=3).err
    assert "gear-missing" in line and "pip install 'hansa[gear]'" in line
    assert told(files, "render", "--make", "openconfig").out
