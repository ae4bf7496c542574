"""A customer's sites in a lab, and what they find when they ping and load their lines."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest

from hansa.drivers.connectivity import orders, services
from hansa.drivers.connectivity.driver import LabConnectivity
from hansa.drivers.connectivity.intent import SiteVpn
from hansa.drivers.contract import Change, Intent
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.lab.plan import Place
from hansa.foundation.readings import Check
from hansa.foundation.site import Site

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
JHB = Site("jhb", "Store 1", "ZA", "Johannesburg")
LON = Site("lon", "Head office", "GB", "London")
MINUTES = count(1)
EF, BEST_EFFORT = "0xb8", "0x00"


def later() -> datetime:
    return NOW + timedelta(minutes=next(MINUTES))


def vpn(service: str, site: Site, network: str, technology: str = "", **more: int | str) -> Intent:
    told: dict[str, int | str] = {"speed_mbps": 20, "network": network, **more}
    return Intent(service, "connectivity", "line", site, told, technology)


@dataclass(frozen=True)
class Acme:
    """A customer with two sites: one with two lines of another operator, one with its own."""

    lab: Lab
    driver: LabConnectivity
    lines: Intent
    jhb: Intent
    lon: Intent

    def place(self, intent: Intent) -> Place:
        made = services.find(self.lab, intent.service)
        assert made is not None
        return orders.place(self.lab, made)

    def site(self, intent: Intent) -> SiteVpn:
        should = services.site_of(self.lab, intent.service)
        assert should is not None
        return should

    def host(self, intent: Intent) -> Box:
        return self.lab.box(self.place(intent).host)

    def router(self, intent: Intent) -> Box:
        return self.lab.box(self.place(intent).cpe)

    def bring(self, intent: Intent) -> list[Change]:
        return list(self.driver.bring(intent, now=later()))

    def is_well(self, intent: Intent) -> bool:
        return all(check.ok for check in self.driver.verify(intent))

    def heals(self, intent: Intent) -> None:
        heals(lambda: self.driver.verify(intent))


def heals(verify: Callable[[], Sequence[Check]]) -> None:
    """Waits until a service is well again, and says what is not if it does not come."""
    until = time.monotonic() + 15
    while faults := [one for one in verify() if not one.ok]:
        assert time.monotonic() < until, faults
        time.sleep(0.1)


@contextmanager
def pinging(box: Box, target: object, *, every_s: float = 0.01) -> Iterator[Callable[[], str]]:
    """Pings until the end; what is yielded ends it and gives what it said."""
    name = "pinging"
    box.remove(f"{name}.log")
    box.start(name, "ping", "-n", "-D", "-i", str(every_s), str(target))
    box.wait(lambda: "bytes from" in (box.read(f"{name}.log") or ""), what=name)

    def end() -> str:
        box.signal(name, signal.SIGINT)
        box.wait(lambda: not box.runs(name), what=name)
        return box.read(f"{name}.log") or ""

    yield end
    box.stop(name)


def lost(said: str) -> int:
    """How many packets had no answer; the last of all may be on its way when pinging ends."""
    answered = {int(one) for one in re.findall(r"icmp_seq=(\d+)", said)}
    sent = re.search(r"(\d+) packets transmitted", said)
    assert sent is not None, said[-200:]
    return len(set(range(1, int(sent[1]))) - answered)


def silence_s(said: str) -> float:
    """The longest time between two answers, by when they came."""
    at = [float(one) for one in re.findall(r"^\[([\d.]+)\] \d+ bytes from", said, re.MULTILINE)]
    return max((other - one for one, other in pairwise(at)), default=1e9)


def reaches(box: Box, target: object) -> bool:
    """Whether one of two packets is answered: the first may have to wait for a tunnel's keys."""
    return box.try_run("ping", "-c2", "-i0.2", "-W1", str(target)).ok


def waiting_ms(box: Box, target: object, mark: str) -> float:
    """The mean round trip of packets of a class."""
    said = box.run("ping", "-q", "-Q", mark, "-c", "30", "-i", "0.01", "-W", "1", str(target))
    rtt = re.search(r"= [\d.]+/([\d.]+)/", said)
    assert rtt is not None, said
    return float(rtt[1])


@contextmanager
def loading(client: Box, server: Box, target: object, sold_mbps: int) -> Iterator[None]:
    """A line with more to carry than it was sold for, by a sender that does not give way."""
    at = ("-B", str(target))
    server.start("sink", "iperf3", "-s", *at, ready=lambda: f"{target}:5201 " in listening(server))
    rate = ("-u", "-l", "1350", "-b", f"{sold_mbps * 11 // 10}M")
    client.start("load", "iperf3", "-c", str(target), "-t", "60", *rate)
    time.sleep(1)
    yield
    assert client.runs("load")
    client.stop("load")
    server.stop("sink")


def listening(box: Box) -> str:
    return box.run("ss", "-Hltn")


def throughput_mbps(client: Box, server: Box, target: object, *more: str) -> float:
    """What one TCP connection carries in two seconds."""
    server.start("iperf3", "iperf3", "-s", ready=lambda: ":5201 " in listening(server))
    told = json.loads(client.run("iperf3", "-J", "-c", str(target), "-t", "2", *more))
    server.stop("iperf3")
    return float(told["end"]["sum_received"]["bits_per_second"]) / 1e6


def in_band(measure: Callable[[], float], sold_mbps: int) -> None:
    """80 to 103 percent of what was sold; the best of three, for the machine is not ours alone."""
    seen = []
    for _ in range(3):
        seen.append(measure())
        if 0.80 * sold_mbps <= seen[-1] <= 1.03 * sold_mbps:
            return
    pytest.fail(f"{sold_mbps} Mbit/s sold, measured {seen}")
