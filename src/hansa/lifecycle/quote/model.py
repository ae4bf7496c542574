"""A quote as its seller keeps it: what the buyer sees, and what it stands on."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.federation.bulk import Unquoted
from hansa.federation.contract import AgreementRef, Quote
from hansa.federation.shelf import QuoteState
from hansa.foundation.ids import PartyId, QuoteId, TraceId
from hansa.foundation.states import StateGraph

Q = QuoteState
QUOTE_STATES = StateGraph(
    thing="quote",
    start=Q.APPROVED,
    moves={
        Q.APPROVED: frozenset({Q.ACCEPTED, Q.REJECTED, Q.CANCELLED}),
        Q.ACCEPTED: frozenset(),
        Q.REJECTED: frozenset(),
        Q.CANCELLED: frozenset(),
    },
)


@dataclass(frozen=True, slots=True)
class SupplyLine:
    """One line of a supplier's quote and which part of which of our items it is."""

    item: str
    component: str
    line: str
    metered: bool


@dataclass(frozen=True, slots=True)
class SupplyQuote:
    """A supplier's locked quote for everything of one stage that it is to deliver.

    agreement: under which we buy it, None for our own network. rate_of_exchange: units of
    our quote's currency for one unit of the supplier's, as text, with its source and day.
    """

    seller: PartyId
    stage: int
    agreement: AgreementRef | None
    quote: Quote
    lines: tuple[SupplyLine, ...]
    rate_of_exchange: str


@dataclass(frozen=True, slots=True)
class KeptPart:
    """What was answered to one part of a bulk need: the quotes made, and who had none."""

    quotes: tuple[QuoteId, ...]
    refusals: tuple[Unquoted, ...]


@dataclass(frozen=True, slots=True)
class KeptQuote:
    """The quote and its supplies, as kept by the node that made it."""

    quote: Quote
    trace: TraceId
    trail: tuple[PartyId, ...]
    supplies: tuple[SupplyQuote, ...]
