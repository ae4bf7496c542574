"""The lab's plan: which boxes there are, how they are joined, and which addresses they have.

    host-S - cpe-S = acc-CC = pop - net-K          inet
    a site's host, its router, the access operator of a country, the point of presence, and
    behind it a box of its own for each customer's private network; inet is everybody else.

S counts the sites of all networks, K the networks. Inside a network the addresses are planned
anew from the beginning, so that every two networks of a lab overlap: nothing may leak.
A real network has such a plan in its inventory; what is here is for labs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Network

from hansa.drivers.lab import internet
from hansa.drivers.lab.box import Box, Lab
from hansa.foundation.site import Site

POP, INET = "pop", "inet"
WEB = IPv4Address("198.51.100.80")
"""Where the lab's internet serves pages."""

RESOLVER = IPv4Address("198.51.100.2")
"""Where the lab's internet answers questions for names; every name below `example` is WEB."""

INSIDE = IPv4Network("10.50.0.0/16")
INSIDE6 = IPv6Network("fd50::/32")
SERVICES = IPv4Network("10.50.0.0/24")
"""In every network: what its point of presence serves, each on an address of its own."""

DNS, GATEWAY, SBC = (IPv4Address(f"10.50.0.{last}") for last in (53, 80, 60))


@dataclass(frozen=True, slots=True)
class Network:
    """One customer's private network. box: at the point of presence. public: its address there,
    to which tunnels lead.
    """

    number: int
    box: str
    public: IPv4Address
    asn: int = 64999


@dataclass(frozen=True, slots=True)
class Spot:
    """A site, whatever network it belongs to: its number in the lab, and the boxes there."""

    number: int
    country: str

    @property
    def host(self) -> str:
        return f"host-{self.number}"

    @property
    def cpe(self) -> str:
        return f"cpe-{self.number}"

    @property
    def access(self) -> str:
        return f"acc-{self.country.lower()}"


@dataclass(frozen=True, slots=True)
class Place:
    """A site as part of a network. place: its number there. lan, lan6: behind its router."""

    network: Network
    spot: Spot
    place: int

    @property
    def host(self) -> str:
        return self.spot.host

    @property
    def cpe(self) -> str:
        return self.spot.cpe

    @property
    def asn(self) -> int:
        return 65000 + self.place

    @property
    def lan(self) -> IPv4Network:
        return IPv4Network((int(INSIDE.network_address) + (self.place << 8), 24))

    @property
    def lan6(self) -> IPv6Network:
        return IPv6Network((int(INSIDE6.network_address) + (self.place << 80), 48))

    @property
    def host_address(self) -> IPv4Address:
        return self.lan[10]

    @property
    def host_address6(self) -> IPv6Address:
        return self.lan6[10]


@dataclass(frozen=True, slots=True)
class Underlay:
    """One access line of a site. net: between its router and the point of presence, /30.

    vni: under which it is handed over from the access operator (VXLAN, RFC 7348).
    """

    spot: Spot
    line: int
    number: int

    @property
    def vni(self) -> int:
        return 1000 + self.number

    @property
    def net(self) -> IPv4Network:
        return IPv4Network((int(IPv4Address("100.64.0.0")) + 4 * self.number, 30))

    @property
    def at_cpe(self) -> IPv4Interface:
        return IPv4Interface((self.net[2], 30))

    @property
    def at_pop(self) -> IPv4Interface:
        return IPv4Interface((self.net[1], 30))

    @property
    def wan(self) -> str:
        """The router's interface to the access operator."""
        return f"wan{self.line}"

    @property
    def port(self) -> str:
        """The access operator's interface to the router."""
        return f"p{self.number}"

    @property
    def tunnel(self) -> str:
        """The hand-over's interface, at both operators."""
        return f"vx{self.number}"


def network(lab: Lab, name: str) -> Network:
    """The network of this name; boxes are made by `furnish`."""
    number = lab.number("network", name)
    return Network(number, f"net-{number}", IPv4Address("203.0.113.0") + number)


def site_name(site: Site) -> str:
    """What a site is called in the lab: two operators that serve it call it alike."""
    return f"{site.id} ({site.name}, {site.place}, {site.country})"


def spot(lab: Lab, site: str, country: str) -> Spot:
    """The site of this name."""
    return Spot(lab.number("site", site), country)


def place(lab: Lab, of: Network, *, site: str, country: str, spot: str = "") -> Place:
    """A site, by its name, as part of a network. spot: the name of its boxes, if not the same."""
    at = Spot(lab.number("site", spot or site), country)
    return Place(of, at, lab.number(f"site of {of.number}", site))


def underlay(lab: Lab, at: Spot, line: int = 1) -> Underlay:
    """The access line of this number at a site, from 1."""
    return Underlay(at, line, lab.number("line", f"{at.number}/{line}"))


# --- what is there before anybody orders ----------------------------------------------------------


def furnish(lab: Lab) -> None:
    """The point of presence, and the internet beyond it. Twice is once."""
    pop, inet = lab.box(POP), lab.box(INET)
    if lab.link(pop, inet, names=("internet", "pop")):
        address(inet, "pop", f"{RESOLVER}/24", f"{WEB}/32")
    address(pop, "internet", "198.51.100.1/24")
    inet.run("ip", "route", "replace", "default", "via", "198.51.100.1")
    internet.serve(inet, names_at=RESOLVER, web_at=WEB)


def furnish_network(lab: Lab, of: Network) -> Box:
    """The network's own box at the point of presence, reached under its public address."""
    furnish(lab)
    pop, box = lab.box(POP), lab.box(of.box)
    lab.link(pop, box, names=(f"net{of.number}", "up"))
    between = IPv4Network((int(IPv4Address("100.127.0.0")) + 4 * of.number, 30))
    address(pop, f"net{of.number}", f"{between[1]}/30")
    address(box, "up", f"{between[2]}/30")
    address(box, "lo", f"{of.public}/32")
    pop.run("ip", "route", "replace", f"{of.public}/32", "via", str(between[2]))
    out = ("default", "via", str(between[1]), "src", str(of.public))  # as who tunnels speak
    box.run("ip", "route", "replace", *out)
    return box


def furnish_access(lab: Lab, country: str) -> Box:
    """The access operator of a country, joined to the point of presence."""
    furnish(lab)
    pop, box = lab.box(POP), lab.box(f"acc-{country.lower()}")
    between = interconnect(lab, country)
    lab.link(box, pop, names=("nni", f"nni-{country.lower()}"), mtu=1600)
    address(box, "nni", f"{between[2]}/30")
    address(pop, f"nni-{country.lower()}", f"{between[1]}/30")
    return box


def furnish_site(lab: Lab, at: Place) -> tuple[Box, Box]:
    """A site's host and its router, joined; the router's addresses are a service's affair."""
    host, cpe = lab.box(at.host), lab.box(at.cpe)
    lab.link(host, cpe, names=("lan", "lan"))
    address(host, "lan", f"{at.host_address}/24", f"{at.host_address6}/48")
    host.run("ip", "route", "replace", "default", "via", str(at.lan[1]))
    host.run("ip", "-6", "route", "replace", "default", "via", str(at.lan6[1]))
    return host, cpe


def interconnect(lab: Lab, country: str) -> IPv4Network:
    """Between the point of presence (its first address) and an access operator (its second)."""
    number = lab.number("interconnect", country.lower())
    return IPv4Network((int(IPv4Address("192.0.2.0")) + 4 * number, 30))


def address(box: Box, interface: str, *addresses: str) -> None:
    """Has an interface bear these addresses; others that it bears stay."""
    for one in addresses:
        box.run("ip", "addr", "replace", one, "dev", interface)
