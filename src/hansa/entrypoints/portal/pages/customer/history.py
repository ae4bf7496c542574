"""How a customer's service was: what our own network has measured of it, against our targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from hansa.entrypoints.portal.ask import CUSTOMERS, Ask, page
from hansa.entrypoints.portal.pages.customer.mine import held, mine
from hansa.entrypoints.portal.pages.measured import SPANS, Measured, figures, span_of
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef, HoldingState


@dataclass(frozen=True)
class Part:
    """One part of a service that our own network delivers, by what it is called on offer."""

    name: str
    figures: Sequence[Measured]


@page("/my/services/{id}/history", roles=CUSTOMERS)
def service_history(ask: Ask) -> Response:
    """What others deliver for us they measure themselves: of that we know how it is now alone."""
    one = held(ask)
    us = ask.node.us.id
    span = span_of(ask)
    with mine(ask) as tx:
        below = [low for _support, low in inventory.below(tx, ref=HoldingRef(us, one.id))]
    length, step = SPANS[span]
    parts = []
    for low in below:
        if low.ref.seller == us and low.state is HoldingState.ACTIVE:
            found = ask.node.own_network.series(
                low.ref.id, start=ask.now - length, end=ask.now, step=step
            )
            parts.append(Part(low.offer_name, figures(ask, found, span=span)))
    return ask.render(
        "customer/history.html",
        part="customer/_history.html",
        held=one,
        parts=[part for part in parts if part.figures],
        span=span,
        spans=tuple(SPANS),
    )


pages = [service_history]
