"""A closed month is rated, on both sides of a trade alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from hansa.foundation.database import Database, run
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.plan.engine import Engine
from hansa.foundation.time import Period, SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef, Support
from hansa.lifecycle.rating import work
from hansa.lifecycle.rating.actions import months as actions
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.usage import work as usage_work
from hansa.lifecycle.usage.actions import months as usage
from tests.lifecycle.usage.stage import (
    BT,
    LINE,
    MTN,
    NOVEMBER,
    SINCE,
    VOICE,
    Stage,
    call,
    calls_of_november,
    holding,
    ref,
    trunk,
)


@pytest.fixture
def stage(begin: Begin, clock: SetClock, ids: Ids, tmp_path: Path) -> Stage:
    return Stage(begin, clock, ids, tmp_path / "usage")


def rate(stage: Stage, us: PartyId = MTN, *, limit: int = 50) -> list[int]:
    """Turns of rating until there is nothing left; how much each did."""
    turns: list[int] = []
    while not turns or turns[-1]:
        with stage.begin() as tx:
            turns.append(
                work.run(
                    tx,
                    us=us,
                    ids=stage.ids,
                    now=stage.clock.now(),
                    folder=stage.folder,
                    limit=limit,
                )
            )
    return turns[:-1]


def lines(stage: Stage, of: HoldingRef, period: Period = NOVEMBER) -> list[RatedLine]:
    with stage.begin() as tx:
        return list(actions.rated(tx, holding=of, period=period))


def is_rated(stage: Stage, period: Period = NOVEMBER) -> bool:
    with stage.begin() as tx:
        return actions.is_rated(tx, period=period)


def test_nothing_is_rated_before_all_usage_is_in(stage: Stage) -> None:
    trunk(stage)
    calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.open_months()
    assert rate(stage) == []
    stage.settle()
    assert rate(stage) == [3]
    assert is_rated(stage)


def test_what_is_sold_and_what_is_bought_are_rated_each_at_its_terms(stage: Stage) -> None:
    """BT's route carried four calls; SHOP's trunk was sold after the first of them."""
    trunk(stage)
    calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.settle()
    rate(stage)
    bought, sold = (
        {line.label: (int(line.quantity), line.nano) for line in lines(stage, of)}
        for of in (ref("route", BT), ref("trunk"))
    )
    assert bought == {
        "South Africa/peak": (180, 180_000_000),
        "South Africa/off-peak": (60, 30_000_000),
    }
    assert sold == {
        "South Africa/peak": (120, 120_000_000),
        "South Africa/off-peak": (60, 30_000_000),
    }
    assert lines(stage, ref("port")) == []


def test_a_charge_can_be_explained(stage: Stage) -> None:
    trunk(stage)
    calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.settle()
    rate(stage)
    with stage.begin() as tx:
        line = actions.explain(tx, holding=ref("trunk"), period=NOVEMBER, label="South Africa/peak")
        with pytest.raises(NotFound, match="charge-unknown"):
            actions.explain(tx, holding=ref("trunk"), period=NOVEMBER, label="Moon/peak")
    assert line.reason["prefixes"] == [
        {
            "prefix": "27",
            "first_s": 60,
            "next_s": 60,
            "rate_per_min": "0.06",
            "setup": "0",
            "calls": 2,
            "seconds": 120,
            "billed_s": 120,
            "nano": 120_000_000,
            "currency": "ZAR",
        }
    ]
    assert line.currency == "ZAR"


def test_both_sides_of_a_trade_come_to_the_same_lines(
    stage: Stage, databases: Callable[[], Database], clock: SetClock, ids: Ids, tmp_path: Path
) -> None:
    """BT sells the route that MTN buys: each rates it in its own books, from its own files."""
    trunk(stage)
    told = calls_of_november(stage)
    theirs = Stage(databases().begin, clock, ids, tmp_path / "bt")
    theirs.enter(
        holding(ref("core", BT), BT),
        holding(ref("route", BT), MTN, tariff=VOICE),
        supports=[Support(ref("route", BT), ref("core", BT), metered=True)],
    )
    core = ref("core", BT)
    theirs.sellers[BT].tells[core.id] = [replace(one, holding=core.id) for one in told]
    stage.go_to(NOVEMBER.end)
    settle_as(theirs, BT)
    stage.settle()
    assert rate(theirs, BT)
    assert rate(stage, MTN)
    assert lines(theirs, ref("route", BT)) == lines(stage, ref("route", BT)) != []


def settle_as(stage: Stage, us: PartyId) -> None:
    with stage.begin() as tx:
        usage_work.run(tx, us=us, ids=stage.ids, now=stage.clock.now())
    handlers = usage_work.handlers(us=us, sellers=stage.seller, folder=stage.folder)
    Engine(stage.begin, handlers, stage.clock).run_until_idle()


def test_a_large_month_is_rated_in_bounded_turns(stage: Stage) -> None:
    stage.enter(*(holding(ref(f"{number}", BT), MTN, tariff=LINE) for number in range(7)))
    stage.go_to(NOVEMBER.end)
    stage.settle()
    assert rate(stage, limit=3) == [4, 4, 2]
    assert is_rated(stage)
    assert all(len(lines(stage, ref(f"{number}", BT))) == 1 for number in range(7))


def test_months_are_rated_in_order_and_once(stage: Stage) -> None:
    trunk(stage)
    stage.go_to(Period.month(2027, 2).start)
    stage.settle()
    assert rate(stage) == [3, 3, 3]
    with stage.begin() as tx:
        names = [period.name for period in actions.rated_periods(tx)]
    assert names == ["2026-11", "2026-12", "2027-01"]
    assert rate(stage) == []


def test_a_rated_line_cannot_be_changed(stage: Stage) -> None:
    trunk(stage)
    calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.settle()
    rate(stage)
    for sql in ("update rating_line set nano = nano + 1", "delete from rating_line"):
        with pytest.raises(psycopg.errors.CheckViolation), stage.begin() as tx:
            run(tx, sql)


def test_more_than_a_bigint_of_billionths_is_kept(stage: Stage) -> None:
    """A month of eleven billion in a currency of small coin."""
    dear = replace(LINE, rate_per_mbps=Decimal(1_100_000_000), commit_mbps=10)
    since = NOVEMBER.start
    stage.enter(holding(ref("big", BT), MTN, since=since, tariff=dear))
    stage.go_to(NOVEMBER.end)
    stage.settle()
    rate(stage)
    assert lines(stage, ref("big", BT))[0].nano == 11 * 10**18


def test_a_holding_whose_usage_never_came_does_not_hold_up_the_month(stage: Stage) -> None:
    """It was heard of after the month was closed: shown as such, and the rest goes on."""
    trunk(stage)
    calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.settle()
    late = holding(ref("late", BT), MTN, since=NOVEMBER.end - timedelta(days=1), tariff=VOICE)
    stage.enter(late)
    assert rate(stage) == [4]
    assert is_rated(stage)
    with stage.begin() as tx:
        assert list(actions.without_usage(tx, period=NOVEMBER)) == [ref("late", BT)]
        assert usage.closed(tx, period=NOVEMBER)
    assert lines(stage, ref("late", BT)) == []


def test_a_part_of_a_month_after_a_cease_is_not_charged(stage: Stage) -> None:
    trunk(stage)
    route = ref("route", BT)
    moments = [SINCE + timedelta(hours=2), SINCE + timedelta(days=3)]
    stage.sellers[BT].tells[route.id] = [call(route, n, at) for n, at in enumerate(moments)]
    with stage.begin() as tx:
        inventory.end(tx, ref=ref("trunk"), now=SINCE + timedelta(days=1))
    stage.go_to(NOVEMBER.end)
    stage.settle()
    rate(stage)
    assert [line.reason["calls"] for line in lines(stage, ref("trunk"))] == [1]
    assert [line.reason["calls"] for line in lines(stage, route)] == [2]
