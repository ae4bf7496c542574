"""Columns of text read as moments: microseconds since 1970, UTC."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hansa.foundation.extras import compiled
from hansa.lifecycle.usage.rules.kernels import INVALID, MISSING, READ, Ints, States, trimmed
from hansa.lifecycle.usage.rules.prefix import Bytes, Offsets

LAST_S = 4_102_444_800
"""The year 2100: what is later is no time of usage."""


@compiled
def _two(data: Bytes, at: int) -> int:
    """Two digits as a number; -1 when they are not digits."""
    high, low = np.int64(data[at]) - 48, np.int64(data[at + 1]) - 48
    if high < 0 or high > 9 or low < 0 or low > 9:
        return -1
    return int(high * 10 + low)


@compiled
def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970 of a date in the Gregorian calendar; -1 for one that there is not."""
    if year < 1970 or month < 1 or month > 12 or day < 1:
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 31
    if month in (4, 6, 9, 11):
        longest = 30
    elif month == 2:
        longest = 29 if leap else 28
    if day > longest:
        return -1
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@compiled
def _date(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The days of `2026-11-02` or `20261102`, and where it ends; -1 days for neither."""
    if end - at < 8:
        return -1, at
    century, years = _two(data, at), _two(data, at + 2)
    dash = 1 if data[at + 4] in (45, 47) else 0
    if end - at < 8 + 2 * dash or (dash and data[at + 7] != data[at + 4]):
        return -1, at
    month, day = _two(data, at + 4 + dash), _two(data, at + 6 + 2 * dash)
    if century < 0 or years < 0 or month < 0 or day < 0:
        return -1, at
    return days_of(century * 100 + years, month, day), at + 8 + 2 * dash


@compiled
def _clock(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The seconds of `08:00:00` or `080000`, and where it ends; -1 seconds for neither."""
    if end - at < 6:
        return -1, at
    colon = 1 if data[at + 2] == 58 else 0
    if end - at < 6 + 2 * colon or (colon and data[at + 5] != 58):
        return -1, at
    hours = _two(data, at)
    minutes = _two(data, at + 2 + colon)
    secs = _two(data, at + 4 + 2 * colon)
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59 or secs < 0 or secs > 59:
        return -1, at
    return hours * 3600 + minutes * 60 + secs, at + 6 + 2 * colon


@compiled
def _fraction(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The microseconds of `.123456`, further digits cut off, and where it ends."""
    if at >= end or data[at] not in (44, 46):
        return 0, at
    at += 1
    micros, scale, first = 0, 100_000, at
    while at < end and 48 <= data[at] <= 57:
        micros += (int(data[at]) - 48) * scale
        scale //= 10
        at += 1
    return (micros, at) if at > first else (-1, at)


@compiled
def _offset(data: Bytes, at: int, end: int) -> tuple[int, bool, bool]:
    """The seconds of `Z`, `+02:00`, `+0200` or `+02`; whether there is one; whether all is well."""
    if at == end:
        return 0, False, True
    if data[at] in (90, 122) and at + 1 == end:
        return 0, True, True
    if data[at] not in (43, 45) or end - at < 3:
        return 0, True, False
    sign = 1 if data[at] == 43 else -1
    hours = _two(data, at + 1)
    at += 3
    minutes = 0
    if at < end and data[at] == 58:
        at += 1
    if at < end:
        if end - at != 2:
            return 0, True, False
        minutes = _two(data, at)
    if hours < 0 or hours > 18 or minutes < 0 or minutes > 59:
        return 0, True, False
    return sign * (hours * 3600 + minutes * 60), True, True


@compiled
def utc_of(local_s: int, changes: Ints, offsets: Ints) -> int:
    """The UTC second of a clock's reading; of two the earlier one; -1 when there is none.

    An hour that comes twice, when clocks go back, is read as its first time round; one that is
    left out, when they go forward, never was.
    """
    low, high = 0, len(changes)
    while high - low > 1:
        middle = (low + high) // 2
        if changes[middle] <= local_s - 54_000:
            low = middle
        else:
            high = middle
    for place in range(low, len(changes)):
        at = local_s - int(offsets[place])
        if at < changes[place]:
            return -1
        if place + 1 == len(changes) or at < changes[place + 1]:
            return at
    return -1


@compiled
def iso_times(offsets: Offsets, data: Bytes, changes: Ints, zone: Ints) -> tuple[Ints, States]:
    """`2026-11-02T08:00:00`, with `T`, a space or nothing in between, a fraction and an offset.

    changes, zone: the rules of the clock of times without an offset (`zones.offsets`).
    """
    rows = len(offsets) - 1
    values = np.zeros(rows, np.int64)
    states = np.zeros(rows, np.uint8)
    for row in range(rows):
        at, end = trimmed(data, offsets[row], offsets[row + 1])
        if at == end:
            states[row] = MISSING
            continue
        states[row] = INVALID
        days, at = _date(data, at, end)
        if days < 0:
            continue
        if at < end and data[at] in (32, 84, 116):
            at += 1
        secs, at = _clock(data, at, end)
        if secs < 0:
            continue
        micros, at = _fraction(data, at, end)
        apart, told, well = _offset(data, at, end)
        if micros < 0 or not well:
            continue
        local = days * 86_400 + secs
        utc = local - apart if told else utc_of(local, changes, zone)
        if 0 <= utc < LAST_S:
            values[row] = utc * 1_000_000 + micros
            states[row] = READ
    return values, states


@compiled
def unix_times(offsets: Offsets, data: Bytes, unit: int) -> tuple[Ints, States]:
    """Units since 1970, with decimals that are cut off at the microsecond.

    unit: how many microseconds one of them is.
    """
    rows = len(offsets) - 1
    values = np.zeros(rows, np.int64)
    states = np.zeros(rows, np.uint8)
    for row in range(rows):
        at, end = trimmed(data, offsets[row], offsets[row + 1])
        if at == end:
            states[row] = MISSING
            continue
        states[row] = INVALID
        value, first = np.int64(0), at
        while at < end and 48 <= data[at] <= 57 and at - first < 17:
            value = value * 10 + (np.int64(data[at]) - 48)
            at += 1
        if at == first or value >= LAST_S * (1_000_000 // unit):
            continue
        micros, stop = _fraction(data, at, end)
        if stop == end and micros >= 0:
            values[row] = value * unit + micros * unit // 1_000_000
            states[row] = READ
    return values, states


@compiled
def dates(offsets: Offsets, data: Bytes) -> tuple[Ints, States]:
    """Days since 1970 of `2026-11-02`."""
    rows = len(offsets) - 1
    values = np.zeros(rows, np.int64)
    states = np.zeros(rows, np.uint8)
    for row in range(rows):
        at, end = trimmed(data, offsets[row], offsets[row + 1])
        if at == end:
            states[row] = MISSING
            continue
        days, stop = _date(data, at, end)
        if days < 0 or stop != end or days * 86_400 >= LAST_S:
            states[row] = INVALID
        else:
            values[row] = days
    return values, states


@compiled
def months_of(us: Ints) -> npt.NDArray[np.int32]:
    """Months since 1970 of moments."""
    found = np.empty(len(us), np.int32)
    last_day, last_month = np.int64(-1), 0
    for row in range(len(us)):
        day = us[row] // 86_400_000_000
        if day != last_day:
            last_day = day
            shifted = day + 719468
            era = shifted // 146097
            of_era = shifted - era * 146097
            year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
            of_year = of_era - (365 * year + year // 4 - year // 100)
            place = (5 * of_year + 2) // 153
            month = place + 3 if place < 10 else place - 9
            years = year + era * 400 + (1 if month <= 2 else 0)
            last_month = (years - 1970) * 12 + month - 1
        found[row] = last_month
    return found
