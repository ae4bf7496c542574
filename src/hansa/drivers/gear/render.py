"""A site of a private network as the texts that a make of equipment is told; nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hansa.drivers.connectivity.intent import SiteVpn
from hansa.drivers.gear.make import Make, wrapped
from hansa.foundation.errors import Refused


@dataclass(frozen=True, slots=True)
class Rendered:
    """What equipment is told so that a service is on it, and so that it is no more.

    leaves: what the texts do not settle and an operator has to.
    """

    configure: str
    remove: str
    leaves: Sequence[str]


def render(vpn: SiteVpn, make: Make) -> Rendered:
    """A site at its router. The intent was checked (connectivity.intent).

    Raises Refused `gear-cannot` if the make cannot do it, `gear-name`.
    """
    _check(vpn, make)
    facts = make.site(vpn)
    whole = wrapped if make.speaks == "netconf" else str
    return Rendered(
        configure=whole(make.configure.fill(site=facts)),
        remove=whole(make.remove.fill(site=facts)),
        leaves=make.leaves,
    )


def _check(vpn: SiteVpn, make: Make) -> None:
    limits = make.limits
    speed_kbps = max(vpn.down_kbps, vpn.up_kbps)
    for wrong, field, words in (
        (
            vpn.tunnel not in make.tunnels,
            "tunnel",
            f"tunnels by {vpn.tunnel}, only by {' or '.join(make.tunnels) or 'none'}",
        ),
        (
            len(vpn.links) > limits.lines_max,
            "lines",
            f"{len(vpn.links)} lines at a site, {limits.lines_max} at most",
        ),
        (
            len(vpn.classes) > limits.classes_max,
            "classes",
            f"{len(vpn.classes)} classes of service, {limits.classes_max} at most",
        ),
        (
            vpn.bfd_ms < limits.bfd_ms_min,
            "bfd_ms",
            f"BFD every {vpn.bfd_ms} ms, every {limits.bfd_ms_min} ms at the quickest",
        ),
        (
            speed_kbps > limits.speed_mbps_max * 1000,
            "speed_mbps",
            f"{speed_kbps} kbit/s, {limits.speed_mbps_max} Mbit/s at most",
        ),
    ):
        if wrong:
            raise Refused(
                "gear-cannot", f"A router of make {make.name} cannot do {words}.", field=field
            )
