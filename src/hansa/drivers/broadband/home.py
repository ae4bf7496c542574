"""A home's router at the end of its line: a DHCP client, which is all that it needs."""

from __future__ import annotations

import re
import signal
from decimal import Decimal

from hansa.drivers.broadband.access import WAN
from hansa.drivers.contract import Change
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Box

DAEMON = "dhcp"

_SCRIPT = f"""\
#!/bin/sh
# Run by udhcpc at each change of its lease.
case "$1" in
bound | renew)
    ip addr replace "$ip/$mask" dev {WAN} && ip route replace default via "$router"
    ;;
deconfig)
    ip addr flush dev {WAN} scope global
    ;;
esac
"""
_RTT = re.compile(r"time=([0-9.]+) ms")


def apply(box: Box) -> list[Change]:
    """Has the router ask for its address, and use it."""
    changed = box.write("lease", _SCRIPT, mode=0o700)
    started = box.start(
        DAEMON,
        *("udhcpc", "-f", "-R", "-i", WAN, "-s", box.path("lease"), "-p", box.path("dhcp.pid")),
        *("-t", "5", "-T", "1", "-A", "2"),
    )
    return [Change("router", None, "running")] if changed or started else []


def renew(box: Box) -> None:
    """Has the router ask again for the address that it has, or for one."""
    box.signal(DAEMON, signal.SIGUSR1)


def address(box: Box) -> str:
    """The address that it was given; empty when it has none."""
    said = box.try_run("ip", "-4", "-o", "addr", "show", "dev", WAN, "scope", "global").out
    found = re.search(r"inet ([0-9.]+)/", said)
    return found[1] if found else ""


def ping(box: Box, to: str = str(plan.RESOLVER)) -> str:
    """How long the internet takes to answer it, in ms as ping tells it; empty: it does not."""
    found = _RTT.search(box.try_run("ping", "-n", "-c", "1", "-W", "1", to).out)
    return found[1] if found else ""


def round_trips_us(box: Box, count: int) -> list[int]:
    """How long the internet takes to answer each of so many questions; those it answers."""
    asked = ("ping", "-n", "-c", str(count), "-i", "0.1", "-W", "1", str(plan.RESOLVER))
    return [int(Decimal(one) * 1000) for one in _RTT.findall(box.try_run(*asked).out)]
