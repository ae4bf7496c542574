"""Trouble in a chain: who sees what of a ticket that three operators work on, and what becomes of
it when they fall silent, die, refuse, or hear everything twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from hansa.federation.helpdesk import Ticket, TicketAsk, TicketState
from hansa.federation.papers import TicketMoved
from hansa.foundation import documents
from hansa.foundation.errors import HansaError, TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, PartyId, TicketId
from hansa.foundation.party import Actor
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import TaskState
from hansa.foundation.time import SetClock
from hansa.lifecycle.assurance.actions import tickets as assurance
from hansa.lifecycle.assurance.model import KeptTicket
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests import faults
from tests.alliance import Alliance, chain
from tests.databases import Pool
from tests.faults import Fault, Killed, Wrap
from tests.standing import Standing

pytestmark = pytest.mark.slow

S = TicketState
OPENING = datetime(2026, 11, 2, 8, tzinfo=UTC)
ENDED = {TaskState.DONE, TaskState.SKIPPED, TaskState.UNDONE, TaskState.FAILED}
Answer = TypeVar("Answer")


class Chain:
    """op1 delivers a line, op2 resells it, op3 resells it again to the shop."""

    def __init__(self, alliance: Alliance) -> None:
        self.alliance = alliance
        self.shop: Storefront = chain(alliance, 3)
        self.op1, self.op2, self.op3 = alliance.nodes.values()
        quote = self.shop.quote(alliance.need("Durban"))
        order = self.shop.order(quote_id=quote.id, key=BuyerKey("line"))
        alliance.work()
        self.holding: HoldingId = self.shop.progress(order.id).provided[0].holding
        self._handlers = [dict(node.handlers) for node in alliance.nodes.values()]
        self._standing = Standing(alliance)

    def again(self, wrap: Wrap = lambda handlers: handlers) -> None:
        """Everything as it stood, and from now on handlers as wrapped."""
        self._standing.again()
        for node, handlers in zip(self.alliance.nodes.values(), self._handlers, strict=True):
            node.handlers = wrap(handlers)

    def close(self) -> None:
        self._standing.close()
        self.alliance.close()

    def live(self, for_at_most: timedelta = timedelta(minutes=2)) -> None:
        """All work, and after each death again; the clock moves on to whatever is due next."""
        clock = self.alliance.clock
        end = clock.at + for_at_most
        while True:
            moved = 0
            for node in self.alliance.nodes.values():
                try:
                    moved += node.work_once()
                except Killed:
                    moved += 1
            if moved:
                continue
            due = [node.engine().next_due() for node in self.alliance.nodes.values()]
            soonest = min((at for at in due if at is not None), default=None)
            if soonest is None or soonest > end:
                return
            clock.at = max(clock.at, soonest)

    # --- what people do -------------------------------------------------------------------------

    def opened(self) -> TicketId:
        ask = TicketAsk("Nothing comes through.", "critical", "incident", self.holding)
        made = insist(lambda: self.shop.open_ticket(ask=ask, key=BuyerKey("t-1")))
        self.live()
        return made.id

    def kept(self, node: Node) -> KeptTicket:
        """The newest ticket of an operator, as its own people see it."""
        with node.begin() as tx:
            (newest, *_) = assurance.tickets(tx, actor=staff(node)).tickets
            return assurance.kept(tx, ticket_id=newest.id)

    def seen_by(self, buyer: PartyId, seller: Node) -> Ticket:
        """The newest ticket of a buyer's as that buyer sees it."""
        (newest, *_) = seller.storefront(Actor(buyer, "partner")).tickets().tickets
        return newest

    def moves(self, node: Node, state: TicketState, why: str = "") -> None:
        """An operator's people move its newest ticket."""

        def move() -> None:
            with node.begin() as tx:
                (newest, *_) = assurance.tickets(tx, actor=staff(node)).tickets
                assurance.move(
                    tx, actor=staff(node), ticket_id=newest.id, state=state, reason=why, by="ada",
                    ids=node.ids, now=node.clock.now(),
                )  # fmt: skip

        insist(move)
        self.live()

    def notes(self, node: Node, text: str, *, private: bool = False) -> None:
        with node.begin() as tx:
            (newest, *_) = assurance.tickets(tx, actor=staff(node)).tickets
            assurance.note(
                tx, actor=staff(node), ticket_id=newest.id, text=text, key=BuyerKey(text),
                private=private, by="ada", ids=node.ids, now=node.clock.now(),
            )  # fmt: skip
        self.live()

    def writes(self, ticket: TicketId, text: str) -> None:
        """The shop writes."""
        insist(lambda: self.shop.note_ticket(ticket_id=ticket, text=text, key=BuyerKey(text[:30])))
        self.live()

    def turns(self, ticket: TicketId, state: TicketState, why: str = "") -> None:
        """The shop moves its ticket."""
        insist(lambda: self.shop.move_ticket(ticket_id=ticket, state=state, reason=why))
        self.live()


def insist(ask: Callable[[], Answer]) -> Answer:
    """Asks until there is an answer, as long as it pays to ask again."""
    while True:
        try:
            return ask()
        except (Killed, TryLater):
            continue


def staff(node: Node) -> Actor:
    return Actor(node.us.id, "operator")


@pytest.fixture(scope="module")
def built(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with pool.lend() as databases:
        folder = tmp_path_factory.mktemp("tickets")
        made = Chain(Alliance(databases, folder, SetClock(OPENING), b"tickets"))
        yield made
        made.close()


@pytest.fixture
def three(built: Chain) -> Chain:
    built.again()
    return built


def nothing_left(three: Chain) -> None:
    """No task waits or is lost, and nobody has to look at anything."""
    for node in three.alliance.nodes.values():
        with node.begin() as tx:
            assert plans.fallout(tx) == []
            assert plans.counts(tx).keys() <= ENDED


# --- who sees what --------------------------------------------------------------------------------


def test_a_buyer_sees_its_seller_and_nobody_below(three: Chain) -> None:
    ticket = three.opened()
    three.notes(three.op1, "We look into it.")
    three.moves(three.op1, S.IN_PROGRESS, "The card is being replaced.")
    seen = str(documents.write(three.shop.ticket(ticket)))
    assert "The card is being replaced." in seen and "We look into it." in seen
    assert "op3" in seen
    assert "op1" not in seen and "op2" not in seen
    below = str(documents.write(three.seen_by(PartyId("op2"), three.op1)))
    assert "op2" in below
    assert "shop" not in below and "op3" not in below


def test_who_names_itself_is_named_to_its_buyers_people_alone(three: Chain) -> None:
    ticket = three.opened()
    three.notes(three.op1, "OP1 has sent somebody; ask noc@op1.example.")
    three.notes(three.op2, "op2 is at it.")
    three.moves(three.op1, S.RESOLVED, "Op1's card is replaced.")
    seen = three.shop.ticket(ticket)
    assert [note.text for note in seen.notes] == [
        "[name withheld] has sent somebody; ask noc@[name withheld].example.",
        "[name withheld] is at it.",
    ]
    assert seen.reason == "[name withheld]'s card is replaced."
    private = [one.text for one in three.kept(three.op2).entries if one.private]
    assert private == ["OP1 has sent somebody; ask noc@op1.example.", "Op1's card is replaced."]


def test_everyone_keeps_its_private_notes(three: Chain) -> None:
    ticket = three.opened()
    for node in three.alliance.nodes.values():
        three.notes(node, f"private to {node.us.id}", private=True)
    three.notes(three.op2, "We have asked for an engineer.")
    three.writes(ticket, "Please call before you come.")
    three.moves(three.op1, S.RESOLVED, "Done.")
    for node in three.alliance.nodes.values():
        texts = [entry.text for entry in three.kept(node).entries if entry.state is None]
        assert sorted(texts) == [
            "Please call before you come.",
            "We have asked for an engineer.",
            f"private to {node.us.id}",
        ]
    notes = three.shop.ticket(ticket).notes
    assert {(note.author, note.text) for note in notes} == {
        ("op3", "We have asked for an engineer."),
        ("shop", "Please call before you come."),
    }


def test_a_trace_is_the_same_at_every_operator(three: Chain) -> None:
    ticket = three.opened()
    trace = three.shop.ticket(ticket).trace
    assert {three.kept(node).trace for node in three.alliance.nodes.values()} == {trace}


# --- what may go wrong ----------------------------------------------------------------------------


def test_a_silent_supplier_hears_all_when_it_is_back(three: Chain) -> None:
    three.alliance.silent.add(three.op1.us.id)
    ticket = three.opened()
    three.writes(ticket, "Is anybody there?")
    three.writes(ticket, "Hello?")
    three.notes(three.op3, "We have passed it on.")
    assert three.shop.ticket(ticket).state is S.ACKNOWLEDGED
    three.alliance.silent.clear()
    three.live()
    texts = [entry.text for entry in three.kept(three.op1).entries if entry.state is None]
    assert texts == ["Is anybody there?", "Hello?", "We have passed it on."]
    three.alliance.silent.add(three.op2.us.id)
    three.moves(three.op1, S.RESOLVED, "It was the power.")
    assert three.shop.ticket(ticket).state is S.ACKNOWLEDGED
    three.alliance.silent.clear()
    three.live()
    assert three.shop.ticket(ticket).reason == "It was the power."


def test_a_lost_notice_is_made_up_for_by_asking(three: Chain) -> None:
    ticket = three.opened()

    with three.op1.begin() as tx:
        assurance.move(
            tx, actor=staff(three.op1), ticket_id=three.kept(three.op1).id, state=S.RESOLVED,
            reason="", by="ada", ids=three.op1.ids, now=three.op1.clock.now(),
        )  # fmt: skip
    three.op1.handlers = {}  # its notice is never sent
    three.alliance.clock.move(timedelta(minutes=15))
    three.op2.work_once()
    three.op3.work_once()
    assert three.shop.ticket(ticket).state is S.RESOLVED


def test_what_a_supplier_turns_away_is_for_our_own_people(three: Chain) -> None:
    ticket = three.opened()
    three.moves(three.op1, S.REJECTED, "Not our line.")
    assert three.shop.ticket(ticket).state is S.ACKNOWLEDGED
    (why,) = [entry for entry in three.kept(three.op2).entries if entry.private]
    assert why.text == "op1 has rejected this: Not our line."
    three.moves(three.op2, S.RESOLVED, "It was ours to mend.")
    assert three.shop.ticket(ticket).state is S.RESOLVED
    three.turns(ticket, S.CLOSED)
    nothing_left(three)


def test_a_supplier_whose_ticket_is_over_gets_a_new_one(three: Chain) -> None:
    """It closed by itself while the buyer's word that it is not resolved could not reach it."""
    ticket = three.opened()
    three.moves(three.op1, S.RESOLVED)
    first = three.kept(three.op1)
    three.alliance.clock.move(timedelta(days=2, hours=23))
    three.alliance.silent.add(three.op1.us.id)
    three.turns(ticket, S.IN_PROGRESS, "Still dark.")
    three.alliance.clock.move(timedelta(hours=2))
    three.live()
    three.alliance.silent.clear()
    three.live()
    with three.op1.begin() as tx:
        assert assurance.kept(tx, ticket_id=first.id).state is S.CLOSED
    second = three.kept(three.op1)
    assert second.id != first.id and second.state is S.ACKNOWLEDGED
    assert three.shop.ticket(ticket).state is S.IN_PROGRESS
    three.moves(three.op1, S.RESOLVED, "A second cut.")
    assert three.shop.ticket(ticket).reason == "A second cut."
    three.turns(ticket, S.CLOSED)
    nothing_left(three)


def test_what_the_buyer_did_meanwhile_stands(three: Chain) -> None:
    """The supplier resolves what the buyer has just cancelled."""
    ticket = three.opened()
    three.alliance.silent.add(three.op1.us.id)
    three.shop.move_ticket(ticket_id=ticket, state=S.CANCELLED, reason="Never mind.")
    three.op3.work_once()
    three.moves(three.op1, S.RESOLVED)
    three.alliance.silent.clear()
    three.live()
    states = [three.kept(node).state for node in (three.op3, three.op2, three.op1)]
    assert states == [S.CANCELLED, S.CANCELLED, S.CLOSED]
    nothing_left(three)


def test_a_ticket_of_nobodys_is_not_heard_of(three: Chain) -> None:
    three.opened()
    told = three.seen_by(PartyId("op2"), three.op1)
    for sender in ("op1", "op3"):
        ear = three.op3.storefront(Actor(PartyId(sender), "partner"))
        with pytest.raises(HansaError, match="ticket-not-yours"):
            ear.hear(TicketMoved(told))


# --- every run of a task fails once ---------------------------------------------------------------


def trouble(three: Chain, wrap: Wrap) -> None:
    """Reported, asked about, resolved, not resolved, resolved, closed."""
    three.again(wrap)
    ticket = three.opened()
    three.writes(ticket, "All lights are red.")
    three.moves(three.op1, S.RESOLVED, "Reset.")
    three.turns(ticket, S.IN_PROGRESS, "Still dark.")
    three.moves(three.op1, S.RESOLVED, "Replaced.")
    three.turns(ticket, S.CLOSED)
    for node in three.alliance.nodes.values():
        kept = three.kept(node)
        assert [(entry.state, entry.text) for entry in kept.entries] == [
            (S.ACKNOWLEDGED, ""),
            (None, "All lights are red."),
            (S.RESOLVED, "Reset."),
            (S.IN_PROGRESS, "Still dark."),
            (S.RESOLVED, "Replaced."),
            (S.CLOSED, ""),
        ]
        with node.begin() as tx:
            assert assurance.tickets(tx, actor=staff(node)).total == 1
    nothing_left(three)


@pytest.mark.parametrize(
    "fault", [Fault.DEATH_RECORDING, Fault.LATER_AFTER], ids=lambda one: one.name
)
def test_a_ticket_survives_every_fault(built: Chain, fault: Fault) -> None:
    assert faults.each_in_turn(fault, lambda wrap: trouble(built, wrap)) > 10


def test_a_ticket_is_told_of_twice_and_stands_once(built: Chain) -> None:
    trouble(built, faults.twice)
