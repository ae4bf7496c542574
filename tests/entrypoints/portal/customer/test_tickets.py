"""What a customer reports, and what it is told."""

from __future__ import annotations

from hansa.foundation.people.actions import audit
from tests.entrypoints.portal.customer.world import SUPPLIERS, World
from tests.entrypoints.portal.visitor import Visitor

NEW = "/my/tickets/new"


def test_a_fault_sent_twice_is_one_ticket(world: World, shop: Visitor) -> None:
    form = shop.open(f"{NEW}?service={world.holdings[1]}").form(NEW)
    form |= {"description": "Nothing comes through.", "severity": "critical"}
    first = shop.send(NEW, form)
    assert "We have your report" in first.text
    assert first.heading == "Nothing comes through."
    second = shop.send(NEW, form)
    assert second.answer.url == first.answer.url
    assert len(shop.open("/my/tickets").rows()) == 2


def test_a_form_that_was_sent_with_other_words_can_be_sent_anew(
    world: World, shop: Visitor
) -> None:
    form = shop.open(NEW).form(NEW) | {"description": "It is slow."}
    assert shop.send(NEW, form).status == 200
    again = shop.send(NEW, form | {"description": "It is very slow."})
    assert again.status == 422
    assert "You have sent this form before" in again.text
    kept = again.form(NEW)
    assert kept["description"] == "It is very slow."
    assert shop.send(NEW, kept).heading == "It is very slow."


def test_what_says_nothing_is_refused_beside_its_field(world: World, shop: Visitor) -> None:
    form = shop.open(f"{NEW}?service={world.holdings[0]}").form(NEW)
    refused = shop.send(NEW, form | {"description": " "})
    assert refused.status == 422
    assert refused.all("//p[@class='wrong']") == ["Say something, in 4,000 characters at most."]
    assert refused.form(NEW)["service"] == world.holdings[0]
    assert shop.send(NEW, {"description": "No key."}).status == 422


def test_a_ticket_tells_what_was_said_by_whom(world: World, shop: Visitor) -> None:
    shown = shop.open(f"/my/tickets/{world.ticket}")
    said = shown.all("//ol[@class='timeline']//p[@class='step-title']")
    assert said[:3] == ["You", "Received", "Blue Whale"]
    assert said[-1] == "Solved, please confirm"
    assert "has sent somebody" in shown.text
    for name in SUPPLIERS:
        assert name not in shown.text.lower()


def test_a_note_is_added_once(world: World, shop: Visitor) -> None:
    page = f"/my/tickets/{world.ticket}"
    form = shop.open(page).form(f"{page}/note") | {"text": "<b>Thank you</b>"}
    shown = shop.send(f"{page}/note", form)
    assert shown.all("//p[@class='step-note']").count("<b>Thank you</b>") == 1
    shown = shop.send(f"{page}/note", form)
    assert shown.all("//p[@class='step-note']").count("<b>Thank you</b>") == 1
    assert shop.send(f"{page}/note", form | {"text": ""}).status == 422


def test_a_customer_says_that_it_is_solved_or_not(world: World, shop: Visitor) -> None:
    page = f"/my/tickets/{world.ticket}"
    shown = shop.send(f"{page}/unsolved")
    assert "Being worked on" in shown.text
    assert shop.send(f"{page}/solved").status == 422, "it is not ours to say now"
    world.alliance.work()
    shown = shop.send(f"{page}/withdraw")
    assert "The ticket is withdrawn." in shown.text
    assert shop.open("/my/tickets").all("//table") == []
    assert len(shop.open("/my/tickets?state=all").rows()) == 1


def test_what_is_solved_is_confirmed_and_written_into_the_audit_log(
    world: World, shop: Visitor
) -> None:
    page = f"/my/tickets/{world.ticket}"
    shown = shop.send(f"{page}/solved")
    assert "Thank you. The ticket is closed." in shown.text
    with world.node.begin() as tx:
        (entry,) = audit.trail(tx, subject=world.ticket)
    assert (entry.who, entry.action) == ("shop", "ticket-moved")
