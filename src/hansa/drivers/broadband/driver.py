"""Broadband lines of the lab: a site's line at the gateway of its country, and what it carried."""

from __future__ import annotations

import contextlib
import fcntl
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from hansa.drivers.broadband import aaa, bng, home, kea, keys, meter, records, store
from hansa.drivers.broadband import agent as gateway
from hansa.drivers.broadband.access import (
    Access,
    Port,
    access,
    furnish,
    furnish_port,
    port,
)
from hansa.drivers.broadband.intent import Line, check, line
from hansa.drivers.contract import Change, Intent, Observed, Sample
from hansa.drivers.lab import register
from hansa.drivers.lab.box import Box, Lab
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.readings import Check, Reading
from hansa.foundation.time import Instant, Period, midnight

FAMILY = "broadband"
SETTLE_S = 30.0
NUDGE_S = 1.0
PINGS = 10
CLOCK_S = 5
"""A line's clock that is off by no more is left alone."""


class Broadband:
    """Driver, Meter, Recorder and Probe of broadband lines. folder: its own, for secrets and for
    records of accounting.
    """

    name = "lab"
    measured = True

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder

    @property
    def records(self) -> Path:
        """Where the records of accounting lie, as files that the usage room takes in."""
        return self.folder / "accounting"

    # --- the promise of a Driver ------------------------------------------------------------------

    def can(self, intent: Intent) -> str | None:
        try:
            check(line(intent))
        except Refused as refused:
            return refused.words
        return None

    def plan(self, intent: Intent, observed: Observed | None) -> Sequence[Change]:
        was = observed.characteristics if observed else {}
        changes = [
            Change(name, was.get(name), intent.characteristics.get(name))
            for name in sorted({*was, *intent.characteristics})
            if was.get(name) != intent.characteristics.get(name)
        ]
        return changes if observed else [Change("service", None, intent.service), *changes]

    def apply(self, intent: Intent, *, now: Instant) -> None:
        wanted = line(intent)
        self.put(wanted, asked=sorted(intent.characteristics), now=now)

    def put(self, wanted: Line, *, asked: Sequence[str] = (), now: Instant) -> list[Change]:
        """Has a line be so; what had to change. asked: names of the characteristics it was
        ordered with. Raises Refused as `check` does, TryLater `device-failed`, `lab-silent`.
        """
        check(wanted)
        of = access(self.lab, wanted.country)
        at = port(self.lab, of, wanted.user)
        with self._alone(of):
            register.put(
                self.lab,
                FAMILY,
                wanted.user,
                {"country": of.country, "asked": [*asked], "secret": wanted.secret},
            )
            return [*self._access(of), *self._line(at, wanted, now)]

    def observe(self, service: str) -> Observed | None:
        made = register.get(self.lab, FAMILY, service)
        if made is None:
            return None
        at = self._port(service, made)
        bng_box, aaa_box = self.lab.box(at.access.bng), self.lab.box(at.access.aaa)
        amiss = self._amiss(at)
        account = entitled = None
        if aaa.DATABASE not in amiss:
            account = store.get(aaa_box, service)
            entitled = store.entitled(aaa_box, service)
        now = bng.reading(bng_box)
        passes = now.passing.get(at.number) == str(at.address)
        down, up = (rates.get(at.number, 0) if passes else 0 for rates in (now.down, now.up))
        if account and (down, up) == entitled:
            down, up = account.down_bps, account.up_bps
        elif aaa.DATABASE not in amiss:
            amiss.append("session")
        found: dict[str, int | str] = {"speed_mbps": _mbps(down)}
        if "up_mbps" in made["asked"] or up * 10 != down:
            found["up_mbps"] = _mbps(up)
        if account and account.quota_octets is not None:
            found["quota_gb"] = account.quota_octets // 10**9
        if amiss:
            found["amiss"] = ", ".join(amiss)
        return Observed(service, found)

    def verify(self, intent: Intent) -> Sequence[Check]:
        wanted = line(intent)
        made = register.get(self.lab, FAMILY, intent.service)
        if made is None:
            return (Check("in service", "yes", "no", False),)
        at = self._port(intent.service, made)
        house, gate = self.lab.box(at.home), self.lab.box(at.access.bng)
        given, now = home.address(house), bng.reading(gate)
        speeds = self._speeds(at, wanted)
        took = home.ping(house)
        passes = now.passing.get(at.number) == str(at.address)
        return (
            Check("address", str(at.address), given or "none", given == str(at.address)),
            Check("session", "up", "up" if passes else "down", passes),
            *(
                Check(
                    name, f"{kbps:,} kbit/s", f"{set_bps // 1000:,} kbit/s", set_bps == kbps * 1000
                )
                for name, kbps, set_bps in (
                    ("speed down", speeds[0], now.down.get(at.number, 0)),
                    ("speed up", speeds[1], now.up.get(at.number, 0)),
                )
            ),
            Check("internet", "answers", f"after {took} ms" if took else "silent", bool(took)),
        )

    def teardown(self, service: str, *, now: Instant) -> None:
        made = register.get(self.lab, FAMILY, service)
        if made is None:
            return
        at = self._port(service, made)
        with self._alone(at.access):
            gate, server = furnish(self.lab, at.access)
            self._access(at.access)
            known = bng.lines(gate).get(at.number)
            if known is not None:
                self._configure(gate, self._told(gate, at, known.user, known.password, now))
            store.drop(server, service)
            with contextlib.suppress(TryLater):
                _until(lambda: at.number not in bng.sessions(gate), lambda: bng.report(gate), 5)
            self._configure(gate, None, without=at.number)
            _until(lambda: at.number not in bng.reading(gate).passing, lambda: bng.settle(gate))
            kea.release(gate, str(at.address))
            served = [one for one in kea.ports(gate) if one.number != at.number]
            kea.apply(gate, at.access, served, pid=gate.path(gateway.PID))
            self.lab.unbox(at.home)
            register.drop(self.lab, FAMILY, service)
            records.take_over(server, self.records)
            keys.forget(self.folder, made["secret"])

    # --- the promise of a Meter -------------------------------------------------------------------

    def readings(self, service: str, period: Period) -> Sequence[Reading]:
        wanted = [day for day in period.days() if period.holds(midnight(day))]
        if not wanted:
            return ()
        self._take_over()
        return tuple(meter.days(records.of_line(self.records, service), wanted))

    # --- the promise of a Recorder ----------------------------------------------------------------

    def take_over(self, *, now: Instant) -> int:  # noqa: ARG002 - each line has the caller's clock
        return self._take_over()

    def _take_over(self) -> int:
        if not self.lab.is_up:
            return 0
        return sum(records.take_over(server, self.records) for server in self._servers())

    # --- the promise of a Probe -------------------------------------------------------------------

    def samples(self, service: str, *, now: Instant) -> Sequence[Sample]:
        made = register.get(self.lab, FAMILY, service)
        if made is None:
            return ()
        trips = home.round_trips_us(self.lab.box(self._port(service, made).home), PINGS)
        steps = [abs(after - before) for before, after in pairwise(trips)]
        lost = PINGS - len(trips)
        return (
            *([Sample(now, service, "", "rtt_us", sum(trips) // len(trips))] if trips else []),
            *([Sample(now, service, "", "jitter_us", sum(steps) // len(steps))] if steps else []),
            Sample(now, service, "", "loss_ppm", lost * 10**6 // PINGS),
            Sample(now, service, "", "available", int(bool(trips))),
        )

    # --- inside -----------------------------------------------------------------------------------

    def _access(self, of: Access) -> list[Change]:
        gate, server = furnish(self.lab, of)
        secret = self._shared(of)
        changes = aaa.apply(server, secret=secret)
        changes += kea.apply(gate, of, self._served(gate), pid=gate.path(gateway.PID))
        return [*changes, *bng.apply(gate, of, secret=secret)]

    def _line(self, at: Port, wanted: Line, now: Instant) -> list[Change]:
        gate, server = self.lab.box(at.access.bng), self.lab.box(at.access.aaa)
        house = furnish_port(self.lab, at)
        password = keys.secret(self.folder, wanted.secret)
        changes = bng.connect(gate, at)
        account = store.Account(
            user=wanted.user,
            password=aaa.hashed(password, wanted.secret),
            down_bps=wanted.down_kbps * 1000,
            up_bps=wanted.up_kbps * 1000,
            quota_octets=wanted.quota_octets,
            throttled_bps=wanted.throttled_kbps * 1000,
            interim_s=wanted.interim_s,
        )
        if store.put(server, account):
            changes.append(Change("account", None, "written"))
        served = {*kea.ports(gate), _served(at)}
        changes += kea.apply(gate, at.access, sorted(served), pid=gate.path(gateway.PID))
        if self._configure(gate, self._told(gate, at, wanted.user, password, now)):
            changes.append(Change("line", None, "configured"))
        changes += home.apply(house)
        if not self._is_so(at):
            changes.append(Change("session", None, "as entitled"))
            _until(lambda: self._is_so(at), lambda: self._nudge(gate, house))
        return changes

    def _nudge(self, gate: Box, house: Box) -> None:
        """Has all who have a part in a session look again: who pays, who gives, who asks."""
        bng.settle(gate)
        bng.report(gate)
        home.renew(house)

    def _is_so(self, at: Port) -> bool:
        """Whether the line passes, at the speeds that RADIUS says it should have."""
        gate, server = self.lab.box(at.access.bng), self.lab.box(at.access.aaa)
        known, now = bng.lines(gate).get(at.number), bng.reading(gate)
        set_bps = (now.down.get(at.number), now.up.get(at.number))
        passes = now.passing.get(at.number) == str(at.address)
        return passes and known is not None and store.entitled(server, known.user) == set_bps

    def _speeds(self, at: Port, wanted: Line) -> tuple[int, int]:
        """Down and up in kbit/s: as sold, or as throttled once the quota is used."""
        server = self.lab.box(at.access.aaa)
        sold = (wanted.down_kbps, wanted.up_kbps)
        if wanted.quota_octets is None or not server.runs(aaa.DATABASE):
            return sold
        entitled = store.entitled(server, wanted.user)
        throttled = tuple(min(kbps, wanted.throttled_kbps) for kbps in sold)
        spent = entitled == tuple(kbps * 1000 for kbps in throttled)
        return (throttled[0], throttled[1]) if spent else sold

    def _told(self, gate: Box, at: Port, user: str, password: str, now: Instant) -> gateway.Line:
        """The line for the agent, with a clock that goes as the caller's and never back."""
        known = bng.lines(gate).get(at.number)
        ahead_s = int(now.timestamp()) - int(gate.run("date", "+%s"))
        if known is not None and known.user == user and ahead_s <= known.clock_s + CLOCK_S:
            ahead_s = known.clock_s
        return gateway.Line(
            at.number, user, password, str(at.address), 0 if abs(ahead_s) <= CLOCK_S else ahead_s
        )

    def _configure(self, gate: Box, put: gateway.Line | None, *, without: int = 0) -> bool:
        lines = {number: one for number, one in bng.lines(gate).items() if number != without}
        if put is not None:
            lines[put.number] = put
        return bng.put(gate, [*lines.values()])

    def _amiss(self, at: Port) -> list[str]:
        gate, house = self.lab.box(at.access.bng), self.lab.box(at.home)
        return [
            *aaa.amiss(self.lab.box(at.access.aaa), secret=self._shared(at.access)),
            *kea.amiss(gate, at.access, _served(at)),
            *bng.amiss(gate, at),
            *([] if house.runs(home.DAEMON) else ["router"]),
        ]

    def _served(self, gate: Box) -> list[kea.Served]:
        """The ports that Kea serves, but for those whose cable has gone."""
        there = {one["ifname"] for one in json.loads(gate.run("ip", "-j", "link"))}
        return [one for one in kea.ports(gate) if f"l{one.number}" in there]

    def _servers(self) -> Iterator[Box]:
        for name in self.lab.boxes():
            if name.startswith("aaa-"):
                yield self.lab.box(name)

    def _port(self, service: str, made: Mapping[str, object]) -> Port:
        return port(self.lab, access(self.lab, str(made["country"])), service)

    def _shared(self, of: Access) -> str:
        return keys.secret(self.folder, f"access-{of.country.lower()}")

    @contextlib.contextmanager
    def _alone(self, of: Access) -> Iterator[None]:
        """One at a time in an access network, among all who work on the lab."""
        with (self.lab.folder / f"{of.bng}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def make(lab: Lab, folder: Path) -> Broadband:
    """The driver, meter and probe of broadband lines on a lab."""
    return Broadband(lab, folder)


def _served(at: Port) -> kea.Served:
    return kea.Served(at.number, str(at.address), str(at.gateway))


def _mbps(bps: int) -> int | str:
    return bps // 10**6 if bps % 10**6 == 0 else f"{bps / 10**6:g}"


def _until(so: Callable[[], bool], nudge: Callable[[], object], within_s: float = SETTLE_S) -> None:
    """Nudges until something is so. Raises TryLater `device-failed`."""
    until, nudged = time.monotonic() + within_s, -NUDGE_S
    while not so():
        if time.monotonic() > until:
            raise TryLater("device-failed", "The gateway did not do what it was told in time.")
        if time.monotonic() - nudged >= NUDGE_S:
            nudge()
            nudged = time.monotonic()
        time.sleep(0.05)
