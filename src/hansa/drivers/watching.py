"""Watches the services of our own network: measures each, keeps the figures, and sums them up."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby

from hansa.drivers import store
from hansa.drivers.contract import Probe, Sample
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import HoldingId
from hansa.foundation.readings import Check
from hansa.foundation.time import Clock
from hansa.foundation.transaction import Begin

log = logging.getLogger(__name__)

LOOKED_BACK = timedelta(hours=1)
"""How much of the past a condition is about."""


class Watch:
    """One round after the other. probes: by family. kept_days: how long figures are kept."""

    def __init__(
        self, *, begin: Begin, probes: Mapping[str, Probe], clock: Clock, kept_days: int
    ) -> None:
        self._begin = begin
        self._probes = probes
        self._clock = clock
        self._kept = timedelta(days=kept_days)

    def round(self) -> int:
        """Measures every service once, outside of any transaction; how many figures it gave.

        A service that cannot be measured now is left for the next round.
        """
        with self._begin() as tx:
            services = store.in_service(tx, self._probes)
        taken = 0
        for family, holding in services:
            try:
                found = self._probes[family].samples(holding, now=self._clock.now())
            except HansaError as error:
                log.warning("not measured", extra={"holding": holding, "reason": error.code})
                continue
            with self._begin() as tx:
                store.put_samples(tx, found)
            taken += len(found)
        with self._begin() as tx:
            store.drop_samples(tx, before=self._clock.now() - self._kept)
        return taken


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
