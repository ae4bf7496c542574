"""Tries out what was delivered in a lab, as the customer would at its own sites."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from hansa.drivers.lab import measure, plan, register
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.lab.machine import machine
from hansa.drivers.voice import calls, orders, records
from hansa.drivers.voice.driver import VoiceTrunks
from hansa.drivers.voice.orders import Made
from hansa.foundation.readings import Check
from hansa.foundation.site import Site
from hansa.foundation.time import Period

BAND_PERCENT = (80, 103)
"""Of what is sold, what is measured: a line carries its own headers, too."""

SILENCE_MS_MAX = 500
CALL_MS = 1500
RECORD_S = 60
"""How long a node may take to come by for records."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Measurements in one lab."""

    lab: Lab

    def reached(self, source: Site, target: Site) -> Sequence[Check]:
        """One site's host reaches the other's."""
        told = measure.round_trip(self._host(source), self._address(target))
        shown = "nothing came back"
        if told.median_us is not None:
            shown = f"{told.median_us // 1000}.{told.median_us // 10 % 100:02} ms"
        return [
            Check(
                f"ping {source.place} to {target.place}",
                "an answer",
                f"{shown}, {told.received} of {told.sent} answered",
                told.received > 0,
            )
        ]

    def carried(self, source: Site, target: Site, sold_mbps: int) -> Sequence[Check]:
        """What is sold is what is carried, both ways; the best of three tries each."""
        found = []
        for back, way in ((False, (source, target)), (True, (target, source))):
            tries = []
            for _ in range(3):
                tries.append(self._carries(source, target, back=back))
                if _in_band(tries[-1], sold_mbps):
                    break
            best = max(tries)
            found.append(
                Check(
                    f"speed {way[0].place} to {way[1].place}",
                    f"{sold_mbps} Mbit/s",
                    f"{best // 1000}.{best // 100 % 10} Mbit/s",
                    _in_band(best, sold_mbps),
                )
            )
        return found

    def blocked(self, source: Site, name: str) -> Sequence[Check]:
        """A name that is filtered does not resolve, and another does."""
        host, resolver = self._host(source), str(plan.DNS)
        answers = {one: measure.lookup(host, one, resolver) for one in (name, "www.example")}
        return [
            Check(f"name {name}", "NXDOMAIN", answers[name], answers[name] == "NXDOMAIN"),
            Check(
                "name www.example",
                "NOERROR",
                answers["www.example"],
                answers["www.example"] == "NOERROR",
            ),
        ]

    def called(self, source: Site, numbers: Sequence[str]) -> Sequence[Check]:
        """A call to each number, from the site over the network's trunk."""
        caller = orders.numbers(self.lab, self.trunk).first
        found = []
        for number in numbers:
            tried = calls.call(
                self._host(source),
                source=IPv4Address(self._address(source)),
                at=plan.SBC,
                caller=caller,
                called=number,
                held_ms=CALL_MS,
            )
            words = "answered" if tried.answered else "not answered"
            found.append(Check(f"call to {number}", "answered", words, tried.answered == 1))
        return found

    def recorded(
        self, driver: VoiceTrunks, numbers: Sequence[str], period: Period
    ) -> Sequence[Check]:
        """The records of these calls, as the node has taken them over by itself."""
        trunk, until = orders.trunk_id(self.trunk.service), time.monotonic() + RECORD_S
        while True:
            found = records.calls(driver.records, trunk, period)
            if len(found) >= len(numbers) or time.monotonic() > until:
                break
            time.sleep(0.2)
        told = ", ".join(f"{one.calling} to {one.called}, {one.duration_s} s" for one in found)
        well = [one.called for one in found] == [*numbers]
        return [Check("their records", f"{len(numbers)}", told or "none", well)]

    def failed_over(self, source: Site, target: Site) -> Sequence[Check]:
        """The site's first line dies silently; its second takes over."""
        spot = self._spot(source)
        line = plan.underlay(self.lab, spot, 1)
        access = self.lab.box(spot.access)

        def cut() -> None:
            for port in (line.port, line.tunnel):
                hook = f"type filter hook ingress device {port} priority 0; policy drop;"
                rules = f"table netdev cut-{port} {{\n chain in {{ {hook} }}\n}}\n"
                access.run("nft", "-f", "-", input=rules)

        try:
            silent = measure.silence_ms(self._host(source), self._address(target), cut)
        finally:
            for port in (line.port, line.tunnel):
                access.try_run("nft", "delete", "table", "netdev", f"cut-{port}")
        return [
            Check(
                f"first line of {source.place} cut",
                f"less than {SILENCE_MS_MAX} ms of silence",
                f"{silent} ms",
                silent < SILENCE_MS_MAX,
            )
        ]

    def gone(self, source: Site, target: Site) -> Sequence[Check]:
        """What was ceased is not reached any more."""
        told = measure.round_trip(self._host(source), self._address(target), count=3)
        return [
            Check(
                f"ping {source.place} to {target.place} after its cease",
                "no answer",
                f"{told.received} of {told.sent} answered",
                told.received == 0,
            )
        ]

    @property
    def trunk(self) -> Made:
        """The network's trunk; a story has one."""
        return Made(**next(iter(register.all(self.lab, "voice").values())))

    # --- inside -------------------------------------------------------------------------------

    def _carries(self, source: Site, target: Site, *, back: bool) -> int:
        client, server = self._host(source), self._host(target)
        return measure.throughput_kbps(client, server, self._address(target), back=back)

    def _host(self, site: Site) -> Box:
        return self.lab.box(self._spot(site).host)

    def _spot(self, site: Site) -> plan.Spot:
        return plan.spot(self.lab, plan.site_name(site), site.country)

    def _address(self, site: Site) -> str:
        """Of the site's host, as it is known in its network."""
        told = self._host(site).run("ip", "-4", "-o", "addr", "show", "dev", "lan")
        return told.split()[3].partition("/")[0]


def why_not(parts: Sequence[str]) -> str | None:
    """Why this machine cannot deliver these families for real; None when it can."""
    return machine().why_not(*parts)


def remedy(parts: Sequence[str]) -> str:
    """The command that installs what is missing for them; empty when nothing is."""
    return machine().remedy(*parts)


def _in_band(kbps: int, sold_mbps: int) -> bool:
    low, high = (sold_mbps * 10 * percent for percent in BAND_PERCENT)
    return low <= kbps <= high
