"""Which holding a trunk is, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.plan.engine import Engine
from hansa.foundation.time import Instant
from hansa.lifecycle.usage import work
from hansa.lifecycle.usage.actions import months, trunks
from hansa.lifecycle.usage.model import Trunk
from tests.lifecycle.usage.counter import Counter, call, csv
from tests.lifecycle.usage.stage import BT, MTN, NOVEMBER, SHOP, SINCE, Stage, holding, ref

LATER = SINCE + timedelta(days=10)


@pytest.fixture
def ours(stage: Stage) -> Stage:
    stage.enter(
        holding(ref("sold"), SHOP),
        holding(ref("other"), SHOP),
        holding(ref("bought", BT), MTN),
    )
    return stage


def enter(stage: Stage, trunk: Trunk) -> None:
    with stage.begin() as tx:
        trunks.enter(tx, us=MTN, trunk=trunk)


def known(stage: Stage) -> list[Trunk]:
    with stage.begin() as tx:
        return list(trunks.trunks(tx))


def test_what_comes_in_is_sold_and_what_goes_out_is_bought(ours: Stage) -> None:
    sold = Trunk("shop", "in", ref("sold"), SINCE)
    bought = Trunk("shop", "out", ref("bought", BT), SINCE, LATER)
    for _ in range(2):
        enter(ours, sold)
        enter(ours, bought)
    assert known(ours) == [sold, bought]
    with pytest.raises(Refused, match="trunk-side"):
        enter(ours, replace(sold, name="x", side="out"))
    with pytest.raises(Refused, match="trunk-side"):
        enter(ours, replace(bought, name="x", side="in"))
    with pytest.raises(NotFound, match="holding-unknown"):
        enter(ours, replace(sold, holding=ref("nobody")))


def test_from_a_day_on_it_is_another(ours: Stage) -> None:
    first = Trunk("shop", "in", ref("sold"), SINCE)
    then = Trunk("shop", "in", ref("other"), LATER)
    enter(ours, first)
    enter(ours, then)
    assert known(ours) == [replace(first, end=LATER), then]


def test_a_trunk_ends(ours: Stage) -> None:
    first = Trunk("shop", "in", ref("sold"), SINCE)
    enter(ours, first)
    enter(ours, replace(first, end=LATER))
    assert known(ours) == [replace(first, end=LATER)]


def test_no_trunk_is_two_holdings_at_once(ours: Stage) -> None:
    first = Trunk("shop", "in", ref("sold"), SINCE, LATER)
    enter(ours, first)
    for start in (SINCE, SINCE - timedelta(days=1), LATER - timedelta(days=1)):
        with pytest.raises(Refused, match="trunk-overlaps"):
            enter(ours, Trunk("shop", "in", ref("other"), start))
    with pytest.raises(Refused, match="trunk-overlaps"):
        enter(ours, Trunk("shop", "in", ref("other"), LATER, LATER))
    enter(ours, Trunk("shop", "in", ref("other"), LATER))
    assert len(known(ours)) == 2


def test_trunks_that_nobody_has_entered_are_listed(ours: Stage, counter: Counter) -> None:
    enter(ours, Trunk("shop", "in", ref("sold"), SINCE))
    counter.take(csv(call("c1"), call("c2", trunk_in="x", trunk_out="")))
    with ours.begin() as tx:
        found = [(one.trunk_in, one.trunk_out) for one in trunks.routes(tx)]
        assert sorted(found) == [("shop", "mtn-1"), ("x", "")]
        assert trunks.strangers(tx) == [("", "out"), ("mtn-1", "out"), ("x", "in")]


def test_a_month_stays_open_for_files_that_come_late(ours: Stage) -> None:
    """Where there are trunks; without any it is closed as soon as all has been collected."""
    enter(ours, Trunk("shop", "in", ref("sold"), SINCE))
    late = timedelta(hours=72)

    def closed_at(at: Instant) -> bool:
        ours.go_to(at)
        ours.open_months()
        handlers = work.handlers(us=MTN, sellers=ours.seller, folder=ours.folder, late=late)
        Engine(ours.begin, handlers, ours.clock).run_until_idle()
        with ours.begin() as tx:
            return months.closed(tx, period=NOVEMBER)

    assert not closed_at(NOVEMBER.end)
    assert not closed_at(NOVEMBER.end + late - timedelta(seconds=1))
    assert closed_at(NOVEMBER.end + late)


def test_without_trunks_nothing_is_waited_for(ours: Stage) -> None:
    ours.go_to(NOVEMBER.end)
    ours.open_months()
    handlers = work.handlers(
        us=MTN, sellers=ours.seller, folder=ours.folder, late=timedelta(hours=72)
    )
    Engine(ours.begin, handlers, ours.clock).run_until_idle()
    with ours.begin() as tx:
        assert months.closed(tx, period=NOVEMBER)
