"""Tiered prices, graduated and retroactive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hansa.federation.contract import Tier, TierMode


@dataclass(frozen=True, slots=True)
class Step:
    """Units that are charged at one tier's rate: those above `above`, up to `up_to`.

    rate None: no tier covers them.
    """

    above: int
    up_to: int | None
    quantity: Decimal
    rate: Decimal | None


def steps(tiers: Sequence[Tier], mode: TierMode, quantity: Decimal) -> tuple[Step, ...]:
    """How a quantity falls into tiers, lowest first; the quantities add up to all of it.

    graduated: each unit at its own tier's rate. retroactive: all units at the tier that the
    quantity reaches, the last of a tier still being in it.
    """
    if mode == "retroactive":
        return _reached(tiers, quantity)
    found = []
    above = 0
    for tier in tiers:
        top = quantity if tier.up_to is None else min(quantity, Decimal(tier.up_to))
        if top > above:
            found.append(Step(above, tier.up_to, top - above, tier.rate))
        if tier.up_to is None:
            return tuple(found)
        above = tier.up_to
    if quantity > above:
        found.append(Step(above, None, quantity - above, None))
    return tuple(found)


def _reached(tiers: Sequence[Tier], quantity: Decimal) -> tuple[Step, ...]:
    if not quantity:
        return ()
    above = 0
    for tier in tiers:
        if tier.up_to is None or quantity <= tier.up_to:
            return (Step(above, tier.up_to, quantity, tier.rate),)
        above = tier.up_to
    return (Step(above, None, quantity, None),)
