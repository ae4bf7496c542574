"""What equipment is told, held against OpenConfig's own models by libyang: names, types, patterns,
keys, and that what is referred to is there.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hansa.drivers.gear.make import NETCONF, known
from hansa.drivers.gear.render import render
from tests.drivers.test_gear import ONE_LINE
from tests.lab.conftest import needs
from tests.lab.models import official

pytestmark = needs("gear", "models")

IETF = Path("/usr/share/yuma/modules/ietf")
MODULES = (
    *("vlan", "interfaces", "if-ethernet", "if-aggregate", "if-ip", "if-tunnel", "bfd"),
    *("routing-policy", "local-routing", "bgp", "bgp-policy", "network-instance"),
)
NEWER = ("qos", "enable-bfd")
"""What we tell, and the models of 2017 do not have yet, or their package does not."""

CONFIGURE, REMOVE = (
    getattr(render(ONE_LINE, known("openconfig")), which) for which in ("configure", "remove")
)


@pytest.fixture(scope="module")
def models() -> Path:
    return official()


def faults(models: Path, kind: str, text: str, file: Path) -> str:
    """What libyang finds wrong in a text; empty when nothing is."""
    types = [*models.glob("openconfig-*-types.yang"), models / "openconfig-types.yang"]
    others = [models / f"openconfig-{one}.yang" for one in MODULES]
    file.write_text(text)
    done = subprocess.run(
        [
            *("yanglint", "-Q", "-e", "-i", "-p", str(models), "-p", str(IETF), "-t", kind),
            *map(str, [*sorted(types), *others, models / "iana-if-type.yang"]),
            *map(str, IETF.glob("ietf-netconf@*.yang")),
            str(file),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert bool(done.returncode) == bool(done.stderr), done
    return done.stderr


def without(text: str, tags: Sequence[str]) -> str:
    for tag in tags:
        found = re.compile(rf"^( *)<{tag}(?: [^>]*)?>\n.*?^\1</{tag}>\n", re.DOTALL | re.MULTILINE)
        text = found.sub("", text)
    return text


def inside(text: str) -> str:
    """Of a configuration what NETCONF's envelope holds."""
    text = text.split("\n", 1)[1].removesuffix("</nc:config>\n")
    return re.sub(r"^<([a-z-]+) ", rf'<\1 xmlns:nc="{NETCONF}" ', text, flags=re.MULTILINE)


def state(text: str) -> str:
    """A configuration as what the device then has."""
    return re.sub(r' nc:operation="[a-z]+"', "", inside(text))


@pytest.mark.parametrize("text", [CONFIGURE, REMOVE], ids=["configure", "remove"])
def test_what_is_told_is_an_edit_of_the_models(models: Path, tmp_path: Path, text: str) -> None:
    assert faults(models, "edit", inside(without(text, NEWER)), tmp_path / "told.xml") == ""


def test_what_a_device_then_has_is_whole(models: Path, tmp_path: Path) -> None:
    """What is referred to is there: policies, sets of prefixes, protocols, interfaces."""
    assert faults(models, "config", state(without(CONFIGURE, NEWER)), tmp_path / "told.xml") == ""


def test_what_is_left_when_it_is_taken_away_is_whole(models: Path, tmp_path: Path) -> None:
    etree = pytest.importorskip("lxml.etree")
    had, gone = (
        etree.fromstring(f"<all>{text}</all>")
        for text in (state(without(CONFIGURE, NEWER)), inside(without(REMOVE, NEWER)))
    )
    take_away(had, gone)
    left = "".join(etree.tostring(one).decode() for one in had)
    assert "hansa-" not in left and "tunnel7" not in left
    assert faults(models, "config", left, tmp_path / "left.xml") == ""


def take_away(had: Any, gone: Any) -> None:
    """As a device does: what bears NETCONF's `remove`, found by its keys."""
    for one in gone:
        keys = {(leaf.tag, leaf.text) for leaf in one if len(leaf) == 0}
        for other in had.findall(one.tag):
            if keys <= {(leaf.tag, leaf.text) for leaf in other}:
                if one.get(f"{{{NETCONF}}}operation") == "remove":
                    had.remove(other)
                else:
                    take_away(other, one)


@pytest.mark.parametrize("tag", NEWER)
def test_what_the_models_do_not_have_yet_is_told(models: Path, tmp_path: Path, tag: str) -> None:
    """As soon as a package has newer models, these are to be held against them, too."""
    others = [one for one in NEWER if one != tag]
    assert faults(models, "config", state(without(CONFIGURE, others)), tmp_path / "told.xml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (">64999<", ">-4<", "uint32"),
        ("hold-time>", "hold-tame>", "hold-tame"),
        ("oc-loc-rt:DROP", "oc-loc-rt:DRIP", "DRIP"),
        (">exact<", ">exacter<", "pattern"),
        ("<set-local-pref>200", "<set-local-pref>x", "uint32"),
        ("-in</import-policy>", "-on</import-policy>", "leafref"),
        ("-4</prefix-set>", "-5</prefix-set>", "leafref"),
        ("<interface>tunnel7<", "<interface>tunnel8<", "leafref"),
    ],
)
def test_what_is_wrong_is_found(
    models: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = state(without(CONFIGURE, NEWER))
    assert old in text
    assert said in faults(models, "config", text.replace(old, new), tmp_path / "told.xml")
