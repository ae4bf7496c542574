"""A site of a private network as somebody wrote it down: held against all that a network's own
plan would never do.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface

from hansa.drivers.connectivity import intent
from hansa.drivers.connectivity.intent import CLASSES, Link, SiteVpn
from hansa.foundation.errors import Refused

ASN_MAX = 4_294_967_295
INSIDE_MAX = {4: 30, 6: 126}
"""The longest prefixes with room for a tunnel's two ends, the network's own address aside."""


def check(vpn: SiteVpn) -> None:
    """Refuses what cannot be made. Raises Refused as `intent.check`, and `gear-intent`."""
    for wrong, field, words in _faults(vpn):
        if wrong:
            raise Refused("gear-intent", f"{field}: {words}.", field=field)
    intent.check(vpn)


def _faults(vpn: SiteVpn) -> Iterator[tuple[bool, str, str]]:
    for name in ("network_asn", "asn"):
        yield _outside(getattr(vpn, name), 1, ASN_MAX, name)
    for name in ("down_kbps", "up_kbps", "bfd_ms"):
        yield _outside(getattr(vpn, name), 1, ASN_MAX, name)
    yield _outside(vpn.hold_s, 3, 65_535, "hold_s")
    for number, address in enumerate(vpn.addresses):
        words = f"{address!r} is no address with its length; write it as 10.60.0.1/24"
        yield not _is_interface(address), f"addresses.{number}", words
    for number, one in enumerate(vpn.classes):
        words = f"{one.name!r} is no class of service; write one of {', '.join(CLASSES)}"
        yield one.name not in CLASSES, f"classes.{number}.name", words
    for number, link in enumerate(vpn.links):
        yield from _faults_of(link, f"links.{number}")


def _faults_of(link: Link, field: str) -> Iterator[tuple[bool, str, str]]:
    for name in ("number", "line"):
        yield _outside(getattr(link, name), 1, 65_535, f"{field}.{name}")
    yield _outside(link.preference, 0, ASN_MAX, f"{field}.preference")
    for name, net in (("inside", link.inside), ("inside6", link.inside6)):
        most = INSIDE_MAX[net.version]
        words = f"{net} has no room for two ends; give it /{most} or more"
        yield net.prefixlen > most, f"{field}.{name}", words
    words = f"{link.at_router} and {link.at_pop} are not of one prefix"
    yield link.at_router.network != link.at_pop.network, f"{field}.at_pop", words


def _outside(value: int, least: int, most: int, field: str) -> tuple[bool, str, str]:
    return not least <= value <= most, field, f"{value} is not from {least} to {most}"


def _is_interface(text: str) -> bool:
    try:
        ip_interface(text)
    except ValueError:
        return False
    return "/" in text
