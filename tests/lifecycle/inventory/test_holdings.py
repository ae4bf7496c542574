"""The life of a holding: activated, changed, taken back, ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import OrderId
from hansa.foundation.money import Money
from hansa.foundation.time import Period
from hansa.foundation.transaction import Begin
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingState, Spell, Support
from tests.lifecycle.inventory.examples import (
    BT,
    MTN,
    SHOP,
    START,
    at,
    closed,
    holding,
    ref,
    spell,
    without_one_off,
)

LINE = ref("line")
FIRST = spell("ord_1")
FASTER = spell("ord_2", at(10), mbps=500, one_off=7_500)


def enter(begin: Begin, *holdings: Holding) -> None:
    for one in holdings:
        with begin() as tx:
            inventory.activate(tx, holding=one, supports=())


def change(begin: Begin, spell: Spell = FASTER) -> None:
    with begin() as tx:
        inventory.change(tx, ref=LINE, spell=spell, supports=())


def revert(begin: Begin, order: str, hours: float) -> None:
    with begin() as tx:
        inventory.revert(tx, ref=LINE, order=OrderId(order), now=at(hours))


def end(begin: Begin, hours: float) -> None:
    with begin() as tx:
        inventory.end(tx, ref=LINE, now=at(hours))


def line(begin: Begin) -> Holding:
    with begin() as tx:
        return inventory.get(tx, ref=LINE)


def test_what_was_entered_is_what_is_held(begin: Begin) -> None:
    bought = holding("core", seller=BT, buyer=MTN)
    enter(begin, holding("line"), bought)
    assert line(begin) == holding("line")
    with begin() as tx:
        assert inventory.get(tx, ref=bought.ref) == bought


def test_the_same_holding_again_changes_nothing_and_another_is_refused(begin: Begin) -> None:
    enter(begin, holding("line"), holding("line"))
    assert line(begin) == holding("line")
    for other in (
        replace(holding("line"), item="cpt-1"),
        holding("line", spell("ord_9")),
        holding("line", spell("ord_1", mbps=200)),
    ):
        with pytest.raises(Refused) as refused:
            enter(begin, other)
        assert refused.value.code == "key-reused"
    change(begin)
    enter(begin, holding("line"))  # a late repetition
    assert line(begin).spells[-1] == FASTER


def test_a_holding_begins_with_one_open_spell(begin: Begin) -> None:
    with pytest.raises(ValueError, match="one open spell"):
        enter(begin, holding("line", closed(FIRST, at(1))))
    with pytest.raises(ValueError, match="one open spell"):
        enter(begin, replace(holding("line"), state=HoldingState.TERMINATED))
    enter(begin, holding("line"))
    with pytest.raises(ValueError, match="open spell"):
        change(begin, closed(FASTER, at(20)))


def test_a_change_ends_the_open_spell_where_it_begins(begin: Begin) -> None:
    enter(begin, holding("line"))
    change(begin)
    change(begin)
    assert line(begin).spells == (closed(FIRST, at(10)), FASTER)
    with pytest.raises(Refused) as refused:
        change(begin, replace(FASTER, quantity=2))
    assert refused.value.code == "key-reused"
    with pytest.raises(Refused) as refused:
        change(begin, spell("ord_3", at(9)))
    assert refused.value.code == "change-too-early"
    assert line(begin).spells == (closed(FIRST, at(10)), FASTER)


def test_a_change_at_the_very_start_takes_the_place_of_what_was_there(begin: Begin) -> None:
    enter(begin, holding("line"))
    change(begin, replace(FASTER, start=START))
    (only,) = line(begin).spells
    assert (only.start, only.order, only.terms.monthly) == (
        START,
        "ord_2",
        FASTER.terms.monthly,
    )
    assert only.terms.one_off == Money(57_500, "ZAR")  # both one-off prices are due
    revert(begin, "ord_2", 0)
    assert line(begin) == holding("line")
    change(begin, replace(FASTER, start=START))  # a late repetition
    assert line(begin) == holding("line")


def test_a_change_taken_back_later_lets_the_terms_before_it_run_on(begin: Begin) -> None:
    enter(begin, holding("line"))
    change(begin)
    revert(begin, "ord_2", 24)
    after = (closed(FIRST, at(10)), closed(FASTER, at(24)), without_one_off(FIRST, at(24)))
    assert line(begin).spells == after
    revert(begin, "ord_2", 30)
    change(begin)  # a late repetition of the order
    assert line(begin).spells == after


def test_a_change_taken_back_at_its_own_instant_leaves_no_trace(begin: Begin) -> None:
    enter(begin, holding("line"))
    change(begin)
    revert(begin, "ord_2", 3)  # by a clock that is behind
    assert line(begin) == holding("line")


def test_changes_are_taken_back_from_the_last(begin: Begin) -> None:
    enter(begin, holding("line"))
    fastest = spell("ord_3", at(20), mbps=900)
    change(begin)
    change(begin, fastest)
    with pytest.raises(Refused) as refused:
        revert(begin, "ord_2", 25)
    assert refused.value.code == "change-not-last"
    revert(begin, "ord_3", 30)
    revert(begin, "ord_2", 30)
    assert line(begin).spells == (
        closed(FIRST, at(10)),
        closed(FASTER, at(20)),
        closed(fastest, at(30)),
        without_one_off(FIRST, at(30)),
    )
    with pytest.raises(Refused) as refused:
        revert(begin, "ord_1", 31)
    assert refused.value.code == "change-first"
    with pytest.raises(NotFound) as unknown:
        revert(begin, "ord_4", 31)
    assert unknown.value.code == "change-unknown"


def test_a_holding_ends_once(begin: Begin) -> None:
    enter(begin, holding("line"))
    change(begin)
    end(begin, 40)
    end(begin, 50)
    ended = line(begin)
    assert ended.state is HoldingState.TERMINATED
    assert (ended.started, ended.ended) == (START, at(40))
    assert ended.spells == (closed(FIRST, at(10)), closed(FASTER, at(40)))
    with pytest.raises(Refused) as refused:
        change(begin, spell("ord_3", at(60)))
    assert refused.value.code == "holding-terminated"
    change(begin)  # late repetitions are still welcome
    revert(begin, "ord_2", 61)
    enter(begin, holding("line"))
    assert line(begin) == ended


def test_a_spell_lasts_at_least_a_microsecond(begin: Begin) -> None:
    enter(begin, holding("line"))
    end(begin, -1)
    assert line(begin).spells == (closed(FIRST, START + timedelta(microseconds=1)),)
    assert line(begin).state is HoldingState.TERMINATED


def test_an_unknown_holding_is_not_found(begin: Begin) -> None:
    for ask in (
        lambda: line(begin),
        lambda: change(begin),
        lambda: revert(begin, "ord_1", 1),
        lambda: end(begin, 1),
    ):
        with pytest.raises(NotFound) as unknown:
            ask()
        assert unknown.value.code == "holding-unknown"


def test_sold_bought_and_own_by_period(begin: Begin) -> None:
    november, december = Period.month(2026, 11), Period.month(2026, 12)
    line_ = holding("line")
    core = holding("core", seller=BT, buyer=MTN)
    access = holding("access", buyer=MTN)
    late = holding("late", spell("ord_5", december.start))
    enter(begin, line_, core, access, late)
    end(begin, 24)
    with begin() as tx:
        names = {
            (which, period and period.name): [one.ref.id for one in found]
            for period in (None, november, december)
            for which, found in {
                "sold": inventory.sold(tx, us=MTN, period=period),
                "bought": inventory.bought(tx, us=MTN, period=period),
                "own": inventory.own(tx, us=MTN, period=period),
            }.items()
        }
        assert names == {
            ("sold", None): ["hld_late", "hld_line"],
            ("sold", "2026-11"): ["hld_line"],
            ("sold", "2026-12"): ["hld_late"],
            ("bought", None): ["hld_core"],
            ("bought", "2026-11"): ["hld_core"],
            ("bought", "2026-12"): ["hld_core"],
            ("own", None): ["hld_access"],
            ("own", "2026-11"): ["hld_access"],
            ("own", "2026-12"): ["hld_access"],
        }
        assert inventory.sold(tx, us=MTN, buyer=SHOP, period=december) == [late]
        assert inventory.sold(tx, us=MTN, buyer=BT) == []
        assert inventory.bought(tx, us=MTN, seller=BT) == [core]
        assert inventory.bought(tx, us=MTN, seller=MTN) == []
        # A period ends before its end, and so does a spell.
        assert inventory.sold(tx, us=MTN, period=Period(at(24), at(25))) == []
        assert len(inventory.sold(tx, us=MTN, period=Period(at(23), at(24)))) == 1


def test_what_a_holding_stands_on(begin: Begin) -> None:
    core, access = holding("core", seller=BT, buyer=MTN), holding("access", buyer=MTN)
    on_core = Support(upper=LINE, lower=core.ref, metered=True)
    on_access = Support(upper=LINE, lower=access.ref, metered=False)
    enter(begin, core, access)
    for supports in ((on_core,), (on_core,)):
        with begin() as tx:
            inventory.activate(tx, holding=holding("line"), supports=supports)
    with pytest.raises(Refused) as refused, begin() as tx:
        inventory.activate(tx, holding=holding("line"), supports=(on_access,))
    assert refused.value.code == "key-reused"
    with begin() as tx:
        assert inventory.below(tx, ref=LINE) == [(on_core, core)]
        inventory.change(tx, ref=LINE, spell=FASTER, supports=(on_access,))
        assert inventory.below(tx, ref=LINE) == [(on_access, access), (on_core, core)]
        assert inventory.below(tx, ref=core.ref) == []


def test_a_support_must_be_ours_and_held_already(begin: Begin) -> None:
    missing = Support(upper=LINE, lower=ref("nowhere"), metered=False)
    with pytest.raises(NotFound) as unknown, begin() as tx:
        inventory.activate(tx, holding=holding("line"), supports=(missing,))
    assert unknown.value.code == "holding-unknown"
    with pytest.raises(NotFound):
        line(begin)  # nothing was written
    with pytest.raises(ValueError, match="stands on"), begin() as tx:
        inventory.activate(
            tx, holding=holding("line"), supports=(replace(missing, upper=ref("other")),)
        )
