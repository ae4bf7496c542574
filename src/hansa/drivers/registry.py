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

from hansa.drivers.contract import Driver, Meter, Probe
from hansa.foundation.errors import Refused

GROUP = "hansa.drivers"


@dataclass(frozen=True, slots=True)
class Kit:
    """Drivers, and meters and probes where the network can count and can be measured, by family."""

    drivers: Mapping[str, Driver]
    meters: Mapping[str, Meter]
    probes: Mapping[str, Probe] = field(default_factory=dict)


class Maker(Protocol):
    """Builds what one driver package brings. folder: the driver's own, made by the driver. lab:
    the folder of the lab that it may work on; empty: the usual one.
    """

    def __call__(self, *, folder: Path, seed: str, lab: str) -> Kit: ...


def names() -> tuple[str, ...]:
    """Every driver package that is installed, by name."""
    return tuple(sorted(entry_points(group=GROUP).names))


def load(*, chosen: Mapping[str, str], folder: Path, seed: str, lab: str = "") -> Kit:
    """The node's registry: for each family in `chosen`, the driver package of that name.

    folder: each package gets `folder/<name>`. Raises Refused `driver-unknown` for a name
    that is not installed, or for a family that the package does not serve.
    """
    kits = {name: _make(name, folder / name, seed, lab) for name in sorted(set(chosen.values()))}
    for family, name in chosen.items():
        if family not in kits[name].drivers:
            raise Refused(
                "driver-unknown",
                f"The driver {name!r} does not serve {family!r}; it serves "
                f"{', '.join(sorted(kits[name].drivers))}.",
                field=f"drivers.{family}",
            )
    return Kit(
        drivers={family: kits[name].drivers[family] for family, name in chosen.items()},
        meters={
            family: kits[name].meters[family]
            for family, name in chosen.items()
            if family in kits[name].meters
        },
        probes={
            family: kits[name].probes[family]
            for family, name in chosen.items()
            if family in kits[name].probes
        },
    )


def _make(name: str, folder: Path, seed: str, lab: str) -> Kit:
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise Refused(
            "driver-unknown",
            f"No driver {name!r} is installed; there are: {', '.join(names()) or 'none'}.",
            field="drivers",
        )
    maker: Maker = next(iter(found)).load()
    return maker(folder=folder, seed=seed, lab=lab)
