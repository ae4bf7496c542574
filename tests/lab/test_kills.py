"""Whatever is killed while it brings a service about, and whoever comes at the same moment: the
service is brought about once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hansa.drivers.connectivity import driver, services
from hansa.drivers.lab import register
from hansa.drivers.lab.box import Lab
from hansa.foundation.site import Site
from tests.lab.conftest import needs
from tests.lab.sites import heals, later, vpn

pytestmark = needs("connectivity")

APPLY = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from hansa.drivers.connectivity import driver
from hansa.drivers.contract import Intent
from hansa.drivers.lab.box import Lab
from hansa.foundation.site import Site
from hansa.foundation.time import Period
made = driver.make(Lab(Path(sys.argv[1])), Path(sys.argv[2]))
intent = Intent("hld_kill", "connectivity", "line", Site("kil", "", "ZA", ""), json.loads(sys.argv[3]))
print("go", flush=True)
getattr(made, sys.argv[4])(*([intent] if sys.argv[4] == "apply" else ["hld_kill"]),
                           now=datetime(2026, 11, 3, tzinfo=UTC))
"""  # noqa: E501


def test_whatever_is_killed_in_the_middle_the_next_run_ends_it(lab: Lab, tmp_path: Path) -> None:
    intent = vpn("hld_kill", Site("kil", "", "ZA", ""), "acme", lines=2)
    made = driver.make(lab, tmp_path)
    argv = [sys.executable, "-c", APPLY, str(lab.folder), str(tmp_path)]
    told = json.dumps(dict(intent.characteristics))
    for what, after_s in (("apply", 0.4), ("teardown", 0.05)):
        process = subprocess.Popen([*argv, told, what], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        time.sleep(after_s)
        process.kill()
        process.communicate()
        if what == "teardown":
            made.teardown(intent.service, now=later())
            assert made.observe(intent.service) is None
        made.bring(intent, now=later())
        assert made.bring(intent, now=later()) == []
        heals(lambda: made.verify(intent))
        made.teardown(intent.service, now=later())


def test_who_orders_a_line_at_the_same_moment_gets_another(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with a driver and files of its own, as two operators' nodes have."""
    put = register.put

    def slowly(*given: Any) -> None:
        time.sleep(0.2)
        put(*given)

    monkeypatch.setattr(register, "put", slowly)
    site = Site("rush", "", "ZA", "")
    intents = [vpn(f"hld_rush_{at}", site, f"rush {at}", "access") for at in range(3)]
    drivers = {one.service: driver.make(lab, tmp_path / one.service) for one in intents}
    with ThreadPoolExecutor(3) as pool:
        brought = [pool.submit(drivers[one.service].bring, one, now=later()) for one in intents]
    refused = [one.exception() for one in brought if one.exception() is not None]
    assert [getattr(one, "code", one) for one in refused] == ["lines-number"]
    there = [services.find(lab, one.service) for one in intents]
    assert sorted(one.first for one in there if one is not None) == [1, 2]
    for intent, made in zip(intents, there, strict=True):
        if made is not None:
            assert drivers[intent.service].bring(intent, now=later()) == []
            heals(partial(drivers[intent.service].verify, intent))
            drivers[intent.service].teardown(intent.service, now=later())
