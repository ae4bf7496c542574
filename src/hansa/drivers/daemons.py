"""A network of real daemons in a lab: what the driver named `lab` brings, family by family.

What it says is measured, on this machine; see docs/recipes/lab.md.
"""

from __future__ import annotations

from pathlib import Path

from hansa.drivers.broadband import driver as broadband
from hansa.drivers.connectivity import driver as connectivity
from hansa.drivers.lab.box import Lab, usual_folder
from hansa.drivers.registry import Kit
from hansa.drivers.security import driver as security
from hansa.drivers.voice import driver as voice


def kit(*, folder: Path, seed: str, lab: str) -> Kit:  # noqa: ARG001 - nothing is drawn
    """The entry point. The lab need not be up yet."""
    where = Lab(Path(lab) if lab else usual_folder())
    lines = connectivity.make(where, folder / "connectivity")
    guards = security.make(where, folder / "security")
    trunks = voice.make(where, folder / "voice")
    homes = broadband.make(where, folder / "broadband")
    return Kit(
        drivers={
            "connectivity": lines,
            "security": guards,
            "voice": trunks,
            "broadband": homes,
        },
        meters={
            "connectivity": lines,
            "security": guards,
            "voice": trunks,
            "broadband": homes,
        },
        probes={"connectivity": lines, "security": guards, "broadband": homes},
        recorders={"voice": trunks, "broadband": homes},
    )
