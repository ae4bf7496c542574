"""Which price of a deck is in force when: versions laid over each other, in whole numbers.

Each code of an origin has a timeline of prices. A version changes the timelines of the codes that
it names: from the moment at which its row takes effect, what was there is replaced by what it says,
up to the end of its last row. Rows are compared with what would be in force at their beginning
without the version, or else with what was in force just before: a dearer one waits for its notice,
or until it is no longer dearer than what was announced before. Until then the timeline goes on as
it was, its last price prolonged where it would end before.

Timelines are kept as stacks in arrays, the latest price on top, so that a version is laid over
hundreds of thousands of codes in a few steps. Nothing here divides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]

NONE = -1
PAST, NEW, INCREASE, DECREASE, UNCHANGED, BLOCKED = range(6)
"""What a row is to the timeline that it meets. PAST: it ended before the version could count."""


@dataclass(frozen=True, slots=True)
class Stated:
    """The rows of a deck's versions, one version after the other.

    key: which timeline; 0 up to `keys`. charges: what may not grow without notice, a column each.
    label: which text stands beside the price. Times in seconds since 1970.
    """

    key: Whole
    keys: int
    from_s: Whole
    to_s: Whole
    charges: tuple[Whole, ...]
    blocked: Truth
    label: Whole


@dataclass(frozen=True, slots=True)
class Layer:
    """One version: its rows are [start, stop). Seconds since 1970 before which

    floor_s: it says nothing; increase_s: no increase of it takes effect; other_s: nothing else
    of it does; gone_s: no code that it leaves out is withdrawn, None where none ever is.
    """

    start: int
    stop: int
    floor_s: int
    increase_s: int
    other_s: int
    gone_s: int | None


@dataclass(slots=True)
class Timelines:
    """What came of it: for each row its [from_s, to_s) if it is `alive`.

    kind: what the row was when its version was laid; reference: the row that it was compared
    with, or NONE. gone: for each layer the rows whose price it withdrew.
    """

    stated: Stated
    from_s: Whole
    to_s: Whole
    kind: Whole
    reference: Whole
    gone: list[Whole] = field(default_factory=list)
    below: Whole = field(init=False)
    top: Whole = field(init=False)

    def __post_init__(self) -> None:
        self.below = np.full(len(self.stated.key), NONE, np.int64)
        self.top = np.full(self.stated.keys, NONE, np.int64)

    @property
    def alive(self) -> Truth:
        """Which rows are in force at some time."""
        found = np.zeros(len(self.stated.key), np.bool_)
        at = self.top[self.top != NONE]
        while len(at):
            found[at] = True
            at = self.below[at]
            at = at[at != NONE]
        return found

    def begun(self, top: Whole, at_s: Whole) -> Whole:
        """On each stack the latest row that has begun at that second, or NONE."""
        found = top.copy()
        while len(late := np.flatnonzero((found != NONE) & (self.from_s[found] > at_s))):
            found[late] = self.below[found[late]]
        return found

    def cut(self, keys: Whole, at_s: Whole, *, prolong: Truth | None = None) -> None:
        """Ends the timelines there; with `prolong`, where they would end before too."""
        last = self.begun(self.top[keys], at_s - 1)
        here = np.flatnonzero(last != NONE)
        ends = np.minimum(self.to_s[last[here]], at_s[here])
        if prolong is not None:
            ends = np.where(prolong[here], at_s[here], ends)
        self.to_s[last[here]] = ends
        self.top[keys] = last


def unfold(stated: Stated, layers: Sequence[Layer]) -> Timelines:
    """The timelines that these versions make, laid in this order. No two prices of one overlap."""
    lines = Timelines(
        stated,
        stated.from_s.copy(),
        stated.to_s.copy(),
        np.zeros(len(stated.key), np.int64),
        np.full(len(stated.key), NONE, np.int64),
    )
    for layer in layers:
        _lay(lines, layer)
    return lines


def _lay(lines: Timelines, layer: Layer) -> None:
    stated = lines.stated
    rows = np.arange(layer.start, layer.stop)
    rows = rows[stated.to_s[rows] > layer.floor_s]
    rows = rows[np.lexsort((stated.from_s[rows], stated.key[rows]))]
    keys = stated.key[rows]
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = keys[1:] != keys[:-1]
    ends = np.ones(len(rows), np.bool_)
    ends[:-1] = begins[1:]
    place = np.arange(len(rows))
    rank = place - np.maximum.accumulate(np.where(begins, place, 0))
    before_top, before_to = lines.top.copy(), lines.to_s[: layer.start].copy()
    for nth in range(int(rank.max(initial=-1)) + 1):
        one = np.flatnonzero(rank == nth)
        _place(lines, layer, rows[one], ends[one], before_top, before_to)
    lines.gone.append(_withdraw(lines, layer, keys))


def _place(
    lines: Timelines,
    layer: Layer,
    rows: Whole,
    last: Truth,
    before_top: Whole,
    before_to: Whole,
) -> None:
    """At most one row of each timeline. last: it is the version's last of its timeline."""
    stated = lines.stated
    keys, to_s = stated.key[rows], stated.to_s[rows]
    from_s = np.maximum(stated.from_s[rows], layer.floor_s)
    without = lines.begun(before_top[keys], from_s)
    if layer.start:
        over = (without != NONE) & (before_to[without] <= from_s)
        without = np.where(over, NONE, without)
    just = lines.begun(lines.top[keys], from_s - 1)
    just = np.where((just != NONE) & (lines.to_s[just] >= from_s), just, NONE)
    reference = np.where(without != NONE, without, just)
    kind = _kinds(stated, rows, reference)
    lines.reference[rows] = reference

    now = lines.begun(lines.top[keys], from_s)
    kept = (kind == UNCHANGED) & (without != NONE) & (now == without)
    kept &= (lines.to_s[now] == to_s) & (stated.label[now] == stated.label[rows])
    done = kept & last
    lines.cut(keys[done], to_s[done])

    at_s = np.where(kind == UNCHANGED, from_s, np.maximum(from_s, layer.other_s))
    due_s = np.maximum(from_s, layer.increase_s)
    fair_s, announced = _overtaken(lines, rows, before_top[keys], from_s)
    at_s = np.where(kind == INCREASE, np.minimum(due_s, fair_s), at_s)
    at_s = np.minimum(at_s, to_s)
    late = (kind == INCREASE) & (at_s > from_s)
    again = (kind == INCREASE) & announced & (fair_s <= due_s)
    lines.kind[rows] = np.where(again, UNCHANGED, kind)
    put = ~kept
    lines.cut(keys[put], at_s[put], prolong=late[put])
    put &= at_s < to_s
    rows, keys = rows[put], keys[put]
    lines.from_s[rows], lines.below[rows] = at_s[put], lines.top[keys]
    lines.top[keys] = rows


def _kinds(stated: Stated, rows: Whole, reference: Whole) -> Whole:
    """What each row is beside the one that it is compared with."""
    dearer = np.zeros(len(rows), np.bool_)
    cheaper = np.zeros(len(rows), np.bool_)
    for charge in stated.charges:
        dearer |= charge[rows] > charge[reference]
        cheaper |= charge[rows] < charge[reference]
    was, blocked = stated.blocked[reference], stated.blocked[rows]
    kind = np.where(dearer, INCREASE, np.where(cheaper, DECREASE, UNCHANGED))
    kind = np.where(blocked & was, UNCHANGED, kind)
    kind = np.where(was & ~blocked, NEW, kind)
    kind = np.where(reference == NONE, NEW, kind)
    return np.where(blocked & ((reference == NONE) | ~was), BLOCKED, kind)


def _overtaken(lines: Timelines, rows: Whole, before: Whole, from_s: Whole) -> tuple[Whole, Truth]:
    """When each row is first not dearer than what was to follow without it; else its end.

    And whether what was to follow then is the same.
    """
    found = lines.stated.to_s[rows].copy()
    same = np.zeros(len(rows), np.bool_)
    at = before.copy()
    while len(later := np.flatnonzero((at != NONE) & (lines.from_s[at] > from_s))):
        kind = _kinds(lines.stated, rows[later], at[later])
        fair = kind != INCREASE
        found[later[fair]] = lines.from_s[at[later[fair]]]
        same[later[fair]] = kind[fair] == UNCHANGED
        at[later] = lines.below[at[later]]
    return found, same


def _withdraw(lines: Timelines, layer: Layer, named: Whole) -> Whole:
    """Ends what a full version does not name; the rows that would have gone on."""
    if layer.gone_s is None:
        return np.empty(0, np.int64)
    silent = lines.top != NONE
    silent[named] = False
    keys = np.flatnonzero(silent)
    at_s = np.full(len(keys), layer.gone_s, np.int64)
    last = lines.top[keys]
    going = lines.to_s[last] > at_s
    lines.cut(keys, at_s)
    return last[going]
