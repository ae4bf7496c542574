"""Services of connectivity as the lab has them: from what one was made as, to what should be, to
the devices, and back.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hansa.drivers.connectivity import access, intent, interfaces, orders, shaper, vpn
from hansa.drivers.connectivity.intent import LINES_MAX, Access, Prefix, SiteVpn
from hansa.drivers.connectivity.keys import Keys
from hansa.drivers.connectivity.meter import Counters
from hansa.drivers.connectivity.orders import Made
from hansa.drivers.contract import Change
from hansa.drivers.lab import plan, register
from hansa.drivers.lab.box import Box, Lab
from hansa.foundation.errors import Refused, TryLater

FAMILY = "connectivity"
FURNISHED = "furnished"
ALL_UP_S = 5.0
"""How long all links of a site are waited for; after that one is enough to go on."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A service in full: lines of its own, a site of a network, or both."""

    lines: tuple[Access, ...]
    site: SiteVpn | None


def detail(lab: Lab, made: Made, *, carry: Mapping[int, int] | None = None) -> Detail:
    """What should be. carry: by line, the kbit/s of lines that others make, where known."""
    lines: tuple[Access, ...] = ()
    if made.technology != "vpn":
        lines = tuple(orders.access(lab, made, line) for line in made.lines)
    if made.technology == "access":
        return Detail(lines, None)
    return Detail(lines, orders.site_vpn(lab, made, line_kbps=carry or {}))


def _carried(lab: Lab, made: Made, others: Sequence[Made]) -> Iterator[tuple[int, int]]:
    """What each line under a site carries, as its operator's device says."""
    for other in others:
        if other.technology == "access" and other.spot == made.spot:
            for line in other.lines:
                kbps = _slowest(lab, orders.access(lab, other, line))
                if kbps is not None:
                    yield line, kbps


def _slowest(lab: Lab, line: Access) -> int | None:
    operator = Box(lab, line.operator)
    speeds = [shaper.speed(shaper.observe(operator, one)) for one in (line.port, line.tunnel)]
    known = [one for one in speeds if one is not None]
    return min(known) if known else None


# --- who is there ---------------------------------------------------------------------------------


def find(lab: Lab, service: str) -> Made | None:
    """As what a service was made; None when it was not."""
    told = register.get(lab, FAMILY, service)
    return None if told is None else _made(told)


def site_of(lab: Lab, service: str) -> SiteVpn | None:
    """The site of a private network that a service is, in full; None when it is none."""
    made = find(lab, service)
    return None if made is None else detail(lab, made).site


def neighbours(lab: Lab, made: Made) -> Sequence[Made]:
    """The other services of its network, and of its site."""
    found = (_made(told) for told in register.all(lab, FAMILY).values())
    return [
        one
        for one in found
        if one.service != made.service and (one.network == made.network or one.spot == made.spot)
    ]


def settle(lab: Lab, wanted: Made, others: Sequence[Made]) -> Made:
    """The same with its place among the site's lines: it keeps the one that it has. others: its
    neighbours.

    Raises Refused `lines-number` when a site would get more lines than it can have,
    `site-joined` when another service joins the site to a network.
    """
    was = find(lab, wanted.service)
    others = [one for one in others if one.spot == wanted.spot]
    if wanted.technology == "vpn":
        taken: set[int] = set()
    else:
        taken = {line for one in others if one.technology != "vpn" for line in one.lines}
    if wanted.technology != "access" and any(one.technology != "access" for one in others):
        raise Refused(
            "site-joined",
            f"The site {wanted.site} is joined to a private network already: change or cease "
            "that service.",
            field="site",
        )
    count = len(wanted.lines)
    starts = [was.first] if was is not None else []
    for first in (*starts, *range(1, LINES_MAX + 1)):
        mine = set(range(first, first + count))
        if not mine & taken and max(mine, default=0) <= LINES_MAX:
            return _placed(wanted, first)
    raise Refused(
        "lines-number",
        f"The site {wanted.site} can have {LINES_MAX} lines, and has {len(taken)} already.",
        field="lines",
    )


def check(lab: Lab, made: Made, others: Sequence[Made]) -> Detail:
    """What should be, refused where it cannot be; see `intent.check`."""
    should = detail(lab, made, carry=dict(_carried(lab, made, others)))
    if should.site is not None:
        theirs: list[Sequence[Prefix]] = [
            orders.prefixes(lab, one)
            for one in others
            if one.technology != "access" and one.network == made.network and one.site != made.site
        ]
        intent.check(should.site, theirs)
    return should


def _made(told: Mapping[str, Any]) -> Made:
    return Made(**told)


def _placed(made: Made, first: int) -> Made:
    return Made(
        made.service, made.technology, made.network, made.site, made.country, made.ordered, first
    )


# --- bringing it about ----------------------------------------------------------------------------


def bring(lab: Lab, keys: Keys, wanted: Made) -> list[Change]:
    """Has the service be as it is wanted, checked before; what was changed for it. Routes come a
    second later: see `wait`.

    Raises Refused as `settle` and `check`; TryLater `line-missing`, `device-failed`.
    """
    with _alone(lab, f"site-{plan.spot(lab, wanted.spot, wanted.country).number}"):
        with _alone(lab, "places"):
            was, others = find(lab, wanted.service), neighbours(lab, wanted)
            made = settle(lab, wanted, others)
            should = check(lab, made, others)
            furnish(lab, made)
            register.put(lab, FAMILY, made.service, orders.told(made))
        changes = []
        for line in should.lines:
            changes += access.apply(lab, line, pop=plan.POP)
        if should.site is not None:
            changes += vpn.apply(lab, should.site, keys, serves=orders.SERVES, own=orders.OWN)
        if was is not None:
            _remove_surplus(lab, made, should, others)
        return changes


@contextmanager
def _alone(lab: Lab, what: str) -> Iterator[None]:
    """One at a time, among all threads and processes that deliver in the lab; who is killed lets
    go. Who holds a site may then take `places`, never the other way.
    """
    with (lab.folder / f"{FAMILY}-{what}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def furnish(lab: Lab, made: Made) -> None:
    """What is there before anybody orders, once."""
    spot = plan.spot(lab, made.spot, made.country)
    lab.box(spot.cpe)
    _once(lab, spot.access, lambda: plan.furnish_access(lab, made.country))
    if made.technology != "access":
        at = orders.place(lab, made)
        _once(lab, at.network.box, lambda: plan.furnish_network(lab, at.network))
        _once(lab, at.host, lambda: plan.furnish_site(lab, at))


def _once(lab: Lab, box: str, furnish: Callable[[], object]) -> None:
    if lab.box(box).read(FURNISHED) is None:
        furnish()
        lab.box(box).write(FURNISHED, "")


def _remove_surplus(lab: Lab, made: Made, should: Detail, others: Sequence[Made]) -> None:
    """Lines and tunnels from when the service had more of them."""
    kept = set(made.lines)
    more = Made(**{**orders.told(made), "ordered": {**made.ordered, "lines": LINES_MAX}})
    if made.first != 1 or len(kept) == LINES_MAX:
        return
    taken = {
        line
        for one in others
        if one.spot == made.spot and one.technology == "access"
        for line in one.lines
    }
    was = detail(lab, more)
    if should.site is not None and was.site is not None:
        for link in was.site.links:
            if link.line not in kept:
                vpn.remove_link(lab, was.site, link)
    for line, of in enumerate(was.lines, 1):
        if line not in kept | taken:
            access.remove(lab, of, pop=plan.POP)


def wait(lab: Lab, service: str) -> None:
    """Until a site that was brought about is joined to its network, over all its lines or, after a
    while, over one. Raises TryLater `device-failed`.
    """
    site = site_of(lab, service)
    if site is not None:
        try:
            vpn.wait_up(lab, site, timeout_s=ALL_UP_S)
        except TryLater:
            if not vpn.some_up(lab, site):
                raise


def remove(lab: Lab, keys: Keys, made: Made) -> None:
    """Takes the service away; the network's other sites and lines stay as they are."""
    should = detail(lab, made)
    with _alone(lab, f"site-{plan.spot(lab, made.spot, made.country).number}"):
        if should.site is not None:
            vpn.remove(lab, should.site)
            for link in should.site.links:
                keys.forget(link.router_key)
                keys.forget(link.network_key)
        for line in should.lines:
            access.remove(lab, line, pop=plan.POP)
        register.drop(lab, FAMILY, made.service)


# --- what the devices say -------------------------------------------------------------------------


def characteristics(lab: Lab, keys: Keys, made: Made) -> Mapping[str, int | str]:
    """The service in the words in which it was ordered, read off the devices. `fault` comes on
    top when something of it is dead or was changed by hand.
    """
    should = detail(lab, made)
    shapers = [shaper.observe(Box(lab, box), one) for box, one in _shaped(should)]
    found = dict(made.ordered)
    found["speed_mbps"] = _speed([shaper.speed(one) for one in shapers])
    if "classes" in found:
        told = {intent.written(shaper.classes(one)) for one in shapers[_first_tunnel(should) :]}
        found["classes"] = " / ".join(sorted(told))
    faults = [one for line in should.lines for one in access.faults(lab, line, pop=plan.POP)]
    if should.site is not None:
        faults += vpn.faults(lab, should.site, keys)
    return found | ({"fault": "; ".join(faults)} if faults else {})


def speeds(lab: Lab, made: Made) -> Mapping[str, int | str]:
    """To the site and from it, in Mbit/s where it is one number: what shapers hold."""
    found: dict[str, list[int | None]] = {"to": [], "from": []}
    for at, (box, one) in enumerate(_shaped(detail(lab, made))):
        found["from" if at % 2 else "to"].append(shaper.speed(shaper.observe(Box(lab, box), one)))
    return {way: _speed(told) for way, told in found.items()}


def _shaped(should: Detail) -> Sequence[tuple[str, str]]:
    """Where speeds are held: to the site, from it, and so on; tunnels last."""
    lines = [(one.operator, end) for one in should.lines for end in (one.port, one.tunnel)]
    if should.site is None:
        return lines
    return [
        *lines,
        *(
            end
            for link in should.site.links
            for end in (
                (should.site.network, link.at_network),
                (should.site.router, link.at_site),
            )
        ),
    ]


def _first_tunnel(should: Detail) -> int:
    return 2 * len(should.lines)


def _speed(kbps: Sequence[int | None]) -> int | str:
    told = sorted({0 if one is None else one for one in kbps})
    if len(told) == 1 and told[0] % 1000 == 0:
        return told[0] // 1000
    return " / ".join(f"{one / 1000:g}" for one in told)


def counters(lab: Lab, made: Made) -> Counters:
    """What the service's interfaces have carried, to the site and from it."""
    should = detail(lab, made)
    if should.site is not None:
        box, names = should.site.network, [one.at_network for one in should.site.links]
    else:
        box, names = plan.POP, [one.tunnel for one in should.lines]
    there, found = interfaces.links(lab.box(box)), {}
    for name in names:
        if name in there:
            taken_in, let_out = interfaces.octets(there[name])
            found[name] = (int(there[name]["ifindex"]), let_out, taken_in)
    return found


def is_up(lab: Lab, made: Made) -> bool:
    """Whether a site has any way to its network now, as its router sees it."""
    should = detail(lab, made)
    return should.site is not None and vpn.some_up(lab, should.site)
