"""Watches the services of our own network: takes over what devices have recorded of their use,
puts right what is not as it should be, measures each, keeps the figures, and sums them up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from hansa.drivers import store
from hansa.drivers.contract import Sample
from hansa.drivers.model import Service
from hansa.drivers.registry import Kit
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import HoldingId
from hansa.foundation.readings import Check
from hansa.foundation.time import Clock
from hansa.foundation.transaction import Begin

log = logging.getLogger(__name__)

LOOKED_BACK = timedelta(hours=1)
"""How much of the past a condition is about."""


class Watch:
    """One round after the other, on the families that are real.

    kept_days: how long figures are kept.
    """

    def __init__(self, *, begin: Begin, kit: Kit, clock: Clock, kept_days: int) -> None:
        self._begin = begin
        self._drivers = {name: one for name, one in kit.drivers.items() if one.measured}
        self._probes, self._recorders = kit.probes, kit.recorders
        self._clock = clock
        self._kept = timedelta(days=kept_days)

    @property
    def has_work(self) -> bool:
        """Whether any family is real."""
        return bool(self._drivers)

    def round(self) -> int:
        """Looks after every service once, outside of any transaction; how many figures it gave.

        A service that cannot be looked after now is left for the next round.
        """
        self._take_over()
        with self._begin() as tx:
            services = store.in_service(tx, self._drivers)
        taken = 0
        for service in services:
            try:
                self._put_right(service)
                probe = self._probes.get(service.family)
                now = self._clock.now()
                found = probe.samples(service.holding, now=now) if probe else ()
            except HansaError as error:
                about = {"holding": service.holding, "reason": error.code, "words": error.words}
                log.warning("not looked after", extra=about)
                continue
            with self._begin() as tx:
                store.put_samples(tx, found)
            taken += len(found)
        with self._begin() as tx:
            store.drop_samples(tx, before=self._clock.now() - self._kept)
        return taken

    def _take_over(self) -> None:
        for family, recorder in self._recorders.items():
            try:
                recorder.take_over(now=self._clock.now())
            except HansaError as error:
                about = {"family": family, "reason": error.code, "words": error.words}
                log.warning("records not taken over", extra=about)

    def _put_right(self, service: Service) -> None:
        """Has the devices be as the service should be, also if that has changed meanwhile."""
        driver, done = self._drivers[service.family], None
        intent = service.intent
        assert intent is not None
        changes = driver.plan(intent, driver.observe(service.holding))
        if not changes:
            return
        words = "; ".join(f"{one.what} from {one.was} to {one.becomes}" for one in changes)
        log.warning("put right", extra={"holding": service.holding, "changes": words})
        while service != done:
            if service.intent is None:
                driver.teardown(service.holding, now=self._clock.now())
            else:
                driver.apply(service.intent, now=self._clock.now())
            with self._begin() as tx:
                found = store.service(tx, holding=service.holding, buyer=service.buyer)
            assert found is not None
            service, done = found, service


def checks(samples: Sequence[Sample]) -> Sequence[Check]:
    """What was measured, in a buyer's terms: the median of each figure, and whether the service
    was to be had at the last look; in all of the looks, how often.
    """

    def kind(one: Sample) -> tuple[str, str]:
        return one.class_, one.name

    found = []
    for (class_, name), group in groupby(sorted(samples, key=kind), key=kind):
        values = [one.value for one in sorted(group, key=lambda one: one.at)]
        if name == "available":
            share = sum(values) * 10_000 // len(values)
            measured = f"{share // 100}.{share % 100:02} % of {len(values)} looks"
            found.append(Check("available", "now", measured, bool(values[-1])))
        else:
            middle = sorted(values)[len(values) // 2]
            of = f", {class_}" if class_ else ""
            found.append(Check(f"{_WORDS[name]}{of}", "as measured", _shown(name, middle), ok=True))
    return found


_WORDS = {"rtt_us": "round trip", "jitter_us": "jitter", "loss_ppm": "loss"}


def _shown(name: str, value: int) -> str:
    if name == "loss_ppm":
        return f"{value // 10_000}.{value // 100 % 100:02} %"
    return f"{value // 1000}.{value // 10 % 100:02} ms"


def measured(begin: Begin, *, holding: HoldingId, clock: Clock) -> Sequence[Check]:
    """What was measured of a service in the last hour; empty when nothing was."""
    now = clock.now()
    with begin() as tx:
        found = store.samples(tx, holding=holding, start=now - LOOKED_BACK, end=now)
    return checks(found)
