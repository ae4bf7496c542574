"""Which holding a trunk, port or user of the network is, and which pairs of trunks there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef
from hansa.lifecycle.usage.model import Route, Trunk
from hansa.lifecycle.usage.rules import months as rules
from hansa.lifecycle.usage.store import manifest


def enter(tx: Transaction, *, us: PartyId, trunk: Trunk) -> None:
    """Says which holding a trunk is from a moment on; what it was before ends there.

    The same again changes nothing. Raises NotFound `holding-unknown`; Refused `trunk-side` when
    what comes in by it is of a holding that we did not sell, or what goes out of one that we did
    not buy; `trunk-overlaps`.
    """
    holding = inventory.get(tx, ref=trunk.holding)
    if (holding.ref.seller if trunk.side == "in" else holding.buyer) != us:
        raise Refused(
            "trunk-side",
            f"{holding.ref.id} is not {'sold' if trunk.side == 'in' else 'bought'} by us; what "
            "comes in is used of what we sold, what goes out of what we bought.",
            field="side",
        )
    if trunk.end is not None and trunk.end <= trunk.start:
        raise Refused("trunk-overlaps", "It ends before it begins.", field="until")
    for one in _beside(tx, trunk):
        if one == trunk:
            return
        if one.end is None and one.start < trunk.start:
            manifest.end_trunk(tx, replace(one, end=trunk.start))
        elif one.start == trunk.start and one.holding == trunk.holding and one.end is None:
            manifest.end_trunk(tx, trunk)
            return
        elif _meet(one, trunk):
            raise Refused(
                "trunk-overlaps",
                f"{one.name} is {one.holding.id} from {one.start:%Y-%m-%d %H:%M} UTC on; end that "
                "first.",
                field="from",
            )
    manifest.put_trunk(tx, trunk)


def trunks(tx: Transaction) -> Sequence[Trunk]:
    """All trunks, by name, side and time."""
    return manifest.trunks(tx)


def points(tx: Transaction, *, period: Period) -> Mapping[HoldingRef, Sequence[Trunk]]:
    """The points of the network at which holdings are in a period: ports, users, services."""
    found: dict[HoldingRef, list[Trunk]] = {}
    for one in manifest.trunks(tx):
        if period.meet(one.start, one.end) is not None:
            found.setdefault(one.holding, []).append(one)
    return found


def measured(
    tx: Transaction, *, us: PartyId, period: Period
) -> Sequence[tuple[Holding, Sequence[Trunk]]]:
    """What we sell and buy that is charged by what is measured at its points of our network, with
    these points: samples, sessions, seats.
    """
    at = points(tx, period=period)
    if not at:
        return ()
    held = chain(
        inventory.sold(tx, us=us, period=period), inventory.bought(tx, us=us, period=period)
    )
    return [(one, at[one.ref]) for one in held if one.ref in at and rules.measured(one, period)]


def routes(tx: Transaction) -> Sequence[Route]:
    """Every pair of trunks by which calls have come in and gone out, by number."""
    return manifest.routes(tx)


def strangers(tx: Transaction) -> Sequence[tuple[str, str]]:
    """Trunks that files have named and that are no holding, as (name, side)."""
    known = {(one.name, one.side) for one in manifest.trunks(tx)}
    seen = {
        side
        for route in manifest.routes(tx)
        for side in ((route.trunk_in, "in"), (route.trunk_out, "out"))
    }
    return sorted(seen - known)


def _beside(tx: Transaction, trunk: Trunk) -> Sequence[Trunk]:
    return [one for one in manifest.trunks(tx, name=trunk.name) if one.side == trunk.side]


def _meet(one: Trunk, other: Trunk) -> bool:
    return (one.end is None or other.start < one.end) and (
        other.end is None or one.start < other.end
    )
