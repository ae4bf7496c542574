"""A quote as its seller keeps it: what the buyer sees, and what it stands on."""

from __future__ import annotations

from dataclasses import dataclass, field

from hansa.federation.bulk import Unquoted
from hansa.federation.contract import AgreementRef, Characteristics, Quote
from hansa.federation.shelf import QuoteState
from hansa.foundation.ids import DraftId, OfferCode, PartyId, QuoteId, TraceId
from hansa.foundation.money import Money
from hansa.foundation.site import Site
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant

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


@dataclass(frozen=True, slots=True)
class LineCost:
    """What suppliers charge us for one line, in the quote's currency."""

    one_off: Money
    monthly: Money


# --- what our own people prepare ------------------------------------------------------------------


WISHES_MAX = 10_000
"""The most sites of a draft: as many as people look through, and as one need may have."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A site of a draft. characteristics: chosen for it, in place of the draft's own."""

    site: Site
    quantity: int = 1
    characteristics: Characteristics = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DraftHead:
    """What a draft asks for apart from its sites. by_partner: the buyer is a partner, not an end
    customer. characteristics: for every site that says nothing else.
    """

    title: str
    buyer: PartyId
    by_partner: bool
    offer: OfferCode
    currency: str
    characteristics: Characteristics = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A quote that is being prepared. version: another one after each change. asked: that in which
    what is asked for last changed. sites: how many. parts: of them that have been answered.
    """

    id: DraftId
    version: int
    asked: int
    head: DraftHead
    sites: int
    parts: int
    made_by: str
    made_at: Instant
    changed_by: str
    changed_at: Instant
