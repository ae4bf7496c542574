"""The plan of a country's access network, and its boxes.

    home-N - bng-CC - pop          aaa-CC is joined to bng-CC alone

Each line has a port of its own at the gateway, and the address that belongs to the port, so a
line is known by where it comes in. The pool is routed at the point of presence.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Box, Lab
from hansa.foundation.errors import Refused

BNG, AAA = IPv4Address("10.99.0.1"), IPv4Address("10.99.0.2")
"""The gateway and its RADIUS server, between the two; the same in every access network."""

CORE, TO_AAA = "core", "aaa"
"""The gateway's interfaces."""

WAN = "wan"
"""The interface of a home's router to its line."""

ACCESSES_MAX = 30
PORTS_MAX = 4000
FIRST_HOST, FIRST_GATEWAY = 9, 0x8000


@dataclass(frozen=True, slots=True)
class Access:
    """The access network of a country."""

    country: str
    number: int

    @property
    def bng(self) -> str:
        return f"bng-{self.country.lower()}"

    @property
    def aaa(self) -> str:
        return f"aaa-{self.country.lower()}"

    @property
    def pool(self) -> IPv4Network:
        return IPv4Network(f"100.{96 + self.number}.0.0/16")


@dataclass(frozen=True, slots=True)
class Port:
    """A line's place at the gateway. number: within it. home: of the box at its other end."""

    access: Access
    number: int
    home: str

    @property
    def interface(self) -> str:
        return f"l{self.number}"

    @property
    def address(self) -> IPv4Address:
        return self.access.pool[FIRST_HOST + self.number]

    @property
    def gateway(self) -> IPv4Address:
        """The gateway's own address at this port: Kea wants another one at each."""
        return self.access.pool[FIRST_GATEWAY + self.number]


def access(lab: Lab, country: str) -> Access:
    """A country's access network. Raises Refused `access-full`."""
    number = lab.number("access", country)
    if number > ACCESSES_MAX:
        raise _full("country", f"{ACCESSES_MAX} access networks")
    return Access(country, number)


def port(lab: Lab, of: Access, service: str) -> Port:
    """The port of a service. Raises Refused `access-full`."""
    number = lab.number(f"port of {of.country}", service)
    if number > PORTS_MAX:
        raise _full("site", f"{PORTS_MAX:,} lines in {of.country}")
    return Port(of, number, f"home-{of.country.lower()}-{number}")


def furnish(lab: Lab, of: Access) -> tuple[Box, Box]:
    """The gateway, joined to the point of presence, and its RADIUS server. Twice is once."""
    plan.furnish(lab)
    pop, bng, aaa = lab.box(plan.POP), lab.box(of.bng), lab.box(of.aaa)
    between = plan.interconnect(lab, of.bng)
    lab.link(bng, pop, names=(CORE, of.bng))
    plan.address(bng, CORE, f"{between[2]}/30")
    plan.address(pop, of.bng, f"{between[1]}/30")
    bng.run("ip", "route", "replace", "default", "via", str(between[1]))
    pop.run("ip", "route", "replace", str(of.pool), "via", str(between[2]))
    lab.link(bng, aaa, names=(TO_AAA, "bng"))
    plan.address(bng, TO_AAA, f"{BNG}/30")
    plan.address(aaa, "bng", f"{AAA}/30")
    return bng, aaa


def furnish_port(lab: Lab, of: Port) -> Box:
    """A line's cable, and the home at its other end."""
    bng, home = lab.box(of.access.bng), lab.box(of.home)
    lab.link(bng, home, names=(of.interface, WAN))
    plan.address(bng, of.interface, f"{of.gateway}/32")
    bng.run("ip", "route", "replace", f"{of.address}/32", "dev", of.interface)
    return home


def _full(field: str, what: str) -> Refused:
    return Refused("access-full", f"There is no room for more than {what}.", field=field)
