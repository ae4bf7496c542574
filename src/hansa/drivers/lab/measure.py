"""What a customer would measure in a lab: from one host to another, by real traffic."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from hansa.drivers.lab.box import Box

PORT = 5201
PING_EVERY_S = "0.01"
AFTER_CUT_S = "2"


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """sent, received: packets. median_us: None when nothing came back."""

    sent: int
    received: int
    median_us: int | None


def round_trip(box: Box, target: str, *, count: int = 20) -> RoundTrip:
    """How long a packet is on its way to a host and back."""
    told = box.try_run("ping", "-n", "-c", str(count), "-i", "0.02", "-W", "1", target)
    times = sorted(int(Decimal(one) * 1000) for one in re.findall(r"time=([\d.]+) ms", told.out))
    return RoundTrip(count, len(times), times[len(times) // 2] if times else None)


def throughput_kbps(
    client: Box, server: Box, target: str, *, back: bool = False, s: int = 2
) -> int:
    """What TCP carries from one host to another; back: the other way. s: for how long."""
    server.start(
        "iperf3",
        *("iperf3", "--server", "--port", str(PORT)),
        ready=lambda: f":{PORT} " in server.run("ss", "-Hltn"),
    )
    way = ("--reverse",) if back else ()
    told = client.run(
        *("iperf3", "--json", "--client", target, "--port", str(PORT), "--time", str(s), *way),
        timeout_s=s + 30,
    )
    server.stop("iperf3")
    return int(json.loads(told)["end"]["sum_received"]["bits_per_second"]) // 1000


def silence_ms(box: Box, target: str, cut: Callable[[], None]) -> int:
    """The longest time in which nothing came back from a host around something that is done.

    By the times of answers, not by their count: a sender slows down while nothing answers.
    """
    box.remove("silence.log")
    box.start("silence", "ping", "-n", "-D", "-i", PING_EVERY_S, target)
    box.wait(lambda: "bytes from" in (box.read("silence.log") or ""), what="silence")
    cut()
    box.run("sleep", AFTER_CUT_S)
    box.stop("silence")
    stamps = re.findall(r"^\[(\d+)\.(\d{6})\]", box.read("silence.log") or "", re.MULTILINE)
    at = [int(second) * 1_000_000 + int(micro) for second, micro in stamps]
    return max(later - sooner for sooner, later in pairwise(at)) // 1000


def lookup(box: Box, name: str, resolver: str) -> str:
    """What a resolver answers for a name: a status such as `NOERROR` or `NXDOMAIN`."""
    told = box.try_run("dig", "+tries=1", "+time=3", f"@{resolver}", name, "A")
    found = re.search(r"status: (\w+)", told.out)
    return found[1] if found else "no answer"
