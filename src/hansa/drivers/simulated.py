"""A network that is only imagined: devices are files, readings come from a seed.

For demonstrations and tests; `measured` is False, so nothing of it is shown as a measurement.
A device keeps its configuration and its history outside the process, as a real one does: one
JSON file a service, replaced atomically, so every process sees the same and a kill loses
nothing. Readings are a pure function of (seed, service, day, index) through a keyed hash
(BLAKE2b, RFC 7693) and of the configuration in force at that moment.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hansa.drivers.contract import Change, Intent, Observed
from hansa.drivers.imagined import FAMILIES, Dice, Family, Setting
from hansa.drivers.registry import Kit
from hansa.foundation import disk
from hansa.foundation.readings import Check, Reading
from hansa.foundation.time import Instant, Period


class Devices:
    """The configuration of every imagined device, one file a service, with its history."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def history(self, service: str) -> tuple[Setting, ...]:
        """What the service was set to, in time order; empty when it was never there."""
        try:
            written = json.loads(self._file(service).read_text())
        except FileNotFoundError:
            return ()
        return tuple(
            Setting(datetime.fromisoformat(one["at"]), one["characteristics"])
            for one in written["history"]
        )

    def set(self, intent: Intent, *, now: Instant) -> None:
        """Sets the service as intended from now on; already so changes nothing."""
        about = {
            "family": intent.family,
            "offer": intent.offer,
            "site": intent.site and {"id": intent.site.id, "country": intent.site.country},
        }
        self._append(intent.service, about, dict(intent.characteristics), now)

    def clear(self, service: str, *, now: Instant) -> None:
        """Takes the service off from now on; its history stays."""
        if self._file(service).exists():
            self._append(service, {}, None, now)

    def _append(
        self,
        service: str,
        about: Mapping[str, Any],
        wanted: dict[str, int | str] | None,
        now: Instant,
    ) -> None:
        with self._alone():
            file = self._file(service)
            kept: dict[str, Any] = {"service": service, "history": []}
            if file.exists():
                kept = json.loads(file.read_text())
            history: list[dict[str, Any]] = kept["history"]
            if history and history[-1]["characteristics"] == wanted:
                return
            if history:
                now = max(now, datetime.fromisoformat(history[-1]["at"]))
            history.append({"at": now.isoformat(), "characteristics": wanted})
            written = json.dumps({**kept, **about}, indent=1, sort_keys=True)
            disk.put(file, written.encode())

    def _file(self, service: str) -> Path:
        return self._folder / f"{quote(service, safe='')}.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time, among threads and processes; freed by the kernel on a kill."""
        with (self._folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(slots=True)
class SimulatedNetwork:
    """Driver and Meter of one family; what differs between families is in `imagined.FAMILIES`."""

    family: Family
    devices: Devices
    seed: str
    name: str = "simulated"
    measured: bool = False

    def can(self, intent: Intent) -> str | None:
        count = intent.characteristics.get("quantity", 1)
        for characteristic, most in self.family.limits.items():
            value = intent.characteristics.get(characteristic, 1)
            if not isinstance(value, int) or not isinstance(count, int):
                return f"{characteristic} must be a whole number, not {value!r}."
            if value < 1 or value * count > most:
                return f"{characteristic} must be from 1 to {most:,}, not {value:,} x {count:,}."
        return None

    def plan(self, intent: Intent, observed: Observed | None) -> Sequence[Change]:
        was = observed.characteristics if observed else {}
        names = sorted({*was, *intent.characteristics})
        changes = [
            Change(name, was.get(name), intent.characteristics.get(name))
            for name in names
            if was.get(name) != intent.characteristics.get(name)
        ]
        return changes if observed else [Change("service", None, intent.service), *changes]

    def apply(self, intent: Intent, *, now: Instant) -> None:
        self.devices.set(intent, now=now)

    def observe(self, service: str) -> Observed | None:
        history = self.devices.history(service)
        if not history or history[-1].characteristics is None:
            return None
        return Observed(service, history[-1].characteristics)

    def verify(self, intent: Intent) -> Sequence[Check]:
        observed = self.observe(intent.service)
        there = Check("in service", "yes", "yes" if observed else "no", observed is not None)
        on_device = observed.characteristics if observed else {}
        return (
            there,
            *(
                Check(
                    name,
                    str(wanted),
                    str(on_device.get(name, "absent")),
                    on_device.get(name) == wanted,
                )
                for name, wanted in sorted(intent.characteristics.items())
            ),
        )

    def teardown(self, service: str, *, now: Instant) -> None:
        self.devices.clear(service, now=now)

    def readings(self, service: str, period: Period) -> Sequence[Reading]:
        history = self.devices.history(service)
        if not history:
            return ()
        dice = Dice(self.seed, service)
        return tuple(
            reading
            for day in period.days()
            for reading in self.family.day(dice, history, day)
            if _inside(reading, period)
        )


def _inside(reading: Reading, period: Period) -> bool:
    """A day belongs to the period that holds its first moment, a call to that of its answer."""
    if reading.kind == "call":
        return period.holds(reading.answered_at)
    return period.holds(datetime(reading.day.year, reading.day.month, reading.day.day, tzinfo=UTC))


def kit(*, folder: Path, seed: str, lab: Path | None = None) -> Kit:  # noqa: ARG001 - needs none
    """The entry point: all four families on imagined devices under `folder`."""
    devices = Devices(folder)
    networks = {name: SimulatedNetwork(family, devices, seed) for name, family in FAMILIES.items()}
    return Kit(drivers=networks, meters=networks)
