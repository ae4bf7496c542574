"""A tunnel's end by WireGuard: wireguard-go, driven over its own socket in the words of the
cross-platform interface (wireguard.com/xplatform), which are also how it says what it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hansa.drivers.connectivity import interfaces
from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box
from hansa.foundation.errors import TryLater

MTU = 1420
# One thread at a time: handing each packet from one to another costs more than a second one saves.
ENVIRONMENT = {"LOG_LEVEL": "error", "GOMAXPROCS": "1", "GOMEMLIMIT": "48MiB"}
OVERHEAD = 92
"""What a packet grows by on the line: padding to 16, 32 of WireGuard, 28 of UDP and IP, 14 of
Ethernet, all at most.
"""

KEEPALIVE_S = 5
HANDSHAKE_MAX_S = 180
"""Older than this, a handshake is good for nothing (REJECT_AFTER_TIME)."""

SOCKETS = "/run/wireguard"
SECRET = frozenset({"private_key"})


@dataclass(frozen=True, slots=True)
class End:
    """One end of a tunnel. private, public: our key and the other end's, in hex. mark: the one
    that its own packets bear, 0 for none. addresses: with their lengths.
    """

    interface: str
    port: int
    mark: int
    private: str
    public: str
    endpoint: str
    addresses: tuple[str, ...]


def render(end: End) -> str:
    """The whole end, for its socket. Its peer may send everything: routes decide what it gets."""
    return "\n".join(
        (
            "set=1",
            f"private_key={end.private}",
            f"listen_port={end.port}",
            f"fwmark={end.mark}",
            "replace_peers=true",
            f"public_key={end.public}",
            f"endpoint={end.endpoint}",
            f"persistent_keepalive_interval={KEEPALIVE_S}",
            "replace_allowed_ips=true",
            "allowed_ip=0.0.0.0/0",
            "allowed_ip=::/0",
            "\n",
        )
    )


def apply(box: Box, end: End) -> list[Change]:
    """Has this end be as it should; what was changed for it."""
    changes = []
    if box.start(
        end.interface,
        *("wireguard-go", "-f", end.interface),
        ready=lambda: _ask(box, end.interface, "get=1\n\n") is not None,
        env=ENVIRONMENT,
    ):
        changes.append(Change(f"{box.name} {end.interface}", "not running", "running"))
    there = observe(box, end.interface)
    differ = _differ(end, there)
    if differ:
        told = _ask(box, end.interface, render(end))
        if told is None or ("errno", "0") not in told:
            raise TryLater("device-failed", f"{end.interface} in {box.name} said {told}.")
        changes += [
            Change(
                f"{box.name} {end.interface} {name}",
                "another" if name in SECRET else there.get(name),
                "its own" if name in SECRET else _wanted(end)[name],
            )
            for name in differ
        ]
    return changes + interfaces.settle(box, end.interface, addresses=end.addresses, mtu=MTU)


def differs(box: Box, end: End) -> bool:
    """Whether this end is other than it should be, as its daemon says."""
    return bool(_differ(end, observe(box, end.interface)))


def _differ(end: End, there: Mapping[str, str]) -> Sequence[str]:
    return [name for name, value in _wanted(end).items() if there.get(name) != value]


def remove(box: Box, interface: str) -> None:
    """Ends the tunnel's daemon; its interface, addresses, routes and shaper go with it."""
    box.stop(interface)


def observe(box: Box, interface: str) -> Mapping[str, str]:
    """What the daemon says of itself and of its peer; empty when it does not answer."""
    told = _ask(box, interface, "get=1\n\n") or ()
    found: dict[str, str] = {}
    for name, value in told:
        found[name] = f"{found[name]} {value}" if name in found else value
    return found


def handshake_age_s(told: Mapping[str, str], *, now_s: int) -> int | None:
    """How long ago the two ends agreed on a key; None when they never did."""
    at = int(told.get("last_handshake_time_sec", "0"))
    return max(0, now_s - at) if at else None


def _wanted(end: End) -> Mapping[str, str]:
    return {
        "private_key": end.private,
        "listen_port": str(end.port),
        **({"fwmark": str(end.mark)} if end.mark else {}),
        "public_key": end.public,
        "endpoint": end.endpoint,
        "persistent_keepalive_interval": str(KEEPALIVE_S),
        "allowed_ip": "0.0.0.0/0 ::/0",
    }


def _ask(box: Box, interface: str, text: str) -> Sequence[tuple[str, str]] | None:
    answer = box.talk(f"{SOCKETS}/{interface}.sock", text)
    if answer is None:
        return None
    pairs = [line.partition("=") for line in answer.splitlines()]
    return [(name, value) for name, sign, value in pairs if sign]
