"""Every registered driver keeps the promise of a Driver, family by family."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hansa.drivers import registry
from hansa.drivers.counted import CountedElsewhere
from hansa.drivers.model import NetworkSettings
from hansa.drivers.registry import Kit
from hansa.foundation.errors import Refused
from tests.promises.driver_suite import INTENTS, MONTH, NOW, Bench, DriverSuite

FAMILIES = tuple(INTENTS)
AT_HAND = [name for name in registry.names() if name != "lab"]
"""Drivers that need nothing; those of the lab are held to the same in tests/lab."""


def load(name: str, family: str, folder: Path) -> Kit:
    return registry.load(NetworkSettings({family: name}), folder=folder, operator="bt")


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
    @pytest.fixture(params=[(name, family) for name in AT_HAND for family in FAMILIES])
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
    kit = load("simulated", "voice", tmp_path)
    assert set(kit.drivers) == set(kit.meters) == {"voice"}


@pytest.mark.parametrize("chosen", [{"voice": "none-such"}, {"pigeons": "simulated"}])
def test_a_driver_that_is_not_there_is_refused(chosen: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Refused, match="driver-unknown"):
        registry.load(NetworkSettings(chosen), folder=tmp_path, operator="bt")


def test_what_one_network_delivers_another_may_count(tmp_path: Path) -> None:
    """The one that counts has to know what is in service, and says nothing of how it is."""
    settings = NetworkSettings({"voice": "simulated"}, counts={"voice": "simulated"})
    assert not isinstance(
        registry.load(settings, folder=tmp_path, operator="bt").drivers["voice"], CountedElsewhere
    )
    one, other = (load("simulated", "voice", tmp_path / name) for name in ("one", "other"))
    both = CountedElsewhere(one.drivers["voice"], other.drivers["voice"])
    intent = INTENTS["voice"]
    both.apply(intent, now=NOW)
    assert both.observe(intent.service) == one.drivers["voice"].observe(intent.service)
    assert list(other.meters["voice"].readings(intent.service, MONTH))
    both.teardown(intent.service, now=NOW + timedelta(days=1))
    assert both.observe(intent.service) is None
    assert other.drivers["voice"].observe(intent.service) is None
