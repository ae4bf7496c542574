"""What a delivery plan says in its tasks, and what a person sees of an order's way."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.federation.contract import Milestone, OrderState, Progress, QuoteLine
from hansa.foundation.ids import OrderId, PartyId, QuoteId, TaskId
from hansa.foundation.time import Instant
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

    order: the supplier's order, once placed. error: why the task is held or failed, or is tried
    again. since: since when it could be done, None until it is reached. until: when it was over.
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
    since: Instant | None = None
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """An order and its legs, as far as this node may see. silent: who was asked and does not
    answer; of their legs it is what was heard last.
    """

    kept: KeptOrder
    state: OrderState
    plan_state: str
    legs: tuple[Leg, ...]
    hops: int
    silent: tuple[PartyId, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """An order in a list for this node's own people. state: held, where one has to see to it."""

    kept: KeptOrder
    state: OrderState
    lines: tuple[QuoteLine, ...]
