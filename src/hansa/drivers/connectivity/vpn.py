"""A site of a private network, brought about on its devices: tunnels at both ends, the speed sold
on each, and the routes between them.

Every step looks at the device first and changes what differs, so a run that was cut off is ended
by the next one, and a run that finds all in order does nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from hansa.drivers.connectivity import interfaces, routing, shaper, tunnels
from hansa.drivers.connectivity.intent import Link, Prefix, SiteVpn
from hansa.drivers.connectivity.keys import Keys
from hansa.drivers.connectivity.shaper import Shape
from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box, Lab
from hansa.foundation.errors import TryLater

LAN = "lan"
LO_MTU = 65_536
LAST = 4_278_198_272
UP_S = 20.0
PAUSE_S = 0.05


def apply(
    lab: Lab, vpn: SiteVpn, keys: Keys, *, serves: Sequence[Prefix], own: Sequence[str]
) -> list[Change]:
    """Has the site be as it should, checked before; what was changed for it. serves: what every
    site of the network is told of. own: the network's own addresses. Its boxes are there.

    Raises TryLater `line-missing`.
    """
    router, network = Box(lab, vpn.router), Box(lab, vpn.network)
    changes = interfaces.settle(router, LAN, addresses=vpn.addresses, mtu=1500)
    for link in vpn.links:
        changes += _apply_way(router, vpn, link)
        changes += tunnels.apply(network, tunnels.at_network(vpn, link, keys))
    changes += interfaces.settle(network, "lo", addresses=own, mtu=LO_MTU, keep=True)
    changes += routing.apply_network(network, vpn, serves)  # it waits a second before it calls
    for link in vpn.links:
        changes += tunnels.apply(router, tunnels.at_router(vpn, link, keys))
        changes += shaper.apply(network, link.at_network, shape(vpn, vpn.down_kbps))
        changes += shaper.apply(router, link.at_site, shape(vpn, vpn.up_kbps))
    return changes + routing.apply_router(router, vpn)


def shape(vpn: SiteVpn, kbps: int) -> Shape:
    """What a tunnel of the site lets out."""
    return Shape(kbps, vpn.classes, tunnels.KINDS[vpn.tunnel].overhead)


def _apply_way(router: Box, vpn: SiteVpn, link: Link) -> list[Change]:
    """A tunnel's own packets go over its own line and over no other, least of all a tunnel."""
    mark = tunnels.mark(link)
    if not router.try_run("ip", "link", "show", "dev", link.wan).ok:
        raise TryLater(
            "line-missing",
            f"Line {link.line} is not at the site yet: have it delivered first.",
            field="lines",
        )
    changes, batch = [], []
    wanted = {**tunnels.selector(vpn, link), "table": str(mark)}
    rules = [
        one for one in interfaces.told(router, "rule", "show") if one["table"] == wanted["table"]
    ]
    if not (len(rules) == 1 and wanted.items() <= rules[0].items()):
        changes.append(Change(f"{router.name} rule {mark}", None, link.wan))
        words = {"src": "from", "dst": "to", "fwmark": "fwmark", "table": "lookup"}
        batch += [f"rule del priority {mark}" for _ in rules]
        telling = " ".join(f"{words[name]} {value}" for name, value in wanted.items())
        batch.append(f"rule add {telling} priority {mark}")
    there = interfaces.told(router, "route", "show", "table", str(mark))
    way = {
        "dst": str(vpn.public),
        "gateway": str(link.at_pop.ip),
        "dev": link.wan,
        "prefsrc": str(link.at_router.ip),
    }
    if not any(way.items() <= one.items() for one in there):
        changes.append(Change(f"{router.name} way to {vpn.public}", None, link.wan))
        batch.append(
            f"route replace {vpn.public} via {link.at_pop.ip} dev {link.wan} "
            f"src {link.at_router.ip} table {mark}"
        )
    if not any(one.get("type") == "unreachable" for one in there):
        changes.append(Change(f"{router.name} way {mark} else", None, "unreachable"))
        batch.append(f"route add unreachable default table {mark} metric {LAST}")
    interfaces.run(router, batch)
    return changes


def remove_link(lab: Lab, vpn: SiteVpn, link: Link) -> None:
    """Takes one tunnel away at both ends; none is no error."""
    router, mark = Box(lab, vpn.router), str(tunnels.mark(link))
    tunnels.remove(router, link.at_site)
    tunnels.remove(Box(lab, vpn.network), link.at_network)
    router.try_run("ip", "rule", "del", "priority", mark)
    router.try_run("ip", "route", "flush", "table", mark)


def remove(lab: Lab, vpn: SiteVpn) -> None:
    """Takes the site out of its network: its routes first, in one step, then the rest of it. The
    network's other sites are left as they are; none is no error.
    """
    routing.remove_site(Box(lab, vpn.network), vpn)
    routing.remove_router(Box(lab, vpn.router))
    for link in vpn.links:
        remove_link(lab, vpn, link)


def is_up(lab: Lab, vpn: SiteVpn) -> bool:
    """Whether every link of the site exchanges routes, as both of its ends see it."""
    return all(
        name in sessions and sessions[name].up
        for box, names in (
            (vpn.router, [link.at_site for link in vpn.links]),
            (vpn.network, [link.at_network for link in vpn.links]),
        )
        for sessions in [routing.sessions(Box(lab, box))]
        for name in names
    )


def some_up(lab: Lab, vpn: SiteVpn) -> bool:
    """Whether one link of the site exchanges routes, as its router sees it."""
    here = routing.sessions(Box(lab, vpn.router))
    return any(link.at_site in here and here[link.at_site].up for link in vpn.links)


def wait_up(lab: Lab, vpn: SiteVpn, *, timeout_s: float = UP_S) -> None:
    """Until the site is up. Raises TryLater `device-failed`."""

    def so() -> bool:
        up = is_up(lab, vpn)
        if not up:
            time.sleep(PAUSE_S)
        return up

    router = Box(lab, vpn.router)
    router.wait(so, what=f"the way to {vpn.network}", timeout_s=timeout_s)


def faults(lab: Lab, vpn: SiteVpn, keys: Keys) -> list[str]:
    """What of the site is not as it was made, in words; empty when all is well. A line that is
    cut is no fault of the site's: its tunnel is there and waits.
    """
    daemons = lab.boxes()
    found = [
        f"{routing.DAEMON} in {box} does not run"
        for box in (vpn.router, vpn.network)
        if not daemons.get(box, {}).get(routing.DAEMON)
    ]
    for link in vpn.links:
        for box, end in (
            (vpn.router, tunnels.at_router(vpn, link, keys)),
            (vpn.network, tunnels.at_network(vpn, link, keys)),
        ):
            if not daemons.get(box, {}).get(tunnels.daemon(end)):
                found.append(f"{tunnels.daemon(end)} in {box} does not run")
            elif tunnels.differs(Box(lab, box), end):
                found.append(f"{end.interface} in {box} is not as intended")
    if found:
        return found
    return [
        *routing.faults(Box(lab, vpn.router), routing.render_router(vpn)),
        *routing.faults(Box(lab, vpn.network), routing.render_site(vpn)),
    ]
