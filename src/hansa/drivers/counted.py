"""A network that delivers while another counts: for a month that nobody can wait for.

A demonstration delivers on real devices in seconds and then moves its clock to the month's end.
Nothing real happened in that month, so what is counted comes from an imagined network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hansa.drivers.contract import Change, Driver, Intent, Observed
from hansa.foundation.readings import Check
from hansa.foundation.time import Instant


@dataclass(slots=True)
class CountedElsewhere:
    """Says what `driver` says, and has `counts` know what is in service."""

    driver: Driver
    counts: Driver
    name: str = field(init=False)
    measured: bool = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.measured = self.driver.name, self.driver.measured

    def can(self, intent: Intent) -> str | None:
        return self.driver.can(intent)

    def plan(self, intent: Intent, observed: Observed | None) -> Sequence[Change]:
        return self.driver.plan(intent, observed)

    def apply(self, intent: Intent, *, now: Instant) -> None:
        self.driver.apply(intent, now=now)
        self.counts.apply(intent, now=now)

    def observe(self, service: str) -> Observed | None:
        return self.driver.observe(service)

    def verify(self, intent: Intent) -> Sequence[Check]:
        return self.driver.verify(intent)

    def teardown(self, service: str, *, now: Instant) -> None:
        self.driver.teardown(service, now=now)
        self.counts.teardown(service, now=now)
