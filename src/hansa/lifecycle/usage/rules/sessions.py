"""What sessions of RADIUS accounting have carried, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

DAY_US = 86_400_000_000
WRAP = 1 << 32
"""Where a counter of 32 bits begins anew."""

REST = 1 << 31
"""A counter that has gone back by less than this has been repeated out of order, not wrapped."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Octets of a point in a UTC day. day: since 1970."""

    point: str
    day: int
    octets_in: int
    octets_out: int


def volumes(records: Iterable[Mapping[str, Any]]) -> list[Volume]:
    """Octets by point and day, by point and day.

    records: rows of session events of one access server's sessions, in any order. Counters say
    what a session has carried since it began; what it carried between two records is of the day
    of the later one. A record that comes again adds nothing; one out of order says what was so
    then. A counter that falls by more than half of its 32 bits has begun anew, unless the
    server tells the gigawords. A session without a stop has carried what it last said.
    """
    found: dict[tuple[str, int], list[int]] = {}
    for told in _by_session(records).values():
        at = [0, 0]
        base = [0, 0]
        point = next((one["point"] for one in told if one["point"]), "")
        for one in told:
            for way, name in enumerate(("octets_in", "octets_out")):
                if one[name] is None:
                    continue
                count = one[name] + base[way]
                if one[name] < WRAP and at[way] - count > REST:
                    base[way] += WRAP
                    count += WRAP
                more = max(0, count - at[way])
                day = found.setdefault((point, one["at_us"] // DAY_US), [0, 0])
                day[way] += more
                at[way] += more
    return [Volume(point, day, *octets) for (point, day), octets in sorted(found.items())]


def _by_session(
    records: Iterable[Mapping[str, Any]],
) -> Mapping[tuple[str, str], list[Mapping[str, Any]]]:
    """The records of each session, in the order of time; those of whole servers are left out."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in records:
        if one["status"] not in ("on", "off"):
            found.setdefault((one["nas"], one["session"]), []).append(one)
    for told in found.values():
        told.sort(key=lambda one: (one["at_us"], one["status"] != "start", one["status"] == "stop"))
    return found
