"""How a service is, measured by traffic of its own: class by class, from a site's router to the
point of presence and back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

from hansa.drivers.lab.box import Box

REFLECTOR = "irtt"
PORT = 2112
EVERY_MS, FOR_MS, OCTETS = 20, 1000, 172
"""As a call in G.711: a packet of 160 octets and 12 of RTP each 20 ms."""

ANSWER_MS = 500
PINGS = 20
ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Round:
    """One class in one round. loss_ppm: of a million packets. The others: None without answers."""

    loss_ppm: int
    rtt_us: int | None = None
    jitter_us: int | None = None


def reflect(box: Box, address: str) -> None:
    """Has a box send back what it is sent for measuring. Twice is once."""
    box.start(
        REFLECTOR,
        *("irtt", "server", "-b", f"{address}:{PORT}"),
        ready=lambda: f":{PORT} " in box.run("ss", "-Hlun"),
    )


def by_class(
    router: Box, *, source: str, target: str, classes: Mapping[str, int]
) -> Mapping[str, Round]:
    """Each class at the same time, by its name. classes: their DSCP."""
    with ThreadPoolExecutor(len(classes)) as pool:
        told = pool.map(lambda dscp: _irtt(router, source, target, dscp), classes.values())
        return dict(zip(classes, told, strict=True))


def _irtt(router: Box, source: str, target: str, dscp: int) -> Round:
    told = router.try_run(
        *("irtt", "client", "-Q", "-o", "-", f"--local={source}", f"--dscp={dscp << 2:#04x}"),
        *("-i", f"{EVERY_MS}ms", "-d", f"{FOR_MS}ms", "-l", str(OCTETS)),
        *(f"--timeouts={ANSWER_MS}ms", f"{target}:{PORT}"),
    )
    return read_irtt(told.out) if told.ok else Round(ALL)


def read_irtt(text: str) -> Round:
    """What a client of irtt wrote as JSON, in whole microseconds."""
    stats = json.loads(text)["stats"]
    sent, received = stats["packets_sent"], stats["packets_received"]
    if not received:
        return Round(ALL)
    jitter = stats.get("ipdv_round_trip") or {}
    return Round(
        (sent - received) * ALL // sent,
        int(stats["rtt"]["mean"]) // 1000,
        int(jitter["mean"]) // 1000 if "mean" in jitter else None,
    )


def ping(box: Box, target: str, *, out_of: str = "", count: int = PINGS) -> Round:
    """Best effort by ICMP, where nothing else answers."""
    way = ("-I", out_of) if out_of else ()
    told = box.try_run("ping", "-q", "-c", str(count), "-i", "0.02", "-W", "1", *way, target)
    return read_ping(told.out)


def read_ping(text: str) -> Round:
    """What `ping -q` wrote; its mean deviation is taken for jitter."""
    counts = re.search(r"(\d+) packets transmitted, (\d+) received", text)
    times = re.search(r"= [\d.]+/([\d.]+)/[\d.]+/([\d.]+) ms", text)
    if counts is None or times is None:
        return Round(ALL)
    sent, received = int(counts[1]), int(counts[2])
    return Round((sent - received) * ALL // sent, *(_us(times[at]) for at in (1, 2)))


def _us(ms: str) -> int:
    return int(Decimal(ms) * 1000)


def named(samples: Mapping[str, Round]) -> Sequence[tuple[str, str, int]]:
    """Class, name and value of every figure that there is."""
    return [
        (class_, name, value)
        for class_, told in samples.items()
        for name, value in (
            ("rtt_us", told.rtt_us),
            ("jitter_us", told.jitter_us),
            ("loss_ppm", told.loss_ppm),
        )
        if value is not None
    ]
