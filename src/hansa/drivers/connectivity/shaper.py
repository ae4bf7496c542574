"""Speeds and classes of service on an interface, by the kernel's HTB (tc-htb(8)).

The root has the speed sold; each class has its share guaranteed and may borrow what others leave;
best effort has the rest. Queues hold 50 ms of their class. What differs is set in place, so that
no packet is lost when a speed changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hansa.drivers.connectivity.intent import CLASSES, ClassOfService
from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box

QUEUE_MS = 50
QUEUE_OCTETS_MIN = 12_000
BURST_MS = 5
BURST_OCTETS_MIN = 3_200
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
BEST_EFFORT = "1:99"


@dataclass(frozen=True, slots=True)
class Shape:
    """What an interface lets out. overhead: octets that each packet grows by further on, so that
    the queue is here, where classes are told apart, and never there.
    """

    kbps: int
    classes: tuple[ClassOfService, ...] = ()
    overhead: int = 0


@dataclass(frozen=True, slots=True)
class Class:
    """One HTB class as it should be. kbps: guaranteed. dscp: None for best effort."""

    id: str
    kbps: int
    ceil_kbps: int
    priority: int
    dscp: int | None

    @property
    def queue(self) -> int:
        """Octets that wait at most: best effort mostly has the whole line to itself."""
        kbps = self.ceil_kbps if self.dscp is None else self.kbps
        return max(QUEUE_OCTETS_MIN, kbps * QUEUE_MS // 8)


def laid_out(shape: Shape) -> Sequence[Class]:
    """The classes below the root, best effort last."""
    found = [
        Class(
            f"1:{10 + at}",
            max(1, shape.kbps * one.share // 100),
            shape.kbps,
            at,
            one.dscp,
        )
        for at, one in enumerate(shape.classes)
    ]
    rest = shape.kbps - sum(one.kbps for one in found)
    return [*found, Class(BEST_EFFORT, max(1, rest), shape.kbps, 7, None)]


def render(interface: str, shape: Shape) -> str:
    """Everything for `tc -batch`, on an interface that has nothing yet."""
    return "".join(f"{line}\n" for lines in _wanted(interface, shape).values() for line in lines)


def apply(box: Box, interface: str, shape: Shape) -> list[Change]:
    """Has the interface let out what it should; what was changed for it."""
    wanted, there = _signed(shape), observe(box, interface)
    lines = _wanted(interface, shape)
    if there.get("root", wanted["root"]) != wanted["root"]:
        box.run("tc", "qdisc", "del", "dev", interface, "root")
        there = {}
    changes, batch = [], []
    for what, sign in wanted.items():
        if there.get(what) == sign:
            continue
        changes.append(Change(f"{box.name} {interface} {what}", there.get(what), sign))
        if what == "filters" and "filters" in there:
            batch.append(f"filter del dev {interface} parent 1:")
        batch += lines[what]
    for what in sorted(there.keys() - wanted.keys(), reverse=True):
        changes.append(Change(f"{box.name} {interface} {what}", there[what], None))
        if what == "filters":
            batch.append(f"filter del dev {interface} parent 1:")
        elif what.startswith("class"):
            batch.append(f"class del dev {interface} classid {what.split()[1]}")
    if batch:
        box.run("tc", "-batch", "-", input="".join(f"{line}\n" for line in batch))
    return changes


def observe(box: Box, interface: str) -> Mapping[str, str]:
    """What the kernel does on the interface, in the words that `apply` compares."""
    queues = box.try_run("tc", "-j", "qdisc", "show", "dev", interface)
    if not queues.ok:
        return {}
    found = {}
    for queue in json.loads(queues.out or "[]"):
        if queue["kind"] == "htb" and queue.get("root"):
            found["root"] = f"default {int(queue['options']['default'], 16):x}"
        elif queue["kind"] == "bfifo":
            found[f"queue {queue['parent']}"] = f"{queue['options']['limit']} octets"
    if "root" not in found:
        return {}
    classes = box.run("tc", "class", "show", "dev", interface)
    for name, rate, unit, overhead, ceil, ceil_unit in _CLASS.findall(classes):
        found[f"class {name}"] = _class(
            int(rate) * UNITS[unit] // 1000, int(ceil) * UNITS[ceil_unit] // 1000, overhead
        )
    filters = _FILTER.findall(box.run("tc", "filter", "show", "dev", interface, "parent", "1:"))
    if filters:
        found["filters"] = " ".join(
            sorted(
                f"{_PLACES[place]}{int(value, 16) >> shift & 63}>{flow}"
                for flow, value, place in filters
                for shift in [_SHIFTS[place]]
            )
        )
    return found


def speed(there: Mapping[str, str]) -> int | None:
    """The kbit/s that an interface, as observed, lets out; None when nothing holds it."""
    root = there.get("class 1:1")
    return None if root is None else int(root.split()[0])


def classes(there: Mapping[str, str]) -> tuple[ClassOfService, ...]:
    """The classes that an interface, as observed, tells apart, those first that go first."""
    whole, names = speed(there), {dscp: name for name, dscp in CLASSES.items()}
    marked = re.findall(r"\bip(\d+)>(\S+)", there.get("filters", ""))
    found = [
        (of, ClassOfService(names[int(dscp)], round(100 * int(told.split()[0]) / whole)))
        for dscp, of in marked
        for told in [there.get(f"class {of}")]
        if told is not None and whole and int(dscp) in names
    ]
    return tuple(one for _, one in sorted(found, key=lambda pair: pair[0]))


_CLASS = re.compile(
    r"^class htb (\S+) .*?rate (\d+)([KMG]?)bit(?: overhead (\d+))? "
    r"ceil (\d+)([KMG]?)bit",
    re.MULTILINE,
)
_FILTER = re.compile(r"flowid (\S+).*\n  match ([0-9a-f]{8})/(0fc00000|00fc0000) at 0")
_PLACES = {"00fc0000": "ip", "0fc00000": "ipv6"}
_SHIFTS = {"00fc0000": 18, "0fc00000": 22}


def _class(kbps: int, ceil_kbps: int, overhead: object) -> str:
    return f"{kbps} to {ceil_kbps} kbit/s" + (f", {overhead} octets more" if overhead else "")


def _signed(shape: Shape) -> Mapping[str, str]:
    """What should be, in the words of `observe`."""
    found = {
        "root": f"default {BEST_EFFORT.split(':')[1]}",
        "class 1:1": _class(shape.kbps, shape.kbps, shape.overhead),
    }
    below = laid_out(shape)
    for one in below:
        found[f"class {one.id}"] = _class(one.kbps, one.ceil_kbps, shape.overhead)
        found[f"queue {one.id}"] = f"{one.queue} octets"
    marked = [one for one in below if one.dscp is not None]
    if marked:
        found["filters"] = " ".join(
            sorted(f"{kind}{one.dscp}>{one.id}" for one in marked for kind in ("ip", "ipv6"))
        )
    return found


def _wanted(interface: str, shape: Shape) -> Mapping[str, Sequence[str]]:
    """The commands of each part, by the names of `_signed`."""
    to, more = f"dev {interface}", f" overhead {shape.overhead}" if shape.overhead else ""

    def made(id: str, parent: str, kbps: int, ceil: int, priority: str = "") -> str:
        burst = max(BURST_OCTETS_MIN, ceil * BURST_MS // 8)
        return (
            f"class replace {to} parent {parent} classid {id} htb rate {kbps}kbit "
            f"ceil {ceil}kbit{priority} burst {burst} cburst {burst} quantum 1600{more}"
        )

    lines = {
        "root": [f"qdisc replace {to} root handle 1: htb default {BEST_EFFORT.split(':')[1]}"],
        "class 1:1": [made("1:1", "1:", shape.kbps, shape.kbps)],
    }
    filters = []
    for one in laid_out(shape):
        lines[f"class {one.id}"] = [
            made(one.id, "1:1", one.kbps, one.ceil_kbps, f" prio {one.priority}")
        ]
        handle = one.id.split(":")[1]
        lines[f"queue {one.id}"] = [
            f"qdisc replace {to} parent {one.id} handle {handle}: bfifo limit {one.queue}"
        ]
        if one.dscp is not None:
            mark, first = f"{one.dscp << 2:#04x} 0xfc flowid {one.id}", 2 * one.priority + 1
            start = f"filter add {to} parent 1: protocol"
            filters += [
                f"{start} ip prio {first} u32 match ip dsfield {mark}",
                f"{start} ipv6 prio {first + 1} u32 match ip6 priority {mark}",
            ]
    return lines | ({"filters": filters} if filters else {})
