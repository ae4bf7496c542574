"""Driver: what should be, not which button to press. Meter: what a service consumed. Recorder:
keeps what devices have written of it. Probe: how it is.

Every call may be made twice without harm. A driver imports this file and foundation only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from hansa.foundation.readings import Check, Reading
from hansa.foundation.site import Site
from hansa.foundation.time import Instant, Period


@dataclass(frozen=True, slots=True)
class Intent:
    """One service as it should be.

    service: its id, chosen by the caller before anything is made. family: connectivity,
    security, voice or broadband. technology: by which the family is delivered, where there is
    more than one way, e.g. `access` or `vpn`. characteristics: e.g. {"speed_mbps": 100}.
    """

    service: str
    family: str
    offer: str
    site: Site | None
    characteristics: Mapping[str, int | str]
    technology: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the device says about one service, read from the device itself."""

    service: str
    characteristics: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between intent and device: `set speed_mbps from 50 to 100`."""

    what: str
    was: int | str | None
    becomes: int | str | None


class Driver(Protocol):
    """Makes one family of services true on a network.

    `measured` is False for a network that is only imagined: nothing that such a driver says
    is ever shown as a measurement.
    """

    name: str
    measured: bool

    def can(self, intent: Intent) -> str | None:
        """None when this network can do it, else the reason in words for a buyer."""
        ...

    def plan(self, intent: Intent, observed: Observed | None) -> Sequence[Change]:
        """What must change on the device; empty when nothing is to do."""
        ...

    def apply(self, intent: Intent, *, now: Instant) -> None:
        """Makes it so. Twice is once. Raises TryLater when the device does not answer."""
        ...

    def observe(self, service: str) -> Observed | None:
        """What is on the device now, or None when the service is not there."""
        ...

    def verify(self, intent: Intent) -> Sequence[Check]:
        """The intent held against the device, check by check, in the buyer's terms."""
        ...

    def teardown(self, service: str, *, now: Instant) -> None:
        """Takes the service away; nothing to take away is no error."""
        ...


class Meter(Protocol):
    """Tells what a service consumed. The same question gets the same answer for ever.

    `measured` is False where readings come from no device.
    """

    measured: bool

    def readings(self, service: str, period: Period) -> Sequence[Reading]:
        """Everything measured of the service in the period, in time order; empty if unknown."""
        ...


class Recorder(Protocol):
    """Knows devices that write records of use, and lose them when they go."""

    def take_over(self, *, now: Instant) -> int:
        """Brings what devices have written since to where it outlives them, for the Meter to read;
        how many octets. Killed in the middle, nothing is lost and nothing comes twice. Where the
        devices have gone there is nothing to take over. Raises TryLater when they do not answer.
        """
        ...


Figure = Literal["rtt_us", "jitter_us", "loss_ppm", "available"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of how a service was at a moment.

    class_: of service, `ef`; empty for the service as a whole. value: a whole number of what the
    name says: microseconds, lost packets in a million, 1 when it was to be had and 0 when not.
    """

    at: Instant
    service: str
    class_: str
    name: Figure
    value: int


class Probe(Protocol):
    """Measures how services are, by traffic of its own on them."""

    def samples(self, service: str, *, now: Instant) -> Sequence[Sample]:
        """One round, a second or two long; empty if there is no such service. What nobody
        answered has loss, and no round trip. Raises TryLater when the devices do not answer.
        """
        ...
