"""What a customer has ordered, and taking it back."""

from __future__ import annotations

from datetime import timedelta

from hansa.foundation.ids import BuyerKey
from tests.entrypoints.portal.customer.world import RESELLS, World
from tests.entrypoints.portal.visitor import Visitor


def test_orders_are_listed_open_ones_first(world: World, shop: Visitor) -> None:
    (row,) = shop.open("/my/orders").rows()
    assert row == ["1 Dec 2026", "Line by acme · Knysna", "New", "Being delivered"]
    assert [row[3] for row in shop.open("/my/orders?state=all").rows()] == [
        "Being delivered",
        "Completed",
    ]


def test_an_order_tells_its_own_steps_and_nobody_elses(world: World, shop: Visitor) -> None:
    shown = shop.open(f"/my/orders/{world.first}")
    assert shown.all("//ol[@aria-label='How far it is']//p[@class='step-title']") == [
        "Ordered",
        "Line Done",
        "Your service Done",
    ]
    assert "In all, tax apart" in shown.text
    shown = shop.open(f"/my/orders/{world.under_way}")
    assert "Line Under way Your service Still to come" in " ".join(
        shown.all("//p[@class='step-title']")
    )
    world.alliance.pass_time(timedelta(minutes=2))
    shown = shop.open(f"/my/orders/{world.under_way}")
    assert "Completed" in shown.text


def test_what_cancelling_costs_is_shown_before_it_is_done(world: World, shop: Visitor) -> None:
    page = f"/my/orders/{world.under_way}/cancel"
    shown = shop.open(page)
    assert "It costs 30.00 GBP, tax apart" in shown.text
    form = shown.form(page)
    told = shop.send(page, {**form, "reason": "too late"})
    assert "We are taking this order back." in told.text
    assert "It costs 30.00 GBP, tax apart." in told.text
    again = shop.send(page, form)
    assert "taking this order back" in again.text, "the same once more changes nothing"
    world.alliance.work()
    shown = shop.open(f"/my/orders/{world.under_way}")
    assert "Cancelled" in shown.text
    assert shop.open(page).status == 422, "there is nothing left to cancel"


def test_nobody_pays_more_for_cancelling_than_was_shown(world: World, shop: Visitor) -> None:
    quote = world.shop.quote(world.alliance.need("Upington"))
    world.alliance.silent.add(RESELLS)
    order = world.shop.order(quote_id=quote.id, key=BuyerKey("later"))
    page = f"/my/orders/{order.id}/cancel"
    shown = shop.open(page)
    assert "It costs nothing" in shown.text
    world.node.work_once()
    refused = shop.send(page, shown.form(page))
    assert refused.status == 422
    assert "to cancel it now costs 30.00 GBP" in refused.text
    assert "It costs 30.00 GBP, tax apart" in refused.text
    assert shop.send(page, refused.form(page)).status == 200


def test_a_cancellation_that_says_no_cost_is_not_taken(world: World, shop: Visitor) -> None:
    page = f"/my/orders/{world.under_way}/cancel"
    for form in ({}, {"cost": "-5", "currency": "GBP"}, {"cost": "3000", "currency": "EUR"}):
        assert shop.send(page, form).status == 422
