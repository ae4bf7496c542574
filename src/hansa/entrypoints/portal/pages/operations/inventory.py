"""What is held: of us, of partners, of our own network; what stands on what, and how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import OPERATIONS, Ask, page
from hansa.entrypoints.portal.pages import parties
from hansa.entrypoints.portal.pages.measured import SPANS, Measured, measured, span_of
from hansa.entrypoints.portal.pages.operations import lists
from hansa.federation.contract import Family
from hansa.federation.helpdesk import TicketState
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.assurance.actions import looking, overview
from hansa.lifecycle.assurance.model import TICKET_STATES, KeptTicket
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState, Side, Support

GRAPH_MAX = 40
"""How many things a graph shows; more than that nobody can look at."""

OPEN = frozenset(TicketState) - TICKET_STATES.ends


@page("/inventory", roles=OPERATIONS)
def holdings(ask: Ask) -> Response:
    turn = paging.turn(ask, lists.PAGE)
    side, family, state = (ask.query.get(name, "") for name in ("side", "family", "state"))
    asked = cast(Side, side) if side in get_args(Side) else "sold"
    with ask.node.begin() as tx:
        found = inventory.search(
            tx,
            us=ask.node.us.id,
            side=asked,
            party=lists.party(ask),
            state=HoldingState(state) if state in set(HoldingState) else None,
            family=cast(Family, family) if family in get_args(Family) else None,
            text=ask.sought(),
            offset=turn.offset,
            limit=turn.size,
        )
        names = parties.names(ask, tx, *(one.buyer for one in found.things))
    return ask.render(
        "operations/inventory.html",
        part="operations/_inventory.html",
        found=found,
        turn=turn,
        side=asked,
        sides=get_args(Side),
        families=get_args(Family),
        states=tuple(HoldingState),
        name=lambda party: names.get(party, party),
    )


@page("/inventory/{seller}/{id}", roles=OPERATIONS)
def holding(ask: Ask) -> Response:
    """One holding. With `check` in the query, those it is had from are asked first how it is."""
    ref = _ref(ask)
    with ask.node.begin() as tx:
        found = inventory.get(tx, ref=ref)
        edges = _edges(tx, found)
        below = [support.lower for support, _upper, _lower in edges if support.upper == ref]
        measures = _measures(ask, tx, found, edges)
        about = _tickets(tx, ask, found, edges)
        names = parties.names(ask, tx, found.buyer)
    return ask.render(
        "operations/holding.html",
        part="operations/_measures.html",
        one=found,
        edges=edges,
        below=below,
        measures=measures,
        span=span_of(ask),
        spans=tuple(SPANS),
        tickets=about,
        sold=ref.seller == ask.node.us.id != found.buyer,
        ours=found.buyer == ref.seller,
        looks=looking.looks(ask.node.begin, us=ask.node.us.id, ref=ref, sellers=ask.node.seller)
        if "check" in ask.query
        else None,
        short=_short,
        name=lambda party: names.get(party, party),
    )


@page("/inventory/{seller}/{id}/condition", roles=OPERATIONS)
def condition(ask: Ask) -> Response:
    """How a holding is now, as those say from whom it is had. A script puts it into the page."""
    ref = _ref(ask)
    found = looking.looks(ask.node.begin, us=ask.node.us.id, ref=ref, sellers=ask.node.seller)
    if not ask.is_part:
        return ask.back(f"/inventory/{ref.seller}/{ref.id}?check=1")
    with ask.node.begin() as tx:
        names = parties.names(ask, tx)
    return ask.render(
        "operations/_condition.html", looks=found, name=lambda party: names.get(party, party)
    )


# --- inside ---------------------------------------------------------------------------------------


def _ref(ask: Ask) -> HoldingRef:
    return HoldingRef(PartyId(ask.path["seller"]), HoldingId(ask.path["id"]))


Edge = tuple[Support, Holding, Holding]
"""What stands on what: the upper holding, the lower one."""


def _edges(tx: Transaction, one: Holding) -> Sequence[Edge]:
    """What stands on a holding, one level up, and all that it stands on itself."""
    found: list[Edge] = [
        (support, upper, one)
        for support, upper in inventory.above(tx, ref=one.ref, limit=GRAPH_MAX // 2)
    ]
    ahead = [one]
    seen = {one.ref}
    while ahead and len(found) < GRAPH_MAX:
        upper = ahead.pop(0)
        for support, lower in inventory.below(tx, ref=upper.ref):
            found.append((support, upper, lower))
            if lower.ref not in seen:
                seen.add(lower.ref)
                ahead.append(lower)
    return found[:GRAPH_MAX]


def _short(one: Holding) -> str:
    """A name for a holding that is no other's in a graph."""
    return f"{one.offer_name} …{one.ref.id[-6:]}"


@dataclass(frozen=True)
class Series:
    """How one holding of our own network was. real: its network is, and is measured."""

    holding: Holding
    real: bool
    figures: Sequence[Measured]


def _measures(ask: Ask, tx: Transaction, one: Holding, edges: Sequence[Edge]) -> Sequence[Series]:
    """What was measured of a holding of our own network, or of those that this one stands on."""
    us = ask.node.us.id
    lower = {low.ref: low for support, _up, low in edges if support.upper == one.ref}
    own = [one] if one.buyer == one.ref.seller == us else []
    own += [low for low in lower.values() if low.ref.seller == us == low.buyer]
    drivers = ask.node.kit.drivers
    return [
        Series(
            low,
            real=low.family in drivers and drivers[low.family].measured,
            figures=measured(ask, tx, low.ref.id, span=span_of(ask)),
        )
        for low in own
    ]


def _tickets(
    tx: Transaction, ask: Ask, one: Holding, edges: Sequence[Edge]
) -> Sequence[KeptTicket]:
    """Open tickets about what we sold: this holding, and what stands on it."""
    us = ask.node.us.id
    about = {one.ref, *(support.upper for support, _up, _low in edges)}
    ids = [ref.id for ref in about if ref.seller == us]
    return overview.search(tx, holdings=ids, states=OPEN, limit=lists.PAGE).things


pages = [holdings, holding, condition]
