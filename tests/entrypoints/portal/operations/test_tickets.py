"""Tickets: opened once however often the form comes, written on by both sides, passed on to the
supplier even if it is silent, moved, and closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hansa.federation.helpdesk import TicketState
from hansa.foundation.ids import BuyerKey, HoldingId, TicketId
from hansa.foundation.party import Actor
from hansa.foundation.people.actions import audit
from hansa.lifecycle.assurance.actions import overview, tickets
from hansa.lifecycle.assurance.model import KeptTicket
from tests.entrypoints.portal.operations.listening import Listening
from tests.entrypoints.portal.operations.world import World, short
from tests.entrypoints.portal.visitor import Shown, Visitor


@pytest.fixture(scope="module")
def line(world: World) -> HoldingId:
    """What the shop holds."""
    order = world.sell("Durban", key="durban")
    world.alliance.pass_time(timedelta(minutes=2))
    return world.shop.progress(order).provided[0].holding


@pytest.fixture
def down(world: World, ops: Visitor, line: HoldingId) -> TicketId:
    """A ticket that operations has opened for the shop, and op1 has been told of."""
    world.clock.move(timedelta(seconds=1))
    opened = report(ops, line, description="No light since eight")
    world.alliance.work()
    return opened


@pytest.fixture
def silence(world: World) -> Iterator[None]:
    world.alliance.silent.add(world.op1.us.id)
    yield
    world.alliance.silent.clear()
    world.alliance.pass_time(timedelta(minutes=5))


def report(ops: Visitor, line: HoldingId, **fields: str) -> TicketId:
    form = ops.open(f"/tickets/new?holding={line}").form("/tickets/new")
    shown = ops.send("/tickets/new", {**form, **fields}, follow=False)
    assert shown.status == 303, shown.text
    return TicketId(shown.answer.headers["location"].rpartition("/")[2])


def kept(world: World, id: TicketId) -> KeptTicket:
    with world.node.begin() as tx:
        return tickets.kept(tx, ticket_id=id)


def log(shown: Shown) -> list[str]:
    return list(shown.all("//ol[@aria-label='What happened with it']/li//p[1]"))


# --- opening --------------------------------------------------------------------------------------


def test_the_same_form_again_opens_no_second_ticket(
    world: World, ops: Visitor, line: HoldingId
) -> None:
    """The back button after it was sent, and sent again."""
    form = ops.open(f"/tickets/new?holding={line}").form("/tickets/new")
    assert form["holding"] == line
    form["description"] = "<b>No light</b>"
    first, again = (ops.send("/tickets/new", form) for _ in range(2))
    assert first.heading == again.heading
    assert "<b>No light" not in first.answer.text
    id = TicketId(str(first.answer.url).rpartition("/")[2])
    with world.node.begin() as tx:
        entries = audit.trail(tx, action="ticket-opened", subject=id, limit=9)
    assert [entry.who for entry in entries] == ["olu"]
    changed = ops.send("/tickets/new", {**form, "description": "something else"})
    assert changed.status == 422
    assert "something else" in changed.answer.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"holding": ""}, "Name the holding"),
        ({"holding": "hld_nothing"}, "no holding hld_nothing"),
        ({"description": "   "}, "The description of a ticket"),
        ({"description": "x" * 4001}, "The description of a ticket"),
        ({"severity": ""}, "The severity of a ticket"),
        ({"name": "x" * 201}, "The name of a ticket"),
    ],
)
def test_what_cannot_be_reported(
    ops: Visitor, line: HoldingId, fields: dict[str, str], words: str
) -> None:
    form = ops.open(f"/tickets/new?holding={line}").form("/tickets/new")
    form |= {"description": "No light, typed at length", **fields}
    shown = ops.send("/tickets/new", form)
    assert shown.status in (404, 422)
    assert words in shown.text
    if shown.status == 422 and "description" not in fields:
        assert "No light, typed at length" in shown.answer.text, "nothing typed is lost"


def test_it_is_for_operations_alone(fin: Visitor, down: TicketId) -> None:
    for path in ("/tickets", "/tickets/new", f"/tickets/{down}", f"/tickets/{down}/live"):
        assert fin.open(path).status == 403
    for act in ("notes", "move", "close"):
        assert fin.send(f"/tickets/{down}/{act}", {"why": "x", "state": "resolved"}).status == 403


# --- looking --------------------------------------------------------------------------------------


def test_the_list_shows_what_is_open(world: World, ops: Visitor, down: TicketId) -> None:
    shown = ops.open("/tickets")
    (row,) = [row for row in shown.rows() if row[0] == short(down)]
    assert row[1:4] == ["Shop", "No light since eight", "Medium"]
    with world.node.begin() as tx:
        tickets.move(
            tx, actor=Actor(world.node.us.id, "operator"), ticket_id=down,
            state=TicketState.RESOLVED, reason="x", ids=world.node.ids, now=world.clock.now(),
        )  # fmt: skip
    assert "Resolved" in ops.open("/tickets?q=NO+LIGHT&state=resolved&party=shop").text
    for query in ("state=rejected", "q=unheard", "party=op1", "page=9"):
        shown = ops.open(f"/tickets?{query}")
        assert shown.status == 200
        assert not shown.tree.xpath("//table")


def test_both_sides_write_and_the_suppliers_side_is_shown(
    world: World, ops: Visitor, down: TicketId
) -> None:
    world.shop.note_ticket(ticket_id=down, text="Still dark", key=BuyerKey("still"))
    with world.op1.begin() as tx:
        theirs = tickets.tickets(tx, actor=Actor(world.op1.us.id, "operator")).tickets[0]
        tickets.note(
            tx, actor=Actor(world.op1.us.id, "operator"), ticket_id=theirs.id, by="una",
            text="A digger was there", key=BuyerKey("digger"), ids=world.op1.ids,
            now=world.clock.now(),
        )  # fmt: skip
    world.alliance.work()
    world.alliance.pass_time(timedelta(minutes=16))
    shown = ops.open(f"/tickets/{down}")
    assert "Still dark" in shown.text and "A digger was there" in shown.text
    whose = shown.all("//ol[@aria-label='What happened with it']/li//p[2]/span[1]")
    assert {"Shop", "OP1"} <= set(whose)
    facts = " ".join(shown.all("//dl[@class='facts']"))
    assert theirs.id in facts and "Supplier OP1" in facts.replace("SupplierOP1", "Supplier OP1")


def test_there_is_no_such_ticket(ops: Visitor) -> None:
    assert ops.open("/tickets/tck_nothing").status == 404
    assert ops.open("/tickets/tck_nothing/live").status == 404
    assert ops.send("/tickets/tck_nothing/notes", {"note": "x", "key": "k"}).status == 404


# --- a supplier that is silent --------------------------------------------------------------------


@pytest.mark.usefixtures("silence")
def test_a_silent_supplier_loses_nothing(world: World, ops: Visitor, line: HoldingId) -> None:
    id = report(ops, line, description="Dark again")
    world.alliance.pass_time(timedelta(seconds=30))
    shown = ops.open(f"/tickets/{id}")
    assert "OP1 does not answer" in shown.text
    assert "Nothing is lost" in shown.text and "not opened yet" in shown.text
    world.alliance.silent.clear()
    world.alliance.pass_time(timedelta(minutes=5))
    shown = ops.open(f"/tickets/{id}")
    assert "does not answer" not in shown.text
    (relay,) = kept(world, id).relays
    assert relay.theirs is not None and relay.theirs in shown.text
    with world.op1.begin() as tx:
        theirs = overview.search(tx, text="Dark again", limit=9)
    assert theirs.total == 1, "opened once, however often it was tried"


# --- doing ----------------------------------------------------------------------------------------


def test_a_note_is_written_once_and_a_private_one_stays_here(
    world: World, ops: Visitor, down: TicketId
) -> None:
    path = f"/tickets/{down}/notes"
    form = {**ops.open(f"/tickets/{down}").form(path), "note": "Engineer at three"}
    for _ in range(2):
        assert ops.send(path, form).status == 200
    secret = {**ops.open(f"/tickets/{down}").form(path), "note": "They owe us", "private": "1"}
    shown = ops.send(path, secret)
    assert "They owe us" in shown.text and "private" in shown.text
    seen = world.shop.ticket(down)
    assert [note.text for note in seen.notes] == ["Engineer at three"]
    with world.node.begin() as tx:
        entries = audit.trail(tx, action="ticket-noted", subject=down, limit=9)
    assert [entry.details for entry in entries] == [{"private": True}, {"private": False}]
    empty = ops.send(path, {**form, "key": "another", "note": " "})
    assert empty.status == 422


def test_it_is_moved_with_a_reason_and_closed_for_its_buyer(
    world: World, ops: Visitor, down: TicketId
) -> None:
    path = f"/tickets/{down}"
    for form in ({"state": "resolved", "why": ""}, {"state": "flying", "why": "x"}):
        shown = ops.send(f"{path}/move", form)
        assert shown.status == 422
    assert ops.send(f"{path}/close", {"why": "the shop rang"}).status == 422, "not yet resolved"
    world.clock.move(timedelta(hours=2))
    shown = ops.send(f"{path}/move", {"state": "resolved", "why": "spliced"})
    assert "for 2 hours" in shown.text, "the clock of the state before"
    assert "closes by itself" in shown.text
    assert world.shop.ticket(down).reason == "spliced"
    shown = ops.send(f"{path}/close", {"why": "the shop rang"})
    assert kept(world, down).state is TicketState.CLOSED
    assert log(shown)[-1] == "Closed"
    assert not shown.tree.xpath("//form[contains(@action, '/move')]"), "there is nowhere to go"
    with world.node.begin() as tx:
        entries = audit.trail(tx, subject=down, limit=9)
    assert [(one.action, one.why) for one in entries][:2] == [
        ("ticket-closed-for", "the shop rang"),
        ("ticket-moved", "spliced"),
    ]
    late = ops.send(f"{path}/notes", {"note": "one more thing", "key": "late"})
    assert late.status == 422 and "one more thing" in late.answer.text


def test_a_partner_closes_its_ticket_itself(world: World, ops: Visitor, down: TicketId) -> None:
    uma = world.visitor("uma", "operations", node=world.op1)
    with world.op1.begin() as tx:
        theirs = tickets.tickets(tx, actor=Actor(world.op1.us.id, "operator")).tickets[0].id
    assert (
        uma.send(f"/tickets/{theirs}/move", {"state": "resolved", "why": "spliced"}).status == 200
    )
    shown = uma.open(f"/tickets/{theirs}")
    assert not shown.tree.xpath("//form[contains(@action, '/close')]")
    assert uma.send(f"/tickets/{theirs}/close", {"why": "x"}).status == 422
    assert kept(world, down).relays, "it was passed on"


def test_what_happens_is_live(world: World, ops: Visitor, down: TicketId) -> None:
    listening = Listening(ops, f"/tickets/{down}/live")
    name, data = listening.next() or ("", "")
    assert (listening.status, name) == (200, "")
    assert "It flickers" not in data
    world.shop.note_ticket(ticket_id=down, text="It flickers", key=BuyerKey(f"flicker-{down}"))
    while "It flickers" not in data:
        told = listening.next()
        assert told is not None
        data = told[1]
    listening.close()
