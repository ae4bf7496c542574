"""Customers with telephones: a site's host, cabled to its network in place of a tunnel."""

from __future__ import annotations

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

    @contextmanager
    def on_the_phone(self, held_ms: int) -> Iterator[list[Tried]]:
        """While a call goes on; what became of it is in the list after."""
        told: list[Tried] = []
        calling = threading.Thread(target=lambda: told.append(self.call(held_ms=held_ms)))
        before = len(sbc.calls(self.box, self.trunk.id))
        calling.start()
        self.box.wait(
            lambda: len([one for one in self.calls() if one["state"] == 4]) > before,
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
