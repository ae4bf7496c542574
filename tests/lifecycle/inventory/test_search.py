"""Holdings found by what is known of them, a page at a time; and what stands on what."""

from __future__ import annotations

import pytest

from hansa.foundation.ids import PartyId
from hansa.foundation.transaction import Begin
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingState, Side, Support
from tests.lifecycle.inventory.examples import BT, MTN, SHOP, at, holding, ref

OTHER = PartyId("other")


@pytest.fixture
def held(begin: Begin) -> Begin:
    """What MTN sold, has bought of BT, and has of its own network; and what stands on what."""
    own, bought = holding("own", seller=MTN, buyer=MTN), holding("core", seller=BT, buyer=MTN)
    upper = [holding(name) for name in ("one", "two", "gone")]
    with begin() as tx:
        for one in (own, bought):
            inventory.activate(tx, holding=one, supports=())
        for one in upper:
            inventory.activate(tx, holding=one, supports=(Support(one.ref, own.ref, metered=True),))
        inventory.activate(tx, holding=holding("third", buyer=OTHER), supports=())
        inventory.end(tx, ref=ref("gone"), now=at(1))
    return begin


def found(begin: Begin, side: Side = "sold", **asked: object) -> list[str]:
    with begin() as tx:
        page = inventory.search(tx, us=MTN, side=side, **{"limit": 10, **asked})  # type: ignore[arg-type]
    return [one.ref.id.removeprefix("hld_") for one in page.things]


def test_by_side_party_and_state(held: Begin) -> None:
    assert found(held) == ["two", "third", "one", "gone"]
    assert found(held, "bought") == ["core"]
    assert found(held, "own") == ["own"]
    assert found(held, party=SHOP, state=HoldingState.ACTIVE) == ["two", "one"]
    assert found(held, "bought", party=OTHER) == []
    assert found(held, family="voice") == []


def test_by_words_about_it(held: Begin) -> None:
    assert found(held, text="JOHANNESBURG") == ["two", "third", "one", "gone"]
    assert found(held, text="hld_thi") == ["third"]
    assert found(held, text="%") == []


def test_a_page_at_a_time(held: Begin) -> None:
    with held() as tx:
        page = inventory.search(tx, us=MTN, side="sold", offset=1, limit=2)
    assert ([one.ref.id for one in page.things], page.total) == (["hld_third", "hld_one"], 4)


def test_what_stands_on_it(held: Begin) -> None:
    def above(limit: int) -> list[Holding]:
        with held() as tx:
            return [one for _, one in inventory.above(tx, ref=ref("own"), limit=limit)]

    assert [one.ref.id for one in above(9)] == ["hld_two", "hld_one", "hld_gone"]
    assert [one.spells for one in above(1)] == [holding("two").spells]
