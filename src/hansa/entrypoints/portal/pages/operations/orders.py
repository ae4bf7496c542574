"""Orders: the list, and one order's way through all operators, live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import OPERATIONS, SALES, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.live import Live
from hansa.entrypoints.portal.pages import parties
from hansa.entrypoints.portal.pages.operations import lists
from hansa.federation.contract import Milestone, OrderState
from hansa.foundation.ids import OrderId, PartyId
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Instant
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.delivery.model import Leg, Trace
from hansa.lifecycle.order.actions import orders

LOOKING = OPERATIONS | SALES
ON_ITS_WAY = frozenset({OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS, OrderState.HELD})


@page("/orders", roles=LOOKING)
def order_list(ask: Ask) -> Response:
    turn = paging.turn(ask, lists.PAGE)
    state = ask.query.get("state", "")
    with ask.node.begin() as tx:
        found = delivery.listing(
            tx,
            us=ask.node.us.id,
            buyer=lists.party(ask),
            state=OrderState(state) if state in set(OrderState) else None,
            text=ask.sought(),
            offset=turn.offset,
            limit=turn.size,
        )
        names = parties.names(ask, tx, *(one.kept.order.buyer for one in found.things))
    return ask.render(
        "operations/orders.html",
        part="operations/_orders.html",
        found=found,
        turn=turn,
        states=tuple(OrderState),
        until=lambda kept: kept.ended_at or ask.now,
        name=lambda party: names.get(party, party),
    )


@page("/orders/{id}", roles=LOOKING)
def order(ask: Ask) -> Response:
    """What has been heard; with `now` in the query suppliers are asked first."""
    id, us = OrderId(ask.path["id"]), ask.node.us.id
    asked = "now" in ask.query
    if asked:
        found = delivery.trace_now(ask.node.begin, us=us, order_id=id, sellers=ask.node.seller)
    with ask.node.begin() as tx:
        if not asked:
            found = delivery.trace(tx, us=us, order_id=id)
        shelf = delivery.shelf_order(tx, us=us, order_id=id)
        history = orders.history(tx, order_id=id)
        ceasing = orders.ceasing(tx, us=us, order_id=id)
        plan = plans.of_subject(tx, subject=id)
        acts = plans.interventions(tx, plan=plan.id) if plan else ()
        names = parties.names(ask, tx, found.kept.order.buyer)
    return ask.render(
        "operations/order.html",
        **_way(ask, found, names),
        shelf=shelf,
        history=_clocked(history, found, ask.now),
        ceasing=ceasing,
        acts=acts,
        asked=asked,
        may_cancel=ask.has(OPERATIONS) and found.state in ON_ITS_WAY,
    )


@change("/orders/{id}/cancel", roles=OPERATIONS, again=order)
def cancel(ask: Ask) -> Response:
    """Takes back what is on its way. Its buyer owes nothing for that."""
    id, why = OrderId(ask.path["id"]), ask.why()
    with ask.change("order-cancelled", subject=id, why=why) as tx:
        delivery.cancel(tx, us=ask.node.us.id, order_id=id, by=ask.me.login, why=why, now=ask.now)
    return ask.back(f"/orders/{id}", said=_("The order is being taken back, step by step."))


# --- what is live ---------------------------------------------------------------------------------


def _live(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        found = delivery.trace(tx, us=ask.node.us.id, order_id=OrderId(ask.path["id"]))
        names = parties.names(ask, tx, found.kept.order.buyer)
    return ask.render("operations/_order.html", **_way(ask, found, names))


live = Live("/orders/{id}/live", LOOKING, _live, lambda tx, ids: delivery.stamps(tx, ids=ids))


# --- an order's way -------------------------------------------------------------------------------


@dataclass
class Stage:
    """One step of the way. by: whose it is, in words. since, until: of its clock, None unknown."""

    label: str
    state: str
    by: str = ""
    since: Instant | None = None
    until: Instant | None = None
    note: str = ""
    href: str = ""
    parts: list[Stage] = field(default_factory=list)

    def took(self, now: Instant) -> timedelta | None:
        """How long it has been going, or took; None where that is not known."""
        return None if self.since is None else (self.until or now) - self.since


def _way(ask: Ask, found: Trace, names: Mapping[str, str]) -> Mapping[str, Any]:
    """What the live part of an order's page is made of."""
    stages = _stages(ask, found, names)
    ready = [stage for stage in stages if stage.state in {"completed", "undone", "skipped"}]
    return {
        "id": found.kept.order.id,
        "kept": found.kept,
        "found": found,
        "stages": stages,
        "ready": len(ready),
        "now": ask.now,
        "buyer": names.get(found.kept.order.buyer, found.kept.order.buyer),
        "silent": [names.get(one, one) for one in found.silent],
        "repairs": ask.has(OPERATIONS),
    }


def _stages(ask: Ask, found: Trace, names: Mapping[str, str]) -> list[Stage]:
    kept, us = found.kept, ask.node.us.id
    placed = kept.order.placed_at
    first = Stage(_("Order entered"), "completed", names[us], placed, placed)
    legs = [_leg(leg, us, names) for leg in found.legs]
    ends = [leg.until for leg in found.legs]
    over = kept.ended_at is not None
    last = Stage(
        _("The service ends") if kept.kind == "cease" else _("The service itself"),
        kept.order.state if over else ("inProgress" if legs and all(ends) else "pending"),
        names[us],
        since=max((end for end in ends if end), default=placed) if over or all(ends) else None,
        until=kept.ended_at,
        note=kept.reason,
    )
    return [first, *legs, last]


def _leg(leg: Leg, us: PartyId, names: Mapping[str, str]) -> Stage:
    ours = leg.seller == us
    by = _("%(us)s, own network", us=names[us]) if ours else names.get(leg.seller, leg.seller)
    stage = Stage(leg.label, leg.state, by, leg.since, leg.until, leg.error)
    if leg.state == "held":
        stage.href = f"/fallout/{leg.task}"
    stage.parts = _below(leg.milestones, by)
    return stage


def _below(milestones: Sequence[Milestone], by: str) -> list[Stage]:
    """What a supplier tells of its own steps; deeper ones have no operator that we know."""
    top: list[Stage] = []
    path: list[Stage] = []
    for one in milestones:
        del path[one.depth :]
        stage = Stage(one.name, one.state, "" if one.depth else by, until=one.at)
        (path[-1].parts if path else top).append(stage)
        path.append(stage)
    return top


def _clocked(
    history: Sequence[tuple[OrderState, str, Instant]], found: Trace, now: Instant
) -> Sequence[tuple[OrderState, str, Instant, timedelta | None]]:
    """Each state with how long the order was in it; its last one has no end."""
    ends = [at for _state, _why, at in history[1:]]
    ends.append(now if found.kept.ended_at is None else history[-1][2])
    return [
        (state, why, at, end - at if end > at else None)
        for (state, why, at), end in zip(history, ends, strict=True)
    ]


pages = [order_list, order, cancel]
