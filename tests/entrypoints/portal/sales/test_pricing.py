"""Prices part by part, whoever falls silent, and orders that are placed once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from hansa.federation.shelf import QuoteState
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.lifecycle.catalogue.actions import offers
from hansa.lifecycle.order.actions import orders
from hansa.lifecycle.quote.actions import quotes
from hansa.lifecycle.quote.rules import PART
from hansa.node import Node
from tests.alliance import LINE, Alliance
from tests.entrypoints.portal.sales.desk import begin, give, price, priced
from tests.entrypoints.portal.visitor import OURS, Visitor, enter
from tests.entrypoints.portal.visitor import PART as PARTIAL

LONG = "name,country,place\n" + "".join(f"S{n},ZA,Durban\n" for n in range(PART + 20))
SHORT = "name,country,place\nA,ZA,Durban\nB,GB,London\nC,GH,Accra\n"


@pytest.fixture
def silent(alliance: Alliance) -> Iterator[set[PartyId]]:
    """Who does not answer."""
    yield alliance.silent
    alliance.silent.clear()


def placed(north: Node, buyer: str = "shop") -> int:
    with north.begin() as tx:
        return len(orders.orders(tx, us=north.us.id, buyer=PartyId(buyer)))


def of(alliance: Alliance, name: str, limit: str = "5000") -> str:
    """A customer of this test's own."""
    alliance.customer(
        alliance.nodes[PartyId("north")], PartyId(name), credit_limit=Money.of(limit, "GBP")
    )
    return f"customer:{name}"


# --- prices ---------------------------------------------------------------------------------------


def test_a_silent_partner_is_said_what_came_is_kept_and_it_goes_on(
    sal: Visitor, silent: set[PartyId]
) -> None:
    quote = begin(sal, "Silent")
    give(sal, quote, SHORT)
    silent.add(PartyId("south"))
    form = sal.open(quote).form(f"{quote}/price")
    shown = sal.send(f"{quote}/price", form)
    assert shown.status == 503
    assert "A seller does not answer" in shown.text
    assert "What was answered so far is kept" in shown.text
    again = sal.open(quote)
    assert "0 of 3" in again.text
    silent.clear()
    assert "Feasible 2 of 3 sites" in sal.send(f"{quote}/price", again.form(f"{quote}/price")).text


def test_what_was_answered_before_the_silence_stands(
    north: Node, sal: Visitor, silent: set[PartyId]
) -> None:
    """The first part is of our own network, the second of a partner that says nothing."""
    quote = begin(sal, "Half")
    ours = "".join(f"L{n},GB,London\n" for n in range(PART))
    give(sal, quote, "name,country,place\n" + ours + "Far,ZA,Durban\n")
    silent.add(PartyId("south"))
    form = sal.open(quote).form(f"{quote}/price")
    headers = {**OURS, **PARTIAL}
    begun = sal.client.post(f"{quote}/price", data=form, headers=headers)
    assert "250 of 251" in " ".join(begun.text.split()) and "hx-trigger" in begun.text
    first = sal.client.post(f"{quote}/price", data=form, headers=headers)
    assert first.status_code == 503
    assert "<h1" not in first.text and "A seller does not answer" in first.text
    assert "250 of 251" in " ".join(first.text.split())
    assert "hx-trigger" not in first.text  # nobody is asked again and again by itself
    silent.clear()
    then = sal.client.post(f"{quote}/price", data=form, headers=headers)
    assert then.headers["hx-redirect"] == quote
    assert "Feasible 251 of 251 sites" in sal.open(quote).text


def test_a_list_of_several_parts_goes_on_by_itself_with_progress(sal: Visitor) -> None:
    quote = begin(sal, "Long")
    give(sal, quote, LONG)
    shown = price(sal, quote)
    while "Prices are being asked for" in shown.text:
        assert shown.all("//form[@hx-trigger='load, submit']//button") == ["Go on"]
        shown = price(sal, quote)
    assert f"Feasible {PART + 20} of {PART + 20} sites" in shown.text
    assert "page 1 of 6" in shown.text
    assert len(sal.open(f"{quote}?page=6").rows()) == 20
    refused = sal.send(f"{quote}/order", {"version": "0"})
    assert refused.status == 422
    assert refused.all("//nav[@class='pager']//a/@href") == [f"{quote}?page=2"]
    assert len(sal.open(f"{quote}/map.json?page=6").answer.json()["features"]) == 252


def test_an_offer_that_is_withdrawn_is_said_site_by_site(
    alliance: Alliance, north: Node, sal: Visitor
) -> None:
    who = of(alliance, "lone")
    quote = begin(sal, "Withdrawn", buyer=who)
    give(sal, quote, SHORT)
    with north.begin() as tx:
        offer = offers.offer(tx, code=LINE)
        offers.put_offer(tx, offer=replace(offer, countries=("GH",)))
    try:
        shown = price(sal, quote)
        assert "No site can be had" in shown.text
        assert "line is not sold in ZA" in shown.text
        assert "/order" not in "".join(shown.all("//form/@action"))
    finally:
        with north.begin() as tx:
            offers.put_offer(tx, offer=offer)
    assert (
        "Feasible 2 of 3 sites"
        in sal.send(f"{quote}/price", {**shown.form(f"{quote}/price"), "anew": "1"}).text
    )


# --- orders ---------------------------------------------------------------------------------------


def test_what_can_be_had_is_ordered_once_however_often_it_is_sent(
    alliance: Alliance, north: Node, sal: Visitor
) -> None:
    quote = priced(sal, "Once", SHORT, buyer=of(alliance, "once"))
    form = sal.open(quote).form(f"{quote}/order")
    done = sal.send(f"{quote}/order", form)
    assert "Ordered: 1 order is on its way." in done.text
    ((order, state, _at),) = done.rows(0)
    assert order.startswith("ord_") and state == "Acknowledged"
    back = sal.send(f"{quote}/order", form)
    assert "This is ordered already" in back.text
    assert back.rows(0)[0][0] == order
    ann = Visitor(north).sign_in(enter(north, "ann", "sales"))
    assert "This is ordered already" in ann.send(f"{quote}/order", form).text
    (way,) = [one for one in back.tree.xpath("//table//a/@href") if one.startswith("/orders/")]
    assert sal.open(way).heading == f"Order {order}"
    assert placed(north, "once") == 1
    with north.begin() as tx:
        (kept,) = orders.orders(tx, us=north.us.id, buyer=PartyId("once"))
        lines = quotes.get(tx, quote_id=kept.order.quote).quote.lines
    assert [line.item for line in lines] == ["2", "3"]


def test_two_who_order_in_the_same_moment_order_once(
    alliance: Alliance, north: Node, sal: Visitor
) -> None:
    quote = priced(sal, "At once", SHORT, buyer=of(alliance, "both"))
    form = sal.open(quote).form(f"{quote}/order")
    ann = Visitor(north).sign_in("sal")
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda who: who.send(f"{quote}/order", form), (sal, ann)))
    assert [one.status for one in answers] == [200, 200]
    assert placed(north, "both") == 1


def test_what_is_ordered_stays_as_it_is(alliance: Alliance, sal: Visitor) -> None:
    quote = priced(sal, "Fixed", SHORT, buyer=of(alliance, "fixed"))
    edit = sal.open(f"{quote}/edit").form(f"{quote}/edit")
    sal.send(f"{quote}/order", sal.open(quote).form(f"{quote}/order"))
    assert "has been ordered and stays" in sal.send(f"{quote}/edit", edit).text
    assert "has been ordered and stays" in give(sal, quote, SHORT).text
    assert not sal.open(quote).all(f"//form[@action='{quote}/price']")
    assert "Ordered" in sal.send(f"{quote}/price", {"version": "2", "anew": "1"}).text


def test_more_than_the_credit_limit_is_not_ordered_and_nothing_of_it_is(
    alliance: Alliance, north: Node, sal: Visitor
) -> None:
    quote = priced(sal, "Dear", LONG, buyer=of(alliance, "poor", "50000"))
    refused = sal.send(f"{quote}/order", sal.open(quote).form(f"{quote}/order"))
    assert refused.status == 422
    assert "This was not done" in refused.text and "credit" in refused.text
    assert placed(north, "poor") == 0


def test_another_version_is_not_ordered_by_who_has_not_seen_it(
    alliance: Alliance, north: Node, sal: Visitor
) -> None:
    quote = priced(sal, "Old", SHORT, buyer=of(alliance, "other"))
    form = sal.open(quote).form(f"{quote}/order")
    sal.send(f"{quote}/edit", {**sal.open(f"{quote}/edit").form(f"{quote}/edit"), "title": "New"})
    refused = sal.send(f"{quote}/order", form)
    assert refused.status == 422 and "has changed this quote" in refused.text
    assert placed(north, "other") == 0


def test_a_partner_orders_by_its_own_node(alliance: Alliance, north: Node) -> None:
    west = alliance.add("west")
    alliance.join(north, west)
    alliance.agree(north, west, currency="GBP", countries=("GB",))
    sam = Visitor(north).sign_in(enter(north, "sam", "sales"))
    quote = priced(sam, "For west", "country,place\nGB,London\n", buyer="partner:west")
    page = sam.open(quote)
    assert "Feasible 1 of 1 sites" in page.text
    assert "WEST orders by its own node" in page.text
    refused = sam.send(f"{quote}/order", {"version": "2"})
    assert refused.status == 422
    assert placed(north, "west") == 0


def test_a_quote_that_somebody_rejected_is_not_ordered(
    alliance: Alliance, north: Node, sal: Visitor
) -> None:
    quote = priced(sal, "Rejected", SHORT, buyer=of(alliance, "no"))
    with north.begin() as tx:
        (one,) = quotes.quotes(tx, buyer=PartyId("no"))
        quotes.move(
            tx,
            quote_id=one.id,
            state=QuoteState.REJECTED,
            reason="too dear",
            ids=north.ids,
            now=alliance.clock.now(),
        )
    refused = sal.send(f"{quote}/order", sal.open(quote).form(f"{quote}/order"))
    assert refused.status == 422 and "was rejected and cannot be ordered" in refused.text


def test_prices_that_have_ended_are_asked_for_again_before_the_order(
    alliance: Alliance, north: Node, sal: Visitor
) -> None:
    """The last of this module, since the clock is everybody's."""
    quote = priced(sal, "Ended", SHORT, buyer=of(alliance, "late"))
    form = sal.open(quote).form(f"{quote}/order")
    alliance.clock.move(timedelta(days=20))
    lou = Visitor(north).sign_in(enter(north, "lou", "sales"))
    page = lou.open(quote)
    assert "These prices have ended" in page.text
    assert not page.all(f"//form[@action='{quote}/order']")
    refused = lou.send(f"{quote}/order", form)
    assert refused.status == 422 and "ask for a new one" in refused.text
    assert placed(north, "late") == 0
    again = lou.send(f"{quote}/price", page.form(f"{quote}/price"))
    assert "Order 2 sites" in again.text
    done = lou.send(f"{quote}/order", again.form(f"{quote}/order"))
    assert "Ordered: 1 order is on its way." in done.text
