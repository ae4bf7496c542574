"""Charges by samples, sessions and seats, for all holdings at once. Needs the extra `bulk`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from hansa.federation.contract import PercentileTariff, SeatTariff, VolumeTariff
from hansa.foundation.extras import need
from hansa.foundation.time import TICK, Instant, Period, instant_name
from hansa.lifecycle.inventory.model import HoldingRef, Spell
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.model.measured import Direction, Octets, Seats
from hansa.lifecycle.rating.rules.octets import percentile_of, volume_of
from hansa.lifecycle.rating.rules.parts import Stretch, stretches
from hansa.lifecycle.rating.rules.rate import seats_of
from hansa.lifecycle.usage.model import EventKind, Trunk

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1) // TICK, timedelta(days=1) // TICK
OPEN = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Metered:
    """A holding whose usage is measured at points of the network: its ports, users, services."""

    holding: HoldingRef
    spells: Sequence[Spell]
    points: Sequence[Trunk]


class Volume(Protocol):
    """Octets that sessions of a point carried in a UTC day, counted from 1970; usage tells them."""

    @property
    def point(self) -> str: ...
    @property
    def day(self) -> int: ...
    @property
    def octets_in(self) -> int: ...
    @property
    def octets_out(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Readings:
    """A month's event files of samples and of seats, and what its sessions carried."""

    samples: Sequence[Path] = ()
    seats: Sequence[Path] = ()
    volumes: Sequence[Volume] = ()


class Run(Protocol):
    """Runs one of the SQL texts on an engine; files and tables stand for the tables in it."""

    def __call__(
        self, name: str, *, files: Mapping[str, Sequence[Path]], tables: Mapping[str, Any]
    ) -> list[dict[str, Any]]: ...


def lines(
    metered: Sequence[Metered],
    readings: Readings,
    month: Period,
    *,
    spill: Path,
    run: Run | None = None,
) -> Mapping[HoldingRef, tuple[RatedLine, ...]]:
    """What each holding's samples, sessions and seats of a month cost, named as `rate_month` does.

    Stretches with tariffs for calls are left out. Several points of one holding are added up;
    where one of them was not polled the sum is missing. Octets of sessions and seats belong to
    the stretch in which their day ends. spill: where DuckDB lays aside what does not fit in
    memory. run: of another engine, as `Spark.measure`.
    """
    need("duckdb", "pyarrow", "sqlglot")
    from hansa.lifecycle.rating.store import measures

    def on_duckdb(
        name: str, *, files: Mapping[str, Sequence[Path]], tables: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        return measures.on_duckdb(name, files=files, tables=tables, spill=spill)

    spans = _spans(metered, month)
    octets, seats = _measured(spans, readings, run or on_duckdb)
    found: dict[HoldingRef, tuple[RatedLine, ...]] = {one.holding: () for one in metered}
    for span, (one, stretch, number) in enumerate(spans):
        suffix = f"@{instant_name(stretch.part.start)}" if number else ""
        found[one.holding] += tuple(
            replace(line, label=f"{line.label}{suffix}")
            for line in _charged(stretch, octets.get(span, Octets()), seats.get(span))
        )
    return found


def counted(
    metered: Sequence[Metered],
    files: Mapping[EventKind, Sequence[Path]],
    month: Period,
    *,
    spill: Path,
) -> Mapping[int, int]:
    """How many events of each delivery are charged: those of a point that is a holding's then,
    whose tariff is for them. What servers say of themselves is nobody's, and counts as charged.
    """
    need("duckdb", "pyarrow", "sqlglot")
    from hansa.lifecycle.rating.store import measures

    spans = _spans(metered, month)
    found: dict[int, int] = {}
    for kind, places in files.items():
        if places:
            meter = _meters(spans, *PRICES[kind])
            found |= measures.counted(kind, places, meter=meter, spill=spill)
    return found


PRICES: Mapping[EventKind, tuple[type, ...]] = {
    EventKind.SAMPLES: (PercentileTariff, VolumeTariff),
    EventKind.SEATS: (SeatTariff,),
    EventKind.SESSIONS: (VolumeTariff,),
}
"""The tariffs that price each kind of event."""

Span = tuple[Metered, Stretch, int]


def _spans(metered: Sequence[Metered], month: Period) -> Sequence[Span]:
    return [
        (one, stretch, number)
        for one in metered
        for number, stretch in enumerate(stretches(one.spells, month))
    ]


def _meters(spans: Sequence[Span], *kinds: type) -> Any:
    """The points of the stretches that have a tariff of these kinds, as the table `meter`."""
    from hansa.lifecycle.rating.store import measures

    return measures.meter(
        [
            row
            for span, (one, stretch, _) in enumerate(spans)
            if isinstance(stretch.tariff, kinds)
            for row in _meter(span, one, stretch)
        ]
    )


def _charged(stretch: Stretch, octets: Octets, seats: Seats | None) -> tuple[RatedLine, ...]:
    if isinstance(stretch.tariff, PercentileTariff):
        return percentile_of(stretch.tariff, octets, stretch)
    if isinstance(stretch.tariff, VolumeTariff):
        return volume_of(stretch.tariff, octets, stretch)
    if isinstance(stretch.tariff, SeatTariff) and seats is not None:
        return seats_of(stretch.tariff, seats, stretch)
    return ()


def _measured(
    spans: Sequence[Span], readings: Readings, run: Run
) -> tuple[Mapping[int, Octets], Mapping[int, Seats]]:
    """By the place of a stretch: its octets; its seats."""
    from hansa.lifecycle.rating.store import measures

    octets: dict[int, Octets] = {}
    seats: dict[int, Seats] = {}
    if readings.samples:
        tables = {"meter": _meters(spans, *PRICES[EventKind.SAMPLES])}
        for row in run("samples", files={"samples": readings.samples}, tables=tables):
            octets[row["span"]] = _with_way(octets.get(row["span"], Octets()), row)
    if readings.volumes:
        tables = {
            "meter": _meters(spans, *PRICES[EventKind.SESSIONS]),
            "volumes": measures.volumes([_told(one) for one in readings.volumes]),
        }
        for row in run("volumes", files={}, tables=tables):
            octets[row["span"]] = _with_volume(octets.get(row["span"], Octets()), row)
    if readings.seats:
        tables = {"meter": _meters(spans, *PRICES[EventKind.SEATS])}
        for row in run("seats", files={"seats": readings.seats}, tables=tables):
            seats[row["span"]] = Seats(
                days=row["days"],
                peak_day=_date(row["peak_day"]),
                peak=row["peak"],
                last_day=_date(row["last_day"]),
                last=row["last_seats"],
            )
    return octets, seats


def _with_way(octets: Octets, row: Mapping[str, Any]) -> Octets:
    """With one direction more; `way` is null where no sample of either is known."""
    octets = replace(octets, slots=row["slots"])
    if row["way"] is None:
        return octets
    at = EPOCH + timedelta(seconds=row["slot_s"])
    way = Direction(row["samples"], row["total"], row["free"], row["octets"], at)
    return replace(octets, outward=way) if row["way"] else replace(octets, inward=way)


def _with_volume(octets: Octets, row: Mapping[str, Any]) -> Octets:
    return replace(
        octets,
        inward=replace(octets.inward, total=octets.inward.total + row["octets_in"]),
        outward=replace(octets.outward, total=octets.outward.total + row["octets_out"]),
    )


def _told(volume: Volume) -> Mapping[str, Any]:
    return {name: getattr(volume, name) for name in ("point", "day", "octets_in", "octets_out")}


# --- moments as whole numbers -------------------------------------------------------------------


def _meter(span: int, one: Metered, stretch: Stretch) -> Sequence[Mapping[str, Any]]:
    """The points of a stretch, each with its time and the stretch's, by second and by day."""
    part = stretch.part
    return [
        {
            "span": span,
            "point": point.name,
            **{
                f"{name}_{unit}": whole(at)
                for unit, whole in _UNITS.items()
                for name, at in (
                    ("since", point.start),
                    ("until", point.end or OPEN),
                    ("from", part.start),
                    ("to", part.end),
                )
            },
        }
        for point in one.points
        if part.meet(point.start, point.end)
    ]


def _second(at: Instant) -> int:
    """The first whole second that is not before a moment."""
    return -(-((at - EPOCH) // TICK) // SECOND)


def _day(at: Instant) -> int:
    """The first day whose last instant is not before a moment."""
    return -(-((at - EPOCH) // TICK + 1) // DAY) - 1


_UNITS: Mapping[str, Callable[[Instant], int]] = {"s": _second, "day": _day}


def _date(day: int) -> date:
    return (EPOCH + timedelta(days=day)).date()
