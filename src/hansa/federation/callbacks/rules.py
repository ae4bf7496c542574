"""What a callback may be, and which addresses are nobody's business."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from urllib.parse import SplitResult, urlsplit, urlunsplit

from hansa.federation.callbacks.model import Place
from hansa.foundation.errors import Refused

URL_MAX = 2000

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_-]{1,63})*")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def split(callback: str, *, plain: bool) -> SplitResult:
    """The parts of a callback. Raises Refused `callback-refused` for what is none.

    plain: http is taken beside https.
    """
    schemes = ("https", "http") if plain else ("https",)
    try:
        parts = urlsplit(callback)
        sound = parts.scheme in schemes and parts.port != 0 and bool(host_of(parts.hostname or ""))
    except ValueError:
        sound = False
    if (
        not sound
        or len(callback) > URL_MAX
        or not (callback.isascii() and callback.isprintable())
        or "@" in parts.netloc
        or "\\" in callback
        or " " in callback
        or parts.fragment
    ):
        raise refused(
            f"a callback is an address of {' or '.join(schemes)}, without a name or password"
        )
    return parts


def host_of(text: str) -> str:
    """A host as we compare it: a name in lower case, or an address in its shortest form.

    Raises ValueError for what is neither.
    """
    text = text.strip().lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        last = text.rpartition(".")[2]
        if not _HOST.fullmatch(text) or last.isdigit() or last.startswith("0x"):
            raise  # a number in another writing is an address to some and a name to others
        return text


def check_registered(host: str, registered: Collection[str]) -> None:
    """Raises Refused `callback-refused` for a host that its receiver has not registered."""
    if host not in registered:
        raise refused(f"{host} is none of the hosts that you have registered with this operator")


def is_public(address: str) -> bool:
    """Whether an address is one of the internet at large, whatever it is wrapped in."""
    return all(one.is_global and not one.is_multicast for one in _unwrapped(address))


def _unwrapped(address: str) -> Sequence[Address]:
    """An address and those inside of it: a packet to the one may end at the other."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return [found]
    if found.ipv4_mapped is not None:
        return [found.ipv4_mapped]
    inner: list[Address] = [found, *(found.teredo or ())]
    if found.sixtofour is not None:
        inner.append(found.sixtofour)
    if found in _NAT64 or int(found) >> 32 == 0:
        inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    return inner


def place(parts: SplitResult, addresses: Sequence[str], *, private: bool) -> Place:
    """Where a notice goes whose host has these addresses.

    Every one of them has to be allowed, since who names the host may turn it to any of them.
    private: addresses of this machine and of private networks are allowed too. Raises Refused
    `callback-refused`.
    """
    inside = [address for address in addresses if not is_public(address)]
    if inside and not private:
        raise refused("its host is at an address that is not of the public internet")
    tls = parts.scheme == "https"
    address = addresses[0].partition("%")[0]
    literal = f"[{address}]" if ":" in address else address
    port = parts.port or (443 if tls else 80)
    return Place(
        url=urlunsplit((parts.scheme, f"{literal}:{port}", parts.path or "/", parts.query, "")),
        address=address,
        host=parts.hostname or "",
        authority=parts.netloc,
        tls=tls,
    )


def refused(why: str) -> Refused:
    return Refused(
        "callback-refused", f"No notice is sent there: {why}. Give another.", field="callback"
    )
