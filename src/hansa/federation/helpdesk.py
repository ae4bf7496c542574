"""Helpdesk: where a buyer says that something is not as it was promised (TMF621).

Beside `Seller`, and kept by the same: this node's storefront and a partner over the wire. A
ticket is passed from operator to operator down to the one who delivers; what is found and
done comes back up. Every operator has a ticket of its own with its own buyer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from hansa.foundation.ids import BuyerKey, HoldingId, NoteId, PartyId, TicketId, TraceId
from hansa.foundation.time import Instant


class TicketState(StrEnum):
    """The life of a ticket, by its TMF621 names.

    pending: the seller waits for the buyer. held: the seller waits for something else.
    """

    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "inProgress"
    PENDING = "pending"
    HELD = "held"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TicketAsk:
    """What a buyer reports. holding: what it is about, None for the trade in general.

    kind, severity and priority are words that the two agree on, 1 to 100 characters; usual are
    the kinds incident, information and maintenance, the severities critical, major and minor,
    and the priorities critical, high, medium and low (empty: the seller decides). extras: what
    a client sent beside, given back to it and shown to nobody else.
    """

    description: str
    severity: str
    kind: str
    holding: HoldingId | None = None
    priority: str = ""
    name: str = ""
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketMove:
    """A state that a ticket came into, the first being that in which it was opened."""

    state: TicketState
    at: Instant
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What one of the two wrote on a ticket; author: the buyer or the seller of the ticket.

    private: for the seller's own people; no buyer and no supplier is ever shown it.
    """

    id: NoteId
    author: PartyId
    text: str
    at: Instant
    private: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """One report of one buyer, as its seller knows it. key: the buyer's.

    moves and notes are in order of time and only ever grow, so that of two tellings the
    longer one is the newer.
    """

    id: TicketId
    seller: PartyId
    buyer: PartyId
    key: BuyerKey
    ask: TicketAsk
    opened_at: Instant
    trace: TraceId
    moves: tuple[TicketMove, ...]
    notes: tuple[Note, ...] = ()

    @property
    def state(self) -> TicketState:
        return self.moves[-1].state

    @property
    def reason(self) -> str:
        """Why it is in its state; may be empty."""
        return self.moves[-1].reason

    @property
    def changed_at(self) -> Instant:
        """When something was last added to it."""
        return max(self.moves[-1].at, *(note.at for note in self.notes), self.opened_at)

    @property
    def length(self) -> int:
        """How much has been added to it so far."""
        return len(self.moves) + len(self.notes)


@dataclass(frozen=True, slots=True)
class Tickets:
    """Some of a buyer's tickets, the newest first. total: how many there are in all."""

    tickets: Sequence[Ticket]
    total: int


class Helpdesk(Protocol):
    """Anyone to whom a buyer may report what is wrong; bound to one buyer.

    Same key, same answer; Refused `key-reused` for other content.
    """

    def open_ticket(
        self, *, ask: TicketAsk, key: BuyerKey, trace_id: TraceId | None = None
    ) -> Ticket:
        """Reports it. trace_id: the same at every operator that it is passed on to.

        Raises NotFound `holding-unknown` for what this buyer does not have from this seller.
        """
        ...

    def ticket(self, ticket_id: TicketId) -> Ticket:
        """One ticket of this buyer's, as it is now. Raises NotFound `ticket-unknown`."""
        ...

    def tickets(
        self, *, state: TicketState | None = None, offset: int = 0, limit: int = 100
    ) -> Tickets:
        """This buyer's tickets, in this state only if one is given, the newest first."""
        ...

    def note_ticket(self, *, ticket_id: TicketId, text: str, key: BuyerKey) -> Ticket:
        """Adds the buyer's note. Raises Refused `ticket-over` on a ticket that has ended."""
        ...

    def move_ticket(self, *, ticket_id: TicketId, state: TicketState, reason: str = "") -> Ticket:
        """The buyer cancels, closes, or sends it back into progress. Already there: no change.

        Raises Refused `state-move` for a move that no ticket makes from where it is,
        `ticket-move-not-yours` for one that is the seller's to make.
        """
        ...
