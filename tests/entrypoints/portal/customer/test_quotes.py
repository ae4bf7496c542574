"""A change of what a customer has: its price first, then the yes to it."""

from __future__ import annotations

from datetime import timedelta

from tests.entrypoints.portal.customer.world import RESELLS, World
from tests.entrypoints.portal.visitor import Shown, Visitor


def priced(world: World, shop: Visitor, speed: str) -> Shown:
    page = f"/my/services/{world.holdings[0]}/change"
    form = shop.open(page).form(page)
    assert form == {"speed_mbps": "100"}
    return shop.send(page, {"speed_mbps": speed})


def test_a_faster_line_is_priced_then_ordered_once(world: World, shop: Visitor) -> None:
    shown = priced(world, shop, "400")
    assert shown.heading == "Quote"
    (row, _sum) = shown.rows()
    assert "Speed: 100 Mbit/s, then 400 Mbit/s" in row[2]
    assert row[4] != row[5]
    action = str(shown.answer.url.path) + "/order"
    first = shop.send(action, shown.form(action))
    assert "Thank you for your order." in first.text
    assert first.heading == "Change: Line by acme"
    second = shop.send(action, shown.form(action))
    assert second.answer.url == first.answer.url, "the back button makes no second order"
    assert "This is ordered" in shop.open(str(shown.answer.url.path)).text
    world.alliance.pass_time(timedelta(minutes=2))
    assert "Speed400 Mbit/s" in shop.open(f"/my/services/{world.holdings[0]}").text


def test_what_cannot_be_is_said_beside_its_field(world: World, shop: Visitor) -> None:
    for speed in ("0", "1000000", "fast", "", "-5"):
        refused = priced(world, shop, speed)
        assert refused.status == 422
        assert refused.all("//p[@class='wrong']") == ["Type a whole number from 1 to 10000."]
        assert refused.tree.xpath("//input[@name='speed_mbps']/@value") == [speed]
    assert "You have this already" in priced(world, shop, "100").text


def test_a_price_can_not_be_told_while_who_delivers_is_silent(world: World, shop: Visitor) -> None:
    world.alliance.silent.add(RESELLS)
    shown = priced(world, shop, "400")
    assert shown.status == 503
    assert "Nothing is lost." in shown.text


def test_a_quote_whose_time_is_over_is_not_ordered(world: World, shop: Visitor) -> None:
    world.alliance.clock.move(timedelta(minutes=1))
    shown = priced(world, shop, "400")
    action = str(shown.answer.url.path) + "/order"
    row = shop.open("/my/quotes").rows()[0]
    assert (row[1], row[3]) == ("Line by acme · Durban", "Waits for your yes")
    world.alliance.clock.move(timedelta(days=60))
    shop = world.visitor()
    assert "not open any more" in shop.open(str(shown.answer.url.path)).text
    assert shop.send(action).status == 422


def test_what_has_ended_or_is_anothers_is_not_changed(world: World, shop: Visitor) -> None:
    assert shop.open(f"/my/services/{world.rivals[0]}/change").status == 404
    shown = priced(world, world.visitor("shop"), "400")
    rival = world.visitor("rival")
    assert rival.open(str(shown.answer.url.path)).status == 404
    assert rival.send(str(shown.answer.url.path) + "/order").status == 404
