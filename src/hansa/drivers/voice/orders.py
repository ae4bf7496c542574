"""From what was ordered to what should be, by the lab's plan of boxes, addresses and numbers.

A real network has its inventory, and its agreements with partners, in this file's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal

from hansa.drivers.contract import Intent
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.lab.plan import Network
from hansa.drivers.voice import calls
from hansa.drivers.voice.intent import Controller, Destination, Numbers, Partner, Trunk, Way
from hansa.foundation.errors import Refused

CALLERS: Mapping[str | int, Literal["own", "any"]] = {"own": "own", "any": "any"}
ORDERED = frozenset({"channels", "quantity", "network", "numbers", "callers"})
"""What can be chosen of a trunk. numbers: a range as +2711555xx; callers: `own` or `any`."""

CODES: Mapping[str, str] = {
    "AR": "54", "BR": "55", "CI": "225", "ES": "34", "GB": "44", "GH": "233", "NG": "234",
    "PT": "351", "RW": "250", "UG": "256", "ZA": "27",
}  # fmt: skip
"""Of countries (ITU-T E.164.1)."""

NO_COUNTRY = "883"
"""Numbers of international networks."""

KEY = "stir"
CERTIFICATE = "https://certificates.example/voice.pem"
TEST_NUMBER = "+442079460000"
"""Kept for plays by the regulator, and answered by every partner here."""

COSTS: Mapping[str, Mapping[str, int]] = {
    "carrier-a": {"+": 12, "+44": 6},
    "carrier-b": {"+": 15, "+44": 5},
}
"""What a minute costs with each partner of the lab, by prefix."""

BETWEEN = IPv4Network("198.18.0.0/16")
"""Between the point of presence and partners."""


@dataclass(frozen=True, slots=True)
class Made:
    """As what a trunk was made: where it is, and what was ordered. site: empty for a trunk of all
    of its network.
    """

    service: str
    network: str
    site: str
    country: str
    ordered: Mapping[str, int | str]

    def kept(self) -> Mapping[str, Any]:
        """As the lab's register keeps it; `Made(**kept)` reads it."""
        return asdict(self)

    @property
    def count(self) -> int:
        return int(self.ordered.get("quantity", 1))


def made(intent: Intent) -> Made:
    """Raises Refused `trunk-invalid` for what no trunk has."""
    ordered = intent.characteristics
    strange = sorted(set(ordered) - ORDERED)
    if strange:
        raise Refused("trunk-invalid", f"A trunk has no {', '.join(strange)}.", field=strange[0])
    for name in ("channels", "quantity"):
        if not isinstance(ordered.get(name, 1), int) or int(ordered.get(name, 1)) < 1:
            raise Refused(
                "trunk-invalid",
                f"{name} is a whole number from 1, not {ordered[name]!r}.",
                field=name,
            )
    site = intent.site
    return Made(
        service=intent.service,
        network=str(ordered.get("network", intent.service)),
        site=plan.site_name(site) if site else "",
        country=site.country if site else "",
        ordered=dict(ordered),
    )


def trunk_id(service: str) -> str:
    """How the network's systems, and its records, name a service's trunk: no two the same."""
    return "".join(
        one if one.isascii() and (one.isalnum() or one in "_-") else f".{ord(one):x}."
        for one in service
    )


def trunk(lab: Lab, of: Made) -> Trunk:
    """The trunk as it should be. Raises Refused `range-invalid`, `trunk-invalid`."""
    callers = CALLERS.get(of.ordered.get("callers", "own"))
    if callers is None:
        raise Refused("trunk-invalid", "Callers are `own` or `any`.", field="callers")
    sources = plan.INSIDE
    if of.site:
        network = plan.network(lab, of.network)
        sources = plan.place(lab, network, site=of.site, country=of.country).lan
    return Trunk(
        id=trunk_id(of.service),
        sources=(sources,),
        channels=int(of.ordered.get("channels", 1)) * of.count,
        numbers=(numbers(lab, of),),
        callers=callers,
    )


def numbers(lab: Lab, of: Made) -> Numbers:
    """A hundred numbers of the country's, unless others were ordered."""
    if "numbers" in of.ordered:
        return Numbers.read(str(of.ordered["numbers"]))
    code = CODES.get(of.country, NO_COUNTRY)
    return Numbers(f"+{code}555{lab.number('trunk', of.service):04}", 2)


def controller(lab: Lab, network: Network) -> Controller:
    """The network's session border controller."""
    return Controller(
        inside=plan.SBC,
        outside=network.public,
        prober=plan.SBC + 1,
        key=KEY,
        certificate=CERTIFICATE,
        partners=tuple(Partner(name, _partner(lab, name)[2]) for name in COSTS),
        destinations=tuple(
            Destination(prefix, tuple(Way(name, costs[prefix]) for name, costs in COSTS.items()))
            for prefix in ("+", "+44")
        ),
    )


def _partner(lab: Lab, name: str) -> IPv4Network:
    """Between the point of presence (its first address) and a partner (its second)."""
    number = lab.number("voice partner", name)
    return IPv4Network((int(BETWEEN.network_address) + 4 * number, 30))


def furnish(lab: Lab, network: Network) -> Box:
    """The network's box with the controller's addresses, and the partners beyond it."""
    box = plan.furnish_network(lab, network)
    plan.address(box, "lo", f"{plan.SBC}/32", f"{plan.SBC + 1}/32")
    pop = lab.box(plan.POP)
    for name in COSTS:
        partner, between = lab.box(name), _partner(lab, name)
        lab.link(pop, partner, names=(name, "pop"))
        plan.address(pop, name, f"{between[1]}/30")
        plan.address(partner, "pop", f"{between[2]}/30")
        partner.run("ip", "route", "replace", "default", "via", str(between[1]))
        calls.take_calls(partner, IPv4Address(between[2]))
    return box
