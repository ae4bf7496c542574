"""A holding: what one buyer has from one seller (TMF637 Product).

In this node's inventory we are the seller (sold), the buyer (bought) or both (our own
network). The same shape for all three, so the same rules rate and bill both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from hansa.federation.contract import AgreementRef, Characteristics, Family, Tax, Terms
from hansa.foundation.ids import HoldingId, OfferCode, OrderId, PartyId, TraceId
from hansa.foundation.site import Site
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant


class HoldingState(StrEnum):
    """By TMF637 names."""

    ACTIVE = "active"
    TERMINATED = "terminated"


HOLDING_STATES = StateGraph(
    thing="holding",
    start=HoldingState.ACTIVE,
    moves={
        HoldingState.ACTIVE: frozenset({HoldingState.TERMINATED}),
        HoldingState.TERMINATED: frozenset(),
    },
)


Side = Literal["sold", "bought", "own"]
"""What others have from us, what we have from others, what we have from our own network."""


@dataclass(frozen=True, slots=True)
class HoldingRef:
    """A holding across nodes: its id is its seller's."""

    seller: PartyId
    id: HoldingId


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of time in which a holding had these characteristics and these terms.

    end None: still so. Spells of one holding never overlap and leave no gap while it is
    active. terms are for the whole quantity. order: the seller's order that brought it.
    one_off of the terms is due once, at start.
    """

    start: Instant
    end: Instant | None
    order: OrderId
    characteristics: Characteristics
    quantity: int
    terms: Terms
    tax: Tax


@dataclass(frozen=True, slots=True)
class Holding:
    """item: the buyer's name for the line that brought it. agreement: None for a customer's."""

    ref: HoldingRef
    buyer: PartyId
    item: str
    offer: OfferCode
    offer_name: str
    family: Family
    site: Site | None
    agreement: AgreementRef | None
    state: HoldingState
    trace: TraceId
    spells: tuple[Spell, ...]

    @property
    def started(self) -> Instant:
        return self.spells[0].start

    @property
    def ended(self) -> Instant | None:
        return self.spells[-1].end


@dataclass(frozen=True, slots=True)
class Support:
    """`upper` stands on `lower`. metered: lower's usage is upper's usage."""

    upper: HoldingRef
    lower: HoldingRef
    metered: bool
