"""An order as its seller keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hansa.federation.contract import AgreementRef, Family, Order, OrderState, Tax
from hansa.federation.mandate import Mandate
from hansa.federation.shelf import CancellationState
from hansa.foundation.ids import CancellationId, HoldId, HoldingId, OfferCode, OrderId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant

S = OrderState
ORDER_STATES = StateGraph(
    thing="order",
    start=S.ACKNOWLEDGED,
    moves={
        S.ACKNOWLEDGED: frozenset({S.IN_PROGRESS, S.FAILED, S.CANCELLED}),
        S.IN_PROGRESS: frozenset({S.COMPLETED, S.FAILED, S.CANCELLED}),
        S.COMPLETED: frozenset(),
        S.FAILED: frozenset(),
        S.CANCELLED: frozenset(),
    },
)

FINAL_STATES = frozenset({S.COMPLETED, S.FAILED, S.CANCELLED})


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """kind: `provide` for what a quote lists (new or changed), `cease` to end what the order
    `ends` brought. by_partner: its buyer is another node and is told when it moves. hold: the
    credit kept for it, None where the buyer has no limit. reason: why it failed or is held.
    mandate: who asked for it, as the buyer has shown; None where it has shown nothing.
    """

    order: Order
    kind: Literal["provide", "cease"]
    by_partner: bool
    ends: OrderId | None
    hold: HoldId | None
    reason: str
    ended_at: Instant | None
    mandate: Mandate | None = None


@dataclass(frozen=True, slots=True)
class AskedCancellation:
    """A buyer's wish that an order shall not be. taken_back_by: the cease that sees to it.

    charge: what it costs, tax apart. wished_for: None for as soon as can be.
    """

    id: CancellationId
    order: OrderId
    taken_back_by: OrderId
    reason: str
    wished_for: Instant | None
    asked_at: Instant
    charge: Money


@dataclass(frozen=True, slots=True)
class Charge:
    """What one line of an order costs its buyer that was cancelled as it wished.

    order: of the seller, item: of that order. site: what it is called, empty for none. holding:
    the one that was to be changed. net: tax apart. agreement: under which it was sold, None to an
    end customer. due_at: when there was nothing left of the order, by the seller's clock.
    """

    seller: PartyId
    order: OrderId
    item: str
    buyer: PartyId
    offer: OfferCode
    offer_name: str
    family: Family
    site: str
    holding: HoldingId | None
    quantity: int
    net: Money
    tax: Tax
    agreement: AgreementRef | None
    due_at: Instant


_CANCELLED_BY = {
    OrderState.ACKNOWLEDGED: CancellationState.ACKNOWLEDGED,
    OrderState.COMPLETED: CancellationState.DONE,
    OrderState.FAILED: CancellationState.TERMINATED_WITH_ERROR,
    OrderState.CANCELLED: CancellationState.TERMINATED_WITH_ERROR,
}


def cancellation_state(taken_back_by: OrderState) -> CancellationState:
    """How far a cancellation is, by the state of the order that takes the other one back."""
    return _CANCELLED_BY.get(taken_back_by, CancellationState.IN_PROGRESS)


def taking_back(state: CancellationState) -> tuple[OrderState, ...]:
    """The states of such an order that make it so."""
    return tuple(one for one in OrderState if cancellation_state(one) is state)
