"""Detection of attacks: Suricata, which listens, or through which everything has to pass.

It is in no suite of Debian 12 but backports, so it is often not there: then nothing of this is
started, and who orders it is told so (`can`). To prevent, a kernel has to hand packets over
(`queue` of nftables). Its files are named by what is in them, so that other files are another
engine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box
from hansa.drivers.security import files
from hansa.drivers.security.firewall import QUEUE
from hansa.drivers.security.intent import Border, Detection, digest
from hansa.foundation.errors import TryLater

NAME = "detection"
FOLDER = "detection"


def render(detection: Detection, border: Border, folder: str, rules: str) -> str:
    """The configuration, as Suricata reads it: JSON is YAML, but for its first lines. rules: the
    name of their file.
    """
    listening = {"interface": border.outside, "cluster-id": 99, "cluster-type": "cluster_flow"}
    config = {
        "vars": {
            "address-groups": {
                "HOME_NET": f"[{','.join((*border.clients, border.public))}]",
                "EXTERNAL_NET": "any",
            }
        },
        "default-log-dir": folder,
        "default-rule-path": folder,
        "rule-files": [rules],
        "stats": {"enabled": False},
        "outputs": [
            {
                "eve-log": {
                    "enabled": True,
                    "filetype": "regular",
                    "filename": "eve.json",
                    "types": ["alert", "drop"],
                }
            }
        ],
        **(
            {"af-packet": [listening]}
            if detection.mode == "detect"
            else {"nfq": {"mode": "accept", "fail-open": detection.fail_open}}
        ),
        "app-layer": {
            "protocols": {
                "http": {"enabled": True},
                "tls": {"enabled": True, "detection-ports": {"dp": 443}},
                "dns": {"udp": {"enabled": True}, "tcp": {"enabled": True}},
            }
        },
        "unix-command": {"enabled": True, "filename": f"{folder}/control"},
    }
    return f"%YAML 1.1\n---\n{json.dumps(config, indent=1)}\n"


def render_rules(detection: Detection) -> str:
    """The rules, one a line. Detecting only, none of them drops."""
    told = (
        one.replace("drop ", "alert ", 1) if detection.mode == "detect" else one
        for one in detection.rules
    )
    return "".join(f"{one}\n" for one in told)


def texts(box: Box, detection: Detection, border: Border) -> Mapping[str, str]:
    """Its files, by their path in the box: the configuration, the rules."""
    folder, rules = box.path(FOLDER), render_rules(detection)
    tag = digest(render(detection, border, folder, ""), rules)
    config = render(detection, border, folder, f"{tag}.rules")
    return {f"{FOLDER}/{tag}.yaml": config, f"{FOLDER}/{tag}.rules": rules}


def differs(box: Box, wanted: Mapping[str, str]) -> list[Change]:
    """What `apply` would change: a file, or the engine."""
    changes = files.changed(box, wanted)
    if not box.runs(NAME):
        changes.append(Change("detection", "dead", "running"))
    return changes


def apply(box: Box, detection: Detection, border: Border) -> list[Change]:
    """Has the engine run by these files, once it takes them."""
    wanted = texts(box, detection, border)
    changes = differs(box, wanted)
    if not changes:
        return []
    listens = f"--af-packet={border.outside}" if detection.mode == "detect" else f"-q {QUEUE}"
    argv = ("suricata", "-c", box.path(next(iter(wanted))), "-l", box.path(FOLDER))
    said = files.try_out(box, FOLDER, wanted, *argv, "-T")
    if not said.ok:
        raise TryLater("device-failed", f"Suricata does not take its files: {said.err[-500:]}")
    files.write(box, wanted)
    files.forget(box, FOLDER, ".yaml", wanted)
    files.forget(box, FOLDER, ".rules", wanted)
    box.start(
        NAME,
        *(*argv, *listens.split()),
        private=True,
        ready=lambda: "ngine started" in (box.read(f"{NAME}.log") or ""),
    )
    return changes


def remove(box: Box) -> None:
    """Ends the engine and takes its files away; none is no error."""
    box.stop(NAME)
    box.remove(FOLDER)
