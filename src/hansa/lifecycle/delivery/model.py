"""What a delivery plan says in its tasks, and what a person sees of an order's way."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.federation.contract import Milestone, OrderState, Progress
from hansa.foundation.ids import OrderId, PartyId, QuoteId, TaskId
from hansa.lifecycle.order.model import KeptOrder

SUPPLY = "delivery.supply"
WITHDRAW = "delivery.withdraw"
PROVIDE = "delivery.provide"
FAIL = "delivery.fail"
CEASE = "delivery.cease"
END = "delivery.end"


@dataclass(frozen=True, slots=True)
class Supplied:
    """What a supply task has recorded: the seller's order and the last that was heard of it.

    cease, cease_progress: the same of the order that takes it back, once there is one.
    """

    order: OrderId
    progress: Progress
    cease: OrderId | None = None
    cease_progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One supplier's part of an order, for this node's own people.

    order: the supplier's order, once placed. error: why the task is held or failed.
    """

    task: TaskId
    label: str
    seller: PartyId
    quote: QuoteId | None
    order: OrderId | None
    state: str
    hops: int
    error: str
    milestones: tuple[Milestone, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """An order and its legs, as far as this node may see."""

    kept: KeptOrder
    state: OrderState
    plan_state: str
    legs: tuple[Leg, ...]
    hops: int
