"""The dial code of a number: the longest code that it begins with.

Codes and numbers are strings of digits, never integers: a zero after the country code counts,
and so does how long a number is. Both are handed over as the buffers of an Arrow string array:
where each string begins (one more than there are strings), and all their bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hansa.foundation.errors import HansaError
from hansa.foundation.extras import compiled

Offsets = npt.NDArray[np.int32] | npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
CodeIds = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """All codes as a tree of digits.

    children[node, digit]: 0 when no code goes on so; else, above 0, the node that follows, or,
    below 0, a code at which the tree ends: code c as -c - 1. ends[node]: the code that ends
    there, or -1. Node 0 is the root. count: how many codes.
    """

    children: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    count: int


def plant(offsets: Offsets, data: Bytes) -> Prefixes:
    """The tree of these codes. Code c is the c-th string, counted from 0.

    Raises HansaError `codes-invalid` unless they are strings of digits, sorted, none twice.
    """
    wrong = _unsorted(offsets, data)
    if wrong >= 0:
        raise HansaError(
            "codes-invalid",
            f"Code {wrong + 1} of the list is no string of digits, or is out of order.",
            field="codes",
        )
    children, ends = _leafless(*_grown(offsets, data))
    return Prefixes(children, ends, len(offsets) - 1)


NO_NUMBER = -2
"""What stands for the code of a number that was not told."""


def match(prefixes: Prefixes, offsets: Offsets, data: Bytes) -> CodeIds:
    """The longest code of each number, as its place in the list of codes; -1 for none, NO_NUMBER
    for an empty one.
    """
    found = _matched(prefixes.children, prefixes.ends, offsets, data)
    found[offsets[1:] == offsets[:-1]] = NO_NUMBER
    return found


@compiled
def _unsorted(offsets: Offsets, data: Bytes) -> int:
    """The first code that is empty, has anything but digits, or does not follow the one before."""
    for code in range(len(offsets) - 1):
        start, end = offsets[code], offsets[code + 1]
        if start == end:
            return code
        for at in range(start, end):
            if data[at] < 48 or data[at] > 57:
                return code
        if code > 0:
            before, length = offsets[code - 1], min(start - offsets[code - 1], end - start)
            same = 0
            while same < length and data[before + same] == data[start + same]:
                same += 1
            if same == end - start:
                return code
            if same < length and data[before + same] > data[start + same]:
                return code
    return -1


@compiled
def _grown(offsets: Offsets, data: Bytes) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """A node for every beginning of a code; the code that ends at each."""
    most = offsets[-1] - offsets[0] + 1
    children = np.zeros((most, 10), np.int32)
    ends = np.full(most, -1, np.int32)
    used = 1
    for code in range(len(offsets) - 1):
        node = 0
        for at in range(offsets[code], offsets[code + 1]):
            digit = data[at] - 48
            if children[node, digit] == 0:
                children[node, digit] = used
                used += 1
            node = children[node, digit]
        ends[node] = code
    return children[:used], ends[:used]


@compiled
def _leafless(
    children: npt.NDArray[np.int32], ends: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The same tree without nodes from which nothing goes on: a small tree stays in the cache."""
    nodes = len(ends)
    place = np.zeros(nodes, np.int32)
    kept = 0
    for node in range(nodes):
        inner = node == 0
        for digit in range(10):
            inner = inner or children[node, digit] != 0
        if inner:
            place[node] = kept
            kept += 1
        else:
            place[node] = -ends[node] - 1
    fewer = np.zeros((kept, 10), np.int32)
    fewer_ends = np.empty(kept, np.int32)
    for node in range(nodes):
        if place[node] > 0 or node == 0:
            fewer_ends[place[node]] = ends[node]
            for digit in range(10):
                child = children[node, digit]
                fewer[place[node], digit] = place[child] if child != 0 else 0
    return fewer, fewer_ends


@compiled
def longest(
    children: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    data: Bytes,
    start: int,
    end: int,
) -> int:
    """The longest code at the beginning of data[start:end]; -1 for none."""
    node = 0
    best = -1
    for at in range(start, end):
        digit = data[at] - 48
        if digit < 0 or digit > 9:
            return best
        child = children[node, digit]
        if child <= 0:
            return best if child == 0 else -child - 1
        node = child
        if ends[node] >= 0:
            best = ends[node]
    return best


@compiled
def _matched(
    children: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    offsets: Offsets,
    data: Bytes,
) -> CodeIds:
    found = np.empty(len(offsets) - 1, np.int32)
    for number in range(len(offsets) - 1):
        found[number] = longest(children, ends, data, offsets[number], offsets[number + 1])
    return found
