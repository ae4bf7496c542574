"""Every registered driver keeps the promise of a Driver, family by family."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hansa.drivers import registry
from hansa.drivers.registry import Kit
from hansa.foundation.errors import Refused
from tests.promises.driver_suite import INTENTS, Bench, DriverSuite

FAMILIES = tuple(INTENTS)


def load(name: str, family: str, folder: Path) -> Kit:
    return registry.load(chosen={family: name}, folder=folder, seed="suite")


def registered(folder: Path) -> list[tuple[str, str]]:
    """Every driver package with each family that it serves."""
    pairs = []
    for name in registry.names():
        for family in FAMILIES:
            try:
                load(name, family, folder)
            except Refused:
                continue
            pairs.append((name, family))
    return pairs


class TestDrivers(DriverSuite):
    @pytest.fixture(params=[(name, family) for name in registry.names() for family in FAMILIES])
    def bench(self, request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
        name, family = request.param
        try:
            kit = load(name, family, tmp_path)
        except Refused:
            pytest.skip(f"{name} does not serve {family}")
        intent = INTENTS[family]
        most = dict.fromkeys(intent.characteristics, 10**9)
        return Bench(
            driver=kit.drivers[family],
            again=lambda: load(name, family, tmp_path).drivers[family],
            intent=intent,
            impossible=replace(intent, characteristics=most),
            meter=kit.meters.get(family),
        )


def test_the_simulated_network_is_registered_for_every_family(tmp_path: Path) -> None:
    assert {family for name, family in registered(tmp_path) if name == "simulated"} == set(FAMILIES)


def test_each_family_may_have_a_driver_of_its_own(tmp_path: Path) -> None:
    kit = registry.load(chosen={"voice": "simulated"}, folder=tmp_path, seed="x")
    assert set(kit.drivers) == set(kit.meters) == {"voice"}


@pytest.mark.parametrize("chosen", [{"voice": "none-such"}, {"pigeons": "simulated"}])
def test_a_driver_that_is_not_there_is_refused(chosen: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Refused, match="driver-unknown"):
        registry.load(chosen=chosen, folder=tmp_path, seed="x")
