"""Broadband lines on real daemons keep the promise of every Driver."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hansa.drivers.broadband.driver import make
from hansa.drivers.lab.box import Lab
from tests.lab.conftest import needs
from tests.promises.driver_suite import INTENTS, NOW, Bench, DriverSuite

pytestmark = needs("broadband")
COUNT = itertools.count(1)


class TestBroadband(DriverSuite):
    @pytest.fixture
    def bench(self, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
        """Each test has a line of its own, on daemons that the others have used before it."""
        folder = tmp_path_factory.getbasetemp() / "broadband-keys"
        intent = replace(INTENTS["broadband"], service=f"hld_home_{next(COUNT)}")
        driver = make(lab, folder)
        yield Bench(
            driver=driver,
            again=lambda: make(Lab(Path(lab.folder)), folder),
            intent=intent,
            impossible=replace(intent, characteristics={"speed_mbps": 10**9}),
            meter=driver,
        )
        for service in (intent.service, f"{intent.service}/other"):
            driver.teardown(service, now=NOW)
