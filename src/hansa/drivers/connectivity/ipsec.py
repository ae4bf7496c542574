"""A tunnel's end by IPsec (IKEv2, RFC 7296) for what WireGuard is not: strongSwan's charon, one in
each box, with ESP in its own process (kernel-libipsec), driven by swanctl over its vici socket.

The two ends agree on keys for a pair of addresses of their own; between these runs VXLAN, so that
routes can choose among tunnels as among those of WireGuard.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from hansa.drivers.connectivity import interfaces
from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box
from hansa.drivers.lab.machine import find

DAEMON = "charon"
FOLDER, CONFIG, SETTINGS, CONTROL = "ipsec", "swanctl.conf", "strongswan.conf", "vici"
MTU = 1330
OVERHEAD = 116
"""What a packet in VXLAN grows by on the line: 36 of VXLAN, UDP and IP, 37 of ESP, 28 of UDP and
IP, 14 of Ethernet, all at most.
"""

KEYS_MAX_S = 3_960
"""When charon, left to itself, gives up keys that were not agreed on anew: an hour and a tenth."""

LO_MTU = 65_536
VXLAN_PORT = 4789
PLUGINS = (
    "random nonce openssl gcm aes sha2 hmac kdf curve25519 "
    "kernel-libipsec kernel-netlink socket-default vici updown"
)
MARK = "@mark@"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a tunnel. interface, other: names of the two ends. address, other_address: of the
    line. inner, other_inner: between which VXLAN runs. secret: both know it, in hex. calls: begins.
    """

    interface: str
    other: str
    number: int
    address: str
    other_address: str
    inner: IPv4Address
    other_inner: IPv4Address
    secret: str
    calls: bool
    addresses: tuple[str, ...]


def render_settings(control: str) -> str:
    """What charon is started with. control: the path of its socket."""
    return (
        "charon {\n"
        f"  load = {PLUGINS}\n"
        "  retransmit_timeout = 1.0\n"
        "  retransmit_base = 1.4\n"
        "  retry_initiate_interval = 2\n"
        "  filelog { stderr { default = 0 } }\n"
        "  plugins {\n"
        "    kernel-libipsec { allow_peer_ts = yes }\n"
        f"    vici {{ socket = unix://{control} }}\n"
        "  }\n"
        "}\n"
    )


def render(end: End) -> str:
    """One connection, for swanctl. A name bears the mark of what it was made of."""
    begins = "start" if end.calls else "none"
    text = (
        "connections {\n"
        f"  {end.interface}-{MARK} {{\n"
        "    version = 2\n"
        "    mobike = no\n"
        "    unique = replace\n"
        "    dpd_delay = 2s\n"
        "    keyingtries = 0\n"
        f"    local_addrs = {end.address}\n"
        f"    remote_addrs = {end.other_address}\n"
        "    proposals = aes128gcm16-prfsha256-x25519\n"
        f"    local {{\n      auth = psk\n      id = {end.interface}\n    }}\n"
        f"    remote {{\n      auth = psk\n      id = {end.other}\n    }}\n"
        "    children {\n"
        f"      {end.interface} {{\n"
        f"        local_ts = {end.inner}/32\n"
        f"        remote_ts = {end.other_inner}/32\n"
        "        esp_proposals = aes128gcm16-x25519\n"
        f"        start_action = {begins}\n"
        f"        close_action = {begins}\n"
        f"        dpd_action = {'restart' if end.calls else 'clear'}\n"
        "      }\n"
        "    }\n"
        "  }\n"
        "}\n"
        "secrets {\n"
        f"  ike-{end.interface} {{\n"
        f"    id-1 = {end.interface}\n"
        f"    id-2 = {end.other}\n"
        f"    secret = 0x{end.secret}\n"
        "  }\n"
        "}\n"
    )
    return text.replace(MARK, hashlib.sha256(text.encode()).hexdigest()[:16])


def name(end: End) -> str:
    """The connection's name, with its mark."""
    found = re.search(rf"{end.interface}-\w+", render(end))
    assert found is not None
    return found[0]


def apply(box: Box, end: End) -> list[Change]:
    """Has this end be as it should; what was changed for it."""
    changes = []
    box.write(SETTINGS, render_settings(box.path(CONTROL)))
    if box.start(
        DAEMON,
        find(DAEMON) or DAEMON,
        ready=lambda: _try(box, "--stats"),
        env={"STRONGSWAN_CONF": box.path(SETTINGS)},
        private=True,
    ):
        changes.append(Change(f"{box.name} {DAEMON}", "not running", "running"))
    changes += interfaces.settle(box, "lo", addresses=[f"{end.inner}/32"], mtu=LO_MTU, keep=True)
    changes += _connection(box, end)
    changes += _inner(box, end)
    return changes + interfaces.settle(box, end.interface, addresses=end.addresses, mtu=MTU)


def _connection(box: Box, end: End) -> list[Change]:
    box.write(CONFIG, f"include {FOLDER}/*.conf\n")
    box.write(f"{FOLDER}/{end.interface}.conf", render(end))
    there, wanted = connections(box, end.interface), name(end)
    if wanted in there and len(there) == 1:
        return []
    _say(box, "--load-all", "--noprompt", "--file", box.path(CONFIG))
    for other in there:
        if other != wanted:
            _try(box, "--terminate", "--ike", other, "--force", "--timeout", "1")
    return [Change(f"{box.name} {end.interface}", " ".join(there) or None, wanted)]


def _inner(box: Box, end: End) -> list[Change]:
    told = interfaces.link(box, end.interface)
    data = (told or {}).get("linkinfo", {}).get("info_data", {})
    wanted = (end.number, str(end.inner), str(end.other_inner))
    if (data.get("id"), data.get("local"), data.get("remote")) == wanted:
        return []
    batch = [f"link del {end.interface}"] if told else []
    batch.append(
        f"link add {end.interface} mtu {MTU} type vxlan id {end.number} local {end.inner} "
        f"remote {end.other_inner} dstport {VXLAN_PORT}"
    )
    interfaces.run(box, batch)
    return [Change(f"{box.name} {end.interface} within", None, "as intended")]


def differs(box: Box, end: End) -> bool:
    """Whether this end is other than it should be, as its daemon says."""
    return list(connections(box, end.interface)) != [name(end)]


def remove(box: Box, interface: str) -> None:
    """Takes one end away; the daemon ends with the last. None is no error."""
    if box.read(f"{FOLDER}/{interface}.conf") is None:
        return
    box.try_run("ip", "link", "del", interface)
    there = connections(box, interface)
    box.remove(f"{FOLDER}/{interface}.conf")
    if not box.run("ls", box.path(FOLDER)).split():
        box.stop(DAEMON)
        return
    _say(box, "--load-all", "--noprompt", "--file", box.path(CONFIG))
    for one in there:
        _try(box, "--terminate", "--ike", one, "--force", "--timeout", "1")


def connections(box: Box, interface: str) -> Sequence[str]:
    """The names, with their marks, of what the daemon has for a tunnel."""
    told = box.try_run("swanctl", "--list-conns", *_at(box))
    return re.findall(rf"^({interface}-\w+):", told.out, re.MULTILINE)


def agreed_s(box: Box, interface: str) -> int | None:
    """How long ago the two ends agreed on keys that are in use; None when they have none."""
    told = box.try_run("swanctl", "--list-sas", *_at(box)).out
    found = re.search(
        rf"^  {interface}: .*INSTALLED.*?\n +installed (\d+)s ago", told, re.MULTILINE | re.DOTALL
    )
    return None if found is None else int(found[1])


def _say(box: Box, *what: str) -> None:
    box.run("swanctl", *what, *_at(box))


def _try(box: Box, *what: str) -> bool:
    return box.try_run("swanctl", *what, *_at(box)).ok


def _at(box: Box) -> tuple[str, ...]:
    return ("--uri", f"unix://{box.path(CONTROL)}")
