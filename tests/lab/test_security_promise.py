"""Cloud security on real daemons keeps the promise of a Driver and of a Meter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hansa.drivers.lab.box import Lab
from hansa.drivers.security.driver import make
from tests.lab.conftest import needs
from tests.promises.driver_suite import INTENTS, NOW, Bench, DriverSuite

pytestmark = needs("security")


class TestSecurity(DriverSuite):
    @pytest.fixture
    def bench(self, lab: Lab, tmp_path: Path) -> Iterator[Bench]:
        intent = INTENTS["security"]
        driver = make(lab, tmp_path)
        yield Bench(
            driver=driver,
            again=lambda: make(lab, tmp_path),
            intent=intent,
            impossible=replace(intent, characteristics={"seats": 10**9}),
            meter=driver,
        )
        for service in (intent.service, f"{intent.service}/other"):
            driver.teardown(service, now=NOW)
