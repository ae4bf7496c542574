"""What every Driver promises, written once.

A test of a driver inherits `DriverSuite` and gives it a `bench` fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hansa.drivers.contract import Driver, Intent, Meter
from hansa.foundation.readings import SAMPLES_A_DAY, Reading
from hansa.foundation.site import Site
from hansa.foundation.time import Period

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
MONTH = Period.month(2026, 11)
SITE = Site("jhb", "Store 1", "ZA", "Johannesburg")

INTENTS = {
    "connectivity": Intent("hld_line", "connectivity", "line", SITE, {"speed_mbps": 100}),
    "broadband": Intent("hld_home", "broadband", "home", SITE, {"speed_mbps": 50}),
    "voice": Intent("hld_trunk", "voice", "trunk", SITE, {"channels": 10}),
    "security": Intent("hld_guard", "security", "guard", SITE, {"seats": 40}),
}
"""A service of each family that any network of that family can make."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A driver on trial. again: the same driver on the same devices, as after a restart.

    impossible: an intent that it cannot do. meter: None when this network does not count.
    """

    driver: Driver
    again: Callable[[], Driver]
    intent: Intent
    impossible: Intent
    meter: Meter | None

    def changed(self) -> Intent:
        """The same service with the first of its numbers one higher."""
        name, value = next(iter(self.intent.characteristics.items()))
        assert isinstance(value, int)
        return replace(
            self.intent, characteristics={**self.intent.characteristics, name: value + 1}
        )


class DriverSuite:
    """Inherit this and give it a `bench`."""

    def test_it_has_a_name_and_says_whether_it_measures(self, bench: Bench) -> None:
        assert bench.driver.name
        assert bench.driver.measured in {True, False}

    def test_it_says_what_it_can_do(self, bench: Bench) -> None:
        assert bench.driver.can(bench.intent) is None
        words = bench.driver.can(bench.impossible)
        assert words
        assert words.endswith(".")

    def test_nothing_is_there_before_it_is_applied(self, bench: Bench) -> None:
        assert bench.driver.observe(bench.intent.service) is None
        assert bench.driver.plan(bench.intent, None)
        assert not all(check.ok for check in bench.driver.verify(bench.intent))

    def test_applied_is_observed_and_verified(self, bench: Bench) -> None:
        bench.driver.apply(bench.intent, now=NOW)
        observed = bench.driver.observe(bench.intent.service)
        assert observed is not None
        assert observed.service == bench.intent.service
        assert dict(observed.characteristics) == dict(bench.intent.characteristics)
        assert list(bench.driver.plan(bench.intent, observed)) == []
        checks = bench.driver.verify(bench.intent)
        assert checks
        assert all(check.ok for check in checks)

    def test_applied_twice_is_applied_once(self, bench: Bench) -> None:
        bench.driver.apply(bench.intent, now=NOW)
        observed = bench.driver.observe(bench.intent.service)
        bench.driver.apply(bench.intent, now=NOW + timedelta(hours=1))
        assert bench.driver.observe(bench.intent.service) == observed

    def test_it_remembers_on_the_device_and_not_in_the_process(self, bench: Bench) -> None:
        bench.driver.apply(bench.intent, now=NOW)
        assert bench.again().observe(bench.intent.service) == bench.driver.observe(
            bench.intent.service
        )

    def test_a_change_is_planned_then_made(self, bench: Bench) -> None:
        bench.driver.apply(bench.intent, now=NOW)
        wanted = bench.changed()
        changes = bench.driver.plan(wanted, bench.driver.observe(wanted.service))
        name = next(iter(wanted.characteristics))
        assert [(one.what, one.was, one.becomes) for one in changes] == [
            (name, bench.intent.characteristics[name], wanted.characteristics[name])
        ]
        assert not all(check.ok for check in bench.driver.verify(wanted))
        bench.driver.apply(wanted, now=NOW + timedelta(days=1))
        assert all(check.ok for check in bench.driver.verify(wanted))
        assert not all(check.ok for check in bench.driver.verify(bench.intent))

    def test_torn_down_is_gone_however_often(self, bench: Bench) -> None:
        bench.driver.teardown(bench.intent.service, now=NOW)
        bench.driver.apply(bench.intent, now=NOW)
        for _ in range(2):
            bench.driver.teardown(bench.intent.service, now=NOW + timedelta(days=1))
            assert bench.driver.observe(bench.intent.service) is None
        bench.driver.apply(bench.intent, now=NOW + timedelta(days=2))
        assert all(check.ok for check in bench.driver.verify(bench.intent))

    def test_services_do_not_touch_each_other(self, bench: Bench) -> None:
        other = replace(bench.changed(), service=f"{bench.intent.service}/other")
        bench.driver.apply(bench.intent, now=NOW)
        bench.driver.apply(other, now=NOW)
        bench.driver.teardown(bench.intent.service, now=NOW)
        observed = bench.driver.observe(other.service)
        assert observed is not None
        assert dict(observed.characteristics) == dict(other.characteristics)

    def test_the_meter_gives_the_same_answer_for_ever(self, bench: Bench) -> None:
        if bench.meter is None:
            return
        assert list(bench.meter.readings(bench.intent.service, MONTH)) == []
        bench.driver.apply(bench.intent, now=NOW)
        bench.driver.teardown(bench.intent.service, now=NOW + timedelta(days=10, hours=3))
        readings = bench.meter.readings(bench.intent.service, MONTH)
        assert readings == bench.meter.readings(bench.intent.service, MONTH)
        assert readings
        assert [_day(one) for one in readings] == sorted(_day(one) for one in readings)
        assert _day(readings[0]) >= NOW.date().isoformat()
        assert _day(readings[-1]) <= (NOW + timedelta(days=10)).date().isoformat()
        for one in readings:
            if one.kind == "octets":
                assert len(one.octets_in) == len(one.octets_out) == SAMPLES_A_DAY
            if one.kind == "call":
                assert NOW <= one.answered_at < NOW + timedelta(days=10, hours=3)
                assert one.called.startswith("+")
                assert one.duration_s >= 0

    def test_two_halves_of_a_month_are_the_month(self, bench: Bench) -> None:
        if bench.meter is None:
            return
        bench.driver.apply(bench.intent, now=NOW)
        middle = datetime(2026, 11, 16, tzinfo=UTC)
        halves = (Period(MONTH.start, middle), Period(middle, MONTH.end))
        service = bench.intent.service
        assert list(bench.meter.readings(service, MONTH)) == [
            reading for half in halves for reading in bench.meter.readings(service, half)
        ]


def _day(reading: Reading) -> str:
    at = reading.answered_at.date() if reading.kind == "call" else reading.day
    return at.isoformat()
