"""Routes between sites by BGP (RFC 4271), and quick news of a dead line by BFD (RFC 5880): BIRD at
every router, and one for each network at the point of presence, with a file for each site.

What a site may announce is exactly its own prefixes. What a daemon runs is known by its marks:
descriptions that bear the fingerprint of the text it was given.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from hansa.drivers.connectivity.intent import Link, Prefix, SiteVpn
from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box
from hansa.foundation.errors import TryLater

DAEMON = "bird"
CONFIG, CONTROL, SITES, DRAFTS = "bird.conf", "bird.ctl", "sites", "drafts"
BFD_TIMES = 3
MARK = "@mark@"
"""Where a text's own fingerprint goes."""


@dataclass(frozen=True, slots=True)
class Session:
    """A protocol as its daemon has it. state: `up`, `start` or `down`. info: of BGP, where it
    stands. mark: of the text that it runs.
    """

    state: str
    info: str
    mark: str

    @property
    def up(self) -> bool:
        return self.state == "up" and self.info in {"", "Established"}


# --- texts ----------------------------------------------------------------------------------------


def render_router(vpn: SiteVpn) -> str:
    """The whole configuration of a site's router."""
    head = _head(str(vpn.links[0].at_router.ip), vpn.prefixes)
    return _marked(head + "".join(_at_router(vpn, link) for link in vpn.links))


def render_network(vpn: SiteVpn, serves: Sequence[Prefix]) -> str:
    """What the network's own daemon has before the first site. serves: what all sites are told
    of besides each other's prefixes.
    """
    return _marked(f'{_head(str(vpn.public), serves)}include "{SITES}/*.conf";\n')


def render_site(vpn: SiteVpn) -> str:
    """What the network's daemon has for one site."""
    return _marked("".join(_at_network(vpn, link) for link in vpn.links))


def _head(router_id: str, prefixes: Sequence[Prefix]) -> str:
    lines = [
        "log stderr all;",
        f"router id {router_id};",
        "protocol device { scan time 10; }",
        "protocol bfd { }",
    ]
    for kind, own in zip(("ipv4", "ipv6"), _by_kind(prefixes), strict=True):
        routes = "".join(f"  route {one} unreachable;\n" for one in own)
        lines += [
            f"protocol kernel kernel_{kind} {{",
            f"  {kind} {{ import none; export where source = RTS_BGP; }};",
            "}",
            f"protocol static own_{kind} {{",
            f'  description "{MARK}";',
            f"  {kind};",
            f"{routes}}}",
        ]
    return "\n".join(lines) + "\n"


def _at_router(vpn: SiteVpn, link: Link) -> str:
    return _session(
        vpn,
        link,
        name=link.at_site,
        local=(link.inside[2], link.inside6[2], vpn.asn),
        neighbour=(link.inside[1], vpn.network_asn),
        takes=lambda own: f"net !~ [ {_set(own)} ]" if own else "true",
        gives="source = RTS_STATIC",
    )


def _at_network(vpn: SiteVpn, link: Link) -> str:
    return _session(
        vpn,
        link,
        name=link.at_network,
        local=(link.inside[1], link.inside6[1], vpn.network_asn),
        neighbour=(link.inside[2], vpn.asn),
        takes=lambda own: f"net ~ [ {_set(own)} ]" if own else "false",
        gives="source ~ [ RTS_STATIC, RTS_BGP ]",
    )


def _session(
    vpn: SiteVpn,
    link: Link,
    *,
    name: str,
    local: tuple[IPv4Address, IPv6Address, int],
    neighbour: tuple[IPv4Address, int],
    takes: Callable[[Sequence[Prefix]], str],
    gives: str,
) -> str:
    """takes: which prefixes are believed, given the site's own of one kind."""
    address, address6, asn = local
    hops = ("next hop self", f"next hop address {address6}")
    channels = "".join(
        f"  {kind} {{\n"
        f"    import keep filtered;\n"
        f"    import filter {{\n"
        f"      if {takes(own)} then {{ bgp_local_pref = {link.preference}; accept; }}\n"
        f"      reject;\n"
        f"    }};\n"
        f"    export where {gives};\n"
        f"    {hop};\n"
        f"  }};\n"
        for kind, own, hop in zip(("ipv4", "ipv6"), _by_kind(vpn.prefixes), hops, strict=True)
    )
    return (
        f"protocol bgp {name} {{\n"
        f'  description "{MARK}";\n'
        f"  local {address} as {asn};\n"
        f"  neighbor {neighbour[0]} as {neighbour[1]};\n"
        f"  hold time {vpn.hold_s};\n"
        f"  connect delay time 1;\n"
        f"  connect retry time 1;\n"
        f"  error wait time 1, 4;\n"
        f"  bfd {{ interval {vpn.bfd_ms} ms; multiplier {BFD_TIMES}; }};\n"
        f"{channels}}}\n"
    )


def _by_kind(prefixes: Sequence[Prefix]) -> tuple[Sequence[Prefix], Sequence[Prefix]]:
    fours = [one for one in prefixes if isinstance(one, IPv4Network)]
    return fours, [one for one in prefixes if not isinstance(one, IPv4Network)]


def _set(prefixes: Sequence[Prefix]) -> str:
    return ", ".join(str(one) for one in prefixes)


def _marked(text: str) -> str:
    return text.replace(MARK, hashlib.sha256(text.encode()).hexdigest()[:16])


# --- daemons --------------------------------------------------------------------------------------


def apply_router(box: Box, vpn: SiteVpn) -> list[Change]:
    """Has the router's daemon run its text; what was changed for it."""
    return _apply(box, {CONFIG: render_router(vpn)}, render_router(vpn))


def apply_network(box: Box, vpn: SiteVpn, serves: Sequence[Prefix]) -> list[Change]:
    """Has the network's daemon know this site; those of other sites stay as they are."""
    base, site = render_network(vpn, serves), render_site(vpn)
    files = {f"{SITES}/none.conf": "# Each site has a file here.\n", CONFIG: base}
    return _apply(box, {**files, _file(vpn): site}, base.replace(_INCLUDE, site))


def remove_site(box: Box, vpn: SiteVpn) -> None:
    """Has the network's daemon forget a site: its routes leave at once, with its sessions."""
    box.remove(_file(vpn))
    if sessions(box).keys() & {link.at_network for link in vpn.links}:
        _configure(box)


def remove_router(box: Box) -> None:
    """Ends a router's daemon."""
    box.stop(DAEMON)
    box.remove(CONFIG)


def sessions(box: Box) -> Mapping[str, Session]:
    """Every protocol of a box's daemon, by name; empty when it does not answer."""
    told = box.try_run("birdc", "-s", box.path(CONTROL), "show", "protocols", "all")
    found, name = {}, ""
    for line in told.out.splitlines() if told.ok else ():
        row = _ROW.match(line)
        if row:
            name = row[1]
            found[name] = Session(row[2], (row[3] or "").strip(), "")
        mark = _DESCRIPTION.match(line)
        if mark and name:
            found[name] = Session(found[name].state, found[name].info, mark[1])
    return found


def faults(box: Box, text: str) -> list[str]:
    """What of a text a box's daemon does not run, in words; empty when it runs all of it."""
    there = sessions(box)
    if not there:
        return [f"{DAEMON} in {box.name} does not answer"]
    return [
        f"{name} in {box.name} is {state}"
        for name, mark in _WANTED.findall(text)
        for of in [there.get(name)]
        for state in ["not there" if of is None else "down" if of.state == "down" else "another"]
        if of is None or of.state == "down" or of.mark != mark
    ]


_INCLUDE = f'include "{SITES}/*.conf";\n'
_ROW = re.compile(r"(\w+) +\w+ +\S+ +(up|start|down) +[\d:.-]+(?: [\d:.]+)? *(.*)")
_DESCRIPTION = re.compile(r"  Description: +(\S+)")
_WANTED = re.compile(r'protocol \w+ (\w+) \{\n  description "(\w+)";')


def _file(vpn: SiteVpn) -> str:
    return f"{SITES}/{vpn.links[0].at_network}.conf"


def _apply(box: Box, files: Mapping[str, str], whole: str) -> list[Change]:
    """files: what should lie there. whole: what comes of them, checked before it is believed."""
    draft = f"{DRAFTS}/{hashlib.sha256(whole.encode()).hexdigest()[:16]}.conf"
    changed = [name for name, text in files.items() if box.read(name) != text]
    if changed:
        box.write(draft, whole)
        box.run("bird", "-p", "-c", box.path(draft))
        box.remove(draft)
    changes = []
    for name in changed:
        box.write(name, files[name])
        changes.append(Change(f"{box.name} {name}", None, "as intended"))
    started = box.start(
        DAEMON,
        *("bird", "-f", "-c", box.path(CONFIG), "-s", box.path(CONTROL)),
        ready=lambda: bool(sessions(box)),
    )
    if started:
        return [*changes, Change(f"{box.name} {DAEMON}", "not running", "running")]
    wanted, there = dict(_WANTED.findall(whole)), sessions(box)
    if any(name not in there or there[name].mark != mark for name, mark in wanted.items()):
        _configure(box)
        changes = changes or [Change(f"{box.name} {DAEMON}", "another text", "as intended")]
    for name, mark in wanted.items():
        if name in there and there[name].state == "down" and there[name].mark == mark:
            box.run("birdc", "-s", box.path(CONTROL), "enable", name)
            changes.append(Change(f"{box.name} {name}", "down", "enabled"))
    return changes


def _configure(box: Box) -> None:
    told = box.run("birdc", "-s", box.path(CONTROL), "configure")
    if "Reconfigur" not in told:
        raise TryLater("device-failed", f"BIRD in {box.name} did not take its text: {told}")
