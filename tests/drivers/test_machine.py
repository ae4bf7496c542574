"""What a machine lacks is said in words that somebody can act on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from hansa.drivers.lab.machine import FEATURES, NEEDS, PACKAGES, Machine

ROOT = Path(__file__).parents[2]


def having(*, lacks: tuple[str, ...] = ()) -> Machine:
    return Machine(
        {name: name not in lacks for name in FEATURES},
        {name: name not in lacks for name in PACKAGES},
    )


def test_a_machine_that_has_everything_can_everything() -> None:
    assert [part for part in NEEDS if having().why_not(part)] == []
    assert having().remedy(*NEEDS) == ""


def test_what_is_missing_is_named_with_its_cause_and_its_remedy() -> None:
    bare = having(lacks=("VXLAN", "bird", "nft"))
    assert bare.why_not("voice") is None
    assert bare.why_not("connectivity") == (
        "this kernel, or these rights, do not give VXLAN; not installed: nft, bird"
    )
    assert bare.remedy("connectivity") == "apt-get install --no-install-recommends bird2 nftables"
    assert having(lacks=("TUN",)).remedy("connectivity") == "", "no package brings a kernel's part"


def test_every_part_needs_what_is_known() -> None:
    known = {*FEATURES, *PACKAGES}
    assert {need for needs in NEEDS.values() for need in needs} <= known


def test_what_ci_asks_python_for_is_there() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    asked = re.findall(r"\.venv/bin/python -c '(.*?)'", script, re.DOTALL)
    told = [
        subprocess.run([sys.executable, "-c", one], capture_output=True, text=True, check=True)
        for one in asked
    ]
    assert ["kamailio" in one.stdout for one in told] == [True]
