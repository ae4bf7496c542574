"""What others may ask about the condition of what is held."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hansa.federation.contract import Condition, Seller
from hansa.foundation.errors import HansaError, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.transaction import Begin
from hansa.lifecycle.assurance import rules
from hansa.lifecycle.assurance.model import Look
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState


def looks(
    begin: Begin, *, us: PartyId, ref: HoldingRef, sellers: Callable[[PartyId], Seller]
) -> Sequence[Look]:
    """What each of those says from whom we have what a holding stands on, for our own people; what
    we hold ourselves stands for itself. No transaction is open while they are asked.

    Raises NotFound `holding-unknown`.
    """
    with begin() as tx:
        holding = inventory.get(tx, ref=ref)
        below = [lower for _, lower in inventory.below(tx, ref=ref)]
    asked = [holding] if holding.buyer == us else below
    return [_look(one, sellers) for one in asked if one.state is HoldingState.ACTIVE]


def _look(holding: Holding, sellers: Callable[[PartyId], Seller]) -> Look:
    try:
        return Look(holding, sellers(holding.ref.seller).condition(holding.ref.id))
    except HansaError as error:
        return Look(holding, None, error.words)


def condition(
    begin: Begin, *, us: PartyId, ref: HoldingRef, sellers: Callable[[PartyId], Seller]
) -> Condition:
    """Is a holding as it was promised? Of what we hold, its seller says; of what we sell, what
    it stands on today says; what was ended there, because it was replaced, says nothing.

    Raises NotFound `holding-unknown`, and TryLater when a seller below does not answer. No
    transaction is open while sellers are asked.
    """
    with begin() as tx:
        holding = inventory.get(tx, ref=ref)
        below = [lower for _, lower in inventory.below(tx, ref=ref)]
    if holding.buyer == us:
        return sellers(ref.seller).condition(ref.id)
    if holding.state is HoldingState.TERMINATED:
        return Condition(ref.id, "ended", (), measured=False)
    active = [lower.ref for lower in below if lower.state is HoldingState.ACTIVE]
    try:
        conditions = [sellers(one.seller).condition(one.id) for one in active]
    except TryLater as silence:  # a buyer is not told whom we have it from
        words = "A supplier of this operator does not answer; ask again later."
        raise TryLater(silence.code, words, after_s=silence.after_s) from silence
    return rules.combined(ref.id, conditions, stands=bool(active) or not below)
