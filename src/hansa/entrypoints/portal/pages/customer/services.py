"""What a customer has: everything at a glance, its services, and how they are."""

from __future__ import annotations

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import CUSTOMERS, Ask, page
from hansa.entrypoints.portal.pages.customer import saying
from hansa.entrypoints.portal.pages.customer.mine import (
    LONG,
    held,
    mine,
    seat,
)
from hansa.federation.contract import Condition
from hansa.federation.shelf import ShelfHolding
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import HoldingId
from hansa.foundation.money import Money, add_up
from hansa.lifecycle.assurance.actions import tickets as assurance
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingState

FEW = 5
"""Entries of each list at a glance."""
DUE_MAX = 200
"""Bills that are added up at most to say what is due."""


@page("/my", roles=CUSTOMERS)
def overview(ask: Ask) -> Response:
    """What there is, what is under way, what is due, and what is wrong."""
    us, me = ask.node.us.id, ask.actor.party
    with mine(ask) as tx:
        found = inventory.shelf_holdings(tx, us=us, buyer=me, state=HoldingState.ACTIVE, limit=8)
        orders = delivery.shelf_orders(tx, us=us, buyer=me, open_only=True, limit=FEW)
        due = billing.shelf_bills(tx, buyer=me, unpaid_only=True, bare=True, limit=DUE_MAX)
        tickets = assurance.tickets(tx, actor=ask.actor, open_only=True, limit=FEW)
    currencies = sorted({one.currency for one in due.things})
    sums = [
        add_up((one.net + one.tax for one in due.things if one.currency == currency), currency)
        for currency in currencies
    ]
    return ask.render(
        "customer/overview.html",
        held=found,
        orders=orders,
        due=due,
        credits=sum(one.kind_of == saying.CREDIT for one in due.things),
        sums=_told(sums, whole=due.total <= DUE_MAX),
        tickets=tickets,
        few=FEW,
        told=saying.told,
        standing=saying.standing,
    )


def _told(sums: list[Money], *, whole: bool) -> list[Money]:
    """What is due in all; nothing when not all of it was added up."""
    return sums if whole else []


@page("/my/services", roles=CUSTOMERS)
def service_list(ask: Ask) -> Response:
    wanted = ask.query.get("state", "active")
    state = HoldingState(wanted) if wanted in set(HoldingState) else None
    text = ask.sought()
    turn = paging.turn(ask, LONG)
    with mine(ask) as tx:
        found = inventory.shelf_holdings(
            tx,
            us=ask.node.us.id,
            buyer=ask.actor.party,
            state=state,
            text=text,
            offset=turn.offset,
            limit=turn.size,
        )
    return ask.render(
        "customer/services.html",
        part="customer/_services.html",
        held=found,
        turn=turn,
        wanted=wanted,
        text=text,
        told=saying.told,
    )


@page("/my/services/{id}", roles=CUSTOMERS)
def service(ask: Ask) -> Response:
    """What was bought, since when, at which price, and what was said about it."""
    one = held(ask)
    with mine(ask) as tx:
        tickets = assurance.tickets(tx, actor=ask.actor, holding=one.id, limit=FEW)
    return ask.render(
        "customer/service.html",
        held=one,
        tickets=tickets,
        by_use=saying.by_use(one.terms.tariff, one.terms.monthly.currency),
        may_change=one.state == "active" and _is_on_offer(ask, one),
        bands=getattr(one.terms.tariff, "bands", ()),
        saying=saying,
        told=saying.told,
    )


@page("/my/services/{id}/condition", roles=CUSTOMERS)
def condition(ask: Ask) -> Response:
    """How a service is now; who delivers it may take a while to say, so it comes by itself."""
    return _how_it_is(ask, part="customer/_condition.html")


@page("/my/services/{id}/glance", roles=CUSTOMERS)
def glance(ask: Ask) -> Response:
    """The same in a word, for lists."""
    return _how_it_is(ask, part="customer/_glance.html")


def _how_it_is(ask: Ask, *, part: str) -> Response:
    one = held(ask)
    return ask.render(
        "customer/condition.html",
        part=part,
        held=one,
        condition=_condition(ask, one.id),
        saying=saying,
        told=saying.told,
    )


def _is_on_offer(ask: Ask, one: ShelfHolding) -> bool:
    """Whether this customer may have it, and choose anything of it, now."""
    return any(
        on.offer.code == one.offer and on.offer.characteristics for on in seat(ask).shelf.offers()
    )


def _condition(ask: Ask, holding: HoldingId) -> Condition | None:
    """How it is; None while that cannot be told."""
    try:
        return seat(ask).seller.condition(holding)
    except TryLater:
        return None


pages = [overview, service_list, service, condition, glance]
