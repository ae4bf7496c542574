"""A retailer asks for hundreds of sites at once, through three operators."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hansa.federation.bulk import Priced, Quoted, Unquoted
from hansa.federation.contract import Need, OrderState
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import BuyerKey
from hansa.foundation.time import SetClock
from hansa.lifecycle.quote.actions import quotes
from hansa.lifecycle.quote.rules import PART
from hansa.storefront.seller import Storefront
from tests.alliance import SHOP, Alliance, chain

KEY = BuyerKey("tender-7")
COUNT = 2 * PART + 50


@pytest.fixture
def alliance(databases: Any, tmp_path: Path, clock: SetClock) -> Iterator[Alliance]:
    made = Alliance(databases, tmp_path, clock, b"bulk")
    yield made
    made.close()


@pytest.fixture
def front(alliance: Alliance) -> Storefront:
    return chain(alliance, 3)


@pytest.fixture
def need(alliance: Alliance, front: Storefront) -> Need:
    """Sites in South Africa; every hundredth in Ghana, which nobody reaches."""
    need = alliance.need(*(f"town-{number}" for number in range(COUNT)))
    items = tuple(
        replace(item, site=replace(item.site, country="GH")) if number % 100 == 7 else item
        for number, item in enumerate(need.items)
        if item.site is not None
    )
    return replace(need, items=items)


def ask(front: Storefront, need: Need, key: BuyerKey = KEY) -> list[Priced]:
    return list(front.quote_in_bulk(need, key=key))


def kept(alliance: Alliance) -> int:
    with alliance.top.begin() as tx:
        return len(quotes.quotes(tx, buyer=SHOP))


def test_each_site_gets_an_answer_of_its_own(
    alliance: Alliance, front: Storefront, need: Need
) -> None:
    answers = ask(front, need)
    assert [one.item for one in answers] == [item.id for item in need.items]
    unquoted = [one for one in answers if isinstance(one, Unquoted)]
    assert [one.item for one in unquoted] == [f"line-town-{n}" for n in range(7, COUNT, 100)]
    assert {one.reason for one in unquoted} == {"country-not-agreed"}

    quoted = [one for one in answers if isinstance(one, Quoted)]
    alone = front.quote(alliance.need("town-1"))
    assert {one.line.terms for one in quoted} == {alone.lines[0].terms}
    assert len({one.quote for one in quoted}) == 3


def test_what_was_quoted_in_bulk_is_ordered_like_any_quote(
    alliance: Alliance, front: Storefront
) -> None:
    answers = ask(front, alliance.need("Durban", "Soweto"))
    (quote,) = {one.quote for one in answers if isinstance(one, Quoted)}
    order = front.order(quote_id=quote, key=BuyerKey("yes"))
    alliance.work()
    assert front.progress(order.id).state is OrderState.COMPLETED


def test_the_same_key_gives_the_same_answers(
    alliance: Alliance, front: Storefront, need: Need
) -> None:
    first = ask(front, need)
    made = kept(alliance)
    assert ask(front, replace(need, trace=alliance.top.ids.trace())) == first
    assert kept(alliance) == made
    with pytest.raises(Refused) as other:
        ask(front, replace(need, items=need.items[1:]))
    assert (other.value.code, other.value.field) == ("key-reused", "key")


def test_two_who_ask_at_once_hear_the_same(
    alliance: Alliance, front: Storefront, need: Need
) -> None:
    with ThreadPoolExecutor(2) as both:
        one, other = both.map(lambda _: ask(front, need), range(2))
    assert one == other
    assert kept(alliance) == 3


def test_a_supplier_falls_silent_and_the_rest_is_asked_for_later(
    alliance: Alliance, front: Storefront, need: Need
) -> None:
    bottom = next(iter(alliance.nodes))
    answers = front.quote_in_bulk(need, key=KEY)
    heard = [next(answers) for _ in range(PART)]
    alliance.silent.add(bottom)
    late = replace(need, items=(*need.items[:-1], replace(need.items[-1], quantity=2)))
    with pytest.raises(TryLater) as silent:
        ask(front, late, BuyerKey("another"))
    assert silent.value.code == "partner-silent"
    answers.close()  # type: ignore[attr-defined]

    alliance.silent.clear()
    again = ask(front, need)
    assert again[:PART] == heard
    assert len(again) == COUNT


@pytest.mark.parametrize(
    ("items", "code"), [(0, "need-empty"), (2, "item-duplicate"), (100_001, "need-too-long")]
)
def test_a_need_that_cannot_be_answered_is_refused_at_once(
    alliance: Alliance, front: Storefront, items: int, code: str
) -> None:
    need = alliance.need("Durban")
    with pytest.raises(Refused) as refused:
        ask(front, replace(need, items=need.items * items))
    assert refused.value.code == code
    assert kept(alliance) == 0
