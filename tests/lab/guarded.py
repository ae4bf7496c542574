"""A customer with cloud security in a lab, and what a client of it finds."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime

from hansa.drivers.contract import Change, Intent
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Box
from hansa.drivers.security import defaults, firewall, probe
from hansa.drivers.security.driver import SecurityNetwork
from hansa.drivers.security.intent import NameList, Policy, Published, Rule
from hansa.foundation import documents

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
MANY = 100_000

FULL = Policy(
    firewall=replace(
        defaults.FIREWALL,
        rules=(Rule("bad", "drop", dst=("@bad",)), *defaults.FIREWALL.rules),
        groups={"bad": ("198.51.100.66/32", "2001:db8::/32")},
        published=(Published("shop", 8443, "10.50.254.10", 8000),),
    ),
    lists=(
        *defaults.LISTS,
        NameList("guests", "block", ("games.example",), clients=("10.50.2.0/24",)),
        NameList("portal", "redirect", ("old.example",), to="198.51.100.81"),
        NameList("ours", "allow", ("good.bets.example",)),
    ),
    gateway=replace(defaults.POLICY.gateway, inspect=("inspect.example",)),  # type: ignore[type-var]
)


def ordered(service: str, policy: Policy | None = None, seats: int = 40) -> Intent:
    told: dict[str, int | str] = {"seats": seats}
    if policy is not None:
        told["policy"] = json.dumps(documents.write(policy))
    return Intent(service, "security", "guard", None, told)


class Customer:
    """A customer with cloud security: its box at the point of presence, and a client inside."""

    def __init__(self, driver: SecurityNetwork, service: str, policy: Policy) -> None:
        self.driver, self.intent = driver, ordered(service, policy)
        driver.apply(self.intent, now=NOW)
        self.network = plan.network(driver.lab, service)
        self.box = driver.lab.box(self.network.box)
        self.client = probe.join(driver.lab, self.network)

    def plan(self) -> list[Change]:
        observed = self.driver.observe(self.intent.service)
        return list(self.driver.plan(self.intent, observed))

    def apply(self) -> None:
        self.driver.apply(self.intent, now=NOW)

    def asks(self, name: str, *more: str) -> str:
        """The address that a client is told of a name, or why it is told none."""
        return named(self.client, name, *more)

    def visits(self, url: str, *more: str) -> tuple[str, int]:
        return curl(self.client, url, *more)

    def counts(self, rule: str) -> int:
        return firewall.counts(self.box)[f"r-{rule}"][0]

    def visited(self) -> list[dict[str, object]]:
        text = self.box.read("gateway/access.log") or ""
        return [json.loads(line) for line in text.splitlines()]


def named(box: Box, name: str, *more: str) -> str:
    said = box.try_run("dig", "+time=2", "+tries=1", *more, "@10.50.0.53", name).out
    answers = [line.split()[-1] for line in said.splitlines() if "\tIN\tA\t" in line]
    return answers[0] if answers else said.partition("status: ")[2].partition(",")[0]


def curl(box: Box, url: str, *more: str) -> tuple[str, int]:
    asked = ("curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", *more, url)
    said = box.try_run(*asked)
    return said.out, said.status


SERVE = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    line, _ = server.accept()
    line.recv(4096)
    line.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
    line.close()
"""


def serve(box: Box, name: str, address: str, port: int) -> None:
    """A server in a box that says yes to everything."""
    argv = (sys.executable, "-c", SERVE, address, str(port))
    box.start(name, *argv, ready=lambda: f"{address}:{port} " in box.run("ss", "-Htln"))


def pids(box: Box) -> dict[str, str]:
    """The processes of a box's daemons, by what they are."""
    found = box.run("ip", "netns", "pids", box.name).split()
    return {
        pid: name
        for pid in found
        for name in [box.try_run("cat", f"/proc/{pid}/comm").out.strip()]
        if name in {"squid", "unbound"}
    }
