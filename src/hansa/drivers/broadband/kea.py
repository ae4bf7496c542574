"""Addresses for a gateway's lines: Kea's DHCPv4 server, one address for each port.

A line is known by the interface through which it asks, whatever router stands at its other end.
Who has got an address is told to the gateway's agent, which asks RADIUS whether the line may use
it. Leases are kept in a file, so that a server that was restarted knows them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hansa.drivers.broadband.access import Access
from hansa.drivers.contract import Change
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Box
from hansa.foundation.errors import TryLater

DAEMON = "kea"
CONFIGURATION = "kea/kea.json"
DRAFT = "kea/draft.json"
CONTROL = "kea/control"
"""The server's socket, for the agent."""

DONE, EMPTY = 0, 3
HOOK = "kea/lease"
VALID_S = 600
HOOKS = "kea/hooks"
"""Below the folder of this machine's libraries, whose name is that of its kind."""

_HOOK = """\
#!/bin/sh
# Run by Kea at each change of a lease: wakes the agent, which asks Kea what has changed.
[ -r @pid@ ] && kill -USR2 "$(cat @pid@)"
exit 0
"""


@dataclass(frozen=True, slots=True, order=True)
class Served:
    """A port that is served. address: the line's. gateway: the gateway's own there."""

    number: int
    address: str
    gateway: str


def render(ports: Sequence[Served], *, pool: str, folder: str, hooks: str) -> str:
    """The server's configuration. folder: of its files. hooks: of its libraries."""
    interfaces = [f"l{one.number}" for one in ports]
    classes = [{"name": one, "test": f"pkt.iface == '{one}'"} for one in interfaces]
    written = {
        "Dhcp4": {
            "interfaces-config": {
                "interfaces": interfaces,
                "dhcp-socket-type": "raw",
                "re-detect": True,
                "service-sockets-max-retries": 50,
                "service-sockets-retry-wait-time": 100,
            },
            "control-socket": {"socket-type": "unix", "socket-name": f"{folder}/control"},
            "lease-database": {"type": "memfile", "persist": True, "name": f"{folder}/leases.csv"},
            "hooks-libraries": [
                {
                    "library": f"{hooks}/libdhcp_run_script.so",
                    "parameters": {"name": f"{folder}/lease", "sync": False},
                },
                {"library": f"{hooks}/libdhcp_lease_cmds.so"},
            ],
            "valid-lifetime": VALID_S,
            "authoritative": True,
            **({"client-classes": classes} if classes else {}),  # Kea takes no empty list
            "subnet4": [
                {
                    "id": 1,
                    "subnet": pool,
                    "pools": [
                        {
                            "pool": f"{one.address} - {one.address}",
                            "client-class": f"l{one.number}",
                            "option-data": [{"name": "routers", "data": one.gateway}],
                        }
                        for one in ports
                    ],
                    "option-data": [{"name": "domain-name-servers", "data": str(plan.RESOLVER)}],
                }
            ],
            "loggers": [
                {
                    "name": "kea-dhcp4",
                    "severity": "WARN",
                    "output_options": [{"output": "stdout"}],
                }
            ],
        }
    }
    return json.dumps(written, indent=1) + "\n"


def ports(box: Box) -> list[Served]:
    """The ports that are served; none of what cannot be read."""
    try:
        pools = json.loads(box.read(CONFIGURATION) or "")["Dhcp4"]["subnet4"][0]["pools"]
        return [
            Served(
                int(one["client-class"][1:]),
                one["pool"].split(" - ")[0],
                one["option-data"][0]["data"],
            )
            for one in pools
        ]
    except (ValueError, LookupError):
        return []


def apply(box: Box, of: Access, served: Sequence[Served], *, pid: str) -> list[Change]:
    """Has the server serve these ports; what had to change. pid: the file with the agent's.

    Raises TryLater `device-failed`, having changed nothing, for what Kea would not read.
    """
    text = _text(box, of, served)
    box.write(HOOK, _HOOK.replace("@pid@", pid), mode=0o700)
    changed = box.read(CONFIGURATION) != text
    if changed:
        box.write(DRAFT, text)
        box.run("env", *_environment(box), "kea-dhcp4", "-t", box.path(DRAFT))
        if box.runs(DAEMON):
            _tell(box, {"command": "config-set", "arguments": json.loads(text)})
        box.write(CONFIGURATION, text)  # when it is so: who is killed before begins again
        box.remove(DRAFT)
    if not box.runs(DAEMON):
        box.remove(CONTROL)
    started = box.start(
        DAEMON,
        *("env", *_environment(box), "kea-dhcp4", "-c", box.path(CONFIGURATION)),
        private=True,
        ready=lambda: box.try_run("test", "-S", box.path(CONTROL)).ok,
    )
    return [
        *([Change("configuration of kea", None, "written")] if changed else []),
        *([Change(DAEMON, None, "running")] if started else []),
    ]


def release(box: Box, address: str) -> None:
    """Has nobody have an address; nobody is no error."""
    _tell(box, {"command": "lease4-del", "arguments": {"ip-address": address}})


def amiss(box: Box, of: Access, port: Served) -> list[str]:
    """What is not as `apply` leaves it, for a port."""
    served = ports(box)
    right = port in served and box.read(CONFIGURATION) == _text(box, of, served)
    return [
        *([] if right else ["configuration of kea"]),
        *([] if box.runs(DAEMON) else ["kea"]),
    ]


def _tell(box: Box, command: Mapping[str, object]) -> None:
    """Raises TryLater `device-failed` when Kea does not, or does not want to, do it."""
    told = json.loads(box.talk(box.path(CONTROL), json.dumps(command)) or "{}")
    if told.get("result") not in {DONE, EMPTY}:
        raise TryLater("device-failed", f"kea in {box.name} said {told.get('text')!r}.")


def _text(box: Box, of: Access, served: Sequence[Served]) -> str:
    found = sorted(Path("/usr/lib").glob(f"*/{HOOKS}"))
    return render(
        sorted(served),
        pool=str(of.pool),
        folder=box.path("kea"),
        hooks=str(found[0]) if found else f"/usr/lib/{HOOKS}",
    )


def _environment(box: Box) -> list[str]:
    names = ("KEA_PIDFILE_DIR", "KEA_LOCKFILE_DIR", "KEA_DHCP_DATA_DIR")
    return [f"{name}={box.path('kea')}" for name in names]
