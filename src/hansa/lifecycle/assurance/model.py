"""A ticket as its seller keeps it, with what was told to suppliers about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hansa.federation.contract import Condition
from hansa.federation.helpdesk import Ticket, TicketAsk, TicketState
from hansa.foundation.ids import BuyerKey, HoldingId, NoteId, PartyId, TaskId, TicketId, TraceId
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant
from hansa.lifecycle.inventory.model import Holding

Side = Literal["buyer", "seller"]
"""Who acts on a ticket. The seller's side is its people, its suppliers, and time."""

S = TicketState
TICKET_STATES = StateGraph(
    thing="ticket",
    start=S.ACKNOWLEDGED,
    moves={
        S.ACKNOWLEDGED: frozenset(
            {S.IN_PROGRESS, S.PENDING, S.HELD, S.RESOLVED, S.CANCELLED, S.REJECTED}
        ),
        S.IN_PROGRESS: frozenset({S.PENDING, S.HELD, S.RESOLVED, S.CANCELLED}),
        S.PENDING: frozenset({S.IN_PROGRESS, S.HELD, S.RESOLVED, S.CANCELLED}),
        S.HELD: frozenset({S.IN_PROGRESS, S.PENDING, S.RESOLVED, S.CANCELLED}),
        S.RESOLVED: frozenset({S.CLOSED, S.IN_PROGRESS}),
        S.CLOSED: frozenset(),
        S.CANCELLED: frozenset(),
        S.REJECTED: frozenset(),
    },
)

TOPIC = "troubleTicket"
"""What a ticket is called in notices to whoever has subscribed."""

RELAY = "assurance.relay"
"""The task that keeps a supplier's ticket in step with ours."""


@dataclass(frozen=True, slots=True)
class Look:
    """What its seller says of one holding of ours; condition None: nothing now, for these words."""

    holding: Holding
    condition: Condition | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ticket's log: a state that it came into, or (state None) a note.

    text: the reason of a move, or the note. author: the buyer, the supplier from whom it comes
    (then source_id is what it is called there), or the person of ours who wrote it.
    """

    number: int
    id: NoteId
    side: Side
    author: str
    state: TicketState | None
    text: str
    at: Instant
    private: bool = False
    key: BuyerKey | None = None
    source: PartyId | None = None
    source_id: str | None = None


@dataclass(frozen=True, slots=True)
class Relay:
    """A supplier's ticket behind one of ours. theirs: None until the supplier has opened it.

    told: the number of the last entry of ours that the supplier has been told of.
    """

    task: TaskId
    ticket: TicketId
    supplier: PartyId
    holding: HoldingId
    theirs: TicketId | None
    state: TicketState | None
    told: int

    @property
    def refused(self) -> bool:
        """The supplier has not taken it: there is nothing to keep in step."""
        return self.theirs is None and self.state is not None


@dataclass(frozen=True, slots=True)
class Relayed:
    """What a supplier's ticket is now; told: up to which entry of ours it has been told.

    ticket None: the supplier has refused to open one, in these words.
    """

    ticket: Ticket | None
    told: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class KeptTicket:
    """by_partner: its buyer is another node and is told when something is added to it. last: the
    number of its last entry, which the request of a buyer may not see.
    """

    id: TicketId
    seller: PartyId
    buyer: PartyId
    by_partner: bool
    key: BuyerKey
    ask: TicketAsk
    state: TicketState
    moved_at: Instant
    opened_at: Instant
    trace: TraceId
    entries: tuple[Entry, ...]
    last: int
    relays: tuple[Relay, ...] = ()
