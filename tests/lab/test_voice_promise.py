"""A voice trunk in a lab keeps what every driver promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hansa.drivers.lab.box import Lab
from hansa.drivers.voice.driver import make
from tests.lab.conftest import needs
from tests.promises.driver_suite import INTENTS, NOW, Bench, DriverSuite

pytestmark = needs("voice")


class TestVoiceTrunks(DriverSuite):
    @pytest.fixture
    def bench(self, lab: Lab, tmp_path: Path) -> Iterator[Bench]:
        intent = INTENTS["voice"]
        driver = make(lab, tmp_path)
        yield Bench(
            driver=driver,
            again=lambda: make(lab, tmp_path),
            intent=intent,
            impossible=replace(intent, characteristics={"channels": 2_001}),
            meter=None,  # nobody has called yet; test_voice.py has somebody call
        )
        for service in (intent.service, f"{intent.service}/other"):
            driver.teardown(service, now=NOW)
