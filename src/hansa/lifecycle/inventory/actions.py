"""What others may ask or do in the inventory."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.foundation.ids import OrderId, PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import Holding, HoldingRef, Spell, Support


def activate(tx: Transaction, *, holding: Holding, supports: Sequence[Support]) -> None:
    """Enters a new holding with its first spell. The same holding again changes nothing."""
    raise NotImplementedError


def change(tx: Transaction, *, ref: HoldingRef, spell: Spell, supports: Sequence[Support]) -> None:
    """Ends the open spell where the new one starts. The same order again changes nothing."""
    raise NotImplementedError


def revert(tx: Transaction, *, ref: HoldingRef, order: OrderId, now: Instant) -> None:
    """Takes back the change that `order` brought: the terms before it run on from now."""
    raise NotImplementedError


def end(tx: Transaction, *, ref: HoldingRef, now: Instant) -> None:
    """Terminates a holding at now; already terminated changes nothing."""
    raise NotImplementedError


def get(tx: Transaction, *, ref: HoldingRef) -> Holding:
    """One holding. Raises NotFound `holding-unknown`."""
    raise NotImplementedError


def sold(
    tx: Transaction, *, us: PartyId, buyer: PartyId | None = None, period: Period | None = None
) -> Sequence[Holding]:
    """What others hold from us, of one buyer or all, live in the period if one is given."""
    raise NotImplementedError


def bought(
    tx: Transaction, *, us: PartyId, seller: PartyId | None = None, period: Period | None = None
) -> Sequence[Holding]:
    """What we hold from others (not from our own network), live in the period if one is given."""
    raise NotImplementedError


def own(tx: Transaction, *, us: PartyId, period: Period | None = None) -> Sequence[Holding]:
    """What we hold from our own network: seller and buyer are both us."""
    raise NotImplementedError


def below(tx: Transaction, *, ref: HoldingRef) -> Sequence[tuple[Support, Holding]]:
    """What a holding stands on, one level down."""
    raise NotImplementedError
