"""Columns of text read as numbers, times and counts, many million a second.

Each takes the buffers of a column and gives a value and a state for each record: 0 for one that
was read, else why not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hansa.foundation.extras import compiled
from hansa.lifecycle.usage.rules.prefix import Bytes, CodeIds, Offsets, longest

Ints = npt.NDArray[np.int64]
States = npt.NDArray[np.uint8]

READ, MISSING, INVALID, NEGATIVE = 0, 1, 2, 3

NUMBER_MAX = 32
"""Digits of the longest number that is taken: E.164 has 15, carriers put codes of theirs before."""

WHOLE_MAX = 10**17
"""No count, time or duration has more digits than this."""


@compiled
def mixed(digest: np.int64, value: np.int64) -> np.int64:
    """The digest with one more whole number in it."""
    digest = (digest ^ value) * np.int64(0x2545F4914F6CDD1D)
    digest ^= digest >> 31
    digest *= np.int64(0x1B03738712FAD5C9)
    return digest ^ (digest >> 29)


@compiled
def trimmed(data: Bytes, start: int, end: int) -> tuple[int, int]:
    while start < end and data[start] == 32:
        start += 1
    while start < end and data[end - 1] == 32:
        end -= 1
    return start, end


@compiled
def _begins(data: Bytes, start: int, end: int, head: Bytes) -> bool:
    if len(head) == 0 or end - start < len(head):
        return False
    same = 0
    while same < len(head) and data[start + same] == head[same]:
        same += 1
    return same == len(head)


@compiled
def _head(
    data: Bytes, at: int, end: int, international: Bytes, national: Bytes
) -> tuple[int, int, bool]:
    """The state of what stands before a number's digits, where they begin, and whether the
    country is to stand before them.
    """
    if at == end:
        return MISSING, at, False
    if data[at] == 43:
        return (READ if at + 1 < end else INVALID), at + 1, False
    if _begins(data, at, end, international):
        return READ, at + len(international), False
    if _begins(data, at, end, national):
        return READ, at + len(national), True
    return READ, at, False


@compiled
def numbers(
    offsets: Offsets,
    data: Bytes,
    international: Bytes,
    national: Bytes,
    country: Bytes,
    children: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], Bytes, CodeIds, Ints, States]:
    """Numbers as E.164 digits: where each begins, their digits, their codes, their digests.

    A plus, or `international`, is taken off; else `national` is replaced by `country`. A number
    that cannot be read is empty.
    """
    rows = len(offsets) - 1
    places = np.zeros(rows + 1, np.int32)
    digits = np.empty(offsets[-1] - offsets[0] + rows * len(country), np.uint8)
    codes = np.empty(rows, np.int32)
    digests = np.empty(rows, np.int64)
    states = np.zeros(rows, np.uint8)
    put = 0
    for row in range(rows):
        at, end = trimmed(data, offsets[row], offsets[row + 1])
        begin = put
        states[row], at, local = _head(data, at, end, international, national)
        if local:
            for digit in country:
                digits[put] = digit
                put += 1
        digest = np.int64(7)
        while at < end:
            digit = data[at]
            if digit < 48 or digit > 57:
                states[row] = INVALID
                break
            digits[put] = digit
            put += 1
            at += 1
        if put - begin > NUMBER_MAX:
            states[row] = INVALID
        if states[row] != READ:
            put = begin
        for place in range(begin, put):
            digest = digest * 11 + (np.int64(digits[place]) - 47)
        digests[row] = digest
        codes[row] = longest(children, ends, digits, begin, put)
        places[row + 1] = put
    return places, digits[:put].copy(), codes, digests, states


@compiled
def digests(offsets: Offsets, data: Bytes) -> Ints:
    """A digest of each text."""
    found = np.empty(len(offsets) - 1, np.int64)
    for row in range(len(found)):
        digest = np.int64(11)
        for at in range(offsets[row], offsets[row + 1]):
            digest = digest * 257 + np.int64(data[at]) + 1
        found[row] = mixed(digest, np.int64(offsets[row + 1] - offsets[row]))
    return found


@compiled
def together(first: Ints, second: Ints) -> Ints:
    """The digests of two columns as one."""
    found = np.empty(len(first), np.int64)
    for row in range(len(first)):
        found[row] = mixed(first[row], second[row])
    return found


@compiled
def wholes(offsets: Offsets, data: Bytes) -> tuple[Ints, States]:
    """Counts: whole numbers, at least 0."""
    rows = len(offsets) - 1
    values = np.zeros(rows, np.int64)
    states = np.zeros(rows, np.uint8)
    for row in range(rows):
        at, end = trimmed(data, offsets[row], offsets[row + 1])
        if at == end:
            states[row] = MISSING
            continue
        negative = data[at] == 45
        if negative:
            at += 1
        value = np.int64(0)
        if at == end:
            states[row] = INVALID
        while at < end:
            if data[at] < 48 or data[at] > 57 or value > WHOLE_MAX:
                states[row] = INVALID
                break
            value = value * 10 + (np.int64(data[at]) - 48)
            at += 1
        if states[row] == READ:
            if negative and value > 0:
                states[row] = NEGATIVE
            values[row] = value
    return values, states


@compiled
def seconds(offsets: Offsets, data: Bytes, unit: int) -> tuple[Ints, States]:
    """Durations in seconds begun: `205`, `204.2`, `00:03:25`; unit: how many make a second."""
    rows = len(offsets) - 1
    values = np.zeros(rows, np.int64)
    states = np.zeros(rows, np.uint8)
    for row in range(rows):
        at, end = trimmed(data, offsets[row], offsets[row + 1])
        if at == end:
            states[row] = MISSING
            continue
        negative = data[at] == 45
        if negative:
            at += 1
        value, total, more, digits, point = np.int64(0), np.int64(0), False, 0, False
        state = READ
        while at < end:
            char = data[at]
            if 48 <= char <= 57 and total + value <= WHOLE_MAX:
                digits += 1
                if not point:
                    value = value * 10 + (np.int64(char) - 48)
                elif char != 48:
                    more = True
            elif char == 58 and not point and digits > 0 and unit == 1:
                total = (total + value) * 60
                value, digits = np.int64(0), 0
            elif char == 46 and not point and digits > 0:
                point = True
            else:
                state = INVALID
                break
            at += 1
        if digits == 0:
            state = INVALID
        value = total + value + (1 if more else 0)
        if state == READ and negative and value > 0:
            state = NEGATIVE
        states[row] = state
        values[row] = (value + unit - 1) // unit
    return values, states
