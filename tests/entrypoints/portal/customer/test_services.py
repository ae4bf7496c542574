"""What a customer has, and how it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hansa.entrypoints.portal.pages.customer.usage import by_kind
from hansa.federation.contract import UsageRecord
from hansa.foundation.ids import HoldingId
from hansa.foundation.readings import Call, OctetDay, SeatDay
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


def test_usage_of_a_month_is_shown_by_the_day_and_said_to_be_simulated(
    world: World, shop: Visitor
) -> None:
    shown = shop.open(f"/my/services/{world.holdings[0]}/usage")
    assert "These figures are simulated" in shown.text
    rows = shown.rows()
    assert len(rows) == 29, "from the 2nd of November on"
    assert rows[0][0] == "2 Nov 2026"
    assert "In the month" in shown.text
    assert shop.open(f"/my/services/{world.holdings[0]}/usage?month=2031-01").rows() == rows


def test_usage_before_a_month_is_over_says_when_it_comes(world: World, shop: Visitor) -> None:
    world.alliance.pass_time(timedelta(minutes=2))
    (new,) = world.shop.progress(world.under_way).provided
    shown = shop.open(f"/my/services/{new.holding}/usage")
    assert "when the first month is over" in shown.text


def test_usage_of_every_kind_is_added_up_by_the_day() -> None:
    day = date(2026, 11, 2)
    half = tuple(5 * 10**8 if slot < 2 else None for slot in range(288))
    called = datetime(2026, 11, 2, 23, 59, tzinfo=UTC)
    holding = HoldingId("hld_1")
    calls, octets, seats = by_kind(
        [
            UsageRecord("1", holding, OctetDay(day, half, (None,) * 288), measured=True),
            UsageRecord("2", holding, Call(called, "+1", "+2", 90)),
            UsageRecord("3", holding, Call(called, "+1", "+2", 30), measured=True),
            UsageRecord("4", holding, SeatDay(day, 7), measured=False),
            UsageRecord("5", holding, SeatDay(date(2026, 11, 3), 9), measured=True),
        ]
    )
    assert (octets.days, octets.measured) == ([(day, [Decimal(1), Decimal(0)])], True)
    assert (calls.days, calls.measured) == ([(day, [Decimal(2), Decimal(2)])], None)
    assert (seats.whole, seats.measured) == ([Decimal(9)], False)
