"""From what was ordered to what should be, by the lab's plan of boxes and addresses.

A real network has its inventory in this file's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from hansa.drivers.connectivity import intent as full
from hansa.drivers.connectivity.intent import Access, Link, Prefix, SiteVpn
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Lab
from hansa.drivers.lab.plan import Place

INSIDE = IPv4Network("172.16.0.0/12")
INSIDE6 = IPv6Network("fd51::/32")
"""Between the ends of tunnels."""

SERVES: tuple[Prefix, ...] = (
    plan.SERVICES,
    IPv4Network("0.0.0.0/0"),
    IPv6Network((int(plan.INSIDE6.network_address), 48)),
    IPv6Network("::/0"),
)
"""What every site is told of: what its network serves, and that the rest lies behind that."""

POP_ADDRESS, POP_ADDRESS6 = plan.SERVICES[1], plan.INSIDE6[1]
"""The network's own address at the point of presence, for measuring."""

OWN = (f"{POP_ADDRESS}/32", f"{POP_ADDRESS6}/128")

FAST_MS, SLOW_MS = 100, 300
"""BFD where there is a second line to go over to, and where there is none."""

PREFERENCES = (200, 100)
CLASSES = "ef:10"
"""When none are ordered."""


@dataclass(frozen=True, slots=True)
class Made:
    """As what a service was made: where it is and what it was ordered as; never how it is.

    technology: `access`, `vpn`, or empty for a site with lines of its own.
    """

    service: str
    technology: str
    network: str
    site: str
    country: str
    ordered: Mapping[str, int | str]
    first: int = 1
    """The first of the site's lines that it has."""

    @property
    def spot(self) -> str:
        """Which boxes it has at the site: those of the site, or for a site with lines of its own
        some of its network's own, so that the site may be in other networks too.
        """
        return self.site if self.technology else f"{self.site}, {self.network}"

    @property
    def lines(self) -> range:
        return range(self.first, self.first + int(self.ordered.get("lines", 1)))

    @property
    def kbps(self) -> int:
        return int(self.ordered["speed_mbps"]) * 1000


def told(made: Made) -> Mapping[str, Any]:
    """The same as plain values, for the register."""
    return asdict(made)


def place(lab: Lab, made: Made) -> Place:
    """Where it is."""
    network = plan.network(lab, made.network)
    return plan.place(lab, network, site=made.site, spot=made.spot, country=made.country)


def prefixes(lab: Lab, made: Made) -> tuple[Prefix, ...]:
    """What lies behind the site's router: by the plan, and what was ordered besides."""
    at = place(lab, made)
    return (at.lan, at.lan6, *full.prefixes(str(made.ordered.get("prefixes", ""))))


def access(lab: Lab, made: Made, line: int) -> Access:
    """One of the lines as it should be."""
    at = plan.spot(lab, made.spot, made.country)
    under, between = plan.underlay(lab, at, line), plan.interconnect(lab, made.country)
    return Access(
        service=made.service,
        number=under.number,
        vni=under.vni,
        router=at.cpe,
        operator=at.access,
        wan=under.wan,
        port=under.port,
        tunnel=under.tunnel,
        operator_address=between[2],
        pop_address=between[1],
        at_router=under.at_cpe,
        at_pop=under.at_pop,
        down_kbps=made.kbps,
        up_kbps=made.kbps,
    )


def site_vpn(lab: Lab, made: Made, *, line_kbps: Mapping[int, int]) -> SiteVpn:
    """The site as it should be. line_kbps: by line, where it is known what the line carries."""
    at, lines, behind = place(lab, made), made.lines, prefixes(lab, made)
    return SiteVpn(
        service=made.service,
        router=at.cpe,
        network=at.network.box,
        public=at.network.public,
        network_asn=at.network.asn,
        asn=at.asn,
        prefixes=behind,
        addresses=tuple(f"{one[1]}/{one.prefixlen}" for one in behind),
        down_kbps=made.kbps,
        up_kbps=made.kbps,
        classes=full.classes(str(made.ordered.get("classes", CLASSES))),
        links=tuple(_link(lab, made, at, line, line_kbps.get(line)) for line in lines),
        tunnel=str(made.ordered.get("tunnel", full.TUNNELS[0])),
        bfd_ms=FAST_MS if len(lines) > 1 else SLOW_MS,
    )


def _link(lab: Lab, made: Made, at: Place, line: int, kbps: int | None) -> Link:
    under = plan.underlay(lab, at.spot, line)
    number = under.number
    return Link(
        number=number,
        line=line,
        wan=under.wan,
        line_kbps=kbps,
        at_router=under.at_cpe,
        at_pop=under.at_pop,
        inside=IPv4Network((int(INSIDE.network_address) + 4 * number, 30)),
        inside6=IPv6Network((int(INSIDE6.network_address) + (number << 64), 126)),
        preference=PREFERENCES[(line - 1) % len(PREFERENCES)],
        router_key=f"{made.service}.{line}.router",
        network_key=f"{made.service}.{line}.network",
    )
