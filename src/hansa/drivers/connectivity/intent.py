"""What connectivity should be, in full and in plain values, and what of it is refused.

`Access` is one line of an access operator, `SiteVpn` one site of a private network over one or
two lines. Secrets stand here by reference only: a name that the driver's folder knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Network, ip_network
from itertools import combinations

from hansa.foundation.errors import Refused

Prefix = IPv4Network | IPv6Network

CLASSES: Mapping[str, int] = {"ef": 46, "af31": 26, "af21": 18}
"""Classes of service besides best effort, and the DSCP that marks each (RFC 4594)."""

TUNNELS = ("wireguard", "ipsec")
SHARE_MAX = 90
"""Percent of a line that classes may have guaranteed together; the rest is best effort's."""

LINES_MAX = 2

RESERVED: Sequence[Prefix] = tuple(
    ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.50.0.0/24", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        *("::/8", "fd50::/48", "fd51::/32", "fe80::/10", "ff00::/8"),
    )
)
"""What a site may not announce: it would draw tunnels, their ends, their management, or what
the network serves, into itself. Among them every default route.
"""


@dataclass(frozen=True, slots=True)
class ClassOfService:
    """name: of CLASSES. share: the percent of the speed that it is guaranteed."""

    name: str
    share: int

    @property
    def dscp(self) -> int:
        return CLASSES[self.name]


@dataclass(frozen=True, slots=True)
class Access:
    """One line, handed over from the access operator to the point of presence by VXLAN.

    down_kbps, up_kbps: the speed committed, seen from the site. router, operator: whose boxes.
    wan, port: the line's two ends. operator_address, pop_address: between which it is handed
    over. at_router, at_pop: the line's addresses.
    """

    service: str
    number: int
    vni: int
    router: str
    operator: str
    wan: str
    port: str
    tunnel: str
    operator_address: IPv4Address
    pop_address: IPv4Address
    at_router: IPv4Interface
    at_pop: IPv4Interface
    down_kbps: int
    up_kbps: int


@dataclass(frozen=True, slots=True)
class Link:
    """One tunnel of a site, over one line.

    number: one of its kind in the whole network. line_kbps: what the line is good for, None
    when another operator keeps that to itself. inside, inside6: between the tunnel's ends, the
    network's first. preference: the higher is used. router_key, network_key: references.
    """

    number: int
    line: int
    wan: str
    line_kbps: int | None
    at_router: IPv4Interface
    at_pop: IPv4Interface
    inside: IPv4Network
    inside6: IPv6Network
    preference: int
    router_key: str
    network_key: str

    @property
    def port(self) -> int:
        """Of UDP, at both ends."""
        return 20000 + self.number

    @property
    def at_site(self) -> str:
        """The tunnel's interface at the router."""
        return f"t{self.number}r"

    @property
    def at_network(self) -> str:
        """The tunnel's interface at the point of presence."""
        return f"t{self.number}n"


@dataclass(frozen=True, slots=True)
class SiteVpn:
    """One site of a customer's private network.

    router, network: the boxes at its two ends. public: where tunnels lead. prefixes: what is
    behind the router. addresses: the router's towards its site, with their lengths. bfd_ms: three
    such intervals of silence and a link is down.
    """

    service: str
    router: str
    network: str
    public: IPv4Address
    network_asn: int
    asn: int
    prefixes: tuple[Prefix, ...]
    addresses: tuple[str, ...]
    down_kbps: int
    up_kbps: int
    classes: tuple[ClassOfService, ...]
    links: tuple[Link, ...]
    tunnel: str = "wireguard"
    bfd_ms: int = 100
    hold_s: int = 9


def classes(text: str) -> tuple[ClassOfService, ...]:
    """Classes as they are ordered, `ef:20 af31:30`. Raises Refused `class-unknown`."""
    found = []
    for word in text.split():
        name, _, share = word.partition(":")
        if name not in CLASSES or not share.isdecimal():
            raise Refused(
                "class-unknown",
                f"{word!r} is no class of service: write a name of {', '.join(CLASSES)} and the "
                "percent that it is guaranteed, as ef:20.",
                field="classes",
            )
        found.append(ClassOfService(name, int(share)))
    return tuple(found)


def written(asked: Sequence[ClassOfService]) -> str:
    """Classes as they are ordered."""
    return " ".join(f"{one.name}:{one.share}" for one in asked)


def prefixes(text: str) -> tuple[Prefix, ...]:
    """Prefixes as they are ordered, `10.1.0.0/16 fd01::/48`. Raises Refused `prefix-invalid`."""
    try:
        return tuple(ip_network(word) for word in text.split())
    except ValueError as error:
        raise Refused(
            "prefix-invalid",
            f"A prefix cannot be read: {error}. Write it as 10.1.0.0/16 or fd01::/48.",
            field="prefixes",
        ) from None


def check(vpn: SiteVpn, neighbours: Iterable[Sequence[Prefix]] = ()) -> None:
    """Refuses what cannot be made, before anything is touched.

    neighbours: the prefixes of each other site of the same network. Raises Refused
    `class-twice`, `classes-too-large`, `lines-number`, `prefix-overlaps`, `prefix-reserved`,
    `speed-above-line`, `tunnel-unknown`.
    """
    _check_links(vpn)
    _check_classes(vpn.classes)
    _check_prefixes(vpn.prefixes, neighbours)


def check_tunnel(kind: str) -> None:
    """Raises Refused `tunnel-unknown`."""
    if kind not in TUNNELS:
        raise Refused(
            "tunnel-unknown",
            f"There is no tunnel of the kind {kind!r}: choose {' or '.join(TUNNELS)}.",
            field="tunnel",
        )


def _check_links(vpn: SiteVpn) -> None:
    check_tunnel(vpn.tunnel)
    if not 1 <= len(vpn.links) <= LINES_MAX:
        raise Refused(
            "lines-number",
            f"A site is joined by one line or by {LINES_MAX}, not by {len(vpn.links)}.",
            field="lines",
        )
    for link in vpn.links:
        if link.line_kbps is not None and max(vpn.down_kbps, vpn.up_kbps) > link.line_kbps:
            raise Refused(
                "speed-above-line",
                f"The site is to have {max(vpn.down_kbps, vpn.up_kbps)} kbit/s, but line "
                f"{link.line} under it carries {link.line_kbps}: order a faster line first.",
                field="speed_mbps",
            )


def _check_classes(asked: Sequence[ClassOfService]) -> None:
    names = [one.name for one in asked]
    if len(set(names)) < len(names):
        raise Refused(
            "class-twice", "A class of service is named twice: name each once.", field="classes"
        )
    if any(one.share < 1 for one in asked) or sum(one.share for one in asked) > SHARE_MAX:
        raise Refused(
            "classes-too-large",
            f"Classes have 1 percent of the speed each and {SHARE_MAX} together at most: "
            "the rest is for best effort.",
            field="classes",
        )


def _check_prefixes(own: Sequence[Prefix], neighbours: Iterable[Sequence[Prefix]]) -> None:
    for prefix in own:
        within = next((one for one in RESERVED if _overlap(prefix, one)), None)
        if within is not None:
            raise Refused(
                "prefix-reserved",
                f"A site cannot have {prefix}: {within} belongs to the network, and the way to "
                "the site's own router would lead into the site.",
                field="prefixes",
            )
    theirs = [prefix for one in neighbours for prefix in one]
    pairs = [*combinations(own, 2), *((mine, other) for mine in own for other in theirs)]
    for one, other in pairs:
        if _overlap(one, other):
            raise Refused(
                "prefix-overlaps",
                f"{one} and {other} overlap within one private network: give each site prefixes "
                "of its own.",
                field="prefixes",
            )


def _overlap(one: Prefix, other: Prefix) -> bool:
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return one.overlaps(other)
    if isinstance(one, IPv6Network) and isinstance(other, IPv6Network):
        return one.overlaps(other)
    return False
