"""Driver, Meter and Probe of connectivity in a lab: from generic intents to devices and back.

Characteristics: `speed_mbps`; optional `lines` (1 or 2), `network` (which private network; else one
of its own), `classes` (`ef:20 af31:30`), `prefixes` (behind the router, besides the plan's),
`tunnel` (`wireguard` or `ipsec`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Literal, cast

from hansa.drivers.connectivity import intent as full
from hansa.drivers.connectivity import orders, routing, services, telemetry, tunnels
from hansa.drivers.connectivity.intent import LINES_MAX, SiteVpn
from hansa.drivers.connectivity.keys import Keys
from hansa.drivers.connectivity.meter import Meters
from hansa.drivers.connectivity.orders import Made
from hansa.drivers.contract import Change, Intent, Observed, Sample
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Lab
from hansa.drivers.lab.machine import machine
from hansa.foundation.errors import Refused
from hansa.foundation.readings import Check, OctetDay
from hansa.foundation.time import Instant, Period

SPEED_MAX_MBPS = 1000
"""Tunnels of a lab carry no more than some hundred; a line may be a little faster."""

RTT_MAX_MS = 50
AT_ONCE = 2
COUNT_AFTER = timedelta(minutes=4, seconds=30)
TECHNOLOGIES = ("", "access", "vpn")
BEST_EFFORT = "best-effort"


class LabConnectivity:
    """Lines and private networks on the daemons of a lab. folder: for keys and counts."""

    name = "lab"
    measured = True

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab = lab
        self._keys = Keys(folder / "keys")
        self._meters = Meters(folder / "meters")

    # --- Driver ---------------------------------------------------------------------------------

    def can(self, intent: Intent) -> str | None:
        try:
            _check_words(intent)
        except Refused as refused:
            return refused.words
        kind = str(intent.characteristics.get("tunnel", ""))
        lacks = machine().why_not(services.FAMILY, *(["ipsec"] if kind == "ipsec" else []))
        return None if lacks is None else f"The lab's machine cannot do it: {lacks}."

    def plan(self, intent: Intent, observed: Observed | None) -> Sequence[Change]:
        was = observed.characteristics if observed else {}
        changes = [
            Change(name, was.get(name), intent.characteristics.get(name))
            for name in sorted({*was, *intent.characteristics})
            if was.get(name) != intent.characteristics.get(name)
        ]
        return changes if observed else [Change("service", None, intent.service), *changes]

    def apply(self, intent: Intent, *, now: Instant) -> None:
        self.bring(intent, now=now)

    def bring(self, intent: Intent, *, now: Instant) -> Sequence[Change]:
        """As `apply`; tells what was changed on devices."""
        changes = services.bring(self._lab, self._keys, made(intent))
        services.wait(self._lab, intent.service)
        self.count(intent.service, now=now)
        return changes

    def apply_all(self, intents: Sequence[Intent], *, now: Instant) -> None:
        """Many at a time, as after a lab has come up anew; each as `apply`."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda one: services.bring(self._lab, self._keys, made(one)), intents))
        for intent in intents:
            services.wait(self._lab, intent.service)
            self.count(intent.service, now=now)

    def observe(self, service: str) -> Observed | None:
        made = services.find(self._lab, service)
        if made is None:
            return None
        return Observed(service, services.characteristics(self._lab, self._keys, made))

    def verify(self, intent: Intent) -> Sequence[Check]:
        made = services.find(self._lab, intent.service)
        if made is None:
            return (Check("in service", "yes", "no", ok=False),)
        fault = services.characteristics(self._lab, self._keys, made).get("fault")
        said = "yes" if fault is None else f"no: {fault}"
        wanted = intent.characteristics["speed_mbps"]
        return (
            Check("in service", "yes", said, fault is None),
            *(
                Check(f"speed {way} the site", f"{wanted} Mbit/s", f"{told} Mbit/s", told == wanted)
                for way, told in services.speeds(self._lab, made).items()
            ),
            *self._verify_ways(made),
        )

    def teardown(self, service: str, *, now: Instant) -> None:
        made = services.find(self._lab, service)
        if made is not None:
            self._meters.write(service, services.counters(self._lab, made), now=now)
            services.remove(self._lab, self._keys, made)
        self._meters.write(service, None, now=now)

    def _verify_ways(self, made: Made) -> Sequence[Check]:
        should, at = services.detail(self._lab, made), orders.place(self._lab, made)
        router, host = self._lab.box(at.cpe), self._lab.box(at.host)
        if should.site is None:
            return [
                _round_trip(
                    f"round trip over line {made.first + number}",
                    telemetry.ping(router, str(line.at_pop.ip), out_of=line.wan, count=5),
                )
                for number, line in enumerate(should.lines)
            ]
        return [
            *self._verify_links(should.site),
            *(
                _round_trip(
                    f"round trip to the point of presence, {kind}",
                    telemetry.ping(host, str(target), count=5),
                )
                for kind, target in (
                    ("IPv4", orders.POP_ADDRESS),
                    ("IPv6", orders.POP_ADDRESS6),
                )
            ),
        ]

    def _verify_links(self, site: SiteVpn) -> Sequence[Check]:
        router = self._lab.box(site.router)
        sessions, most_s = routing.sessions(router), tunnels.KINDS[site.tunnel].keys_s
        checks = []
        for link in site.links:
            age_s = tunnels.agreed_s(router, site, link)
            session = sessions.get(link.at_site)
            agreed = age_s is not None and age_s <= most_s
            up = session is not None and session.up
            checks += [
                Check(
                    f"keys agreed over line {link.line}",
                    f"in the last {most_s} s",
                    "never" if age_s is None else f"{age_s} s ago",
                    agreed,
                ),
                Check(
                    f"routes exchanged over line {link.line}",
                    "established",
                    "absent" if session is None else session.info.lower() or session.state,
                    up,
                ),
            ]
        return checks

    # --- Meter ----------------------------------------------------------------------------------

    def count(self, service: str, *, now: Instant) -> None:
        """Reads the service's counters off the devices and writes them down; to be called every
        five minutes or more often. Nothing is read of a service that is not there.
        """
        made = services.find(self._lab, service)
        if made is not None:
            counters = services.counters(self._lab, made)
            self._meters.write(service, counters, now=now, after=COUNT_AFTER)

    def readings(self, service: str, period: Period) -> Sequence[OctetDay]:
        return self._meters.readings(service, period)

    # --- Probe ----------------------------------------------------------------------------------

    def samples(self, service: str, *, now: Instant) -> Sequence[Sample]:
        """As promised; counters are read in passing."""
        made = services.find(self._lab, service)
        if made is None:
            return ()
        self.count(service, now=now)
        rounds = self._rounds(made)
        heard = any(one.loss_ppm < telemetry.ALL for one in rounds.values())
        up = heard and (made.technology == "access" or services.is_up(self._lab, made))
        return (
            Sample(now, service, "", "available", int(up)),
            *(
                Sample(now, service, class_, cast(_Figure, name), value)
                for class_, name, value in telemetry.named(rounds)
            ),
        )

    def _rounds(self, made: Made) -> Mapping[str, telemetry.Round]:
        should, at = services.detail(self._lab, made), orders.place(self._lab, made)
        router = self._lab.box(at.cpe)
        if should.site is None:
            rounds = [
                telemetry.ping(router, str(line.at_pop.ip), out_of=line.wan)
                for line in should.lines
            ]
            return {BEST_EFFORT: min(rounds, key=lambda one: one.loss_ppm)}
        telemetry.reflect(self._lab.box(should.site.network), str(orders.POP_ADDRESS))
        return telemetry.by_class(
            router,
            source=str(at.lan[1]),
            target=str(orders.POP_ADDRESS),
            classes={**{one.name: one.dscp for one in should.site.classes}, BEST_EFFORT: 0},
        )


_Figure = Literal["rtt_us", "jitter_us", "loss_ppm"]


def make(lab: Lab, folder: Path) -> LabConnectivity:
    """What the entry point of the lab's drivers asks for."""
    return LabConnectivity(lab, folder)


def made(intent: Intent) -> Made:
    """What was ordered. Raises Refused where it cannot be."""
    _check_words(intent)
    assert intent.site is not None
    return Made(
        service=intent.service,
        technology=intent.technology,
        network=str(intent.characteristics.get("network", intent.service)),
        site=plan.site_name(intent.site),
        country=intent.site.country,
        ordered=dict(intent.characteristics),
    )


def _check_words(intent: Intent) -> None:
    """Refuses what cannot even be read."""
    if intent.technology not in TECHNOLOGIES:
        raise Refused(
            "network-cannot",
            f"This network has no technology {intent.technology!r}; it has access and vpn.",
            field="technology",
        )
    if intent.site is None:
        raise Refused("network-cannot", "A line leads to a site: name one.", field="site")
    for name, most in (("speed_mbps", SPEED_MAX_MBPS), ("lines", LINES_MAX), ("quantity", 1)):
        value = intent.characteristics.get(name, 0 if name == "speed_mbps" else 1)
        if not isinstance(value, int) or not 1 <= value <= most:
            raise Refused(
                "network-cannot",
                f"{name} must be a whole number from 1 to {most}, not {value!r}.",
                field=name,
            )
    full.check_tunnel(str(intent.characteristics.get("tunnel", full.TUNNELS[0])))
    full.classes(str(intent.characteristics.get("classes", "")))
    full.prefixes(str(intent.characteristics.get("prefixes", "")))


def _round_trip(what: str, told: telemetry.Round) -> Check:
    if told.rtt_us is None:
        return Check(what, f"at most {RTT_MAX_MS} ms", "no answer", ok=False)
    ms = told.rtt_us / 1000
    return Check(what, f"at most {RTT_MAX_MS} ms", f"{ms:.1f} ms", ms <= RTT_MAX_MS)
