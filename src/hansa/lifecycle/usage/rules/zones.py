"""The rules of a time zone as arrays, for clocks that say no offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from hansa.foundation.errors import Refused

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2100, 1, 1, tzinfo=UTC)
STEP = timedelta(days=7)
"""No zone has changed its offset twice within a week since 1970 and back again."""

Seconds = npt.NDArray[np.int64]


@lru_cache(maxsize=16)
def offsets(zone: str) -> tuple[Seconds, Seconds]:
    """When the zone's offset from UTC changes, and to what: two arrays of seconds.

    The first moment is before everything. Raises Refused `zone-unknown`.
    """
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            "zone-unknown", f"{zone!r} is no time zone; name one as Africa/Lagos.", field="zone"
        ) from None
    at, said = [-(1 << 60)], [_offset(known, FIRST)]
    low = FIRST
    while low < LAST:
        high = low + STEP
        if _offset(known, high) != said[-1]:
            at.append(_change(known, low, high))
            said.append(_offset(known, high))
        low = high
    return np.array(at, np.int64), np.array(said, np.int64)


def _offset(zone: ZoneInfo, at: datetime) -> int:
    found = at.astimezone(zone).utcoffset()
    assert found is not None
    return found // timedelta(seconds=1)


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> int:
    """The first second, since 1970, at which the offset is no longer that of `low`."""
    before = _offset(zone, low)
    start, end = (int((one - FIRST).total_seconds()) for one in (low, high))
    while end - start > 1:
        middle = (start + end) // 2
        if _offset(zone, FIRST + timedelta(seconds=middle)) == before:
            start = middle
        else:
            end = middle
    return end
