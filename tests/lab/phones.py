"""Customers with telephones: a site's host, cabled to its network in place of a tunnel."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from hansa.drivers.contract import Intent
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.voice import calls, orders, sbc, tables
from hansa.drivers.voice.calls import Tried
from hansa.drivers.voice.driver import VoiceTrunks
from hansa.drivers.voice.intent import Controller, Trunk
from hansa.foundation.site import Site

SITE = Site("jhb", "Store 1", "ZA", "Johannesburg")
CALLED = "+442079460001"

INVITE = """INVITE sip:{called}@{at} SIP/2.0
Via: SIP/2.0/UDP {source}:5062;branch=z9hG4bKagain
From: <sip:{caller}@{source}>;tag=again
To: <sip:{called}@{at}>
Call-ID: again
CSeq: 1 INVITE
Contact: <sip:{caller}@{source}:5062>
Max-Forwards: 70
Content-Length: 0

"""

ASKS = """
import socket, sys
phone = socket.socket(type=socket.SOCK_DGRAM)
phone.bind((sys.argv[1], 5062))
phone.settimeout(5)
phone.sendto(sys.stdin.buffer.read(), (sys.argv[2], 5060))
code = "100"
while code < "200":
    code = phone.recv(9999).decode().split()[1]
print(code)
"""
"""Sends a message, and tells the code of the final answer."""


def order(service: str, network: str, channels: int = 3, **more: int | str) -> Intent:
    """A trunk for the site of a network."""
    chosen: dict[str, int | str] = {"channels": channels, "network": network, **more}
    return Intent(service, "voice", "trunk", SITE, chosen)


@dataclass
class Customer:
    """A customer whose trunk stands. host: its telephones, at the site."""

    lab: Lab
    driver: VoiceTrunks
    intent: Intent
    box: Box = field(init=False)
    host: Box = field(init=False)
    address: IPv4Address = field(init=False)

    def __post_init__(self) -> None:
        self.driver.bring(self.intent)
        network = plan.network(self.lab, self.network)
        site, country = plan.site_name(SITE), SITE.country
        own = f"{site}, network {network.number}"
        place = plan.place(self.lab, network, site=site, spot=own, country=country)
        self.box, self.host = self.lab.box(network.box), self.lab.box(place.host)
        self.address = place.host_address
        self.cable(self.host, self.address, f"site{place.place}")

    def cable(self, host: Box, address: IPv4Address, name: str) -> None:
        """Joins a host of this address to the network."""
        if self.lab.link(host, self.box, names=("line", name)):
            plan.address(host, "line", f"{address}/24")
            host.run("ip", "route", "replace", "default", "dev", "line", "scope", "link")
            for inside in (plan.SBC, plan.SBC + 1):
                host.run("ip", "route", "replace", f"{inside}/32", "dev", "line")
            self.box.run("ip", "route", "replace", f"{address}/32", "dev", name)

    @property
    def trunk(self) -> Trunk:
        return orders.trunk(self.lab, orders.made(self.intent))

    @property
    def controller(self) -> Controller:
        return orders.controller(self.lab, plan.network(self.lab, self.network))

    @property
    def network(self) -> str:
        return orders.made(self.intent).network

    @property
    def caller(self) -> str:
        return self.trunk.numbers[0].first

    def wrong(self) -> tuple[str, ...]:
        """What is not as it should be."""
        return sbc.observe(self.box).wrong(tables.wanted(self.controller, [self.trunk]))

    def call(self, called: str = CALLED, caller: str = "", **how: Any) -> Tried:
        return calls.call(
            self.host,
            source=self.address,
            at=plan.SBC,
            caller=caller or self.caller,
            called=called,
            **how,
        )

    def invite(self) -> int:
        """Invites with a message that is always the same, and tells the final answer's code."""
        where = {"source": self.address, "at": plan.SBC}
        text = INVITE.format(**where, caller=self.caller, called=CALLED).replace("\n", "\r\n")
        asked = (sys.executable, "-c", ASKS, *map(str, where.values()))
        return int(self.host.run(*asked, input=text))

    def cut_off(self) -> None:
        """Has a call answered, and then cuts the customer's line for good."""
        calling = threading.Thread(target=lambda: self.call(held_ms=1000, timeout_s=5))
        calling.start()
        self.box.wait(lambda: [one["state"] for one in self.calls()] == [4], what="an answer")
        self.host.run("ip", "link", "set", "line", "down")

    @contextmanager
    def on_the_phone(self, held_ms: int, count: int = 1) -> Iterator[list[Tried]]:
        """While calls go on; what became of them is in the list after."""
        told: list[Tried] = []
        how: dict[str, Any] = {"held_ms": held_ms, "count": count, "rate": 100}
        calling = threading.Thread(target=lambda: told.append(self.call(**how)))
        before = len(sbc.calls(self.box, self.trunk.id))
        calling.start()
        self.box.wait(
            lambda: len([one for one in self.calls() if one["state"] == 4]) >= before + count,
            what="an answer",
        )
        yield told
        calling.join()

    def calls(self) -> list[Any]:
        return list(sbc.calls(self.box, self.trunk.id))

    def written(self) -> list[list[str]]:
        """The records as they lie in the box, in the order of time."""
        self.box.wait(lambda: not self.calls(), what="the end of calls")
        names = self.box.run("ls", self.box.path("voice/cdr")).split()
        texts = [self.box.read(f"voice/cdr/{name}") or "" for name in names]
        return sorted(line.split("|") for text in texts for line in text.splitlines())


@contextmanager
def losing_the_first(box: Box, *methods: str) -> Iterator[None]:
    """The first SIP message of each method, of three letters, that comes to a box is lost."""
    lines = [
        f"udp dport 5060 @th,64,24 0x{one.encode().hex()} quota until 600 bytes drop"
        for one in methods
    ]
    chain = "chain lost { type filter hook prerouting priority filter;\n" + "\n".join(lines)
    box.run("nft", "-f", "-", input=f"table ip lossy {{\n{chain}\n}}\n}}\n")
    try:
        yield
    finally:
        rules = box.run("nft", "list", "table", "ip", "lossy")
        box.run("nft", "delete", "table", "ip", "lossy")
    assert rules.count(" used ") == len(methods), "one of each was lost"
