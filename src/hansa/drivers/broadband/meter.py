"""Use of a line, slot by slot, out of its records of accounting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from hansa.drivers.broadband.records import Record
from hansa.foundation.readings import SAMPLES_A_DAY, OctetDay

SLOT_S = 86_400 // SAMPLES_A_DAY


def days(records: Sequence[Record], wanted: Sequence[date]) -> Iterator[OctetDay]:
    """The days of `wanted` from the first record to the last, each of 288 slots.

    records: those of each session together, in the order of time. Counts are of a session since
    it began; what it carried between two records is of the slot of the later one, so that none
    is lost. A slot in which no record came is one that was not polled.
    """
    slots: dict[tuple[date, int], tuple[int, int]] = {}
    session, before = "", (0, 0)
    for one in records:
        if one.session != session:
            session, before = one.session, (0, 0)
        counts = (one.octets_down, one.octets_up)
        more = (max(0, counts[0] - before[0]), max(0, counts[1] - before[1]))
        before = (max(counts[0], before[0]), max(counts[1], before[1]))
        second = one.at.hour * 3600 + one.at.minute * 60 + one.at.second
        where = (one.at.date(), second // SLOT_S)
        known = slots.get(where, (0, 0))
        slots[where] = (known[0] + more[0], known[1] + more[1])
    inside = sorted({day for day, _ in slots} & {*wanted})
    for day in wanted:
        if inside and inside[0] <= day <= inside[-1]:
            told = [slots.get((day, slot), (None, None)) for slot in range(SAMPLES_A_DAY)]
            yield OctetDay(day, tuple(one[0] for one in told), tuple(one[1] for one in told))
