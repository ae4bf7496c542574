"""A site of a private network as equipment is told of it: the same facts, in every form that some
make wants (a mask, a length, kilobits, bits), and under the names that the make gives things.

These are the only words that a make's texts may use; see template.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_interface

from hansa.drivers.connectivity.intent import Link, Prefix, SiteVpn
from hansa.foundation.errors import Refused

BFD_TIMES = 3
"""So many intervals of silence and a line is down (connectivity.intent)."""

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
"""What may stand in a device's configuration as it is: no space, no end of a line, no mark-up."""


@dataclass(frozen=True, slots=True)
class Address:
    """Of the router towards its site. first: of its version. mask: of version 4 alone."""

    address: str
    length: int
    mask: str
    first: bool


@dataclass(frozen=True, slots=True)
class Net:
    """A prefix that the site announces. number: from 1 in its version."""

    number: int
    prefix: str
    address: str
    length: int
    mask: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line with the tunnel over it. wan, tunnel: its interfaces in the make's words.

    address, gateway: of the line. own, peer: within the tunnel. key: a reference.
    """

    number: int
    order: int
    wan: str
    tunnel: str
    address: str
    length: int
    mask: str
    gateway: str
    own: str
    peer: str
    inside_length: int
    inside_mask: str
    own6: str
    peer6: str
    inside6_length: int
    preference: int
    key: str


@dataclass(frozen=True, slots=True)
class Class:
    """A class of service. order: from 1. bps: what it is guaranteed. strict: served first."""

    order: int
    name: str
    dscp: int
    share: int
    bps: int
    strict: bool


@dataclass(frozen=True, slots=True)
class Site:
    """All of it. label: short, for names of its own on the device, where ids are too long.
    public: where tunnels lead. lan: the interface towards the site.

    router_id: its BGP identifier. rest_share, rest_bps: what classes leave to best effort.
    """

    service: str
    label: str
    network: str
    lan: str
    public: str
    router_id: str
    asn: int
    network_asn: int
    tunnel: str
    down_bps: int
    down_kbps: int
    up_bps: int
    up_kbps: int
    rest_order: int
    rest_share: int
    rest_bps: int
    bfd_ms: int
    bfd_us: int
    bfd_times: int
    hold_s: int
    keepalive_s: int
    addresses4: tuple[Address, ...]
    addresses6: tuple[Address, ...]
    prefixes4: tuple[Net, ...]
    prefixes6: tuple[Net, ...]
    lines: tuple[Line, ...]
    classes: tuple[Class, ...]


def site(
    vpn: SiteVpn, *, wan: Callable[[int], str], lan: str, tunnel: Callable[[int], str]
) -> Site:
    """The facts of an intent. wan, tunnel: what a make calls the interface of a line's number.

    Raises Refused `gear-name` for a name that no device could be told safely.
    """
    for field, name in (
        ("service", vpn.service),
        ("network", vpn.network),
        *(("links.router_key", link.router_key) for link in vpn.links),
    ):
        if not PLAIN.fullmatch(name):
            raise Refused(
                "gear-name",
                f"{name!r} cannot stand in a device's configuration: letters, digits, `_`, `.` and "
                "`-` can, 100 at most.",
                field=field,
            )
    rest = 100 - sum(one.share for one in vpn.classes)
    return Site(
        service=vpn.service,
        label=f"hansa-{hashlib.sha256(vpn.service.encode()).hexdigest()[:8]}",
        network=vpn.network,
        lan=lan,
        public=str(vpn.public),
        router_id=str(vpn.links[0].at_router.ip),
        asn=vpn.asn,
        network_asn=vpn.network_asn,
        tunnel=vpn.tunnel,
        down_bps=vpn.down_kbps * 1000,
        down_kbps=vpn.down_kbps,
        up_bps=vpn.up_kbps * 1000,
        up_kbps=vpn.up_kbps,
        rest_order=len(vpn.classes) + 1,
        rest_share=rest,
        rest_bps=vpn.up_kbps * rest * 10,
        bfd_ms=vpn.bfd_ms,
        bfd_us=vpn.bfd_ms * 1000,
        bfd_times=BFD_TIMES,
        hold_s=vpn.hold_s,
        keepalive_s=max(1, vpn.hold_s // 3),
        addresses4=_addresses(vpn.addresses, 4),
        addresses6=_addresses(vpn.addresses, 6),
        prefixes4=_nets(vpn.prefixes, 4),
        prefixes6=_nets(vpn.prefixes, 6),
        lines=tuple(
            _line(order, one, wan(one.line), tunnel(one.number))
            for order, one in enumerate(vpn.links, 1)
        ),
        classes=tuple(
            Class(order, one.name, one.dscp, one.share, vpn.up_kbps * one.share * 10, order == 1)
            for order, one in enumerate(sorted(vpn.classes, key=lambda one: -one.dscp), 1)
        ),
    )


def _addresses(texts: Sequence[str], version: int) -> tuple[Address, ...]:
    found = [one for one in map(ip_interface, texts) if one.version == version]
    return tuple(
        Address(str(one.ip), one.network.prefixlen, _mask(one.network), number == 0)
        for number, one in enumerate(found)
    )


def _nets(prefixes: Sequence[Prefix], version: int) -> tuple[Net, ...]:
    found = [one for one in prefixes if one.version == version]
    return tuple(
        Net(number, str(one), str(one.network_address), one.prefixlen, _mask(one))
        for number, one in enumerate(found, 1)
    )


def _mask(prefix: Prefix) -> str:
    return str(prefix.netmask) if prefix.version == 4 else ""


def _line(order: int, link: Link, wan: str, tunnel: str) -> Line:
    return Line(
        number=link.number,
        order=order,
        wan=wan,
        tunnel=tunnel,
        address=str(link.at_router.ip),
        length=link.at_router.network.prefixlen,
        mask=str(link.at_router.netmask),
        gateway=str(link.at_pop.ip),
        own=str(link.inside[2]),
        peer=str(link.inside[1]),
        inside_length=link.inside.prefixlen,
        inside_mask=str(link.inside.netmask),
        own6=str(link.inside6[2]),
        peer6=str(link.inside6[1]),
        inside6_length=link.inside6.prefixlen,
        preference=link.preference,
        key=link.router_key,
    )
