"""Whatever happens to a holding, its spells follow one another without gap or overlap."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.foundation.database import run
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import HoldingId, OrderId
from hansa.foundation.transaction import Begin
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState
from tests.lifecycle.inventory.examples import MTN, at, holding, spell

HOURS = st.integers(0, 6)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(2, 5), HOURS),
        st.tuples(st.just("revert"), st.integers(1, 5), HOURS),
        st.tuples(st.just("activate"), st.just(1), st.just(0)),
        st.tuples(st.sampled_from(["end", "change"]), st.integers(2, 5), st.just(6)),
    ),
    max_size=12,
)


def check(found: Holding) -> None:
    assert found.started == at(0)
    for one, following in pairwise(found.spells):
        assert one.end == following.start
    for one in found.spells:
        assert one.end is None or one.start < one.end
    assert (found.ended is None) == (found.state is HoldingState.ACTIVE)


_runs = iter(range(1_000_000))


@given(moves=MOVES)
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_life_is_whole(begin: Begin, moves: list[tuple[str, int, int]]) -> None:
    key = HoldingRef(MTN, HoldingId(f"hld_{next(_runs)}"))
    first = replace(holding("any"), ref=key)
    with begin() as tx:
        inventory.activate(tx, holding=first, supports=())
    for what, number, hour in moves:
        before = _read(begin, key)
        order = OrderId(f"ord_{number}")
        again = _act(begin, first, what, order, hour)
        found = _read(begin, key)
        check(found)
        if again is None:
            # Sent twice, it changes nothing more.
            assert _act(begin, first, what, order, hour) is None
            assert _read(begin, key) == found
        else:
            assert found == before


def _read(begin: Begin, key: HoldingRef) -> Holding:
    with begin() as tx:
        return inventory.get(tx, ref=key)


def _act(begin: Begin, first: Holding, what: str, order: OrderId, hour: int) -> str | None:
    """Does one thing to the holding; the reason if it was refused."""
    try:
        with begin() as tx:
            if what == "activate":
                inventory.activate(tx, holding=first, supports=())
            elif what == "change":
                new = spell(order, at(hour), mbps=100 + len(order) + hour)
                inventory.change(tx, ref=first.ref, spell=new, supports=())
            elif what == "revert":
                inventory.revert(tx, ref=first.ref, order=order, now=at(hour))
            else:
                inventory.end(tx, ref=first.ref, now=at(hour))
    except HansaError as error:
        return error.code
    return None


def test_the_database_itself_holds_it(begin: Begin) -> None:
    with begin() as tx:
        inventory.activate(tx, holding=holding("line"), supports=())
        inventory.change(tx, ref=holding("line").ref, spell=spell("ord_2", at(10)), supports=())
    copy = """insert into inventory_spell
              select seller, holding, tstzrange(%s, %s), order_id, quantity, characteristics,
                     terms, tax from inventory_spell limit 1"""
    with pytest.raises(psycopg.errors.ExclusionViolation), begin() as tx:
        run(tx, copy, (at(3), at(4)))
    with pytest.raises(psycopg.errors.CheckViolation, match="gap"), begin() as tx:
        run(tx, copy, (at(-4), at(-3)))
    with pytest.raises(psycopg.errors.CheckViolation, match="gap"), begin() as tx:
        run(
            tx,
            "update inventory_spell set valid = tstzrange(%s, %s) where order_id = 'ord_1'",
            (at(0), at(9)),
        )
    with begin() as tx:
        run(tx, copy, (at(-3), at(0)))
    with pytest.raises(psycopg.errors.CheckViolation, match="gap"), begin() as tx:
        run(tx, "delete from inventory_spell where lower(valid) = %s", (at(0),))
