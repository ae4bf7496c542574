"""A month of usage: collected when it is over, kept in files, closed when all is in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from hansa.federation.contract import UsageRecord
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import HoldingId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.engine import Engine
from hansa.foundation.readings import OctetDay
from hansa.foundation.time import Period
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef, Support
from hansa.lifecycle.usage.actions import months as actions
from hansa.lifecycle.usage.model import UsageFile
from hansa.lifecycle.usage.rules import months as rules
from tests.faults import Fault, Wrap, each_in_turn, play
from tests.lifecycle.usage.stage import (
    BT,
    DECEMBER,
    LINE,
    MTN,
    NOVEMBER,
    SHOP,
    SINCE,
    Stage,
    call,
    calls_of_november,
    holding,
    octet_day,
    ref,
    trunk,
)


def records(stage: Stage, of: HoldingRef, period: Period = NOVEMBER) -> Sequence[UsageRecord]:
    with stage.begin() as tx:
        return actions.records(tx, us=MTN, ref=of, period=period, folder=stage.folder)


def closed(stage: Stage, period: Period = NOVEMBER) -> bool:
    with stage.begin() as tx:
        return actions.closed(tx, period=period)


def files(stage: Stage) -> Sequence[UsageFile]:
    with stage.begin() as tx:
        return actions.files(tx)


def held(stage: Stage) -> list[str]:
    """What tasks in the fallout queue say."""
    with stage.begin() as tx:
        found = plans.fallout(tx)
    return [task.error for plan in found for task in plan.tasks if task.state == "held"]


# --- the month ends -----------------------------------------------------------------------------


def test_nothing_is_collected_before_the_month_is_over(stage: Stage) -> None:
    assert stage.open_months() == 0
    trunk(stage)
    stage.go_to(NOVEMBER.end - timedelta(microseconds=1))
    assert stage.open_months() == 0
    with pytest.raises(TryLater, match="usage-not-ready"):
        records(stage, ref("trunk"))
    stage.clock.move(timedelta(microseconds=1))
    assert stage.open_months() == 1
    assert stage.open_months() == 0


def test_what_is_metered_is_collected_and_handed_on(stage: Stage) -> None:
    trunk(stage)
    told = calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.settle()
    assert stage.sellers[BT].asked == [("hld_route", "2026-11")]
    assert stage.sellers[MTN].asked == []
    assert closed(stage)
    assert list(records(stage, ref("route", BT))) == told[:4]
    assert list(records(stage, ref("trunk"))) == [
        replace(record, holding=HoldingId("hld_trunk")) for record in told[1:4]
    ]


def test_the_file_is_named_after_its_content(stage: Stage) -> None:
    trunk(stage)
    calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.settle()
    (file,) = files(stage)
    assert (file.holding, file.period, file.records) == (ref("route", BT), NOVEMBER, 4)
    assert file.path == f"2026-11/{file.sha256}.jsonl"
    assert (file.learned_at, file.applied) == (stage.clock.now(), True)
    lines = (stage.folder / file.path).read_bytes().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(b'{"holding":"hld_route","id":"hld_route/2026-11-02/0",')


def test_a_holding_that_stands_on_nothing_metered_has_no_usage(stage: Stage) -> None:
    stage.enter(holding(ref("plain"), SHOP))
    with pytest.raises(TryLater, match="usage-not-ready"):
        records(stage, ref("plain"))
    stage.go_to(NOVEMBER.end)
    stage.settle()
    assert list(records(stage, ref("plain"))) == []
    assert closed(stage)


def test_every_month_that_was_missed_is_made_up_for(stage: Stage) -> None:
    trunk(stage)
    stage.go_to(Period.month(2027, 2).start)
    stage.settle()
    months = ["2026-11", "2026-12", "2027-01"]
    assert sorted(month for _, month in stage.sellers[BT].asked) == months
    with stage.begin() as tx:
        assert [period.name for period in actions.closed_periods(tx)] == months
        inventory.end(tx, ref=ref("route", BT), now=stage.clock.now())
        inventory.end(tx, ref=ref("trunk"), now=stage.clock.now())
    stage.go_to(Period.month(2027, 4).start)
    stage.settle()
    assert closed(stage, Period.month(2027, 3))
    assert len(stage.sellers[BT].asked) == 3


def test_months_are_counted_from_the_first_that_somebody_held_something() -> None:
    due = rules.months_due(first=SINCE, opened=[DECEMBER], now=Period.month(2027, 2).start)
    assert [month.name for month in due] == ["2026-11", "2027-01"]
    assert list(rules.months_due(first=SINCE, opened=[], now=SINCE)) == []


def test_before_it_was_held_there_is_no_usage(stage: Stage) -> None:
    trunk(stage)
    assert list(records(stage, ref("trunk"), Period.month(2026, 10))) == []
    with pytest.raises(NotFound, match="holding-unknown"):
        records(stage, ref("no-such"))


# --- what is not ready, and what is wrong -------------------------------------------------------


def test_a_seller_that_waits_itself_is_asked_again(stage: Stage) -> None:
    trunk(stage)
    calls_of_november(stage)
    stage.sellers[BT].trouble += [TryLater("usage-not-ready", "Not yet.")] * 3
    stage.go_to(NOVEMBER.end)
    stage.settle()
    assert not closed(stage)
    with pytest.raises(TryLater, match="usage-not-ready"):
        records(stage, ref("trunk"))
    for _ in range(3):
        stage.clock.move(timedelta(minutes=1))
        stage.settle()
    assert closed(stage)
    assert len(records(stage, ref("trunk"))) == 3


def test_a_seller_that_refuses_is_a_matter_for_a_person(stage: Stage) -> None:
    trunk(stage)
    calls_of_november(stage)
    stage.sellers[BT].trouble += [Refused("holding-unknown", "Never heard of it.")] * 3
    stage.go_to(NOVEMBER.end)
    for _ in range(4):
        stage.settle()
        stage.clock.move(timedelta(minutes=1))
    assert [error.split(":")[0] for error in held(stage)] == ["holding-unknown"]
    with stage.begin() as tx:
        (plan,) = plans.fallout(tx)
        (task,) = (task for task in plan.tasks if task.state == "held")
        plans.resume(tx, task=task.id, by="ann", why="BT has put it right", now=stage.clock.now())
    stage.settle()
    assert closed(stage)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda told: [replace(told[0], holding=HoldingId("hld_x"))], "is of holding hld_x"),
        (lambda told: [told[0], told[0]], "comes twice"),
        (lambda told: [told[1], told[0]], "is not in time order"),
        (lambda _: [call(ref("route", BT), 9, NOVEMBER.end)], "not of 2026-11"),
        (lambda _: [octet_day(ref("route", BT), SINCE - timedelta(days=2))], "not of 2026-11"),
    ],
)
def test_usage_that_cannot_be_true_is_not_taken(stage: Stage, wrong, says: str) -> None:  # type: ignore[no-untyped-def]
    told = [call(ref("route", BT), n, SINCE + timedelta(hours=n)) for n in (1, 2)]
    with pytest.raises(HansaError, match="usage-invalid") as error:
        rules.check(wrong(told), holding=HoldingId("hld_route"), period=NOVEMBER)
    assert says in error.value.words
    rules.check(told, holding=HoldingId("hld_route"), period=NOVEMBER)


# --- whose it is --------------------------------------------------------------------------------


def test_samples_outside_of_the_holdings_life_are_not_handed_on() -> None:
    sold = holding(ref("trunk"), SHOP, since=SINCE + timedelta(minutes=2))
    told = [octet_day(ref("line"), SINCE + timedelta(days=day)) for day in (-1, 0, 1)]
    first, second = rules.handed_on(told, holding=sold, period=NOVEMBER)
    assert isinstance(first.reading, OctetDay)
    assert set(first.reading.octets_in[:97]) == {None}
    assert set(first.reading.octets_out[97:]) == {1000}
    assert second.reading == told[2].reading


def test_usage_of_several_holdings_below_comes_in_time_order(stage: Stage) -> None:
    uppers = (
        Support(ref("both"), ref("one", BT), True),
        Support(ref("both"), ref("two", BT), True),
    )
    stage.enter(holding(ref("one", BT), MTN), holding(ref("two", BT), MTN))
    stage.enter(holding(ref("both"), SHOP), supports=uppers)
    for name, hours in (("one", (5, 7)), ("two", (6, 8))):
        below = ref(name, BT)
        stage.sellers[BT].tells[below.id] = [
            call(below, hour, SINCE + timedelta(hours=hour)) for hour in hours
        ]
    stage.go_to(NOVEMBER.end)
    stage.settle()
    assert [record.id[-1] for record in records(stage, ref("both"))] == ["5", "6", "7", "8"]


def test_what_was_replaced_below_still_counts_for_its_time(stage: Stage) -> None:
    """The first route ended in November and another took its place: both are collected."""
    trunk(stage)
    calls_of_november(stage)
    at = SINCE + timedelta(days=10)
    with stage.begin() as tx:
        inventory.end(tx, ref=ref("route", BT), now=at)
    stage.enter(holding(ref("new", BT), MTN, since=at))
    old = holding(ref("trunk"), SHOP).spells[0]
    with stage.begin() as tx:
        inventory.change(
            tx,
            ref=ref("trunk"),
            spell=replace(old, start=at, order=type(old.order)("ord_2")),
            supports=[Support(ref("trunk"), ref("new", BT), metered=True)],
        )
    stage.go_to(DECEMBER.end)
    stage.settle()
    assert sorted(stage.sellers[BT].asked) == [
        ("hld_new", "2026-11"),
        ("hld_new", "2026-12"),
        ("hld_route", "2026-11"),
    ]


def test_own_holdings_with_a_price_are_collected_from_our_own_network(stage: Stage) -> None:
    stage.enter(holding(ref("own"), MTN, tariff=LINE), holding(ref("free"), MTN))
    stage.go_to(NOVEMBER.end)
    stage.settle()
    assert stage.sellers[MTN].asked == [("hld_own", "2026-11")]


# --- late, again, and damaged -------------------------------------------------------------------


def enter(stage: Stage, sha256: str) -> bool:
    file = UsageFile(
        ref("route", BT), NOVEMBER, sha256 * 64, 1, f"2026-11/{sha256}", stage.clock.now(), True
    )
    with stage.begin() as tx:
        return actions.enter(tx, file=file)


def counting(stage: Stage) -> dict[str, bool]:
    return {file.sha256[0]: file.applied for file in files(stage)}


def test_before_the_month_is_closed_the_newest_counts(stage: Stage) -> None:
    trunk(stage)
    stage.go_to(NOVEMBER.end)
    stage.open_months()
    assert [enter(stage, name) for name in "aab"] == [True, True, True]
    assert counting(stage) == {"a": False, "b": True}
    assert enter(stage, "a")
    assert counting(stage) == {"a": True, "b": False}


def test_what_comes_after_the_month_is_closed_is_kept_and_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    trunk(stage)
    stage.go_to(NOVEMBER.end)
    stage.open_months()
    enter(stage, "a")
    with stage.begin() as tx:
        actions.close(tx, period=NOVEMBER, now=stage.clock.now())
    with caplog.at_level(logging.WARNING):
        assert [enter(stage, name) for name in "abb"] == [True, False, False]
    assert counting(stage) == {"a": True, "b": False}
    assert caplog.messages == [
        "usage of bt/hld_route came after 2026-11 was closed; kept in 2026-11/b, not applied"
    ]


def test_a_file_that_was_tampered_with_is_not_read(stage: Stage) -> None:
    trunk(stage)
    calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.settle()
    place = stage.folder / files(stage)[0].path
    content = place.read_bytes()
    place.write_bytes(content.replace(b"+2771", b"+2772"))
    with pytest.raises(HansaError, match="usage-file-damaged"):
        records(stage, ref("trunk"))
    place.unlink()
    with pytest.raises(HansaError, match="usage-file-damaged"):
        records(stage, ref("trunk"))
    place.write_bytes(content)
    assert len(records(stage, ref("trunk"))) == 3


def test_a_holding_that_joins_the_month_late_is_collected_as_well(stage: Stage) -> None:
    """It began in the last second of November, and we heard of it when December had begun."""
    trunk(stage)
    calls_of_november(stage)
    stage.go_to(NOVEMBER.end)
    stage.open_months()
    stage.enter(
        holding(ref("late", BT), MTN, since=NOVEMBER.end - timedelta(seconds=1), tariff=LINE)
    )
    stage.settle()
    assert ("hld_late", "2026-11") in stage.sellers[BT].asked
    assert closed(stage)
    assert list(records(stage, ref("late", BT))) == []


@pytest.mark.parametrize("fault", list(Fault))
def test_whatever_fails_the_month_is_closed_once_with_all_usage(stage: Stage, fault: Fault) -> None:
    """Told once for each task and each way in which it can fail, month after month."""
    trunk(stage)
    months = iter(Period.month(2026 + n // 12, n % 12 + 1) for n in range(10, 40))

    def story(wrap: Wrap) -> None:
        month = next(months)
        route = ref("route", BT)
        first = max(month.start, SINCE + timedelta(hours=2))
        told = [call(route, n, first + timedelta(hours=n)) for n in range(3)]
        stage.sellers[BT].tells[route.id] = told
        stage.go_to(max(month.end, stage.clock.now()))
        stage.open_months()
        play(Engine(stage.begin, wrap(stage.handlers()), stage.clock), stage.clock)
        assert closed(stage, month)
        assert [record.id for record in records(stage, ref("trunk"), month)] == [
            record.id for record in told
        ]
        assert sum(file.period == month for file in files(stage)) == 1

    assert each_in_turn(fault, story) == 2
