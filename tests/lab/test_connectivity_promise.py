"""Connectivity in a lab keeps the promise of a Driver and of a Meter."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from hansa.drivers.connectivity import driver
from hansa.drivers.lab.box import Lab
from tests.lab.conftest import needs
from tests.promises.driver_suite import INTENTS, SITE, Bench, DriverSuite

pytestmark = needs("connectivity")

NUMBERS = count(1)


class TestLabConnectivity(DriverSuite):
    @pytest.fixture(params=["", "access"])
    def bench(self, request: pytest.FixtureRequest, lab: Lab, tmp_path: Path) -> Bench:
        """A service of its own for each test, at a site of its own, in one lab."""
        made, number = driver.make(lab, tmp_path), next(NUMBERS)
        intent = replace(
            INTENTS["connectivity"],
            service=f"hld_line_{number}",
            site=replace(SITE, id=f"site-{number}"),
            technology=request.param,
        )
        return Bench(
            driver=made,
            again=lambda: driver.make(lab, tmp_path),
            intent=intent,
            impossible=replace(intent, characteristics={"speed_mbps": 10**9}),
            meter=made,
        )
