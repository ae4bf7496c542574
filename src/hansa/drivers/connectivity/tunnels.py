"""The kinds of tunnels behind one face: what each end should be, and who is asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from hansa.drivers.connectivity import ipsec, wireguard
from hansa.drivers.connectivity.intent import Link, SiteVpn
from hansa.drivers.connectivity.keys import Keys
from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box

End = wireguard.End | ipsec.End
MARKS_FROM = 10_000
"""Marks and tables that lead a tunnel's own packets over its own line start here."""

INNER_FROM = 1 << 19
"""How far from the addresses inside an IPsec tunnel those are between which its VXLAN runs."""


@dataclass(frozen=True, slots=True)
class Kind:
    """overhead: octets that a packet is counted for beyond its own, at the tunnel's shaper.
    keys_s: how old keys in use may be.
    """

    overhead: int
    keys_s: int


MARGIN = 40
"""Octets more than a packet really grows by: as fast as its line, a tunnel would never let a queue
drain there that arose while its daemon was held up, and every class would wait in it.
"""

KINDS: Mapping[str, Kind] = {
    "wireguard": Kind(wireguard.OVERHEAD + MARGIN, wireguard.HANDSHAKE_MAX_S),
    "ipsec": Kind(ipsec.OVERHEAD + MARGIN, ipsec.KEYS_MAX_S),
}


def mark(link: Link) -> int:
    """Of a tunnel's own packets, and of the table that knows its line and nothing else."""
    return MARKS_FROM + link.number


def selector(vpn: SiteVpn, link: Link) -> Mapping[str, str]:
    """What tells a tunnel's own packets from others, in the words of `ip rule`."""
    if vpn.tunnel == "ipsec":
        return {"src": str(link.at_router.ip), "dst": str(vpn.public)}
    return {"src": "all", "fwmark": hex(mark(link))}


def at_router(vpn: SiteVpn, link: Link, keys: Keys) -> End:
    """A tunnel's end at the router; it calls the other."""
    addresses = (f"{link.inside[2]}/30", f"{link.inside6[2]}/126")
    if vpn.tunnel == "ipsec":
        return ipsec.End(
            interface=link.at_site,
            other=link.at_network,
            number=link.number,
            address=str(link.at_router.ip),
            other_address=str(vpn.public),
            inner=_inner(link, 2),
            other_inner=_inner(link, 1),
            secret=keys.private(link.network_key),
            calls=True,
            addresses=addresses,
        )
    return wireguard.End(
        interface=link.at_site,
        port=link.port,
        mark=mark(link),
        private=keys.private(link.router_key),
        public=keys.public(link.network_key),
        endpoint=f"{vpn.public}:{link.port}",
        addresses=addresses,
    )


def at_network(vpn: SiteVpn, link: Link, keys: Keys) -> End:
    """A tunnel's end at the point of presence."""
    addresses = (f"{link.inside[1]}/30", f"{link.inside6[1]}/126")
    if vpn.tunnel == "ipsec":
        return ipsec.End(
            interface=link.at_network,
            other=link.at_site,
            number=link.number,
            address=str(vpn.public),
            other_address=str(link.at_router.ip),
            inner=_inner(link, 1),
            other_inner=_inner(link, 2),
            secret=keys.private(link.network_key),
            calls=False,
            addresses=addresses,
        )
    return wireguard.End(
        interface=link.at_network,
        port=link.port,
        mark=0,
        private=keys.private(link.network_key),
        public=keys.public(link.router_key),
        endpoint=f"{link.at_router.ip}:{link.port}",
        addresses=addresses,
    )


def _inner(link: Link, end: int) -> IPv4Address:
    return link.inside[end] + INNER_FROM


def apply(box: Box, end: End) -> list[Change]:
    """Has a box have this end, and none of another kind under its name."""
    if isinstance(end, ipsec.End):
        wireguard.remove(box, end.interface)
        return ipsec.apply(box, end)
    ipsec.remove(box, end.interface)
    return wireguard.apply(box, end)


def remove(box: Box, interface: str) -> None:
    """Takes an end away, of whichever kind; none is no error."""
    wireguard.remove(box, interface)
    ipsec.remove(box, interface)


def daemon(end: End) -> str:
    """Who serves an end."""
    return ipsec.DAEMON if isinstance(end, ipsec.End) else end.interface


def differs(box: Box, end: End) -> bool:
    """Whether an end is other than it should be, as its daemon says."""
    if isinstance(end, ipsec.End):
        return ipsec.differs(box, end)
    return wireguard.differs(box, end)


def agreed_s(router: Box, vpn: SiteVpn, link: Link) -> int | None:
    """How long ago the ends agreed on the keys in use; None when they have none."""
    if vpn.tunnel == "ipsec":
        return ipsec.agreed_s(router, link.at_site)
    told = wireguard.observe(router, link.at_site)
    return wireguard.handshake_age_s(told, now_s=int(router.run("date", "+%s")))
