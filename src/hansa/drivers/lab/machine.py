"""What this machine can deliver for real: each feature of its kernel tried out in namespaces that
are thrown away again, each program looked for. Nothing of the machine's own network is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

from hansa.drivers.lab.box import apart
from hansa.foundation.errors import Refused

PATH = "/usr/sbin:/sbin:/usr/lib/ipsec"
"""Where daemons are installed that are not on everybody's path."""

_PAIR = "ip link add va type veth peer name vb"

FEATURES: Mapping[str, str] = {
    "namespaces": "true",
    "users within (user namespaces)": "unshare --user --map-user=13 --map-group=13 true",
    "cables between them (veth)": _PAIR,
    "bridges": "ip link add br0 type bridge",
    "VXLAN": "ip link add vx type vxlan id 1 remote 10.0.0.1 dstport 4789",
    "TUN": "test -r /dev/net/tun -a -w /dev/net/tun",
    "nftables": "nft add table inet t",
    "queues (nftables)": "nft add table inet t && nft add chain inet t c && "
    "nft add rule inet t c queue num 1",
    "shaping (HTB)": f"{_PAIR} && tc qdisc add dev va root htb",
    "queues for what comes in (ifb)": f"{_PAIR} && ip link add dev q0 type ifb && tc qdisc add dev "
    "va handle ffff: ingress && tc filter add dev va parent ffff: protocol ip u32 match u32 0 0 "
    "action mirred egress redirect dev q0",
    "classes by DSCP (u32)": f"{_PAIR} && tc qdisc add dev va root handle 1: htb && tc filter add "
    "dev va parent 1: protocol ip u32 match ip dsfield 0xb8 0xfc flowid 1:1",
}
"""What a kernel has to have, and the command that needs it."""

PACKAGES: Mapping[str, str] = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "tc": "iproute2",
    "sysctl": "procps",
    "ping": "iputils-ping",
    "ethtool": "ethtool",
    "nft": "nftables",
    "wireguard-go": "wireguard-go",
    "charon": "strongswan-charon libcharon-extra-plugins libstrongswan-standard-plugins",
    "swanctl": "strongswan-swanctl",
    "bird": "bird2",
    "iperf3": "iperf3",
    "irtt": "irtt",
    "curl": "curl",
    "dig": "bind9-dnsutils",
    "unbound": "unbound",
    "squid": "squid-openssl",
    "suricata": "suricata/bookworm-backports",
    "kamailio": "kamailio kamailio-tls-modules kamailio-json-modules kamailio-secsipid-modules",
    "rtpengine": "rtpengine-daemon",
    "sipp": "sip-tester",
    "freeradius": "freeradius freeradius-postgresql",
    "kea-dhcp4": "kea-dhcp4-server",
    "udhcpc": "udhcpc",
    "netconfd": "netconfd",
    "sshd": "openssh-server",
    "yanglint": "libyang2-tools",
}
"""Programs, and the packages of Debian 12 that bring them, as apt-get is told them."""

_GROUND = ("namespaces", "cables between them (veth)")
_TOOLS = ("unshare", "nsenter", "ip", "sysctl", "ping")

NEEDS: Mapping[str, tuple[str, ...]] = {
    "ground": (*_GROUND, *_TOOLS),
    "connectivity": (
        *(*_GROUND, "bridges", "VXLAN", "TUN", "nftables", "shaping (HTB)"),
        "classes by DSCP (u32)",
        *(*_TOOLS, "tc", "ethtool", "nft", "wireguard-go", "bird", "iperf3", "irtt"),
    ),
    "ipsec": (*_GROUND, "TUN", *_TOOLS, "charon", "swanctl"),
    "security": (
        *(*_GROUND, "users within (user namespaces)", "nftables"),
        *(*_TOOLS, "nft", "unbound", "squid", "curl", "dig"),
    ),
    "ids": (*_GROUND, *_TOOLS, "suricata"),
    "ips": (*_GROUND, "queues (nftables)", *_TOOLS, "suricata"),
    "voice": (*_GROUND, *_TOOLS, "kamailio", "rtpengine", "sipp"),
    "broadband": (
        *(*_GROUND, "nftables", "shaping (HTB)", "queues for what comes in (ifb)"),
        *("users within (user namespaces)", *_TOOLS, "tc", "nft"),
        *("freeradius", "kea-dhcp4", "udhcpc", "iperf3"),
    ),
    "gear": (*_GROUND, *_TOOLS, "netconfd", "sshd"),
    "models": ("yanglint",),
}
"""What has to be there to deliver a family, or a part of one, for real; models: to hold what
equipment is told against them.
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """features, programs: each with whether it is there."""

    features: Mapping[str, bool]
    programs: Mapping[str, bool]

    def lacks(self, *parts: str) -> Sequence[str]:
        """What is missing for these parts of NEEDS, in their order; empty when they can be."""
        there = {**self.features, **self.programs}
        needs = dict.fromkeys(need for part in parts for need in NEEDS[part])
        return [need for need in needs if not there[need]]

    def why_not(self, *parts: str) -> str | None:
        """Why these parts cannot be delivered here, in one sentence; None when they can."""
        lacks = self.lacks(*parts)
        if not lacks:
            return None
        kernel = [one for one in lacks if one in FEATURES]
        programs = [one for one in lacks if one in PACKAGES]
        words = [
            *([f"this kernel, or these rights, do not give {', '.join(kernel)}"] if kernel else []),
            *([f"not installed: {', '.join(programs)}"] if programs else []),
        ]
        return "; ".join(words)

    def remedy(self, *parts: str) -> str:
        """The command that installs what is missing for these parts; empty when nothing is."""
        packages = {
            package
            for program in self.lacks(*parts)
            if program in PACKAGES
            for package in PACKAGES[program].split()
        }
        if not packages:
            return ""
        return f"apt-get install --no-install-recommends {' '.join(sorted(packages))}"


@lru_cache(maxsize=1)
def machine() -> Machine:
    """This machine, as it is when it is first asked about."""
    with ThreadPoolExecutor(4) as pool:
        features = dict(zip(FEATURES, pool.map(_works, FEATURES.values()), strict=True))
    return Machine(features, {name: find(name) is not None for name in PACKAGES})


def find(program: str) -> str | None:
    """Where a program is installed."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{PATH}")


def _works(command: str) -> bool:
    try:
        done = subprocess.run(
            [*apart(), "sh", "-c", command], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired, Refused):
        return False
    return done.returncode == 0


def all_packages() -> Sequence[str]:
    """Every package that one of NEEDS needs, by name; `.ci/run` installs them."""
    programs = {need for needs in NEEDS.values() for need in needs if need in PACKAGES}
    return sorted({package for one in programs for package in PACKAGES[one].split()})
