"""Interfaces of a box: their addresses, MTU and counters, as the kernel has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ipaddress import ip_interface
from typing import Any

from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box


def links(box: Box) -> Mapping[str, Mapping[str, Any]]:
    """Every interface of a box in full (ip-link(8)), by name."""
    return {one["ifname"]: one for one in told(box, "-d", "-s", "addr", "show") if one}


def link(box: Box, interface: str) -> Mapping[str, Any] | None:
    """One interface in full; None when there is none."""
    shown = [one for one in told(box, "-d", "addr", "show", "dev", interface) if one]
    return shown[0] if shown else None


def told(box: Box, *what: str) -> Sequence[Mapping[str, Any]]:
    """What `ip` shows; nothing when there is no such thing."""
    answer = box.try_run("ip", "-j", *what)
    shown: Sequence[Mapping[str, Any]] = json.loads(answer.out or "[]") if answer.ok else ()
    return shown


def settle(
    box: Box, interface: str, *, addresses: Sequence[str], mtu: int, keep: bool = False
) -> list[Change]:
    """Has an interface be up with this MTU and these addresses, and let out packets one by one,
    so that shapers count right. keep: it has other addresses too, and no shaper.
    """
    now = link(box, interface) or {}
    wanted = {str(ip_interface(one)) for one in addresses}
    there = {
        f"{one['local']}/{one['prefixlen']}"
        for one in now.get("addr_info", ())
        if one.get("scope") != "link"
    }
    changes, batch = [], []
    if now.get("mtu") != mtu:
        changes.append(Change(f"{box.name} {interface} mtu", now.get("mtu"), mtu))
        batch.append(f"link set dev {interface} mtu {mtu}")
    if not keep and now.get("gso_max_segs") != 1:
        changes.append(Change(f"{box.name} {interface} segments", now.get("gso_max_segs"), 1))
        batch.append(f"link set dev {interface} gso_max_segs 1")
    if "UP" not in now.get("flags", ()):
        changes.append(Change(f"{box.name} {interface}", "down", "up"))
        batch.append(f"link set dev {interface} up")
    for one in sorted(wanted - there):
        changes.append(Change(f"{box.name} {interface} address", None, one))
        batch.append(f"addr replace {one} dev {interface}")
    for one in sorted(() if keep else there - wanted):
        changes.append(Change(f"{box.name} {interface} address", one, None))
        batch.append(f"addr del {one} dev {interface}")
    run(box, batch)
    return changes


def run(box: Box, commands: Sequence[str]) -> None:
    """Commands of `ip`, in order, in one process. Raises TryLater `device-failed`."""
    if commands:
        box.run("ip", "-batch", "-", input="".join(f"{one}\n" for one in commands))


def octets(of: Mapping[str, Any]) -> tuple[int, int]:
    """What an interface of `links` has taken in and let out since it is there."""
    stats = of["stats64"]
    return int(stats["rx"]["bytes"]), int(stats["tx"]["bytes"])
