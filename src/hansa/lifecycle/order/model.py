"""An order as its seller keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hansa.federation.contract import Order, OrderState
from hansa.foundation.ids import HoldId, OrderId
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
    """

    order: Order
    kind: Literal["provide", "cease"]
    by_partner: bool
    ends: OrderId | None
    hold: HoldId | None
    reason: str
    ended_at: Instant | None
