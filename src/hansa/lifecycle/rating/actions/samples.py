"""What one sample, snapshot or session record has to do with a holding's charges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hansa.foundation.ids import PartyId
from hansa.foundation.time import TICK, Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.actions import measuring
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.rules.octets import to_mbps
from hansa.lifecycle.usage.model import EventFile, EventKind

EPOCH = Period.month(1970, 1).start


@dataclass(frozen=True, slots=True)
class MeasuredExplained:
    """An event that is charged with many others. holdings: those whose point it is of.

    steps: in words, what it has to do with each of their charges.
    """

    event: int
    delivery: int
    kind: str
    point: str
    at: Instant
    measured: str
    holdings: tuple[HoldingRef, ...]
    steps: tuple[str, ...]


def explain(
    tx: Transaction, *, us: PartyId, event: int, file: EventFile, row: Mapping[str, Any]
) -> MeasuredExplained:
    """What an event has to do with charges. row: as its file has it."""
    at, words = _told(file.kind, row)
    month = Period.parse(file.month)
    held = _held(tx, us, month, row["point"], at, file.kind)
    steps = [step for one in held for step in _steps_of(tx, one, month, file.kind, row, at)]
    nobody = (
        f"not charged: no holding with a price for it is at {row['point']!r} then; "
        "`hansa usage trunk put` says whose it is"
    )
    return MeasuredExplained(
        event=event,
        delivery=file.delivery,
        kind=file.kind.value,
        point=row["point"],
        at=at,
        measured=words,
        holdings=tuple(held),
        steps=tuple(steps or [nobody]),
    )


def _held(
    tx: Transaction, us: PartyId, month: Period, point: str, at: Instant, kind: EventKind
) -> Sequence[HoldingRef]:
    """The holdings that the point is at that time; one sold and one bought at most."""
    counts = at + timedelta(days=1) - TICK if kind is EventKind.SEATS else at
    return [
        one.holding
        for one in measuring.metered(tx, us=us, month=month)
        for known in one.points
        if known.name == point and Period(known.start, known.end or FOR_EVER).holds(counts)
    ]


def _steps_of(
    tx: Transaction,
    holding: HoldingRef,
    month: Period,
    kind: EventKind,
    row: Mapping[str, Any],
    at: Instant,
) -> Sequence[str]:
    lines = measuring.lines(tx, holding=holding, month=month)
    if lines is None:
        return [f"{holding.id}: {month.name} is not added up yet"]
    found = [step for line in lines for step in _steps(kind, row, at, line)]
    return [f"{holding.id}, {step}" for step in found]


FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)


def _told(kind: EventKind, row: Mapping[str, Any]) -> tuple[Instant, str]:
    """When it was, and what was measured."""
    if kind is EventKind.SAMPLES:
        ways = [f"{way} {_octets(row[f'octets_{way}'])}" for way in ("in", "out")]
        return EPOCH + timedelta(seconds=row["slot_s"]), ", ".join(ways)
    if kind is EventKind.SEATS:
        return datetime.combine(row["day"], time(), UTC), f"{row['seats']} seats"
    carried = [f"{way} {row[f'octets_{way}'] or 0} octets so far" for way in ("in", "out")]
    at = EPOCH + timedelta(microseconds=row["at_us"])
    return at, f"session {row['session']}, {row['status']}: {', '.join(carried)}"


def _octets(count: int | None) -> str:
    return "not polled" if count is None else f"{count} octets, {to_mbps(count)} Mbit/s"


def _steps(kind: EventKind, row: Mapping[str, Any], at: Instant, line: RatedLine) -> Sequence[str]:
    rule = line.reason.get("rule")
    if rule == "percentile-95" and kind is EventKind.SAMPLES:
        return [
            f"{line.label}, {way}: {_place(row[f'octets_{way}'], at, line.reason[way])}"
            for way in ("in", "out")
        ]
    if rule == "volume" and kind is not EventKind.SEATS:
        return [
            (
                f"{line.label}: among {line.reason['octets']} octets of the month, of which "
                f"{line.reason['allowance_octets']} are included"
            )
        ]
    if rule == "seats" and kind is EventKind.SEATS:
        day = line.reason["day"]
        same = day == f"{at:%Y-%m-%d}"
        return [
            (
                f"{line.label}: {'the day that counts' if same else f'{day} counts'}, "
                f"with {line.reason['seats']} seats ({line.reason['basis']})"
            )
        ]
    return []


def _place(octets: int | None, at: Instant, way: Mapping[str, Any]) -> str:
    """Whether a sample is among those that are free, is the one that counts, or is below it."""
    if octets is None:
        return "not polled, and left out"
    counted = datetime.fromisoformat(way["at"])
    told = f"the {way['free'] + 1}. highest of {way['samples']} counts: {way['mbps']} Mbit/s"
    if (octets, counted) == (way["octets"], at):
        return f"this one counts; {told}"
    free = octets > way["octets"] or (octets == way["octets"] and at < counted)
    return f"{'among the highest, which are free' if free else 'below the one that counts'}; {told}"
