"""How much one caller may ask of this process: so often, and so much at the same time.

Counted by party and role, so that all systems of one partner share one measure. The counts are
this process's own and begin anew with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hansa.foundation.errors import TryLater
from hansa.foundation.party import Actor


@dataclass(frozen=True, slots=True)
class Measure:
    """requests_per_s: in the long run. burst: at once after a rest. at_once: being worked on."""

    requests_per_s: float = 500.0
    burst: int = 1000
    at_once: int = 16


class Limits:
    """Keeps every caller to one measure.

    It is the generic cell rate algorithm: of each caller only the moment is kept at which all
    that it has asked would have been asked at an even pace.
    """

    def __init__(
        self, measure: Measure, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pace_s = 1 / measure.requests_per_s
        self._ahead_s = measure.burst * self._pace_s
        self._at_once = measure.at_once
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._even: dict[Actor, float] = {}
        self._working: dict[Actor, int] = {}

    @contextmanager
    def visit(self, actor: Actor) -> Iterator[None]:
        """One request of this caller's. Raises TryLater `too-many-requests` and says how long."""
        self._enter(actor)
        try:
            yield
        finally:
            with self._lock:
                self._working[actor] -= 1

    def _enter(self, actor: Actor) -> None:
        with self._lock:
            now = self._monotonic()
            even = max(self._even.get(actor, now), now)
            wait_s = even + self._pace_s - self._ahead_s - now
            if wait_s > 0:
                raise _too_many(wait_s, "so many requests in so short a time")
            working = self._working.get(actor, 0)
            if working >= self._at_once:
                raise _too_many(1.0, f"more than {self._at_once} requests at the same time")
            self._even[actor] = even + self._pace_s
            self._working[actor] = working + 1


def _too_many(wait_s: float, what: str) -> TryLater:
    return TryLater(
        "too-many-requests",
        f"This node does not take {what} from one caller. Send the same again a little later.",
        after_s=wait_s,
    )
