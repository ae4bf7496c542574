"""Which drivers a node has: found by entry points, kept in a registry that belongs to the node.

A driver package declares one entry point in the group `hansa.drivers`: a `Maker`, called with
the node's own folder and seed. Nothing is imported before a node asks for it by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from hansa.drivers.contract import Driver, Meter, Probe, Recorder
from hansa.drivers.counted import CountedElsewhere
from hansa.drivers.model import NetworkSettings
from hansa.foundation.errors import Refused

GROUP = "hansa.drivers"


@dataclass(frozen=True, slots=True)
class Kit:
    """Drivers, and meters, recorders and probes where the network can count, writes records and
    can be measured, by family.
    """

    drivers: Mapping[str, Driver]
    meters: Mapping[str, Meter]
    probes: Mapping[str, Probe] = field(default_factory=dict)
    recorders: Mapping[str, Recorder] = field(default_factory=dict)


class Maker(Protocol):
    """Builds what one driver package brings. folder: the driver's own, made by the driver. lab:
    the folder of the lab that it may work on; empty: the usual one.
    """

    def __call__(self, *, folder: Path, seed: str, lab: str) -> Kit: ...


def names() -> tuple[str, ...]:
    """Every driver package that is installed, by name."""
    return tuple(sorted(entry_points(group=GROUP).names))


def load(settings: NetworkSettings, *, folder: Path, operator: str) -> Kit:
    """The node's registry: for each family the driver package of the name that is chosen for it.

    folder: each package gets `folder/<name>`. operator: whose network it is. Raises Refused
    `driver-unknown` for a name that is not installed, or for a family that it does not serve.
    """
    seed = f"{settings.seed}/{operator}"
    chosen = {*settings.drivers.values(), *settings.counts.values()}
    kits = {name: _make(name, folder / name, seed, settings.lab) for name in sorted(chosen)}
    drivers: dict[str, Driver] = {}
    meters: dict[str, Meter] = {}
    probes: dict[str, Probe] = {}
    recorders: dict[str, Recorder] = {}
    for family, name in settings.drivers.items():
        drivers[family] = _driver(kits, family, name, "drivers")
        counts = settings.counts.get(family, name)
        if counts != name:
            counting = _driver(kits, family, counts, "counts")
            drivers[family] = CountedElsewhere(drivers[family], counting)
        if family in kits[counts].meters:
            meters[family] = kits[counts].meters[family]
        if family in kits[name].probes:
            probes[family] = kits[name].probes[family]
        if family in kits[name].recorders:
            recorders[family] = kits[name].recorders[family]
    return Kit(drivers, meters, probes, recorders)


def _driver(kits: Mapping[str, Kit], family: str, name: str, field: str) -> Driver:
    found = kits[name].drivers.get(family)
    if found is None:
        raise Refused(
            "driver-unknown",
            f"The driver {name!r} does not serve {family!r}; it serves "
            f"{', '.join(sorted(kits[name].drivers))}.",
            field=f"network.{field}.{family}",
        )
    return found


def _make(name: str, folder: Path, seed: str, lab: str) -> Kit:
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise Refused(
            "driver-unknown",
            f"No driver {name!r} is installed; there are: {', '.join(names()) or 'none'}.",
            field="network.drivers",
        )
    maker: Maker = next(iter(found)).load()
    return maker(folder=folder, seed=seed, lab=lab)
