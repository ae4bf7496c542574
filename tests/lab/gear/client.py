"""Takes configurations to a device from inside a box: steps as JSON, and as JSON what came of each.
It ends with the first that went wrong.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hansa.drivers.gear import netconf
from hansa.drivers.gear.netconf import Device, Difference
from hansa.foundation.errors import HansaError
from hansa.foundation.readings import Check


def push(device: Device, step: Mapping[str, Any]) -> Mapping[str, Any]:
    """seen: a file that has what the device had while it was on probation."""

    def verify() -> list[Check]:
        Path(step["seen"]).write_text(netconf.running(device, step["configuration"]))
        time.sleep(step["verify_s"])
        return [Check("addresses", "as asked", "as read", step["ok"])]

    pushed = netconf.push(
        device,
        step["configuration"],
        verify=verify,
        confirm_s=step["confirm_s"],
        shown=Difference(*step["shown"]) if "shown" in step else None,
    )
    return {
        "changed": pushed.changed,
        "kept": pushed.kept,
        "checks": [one.ok for one in pushed.checks],
        "seen": Path(step["seen"]).read_text(),
    }


def main() -> None:
    asked = json.load(sys.stdin)
    device = Device(**{**asked["device"], "key": Path(asked["device"]["key"])})
    told: list[Mapping[str, Any]] = []
    try:
        told.extend(push(device, step) for step in asked["steps"])
        last = asked["steps"][-1]["configuration"]
        told[-1] = {**told[-1], "running": netconf.running(device, last)}
    except HansaError as error:
        told.append({"code": error.code, "words": error.words, "field": error.field})
    sys.stdout.write(json.dumps(told))


main()
