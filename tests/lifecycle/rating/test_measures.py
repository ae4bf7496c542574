"""Samples, sessions and seats in bulk: the SQL texts give what the rules say record by record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from hansa.federation.contract import PercentileTariff, Tariff, Tier, VolumeTariff
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.time import Period
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.actions.measures import EPOCH, Metered, Readings, lines
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.rules.rate import rate_month
from hansa.lifecycle.usage.actions import events
from hansa.lifecycle.usage.model import EventKind, Trunk
from hansa.lifecycle.usage.rules.sessions import Volume
from tests.lifecycle.rating.points import days_since, measured
from tests.lifecycle.rating.samples import NOVEMBER, spell

pytestmark = pytest.mark.slow

ONE = HoldingRef(PartyId("op"), HoldingId("hld_1"))
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(15))
def test_the_same_as_the_rules_say(seed: int, tmp_path: Path) -> None:
    """To the last word of the reasons: a stretch's missing samples, the instant that counted."""
    town = measured(seed, tmp_path)
    found = lines(town.metered, town.readings, town.month, spill=tmp_path / "spill")
    assert list(found) == [one.holding for one in town.metered]
    for one in town.metered:
        assert found[one.holding] == rate_month(
            one.spells, town.records[one.holding], town.month
        ), one.holding


def charge(
    tariff: Tariff, readings: Readings, tmp_path: Path, *points: Trunk
) -> tuple[RatedLine, ...]:
    given = points or (Trunk("p", "in", ONE, EPOCH),)
    metered = Metered(ONE, [spell(EPOCH, None, tariff)], given)
    return lines([metered], readings, NOVEMBER, spill=tmp_path / "spill")[ONE]


def samples(tmp_path: Path, *points: tuple[str, datetime, int, int]) -> Readings:
    """So many samples of each point from a moment on, each of so many octets both ways."""
    rows = [
        {
            "event_id": at,
            "key": at,
            "point": point,
            "slot_s": int((start + timedelta(minutes=5 * at)).timestamp()),
            "octets_in": octets,
            "octets_out": octets,
        }
        for point, start, many, octets in points
        for at in range(many)
    ]
    table = pa.Table.from_pylist(rows, events.schema(EventKind.SAMPLES))
    events.write(tmp_path / "samples.parquet", EventKind.SAMPLES, table)
    return Readings([tmp_path / "samples.parquet"])


BURST = PercentileTariff(Decimal(2), 10)


def test_below_95_percent_only_the_commit_is_charged_and_that_is_shown(tmp_path: Path) -> None:
    start, slots = NOVEMBER.start, 8640
    (enough,) = charge(BURST, samples(tmp_path, ("p", start, 8208, 10**9)), tmp_path)
    (short,) = charge(BURST, samples(tmp_path, ("p", start, 8207, 10**9)), tmp_path)
    (none,) = charge(BURST, samples(tmp_path, ("other", start, slots, 10**9)), tmp_path)
    assert enough.quantity == Decimal("26.667")
    assert short.quantity == none.quantity == 10
    assert short.reason["because"] == none.reason["because"] == "coverage below 95 %: commit only"
    assert short.reason["in"]["missing"] == slots - 8207


def test_a_port_that_is_replaced_within_a_day_leaves_no_gap(tmp_path: Path) -> None:
    before = 9 * 288 + 144
    readings = samples(
        tmp_path, ("old", NOVEMBER.start, before + 20, 10**9), ("new", NOON, 8640 - before, 10**9)
    )
    points = (Trunk("old", "in", ONE, EPOCH, NOON), Trunk("new", "in", ONE, NOON))
    (line,) = charge(BURST, readings, tmp_path, *points)
    assert line.quantity == Decimal("26.667")  # not twice as much where the old one still counts
    assert line.reason["in"]["missing"] == 0


def test_what_sessions_carried_is_volume_of_the_days_that_end_in_the_stretch(
    tmp_path: Path,
) -> None:
    tariff = VolumeTariff(1, (Tier(None, Decimal(3)),), "graduated")
    last = days_since(date(2026, 11, 30))
    volumes = [Volume("p", day, 4 * 10**8, 10**8) for day in (last - 29, last - 3, last, last + 1)]
    volumes.append(Volume("other", last, 10**12, 0))
    found = charge(tariff, Readings(volumes=volumes), tmp_path)
    assert [(line.quantity, line.nano) for line in found] == [
        (1, 0),
        (Decimal("0.5"), 1_500_000_000),
    ]
    both = replace(samples(tmp_path, ("p", NOON, 10, 10**8)), volumes=volumes)
    assert sum(line.quantity for line in charge(tariff, both, tmp_path)) == Decimal("3.5")


def test_nothing_measured_costs_nothing(tmp_path: Path) -> None:
    tariff = VolumeTariff(1, (Tier(None, Decimal(3)),), "graduated")
    assert charge(tariff, Readings(), tmp_path) == ()
    december = Period.month(2026, 12)
    given = samples(tmp_path, ("p", december.start, 10, 10))
    assert charge(tariff, given, tmp_path) == ()
