"""What a customer has ordered: list, how far each is in its own terms, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import CUSTOMERS, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.customer import saying
from hansa.entrypoints.portal.pages.customer.mine import LONG, mine, noted
from hansa.federation.contract import OrderState
from hansa.federation.shelf import ShelfOrder
from hansa.foundation.errors import Refused
from hansa.foundation.ids import OrderId
from hansa.foundation.money import Money, add_up
from hansa.foundation.time import Instant
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.order.actions import ending
from hansa.lifecycle.order.model import FINAL_STATES


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an order as its buyer may know it."""

    label: str
    word: str
    tone: str
    at: Instant | None = None
    note: str = ""


@page("/my/orders", roles=CUSTOMERS)
def order_list(ask: Ask) -> Response:
    wanted = ask.query.get("state", "open")
    turn = paging.turn(ask, LONG)
    with mine(ask) as tx:
        found = delivery.shelf_orders(
            tx,
            us=ask.node.us.id,
            buyer=ask.actor.party,
            open_only=wanted == "open",
            offset=turn.offset,
            limit=turn.size,
        )
    return ask.render(
        "customer/orders.html",
        part="customer/_orders.html",
        found=found,
        turn=turn,
        wanted=wanted,
        told=saying.told,
    )


@page("/my/orders/{id}", roles=CUSTOMERS)
def order(ask: Ask) -> Response:
    found = _found(ask)
    return ask.render(
        "customer/order.html",
        found=found,
        steps=_steps(found),
        one_off=add_up((line.quoted.terms.one_off for line in found.lines), found.currency),
        monthly=add_up((line.quoted.terms.monthly for line in found.lines), found.currency),
        may_cancel=_may_cancel(found),
        saying=saying,
        told=saying.told,
    )


@page("/my/orders/{id}/cancel", roles=CUSTOMERS)
def order_cancel_ask(ask: Ask) -> Response:
    """What taking it back costs now, before it is done."""
    found = _found(ask)
    if not _may_cancel(found):
        raise _too_late()
    with mine(ask) as tx:
        cost = ending.cost(tx, us=ask.node.us.id, order_id=found.order.id, buyer=ask.actor.party)
    return ask.render("customer/order_cancel.html", found=found, cost=cost, told=saying.told)


@change("/my/orders/{id}/cancel", roles=CUSTOMERS, again=order_cancel_ask)
def order_cancel(ask: Ask) -> Response:
    """Takes it back for no more than was shown; asked twice it is one cancellation."""
    id = OrderId(ask.path["id"])
    minor, currency = ask.typed("cost"), ask.typed("currency")
    if not minor.isdecimal() or not currency:
        raise Refused("form-incomplete", _("A part of the form is missing. Open the page anew."))
    try:
        with mine(ask) as tx:
            ending.cancel(
                tx,
                us=ask.node.us.id,
                actor=ask.actor,
                order_id=id,
                reason=ask.typed("reason").strip(),
                wished_for=None,
                ids=ask.node.ids,
                now=ask.now,
                at_most=Money(int(minor), currency),
            )
    except Refused as error:
        if error.code == "order-not-cancellable":
            raise _too_late() from None
        raise
    noted(ask, "order-cancelled", subject=id)
    return ask.back(f"/my/orders/{id}", said=_("We are taking this order back."))


def _found(ask: Ask) -> ShelfOrder:
    with mine(ask) as tx:
        return delivery.shelf_order(
            tx, us=ask.node.us.id, order_id=OrderId(ask.path["id"]), buyer=ask.actor.party
        )


def _may_cancel(found: ShelfOrder) -> bool:
    over = found.progress.state in FINAL_STATES
    return found.kind == "provide" and not over and found.cancellation is None


def _too_late() -> Refused:
    words = _("This order is over, or is being taken back already. There is nothing to cancel.")
    return Refused("order-not-cancellable", words)


def _steps(found: ShelfOrder) -> list[Step]:
    """From the order to its end. What others do for us is no step of its own."""
    steps = [Step(_("Ordered"), "", "good", found.order.placed_at)]
    ours = [one for one in found.progress.milestones if not one.depth]
    for number, one in enumerate(ours):
        waits = one.state == "inProgress" and number == len(ours) - 1 > 0
        before = {other.state for other in ours[:number]}
        told = saying.told("step", "pending" if waits and before - {"completed"} else one.state)
        label = _("Your service") if one.name == "service" else one.name.capitalize()
        steps.append(Step(label, told.word, told.tone, one.at))
    if found.progress.state in (OrderState.FAILED, OrderState.CANCELLED):
        told = saying.told("order", found.progress.state)
        steps.append(Step(told.word, "", told.tone, found.ended_at, found.progress.reason))
    elif found.progress.state is OrderState.HELD:
        told = saying.told("order", found.progress.state)
        steps.append(Step(told.word, "", told.tone))
    return steps


pages = [order_list, order, order_cancel_ask, order_cancel]
