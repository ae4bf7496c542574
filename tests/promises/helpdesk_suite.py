"""What every Helpdesk promises, written once.

A test of a keeper inherits `HelpdeskSuite` and gives it a `counter` fixture: a helpdesk bound to
a buyer, and the few things that differ from keeper to keeper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from hansa.federation.helpdesk import Helpdesk, Ticket, TicketAsk, TicketState
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, HoldingId, TicketId, TraceId
from hansa.foundation.time import SetClock

S = TicketState
TRACE = TraceId("4bf92f3577b34da6a3ce929d0e0e4736")
ASK = TicketAsk("Nothing comes through since eight.", "major", "incident", name="Line down")


@dataclass(frozen=True, slots=True)
class Counter:
    """A helpdesk and what its suite has to know.

    stranger: the same helpdesk, bound to another buyer. holding: what the buyer has. settle: does
    all work that is due now, in every node of the chain. work: the one who delivers moves the
    ticket that stands for ours there. answers: and writes on it, privately if told so.
    """

    desk: Helpdesk
    stranger: Helpdesk
    clock: SetClock
    holding: HoldingId
    settle: Callable[[], None]
    work: Callable[[TicketState, str], None]
    answers: Callable[[str, bool], None]

    @property
    def ask(self) -> TicketAsk:
        return replace(ASK, holding=self.holding)

    def opened(self, key: str = "t-1") -> Ticket:
        self.clock.move(timedelta(minutes=1))
        made = self.desk.open_ticket(ask=self.ask, key=BuyerKey(key), trace_id=TRACE)
        self.settle()
        return made

    def worked(self, state: TicketState, why: str = "") -> None:
        self.work(state, why)
        self.settle()

    def now(self, ticket: Ticket) -> Ticket:
        """As it is when all has been heard everywhere."""
        self.settle()
        return self.desk.ticket(ticket.id)

    def moved(self, ticket: Ticket, state: TicketState, why: str = "") -> Ticket:
        moved = self.desk.move_ticket(ticket_id=ticket.id, state=state, reason=why)
        self.settle()
        return moved


class HelpdeskSuite:
    """Inherit this and give it a `counter`."""

    # --- open -----------------------------------------------------------------------------------

    def test_a_ticket_is_acknowledged_at_once(self, counter: Counter) -> None:
        made = counter.desk.open_ticket(ask=counter.ask, key=BuyerKey("t-1"), trace_id=TRACE)
        assert (made.state, made.key, made.trace) == (S.ACKNOWLEDGED, "t-1", TRACE)
        assert made.ask == replace(counter.ask, priority="medium")
        assert made.opened_at == counter.clock.now()
        assert [move.state for move in made.moves] == [S.ACKNOWLEDGED]
        assert counter.desk.ticket(made.id) == made

    def test_the_same_key_gives_the_same_ticket(self, counter: Counter) -> None:
        first = counter.opened()
        counter.worked(S.IN_PROGRESS)
        again = counter.desk.open_ticket(ask=counter.ask, key=BuyerKey("t-1"))
        assert (again.id, again.state) == (first.id, S.IN_PROGRESS)
        other = replace(counter.ask, severity="minor")
        with pytest.raises(Refused, match="key-reused"):
            counter.desk.open_ticket(ask=other, key=BuyerKey("t-1"))
        assert counter.desk.tickets().total == 1

    def test_a_ticket_may_be_about_nothing_that_is_held(self, counter: Counter) -> None:
        made = counter.desk.open_ticket(ask=ASK, key=BuyerKey("t-1"))
        assert made.ask.holding is None
        assert counter.moved(made, S.CANCELLED).state is S.CANCELLED

    def test_what_is_not_held_cannot_be_reported(self, counter: Counter) -> None:
        ask = replace(ASK, holding=HoldingId("hld_none"))
        with pytest.raises(NotFound, match="holding-unknown"):
            counter.desk.open_ticket(ask=ask, key=BuyerKey("t-1"))
        assert counter.desk.tickets().total == 0

    @pytest.mark.parametrize("field", ["description", "severity", "kind"])
    def test_a_report_says_something(self, counter: Counter, field: str) -> None:
        ask: TicketAsk = replace(ASK, **{field: " "})  # type: ignore[arg-type]
        with pytest.raises(Refused, match="ticket-invalid") as refusal:
            counter.desk.open_ticket(ask=ask, key=BuyerKey("t-1"))
        assert refusal.value.field == field

    # --- whose it is ----------------------------------------------------------------------------

    def test_someone_elses_ticket_is_not_there(self, counter: Counter) -> None:
        made = counter.opened()
        with pytest.raises(NotFound, match="holding-unknown"):
            counter.stranger.open_ticket(ask=counter.ask, key=BuyerKey("t-1"))
        acts: tuple[Callable[[], Ticket], ...] = (
            lambda: counter.stranger.ticket(made.id),
            lambda: counter.stranger.note_ticket(ticket_id=made.id, text="x", key=BuyerKey("n")),
            lambda: counter.stranger.move_ticket(ticket_id=made.id, state=S.CANCELLED),
            lambda: counter.desk.ticket(TicketId("tck_none")),
        )
        for act in acts:
            with pytest.raises(NotFound, match="ticket-unknown"):
                act()
        assert counter.stranger.tickets().total == 0
        assert counter.now(made).state is S.ACKNOWLEDGED

    def test_tickets_are_listed_the_newest_first(self, counter: Counter) -> None:
        made = [counter.opened(f"t-{number}").id for number in range(3)]
        counter.desk.move_ticket(ticket_id=made[0], state=S.CANCELLED)
        found = counter.desk.tickets(offset=1, limit=1)
        assert ([one.id for one in found.tickets], found.total) == ([made[1]], 3)
        cancelled = counter.desk.tickets(state=S.CANCELLED)
        assert ([one.id for one in cancelled.tickets], cancelled.total) == ([made[0]], 1)

    # --- its life -------------------------------------------------------------------------------

    def test_from_open_to_closed(self, counter: Counter) -> None:
        made = counter.opened()
        counter.worked(S.IN_PROGRESS, "A technician is on the way.")
        found = counter.now(made)
        assert (found.state, found.reason) == (S.IN_PROGRESS, "A technician is on the way.")
        counter.clock.move(timedelta(hours=2))
        counter.worked(S.RESOLVED, "A fibre was cut.")
        found = counter.now(made)
        assert (found.state, found.reason) == (S.RESOLVED, "A fibre was cut.")
        closed = counter.moved(made, S.CLOSED)
        assert closed.state is S.CLOSED
        states = [move.state for move in counter.now(made).moves]
        assert states == [S.ACKNOWLEDGED, S.IN_PROGRESS, S.RESOLVED, S.CLOSED]

    def test_what_was_not_resolved_after_all_goes_on(self, counter: Counter) -> None:
        made = counter.opened()
        counter.worked(S.RESOLVED, "We have reset the port.")
        counter.moved(made, S.IN_PROGRESS, "Still nothing.")
        assert counter.now(made).state is S.IN_PROGRESS
        counter.worked(S.RESOLVED, "Now it was the card.")
        assert counter.now(made).reason == "Now it was the card."
        counter.moved(made, S.CLOSED)
        assert counter.now(made).state is S.CLOSED

    def test_the_seller_may_wait_for_the_buyer(self, counter: Counter) -> None:
        made = counter.opened()
        counter.worked(S.PENDING, "Is the router powered?")
        assert counter.now(made).state is S.PENDING
        counter.desk.note_ticket(ticket_id=made.id, text="It is.", key=BuyerKey("n-1"))
        counter.moved(made, S.IN_PROGRESS)
        assert counter.now(made).state is S.IN_PROGRESS
        counter.worked(S.RESOLVED)
        assert counter.now(made).state is S.RESOLVED

    def test_a_buyer_may_cancel_until_it_is_resolved(self, counter: Counter) -> None:
        made = counter.opened()
        counter.worked(S.IN_PROGRESS)
        assert counter.moved(made, S.CANCELLED, "It was our own switch.").state is S.CANCELLED
        other = counter.opened("t-2")
        counter.worked(S.RESOLVED)
        with pytest.raises(Refused, match="state-move"):
            counter.desk.move_ticket(ticket_id=other.id, state=S.CANCELLED)

    def test_what_is_done_twice_is_done_once(self, counter: Counter) -> None:
        made = counter.opened()
        counter.worked(S.RESOLVED)
        for _ in range(2):
            counter.moved(made, S.CLOSED)
        assert len(counter.now(made).moves) == 3

    @pytest.mark.parametrize("state", [S.IN_PROGRESS, S.RESOLVED, S.HELD, S.REJECTED])
    def test_a_buyer_does_not_do_the_sellers_work(
        self, counter: Counter, state: TicketState
    ) -> None:
        made = counter.opened()
        with pytest.raises(Refused, match="ticket-move-not-yours"):
            counter.desk.move_ticket(ticket_id=made.id, state=state)
        assert counter.now(made) == made

    def test_what_is_over_stays_so(self, counter: Counter) -> None:
        made = counter.opened()
        counter.moved(made, S.CANCELLED)
        with pytest.raises(Refused, match="state-move"):
            counter.desk.move_ticket(ticket_id=made.id, state=S.IN_PROGRESS)
        with pytest.raises(Refused, match="ticket-over"):
            counter.desk.note_ticket(ticket_id=made.id, text="And yet.", key=BuyerKey("n-1"))

    def test_a_resolved_ticket_closes_by_itself(self, counter: Counter) -> None:
        made = counter.opened()
        counter.worked(S.RESOLVED)
        counter.clock.move(timedelta(days=2))
        assert counter.now(made).state is S.RESOLVED
        counter.clock.move(timedelta(days=1, minutes=1))
        assert counter.now(made).state is S.CLOSED

    # --- what is written on it ------------------------------------------------------------------

    def test_notes_go_both_ways(self, counter: Counter) -> None:
        made = counter.opened()
        first = counter.desk.note_ticket(
            ticket_id=made.id, text="All lights are red.", key=BuyerKey("n-1")
        )
        assert [note.text for note in first.notes] == ["All lights are red."]
        counter.settle()
        counter.answers("We see it too.", False)
        found = counter.now(made)
        assert [(note.author, note.text) for note in found.notes] == [
            (made.buyer, "All lights are red."),
            (made.seller, "We see it too."),
        ]
        assert not any(note.private for note in found.notes)

    def test_the_same_note_is_written_once(self, counter: Counter) -> None:
        made = counter.opened()
        for _ in range(2):
            counter.desk.note_ticket(ticket_id=made.id, text="Red.", key=BuyerKey("n-1"))
        with pytest.raises(Refused, match="key-reused"):
            counter.desk.note_ticket(ticket_id=made.id, text="Green.", key=BuyerKey("n-1"))
        assert [note.text for note in counter.now(made).notes] == ["Red."]

    def test_private_notes_are_held_back(self, counter: Counter) -> None:
        made = counter.opened()
        before = counter.now(made)
        counter.answers("It is the cheap card again.", True)
        assert counter.now(made) == before
        counter.worked(S.IN_PROGRESS)
        assert counter.now(made).notes == ()
