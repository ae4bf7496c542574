"""Instants and periods: months, parts of them, and the names that others read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction

import pytest

from hansa.foundation.errors import Refused
from hansa.foundation.time import TICK, Period, instant_name, midnight

NOVEMBER = Period.month(2026, 11)


def test_a_month_excludes_its_end() -> None:
    assert (NOVEMBER.start, NOVEMBER.end) == (
        midnight(date(2026, 11, 1)),
        datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert NOVEMBER.holds(NOVEMBER.start)
    assert NOVEMBER.holds(NOVEMBER.end - TICK)
    assert not NOVEMBER.holds(NOVEMBER.end)
    assert Period.month(2026, 12).end == midnight(date(2027, 1, 1))
    assert Period.month_of(NOVEMBER.end - TICK) == NOVEMBER == Period.parse("2026-11")
    assert NOVEMBER.name == "2026-11"


@pytest.mark.parametrize("text", ["2026", "2026-13", "November", "2026-11-01", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="period-invalid"):
        Period.parse(text)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOVEMBER.end, NOVEMBER.start),
        (NOVEMBER.start, NOVEMBER.start),
        (NOVEMBER.start.replace(tzinfo=None), NOVEMBER.end),
    ],
)
def test_a_period_has_two_ends_in_order_with_their_zone(start: datetime, end: datetime) -> None:
    with pytest.raises(Refused, match="period-invalid"):
        Period(start, end)


def test_a_part_is_an_exact_share_of_the_whole() -> None:
    first = NOVEMBER.meet(NOVEMBER.start - timedelta(days=9), midnight(date(2026, 11, 11)))
    rest = NOVEMBER.meet(midnight(date(2026, 11, 11)), None)
    assert first is not None
    assert rest is not None
    assert (first.share_of(NOVEMBER), rest.share_of(NOVEMBER)) == (Fraction(1, 3), Fraction(2, 3))
    moment = Period(NOVEMBER.start, NOVEMBER.start + TICK)
    assert moment.share_of(NOVEMBER) == Fraction(1, 30 * 24 * 3600 * 10**6)
    assert NOVEMBER.meet(NOVEMBER.end, None) is None


def test_a_period_touches_every_day_that_it_has_a_part_of() -> None:
    noon = midnight(date(2026, 11, 1)) + timedelta(hours=12)
    assert [day.day for day in Period(noon, noon + timedelta(days=2)).days()] == [1, 2, 3]
    assert [day.day for day in Period(noon, midnight(date(2026, 11, 3))).days()] == [1, 2]
    assert len(list(NOVEMBER.days())) == 30


def test_an_instant_has_one_name_whatever_zone_it_came_in() -> None:
    at = datetime(2026, 11, 16, 10, tzinfo=timezone(timedelta(hours=2)))
    assert instant_name(at) == instant_name(at.astimezone(UTC)) == "2026-11-16T08:00:00Z"
    assert instant_name(at + TICK) == "2026-11-16T08:00:00.000001Z"
