"""What a customer has, and how it is."""

from __future__ import annotations

from tests.entrypoints.portal.customer.world import DELIVERS, World
from tests.entrypoints.portal.visitor import Visitor


def test_a_customer_begins_with_all_at_a_glance(world: World, shop: Visitor) -> None:
    shown = shop.open("/")
    assert shown.heading == "Overview"
    assert {row[1] for row in shown.rows(0)} == {"Durban ZA", "Paarl ZA"}
    assert shown.all("//p[@class='figure-value']") == ["2", "1", "1", "1"]
    assert "Being delivered" in shown.text
    assert "Ermelo" not in shown.text, "that is the rival's"


def test_services_are_searched_and_paged(world: World, shop: Visitor) -> None:
    (row,) = shop.open("/my/services?q=durb").rows()
    assert row[:2] == ["Line by acme", "Durban ZA"]
    assert shop.open("/my/services?q=ermelo").all("//table") == []
    assert shop.open("/my/services?state=terminated").all("//table") == []
    assert "No services here" in shop.open("/my/services?page=9").text
    part = shop.open("/my/services?q=durb", part=True)
    assert "<html" not in part.answer.text and len(part.rows()) == 1


def test_a_service_says_what_was_bought_since_when_and_for_how_much(
    world: World, shop: Visitor
) -> None:
    shown = shop.open(f"/my/services/{world.holdings[0]}")
    assert shown.heading == "Line by acme"
    assert "2 Nov 2026" in shown.text
    assert "Speed100 Mbit/s" in shown.text
    assert "GBP" in shown.text
    assert "No light since 8." in shown.text


def test_a_condition_says_that_it_is_only_simulated(world: World, shop: Visitor) -> None:
    shown = shop.open(f"/my/services/{world.holdings[0]}/condition")
    assert "As promised" in shown.text
    assert "These figures are simulated" in shown.text
    assert shown.rows()[0] == ["In service", "yes", "yes", "yes"]
    glance = shop.open(f"/my/services/{world.holdings[0]}/glance", part=True)
    assert glance.text == "As promised simulated"


def test_a_page_does_not_wait_for_who_is_silent_and_blames_nobody(
    world: World, shop: Visitor
) -> None:
    world.alliance.silent.add(DELIVERS)
    assert shop.open(f"/my/services/{world.holdings[0]}").status == 200
    shown = shop.open(f"/my/services/{world.holdings[0]}/condition")
    assert shown.status == 200
    assert "cannot be told at the moment" in shown.text
    world.alliance.silent.clear()
