"""The gateway's kernel: which lines may pass, at which speeds, and what they have carried.

Packets are shaped before they are counted, so that what a full line loses is not its use: both
ways go through a queue of their own (`ifb`), down from the core, up from the line. What may pass
is one table of nftables. Names and rates are read back from the kernel, never remembered.

The agent runs these commands itself, the driver has them run in the gateway's box.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TABLE = "inet bng"
DOWN, UP = "shape-down", "shape-up"
"""The queues: their classes are numbered as the lines are."""

QUEUE_MS = 50
QUEUE_MIN_OCTETS = 32_000
BURST_MIN_OCTETS = 16_000
_CLASS = re.compile(r"class htb 1:([0-9a-f]+) .*?\brate (\d+)(K|M|G|)bit\b")
_FILTER = re.compile(r"\bflowid 1:([0-9a-f]+)\b")
_UNIT = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the kernel says of lines, by number. down, up: bit/s of those whose packets are put
    into a class. passing: from which address they may pass. carried: octets up and down.
    """

    down: Mapping[int, int]
    up: Mapping[int, int]
    passing: Mapping[int, str]
    carried: Mapping[int, tuple[int, int]]


READ: Mapping[str, Sequence[str]] = {
    "down": ("tc", "class", "show", "dev", DOWN),
    "up": ("tc", "class", "show", "dev", UP),
    "sorted down": ("tc", "filter", "show", "dev", DOWN),
    "sorted up": ("tc", "filter", "show", "dev", UP),
    "table": ("nft", "-j", "list", "table", *TABLE.split()),
}
"""The commands whose answers `read` wants; one that fails has said nothing."""


def read(said: Mapping[str, str]) -> Reading:
    """What the kernel has answered to READ."""
    passing: dict[int, str] = {}
    counts: dict[str, int] = {}
    for one in json.loads(said["table"] or '{"nftables": []}')["nftables"]:
        if one.get("set", {}).get("name") == "passing":
            for element in one["set"].get("elem", ()):
                interface, address = element["concat"]
                passing[int(interface.removeprefix("l"))] = address
        if "counter" in one:
            counts[one["counter"]["name"]] = one["counter"]["bytes"]
    numbers = {int(name[1:].partition("-")[0]) for name in counts}
    return Reading(
        rates(said["down"], said["sorted down"]),
        rates(said["up"], said["sorted up"]),
        passing,
        {one: (counts.get(f"l{one}-up", 0), counts.get(f"l{one}-down", 0)) for one in numbers},
    )


def rates(classes: str, filters: str) -> Mapping[int, int]:
    """bit/s by class, of what `tc class show` and `tc filter show` have said."""
    used = {int(number, 16) for number in _FILTER.findall(filters)}
    found = {
        int(number, 16): int(rate) * _UNIT[unit] for number, rate, unit in _CLASS.findall(classes)
    }
    return {number: rate for number, rate in found.items() if number in used}


def shaping(number: int, *, down_bps: int, up_bps: int) -> str:
    """What `tc -batch` reads to give a line its speeds, whether it had any or not."""
    lines = []
    for queue, rate in ((DOWN, down_bps), (UP, up_bps)):
        burst = max(BURST_MIN_OCTETS, rate // 8 // 500)
        limit = max(QUEUE_MIN_OCTETS, rate // 8 * QUEUE_MS // 1000)
        speed = f"rate {rate}bit ceil {rate}bit burst {burst} cburst {burst} quantum 3000"
        lines.append(f"class replace dev {queue} parent 1: classid 1:{number:x} htb {speed}")
        lines.append(f"qdisc replace dev {queue} parent 1:{number:x} bfifo limit {limit}")
    return "\n".join(lines) + "\n"


def sorting(number: int, address: str) -> str:
    """What `tc -batch` reads to put a line's packets into its class, if none were before."""
    return "".join(
        f"filter add dev {queue} parent 1: protocol ip prio {number} u32 "
        f"match ip {way} {address}/32 flowid 1:{number:x}\n"
        for queue, way in ((DOWN, "dst"), (UP, "src"))
    )


def unsorting(number: int) -> str:
    """What `tc -force -batch` reads to put a line's packets into no class."""
    return "".join(f"filter del dev {queue} parent 1: prio {number}\n" for queue in (DOWN, UP))


def unshaping(number: int) -> str:
    """What `tc -force -batch` reads to take a line's speeds away, after `unsorting`."""
    return "".join(f"class del dev {queue} classid 1:{number:x}\n" for queue in (DOWN, UP))


def opening(number: int, address: str) -> str:
    """What `nft -f` reads to let a line pass; its counters go on if they are there."""
    return (
        f"add counter {TABLE} l{number}-up\nadd counter {TABLE} l{number}-down\n"
        f'add element {TABLE} up {{ {address} : "l{number}-up" }}\n'
        f'add element {TABLE} down {{ {address} : "l{number}-down" }}\n'
        f'add element {TABLE} passing {{ "l{number}" . {address} }}\n'
    )


def closing(number: int, address: str) -> str:
    """What `nft -f` reads to stop a line that `opening` lets pass; its counters go too."""
    return (
        f'delete element {TABLE} passing {{ "l{number}" . {address} }}\n'
        f"delete element {TABLE} up {{ {address} }}\n"
        f"delete element {TABLE} down {{ {address} }}\n"
        f"delete counter {TABLE} l{number}-up\ndelete counter {TABLE} l{number}-down\n"
    )
