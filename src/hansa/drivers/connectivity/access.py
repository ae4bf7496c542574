"""A line of an access operator: from the router's port over a bridge into a VXLAN tunnel
(RFC 7348), which the point of presence takes it over from; shaped to the speed committed, at the
operator, both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hansa.drivers.connectivity import interfaces, shaper
from hansa.drivers.connectivity.intent import Access
from hansa.drivers.connectivity.shaper import Shape
from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box, Lab

MTU = 1500
VXLAN_PORT = 4789


def bridge(line: Access) -> str:
    """The line's bridge at its operator."""
    return f"br{line.number}"


def _tunnel(line: Access, own: object, other: object) -> str:
    return (
        f"link add {line.tunnel} mtu {MTU} type vxlan id {line.vni} local {own} remote {other} "
        f"dstport {VXLAN_PORT}"
    )


def apply(lab: Lab, line: Access, *, pop: str) -> list[Change]:
    """Has the line be as it should; what was changed for it. The boxes are there."""
    router, operator = Box(lab, line.router), Box(lab, line.operator)
    changes = []
    if lab.link(operator, router, names=(line.port, line.wan)):
        changes.append(Change(f"{operator.name} {line.port}", None, "joined to the router"))
    changes += interfaces.settle(router, line.wan, addresses=[str(line.at_router)], mtu=MTU)
    changes += _apply_operator(operator, line)
    changes += _apply_pop(Box(lab, pop), line)
    changes += shaper.apply(operator, line.port, Shape(line.down_kbps))
    changes += shaper.apply(operator, line.tunnel, Shape(line.up_kbps))
    return changes


def _apply_operator(operator: Box, line: Access) -> list[Change]:
    there, name = interfaces.links(operator), bridge(line)
    batch, changes = [], []
    own, other = line.operator_address, line.pop_address
    if name not in there:
        changes.append(Change(f"{operator.name} {name}", None, "bridge"))
        batch += [f"link add {name} type bridge stp_state 0"]
    if not _up(there.get(name)):
        batch += [f"link set dev {name} up"]
    if line.tunnel in there and not _hands_over(there[line.tunnel], line, own, other):
        batch += [f"link del {line.tunnel}"]
    if not _hands_over(there.get(line.tunnel), line, own, other):
        changes.append(Change(f"{operator.name} {line.tunnel}", None, f"hand-over {line.vni}"))
        batch.append(_tunnel(line, own, other))
    for port in (line.port, line.tunnel):
        was = _joined(there.get(port))
        if was != name:
            if port in there:
                changes.append(Change(f"{operator.name} {port}", was, name))
            batch.append(f"link set dev {port} master {name} up")
    interfaces.run(operator, batch)
    return changes


def _apply_pop(pop: Box, line: Access) -> list[Change]:
    told = interfaces.link(pop, line.tunnel)
    batch, changes = [], []
    own, other = line.pop_address, line.operator_address
    if not _hands_over(told, line, own, other):
        changes.append(Change(f"{pop.name} {line.tunnel}", None, f"hand-over {line.vni}"))
        batch += [f"link del {line.tunnel}"] if told else []
        batch.append(_tunnel(line, own, other))
    interfaces.run(pop, batch)
    return changes + interfaces.settle(pop, line.tunnel, addresses=[str(line.at_pop)], mtu=MTU)


def remove(lab: Lab, line: Access, *, pop: str) -> None:
    """Takes the line away, at both operators and at the router; none is no error."""
    operator = Box(lab, line.operator)
    for one in (line.port, line.tunnel, bridge(line)):
        operator.try_run("ip", "link", "del", one)
    Box(lab, pop).try_run("ip", "link", "del", line.tunnel)


def faults(lab: Lab, line: Access, *, pop: str) -> list[str]:
    """What of the line is not as it was made, in words; empty when all is well."""
    operator, there = interfaces.links(Box(lab, line.operator)), interfaces.links(Box(lab, pop))
    own, other = line.operator_address, line.pop_address
    found = []
    for port in (line.port, line.tunnel):
        was = _joined(operator.get(port))
        if was != bridge(line):
            found.append(f"{port} at {line.operator} is {was}")
    if not _hands_over(operator.get(line.tunnel), line, own, other) or not _hands_over(
        there.get(line.tunnel), line, other, own
    ):
        found.append(f"hand-over {line.vni} is not there")
    return found


def _hands_over(told: Mapping[str, Any] | None, line: Access, own: object, other: object) -> bool:
    data = (told or {}).get("linkinfo", {}).get("info_data", {})
    return (data.get("id"), data.get("local"), data.get("remote"), data.get("port")) == (
        line.vni,
        str(own),
        str(other),
        VXLAN_PORT,
    )


def _joined(told: Mapping[str, Any] | None) -> str:
    """The bridge that a port serves, or why it serves none."""
    if told is None:
        return "not there"
    return str(told.get("master", "alone")) if _up(told) else "down"


def _up(told: Mapping[str, Any] | None) -> bool:
    return "UP" in (told or {}).get("flags", ())
