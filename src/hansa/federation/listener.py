"""Listener: what nodes tell each other unasked.

A notice may come late or twice; hearing it again changes nothing. Each is sent by a durable
task (`hansa.federation.notices`) until the partner has answered.
"""

from __future__ import annotations

from typing import Protocol

from hansa.federation.disputes import DisputeMoved, DisputeRaised
from hansa.federation.papers import (
    AgreementDrafted,
    AgreementMoved,
    AgreementSigned,
    CardRenewed,
    InvoiceIssued,
    NettingNotice,
    OrderMoved,
    StatementAnswered,
    StatementIssued,
    TicketMoved,
)
from hansa.foundation.ids import TraceId

Notice = (
    CardRenewed
    | AgreementDrafted
    | AgreementSigned
    | AgreementMoved
    | OrderMoved
    | TicketMoved
    | StatementIssued
    | StatementAnswered
    | InvoiceIssued
    | NettingNotice
    | DisputeRaised
    | DisputeMoved
)


class Listener(Protocol):
    """Anyone who wants to be told: a partner over the wire, or this node itself.

    A Listener is bound to the party that speaks. Same notice again, same effect, no error.
    """

    def hear(self, notice: Notice) -> None:
        """Takes it in. Raises Refused when it cannot be true (wrong party, wrong signature)."""
        ...


class Distant(Listener, Protocol):
    """A listener over the wire: it is told as well to which trace a notice belongs."""

    def hear(self, notice: Notice, *, trace_id: TraceId | None = None) -> None: ...
