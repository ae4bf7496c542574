"""What others may ask or do in the inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hansa.federation.contract import Family
from hansa.federation.shelf import Page, ShelfHolding
from hansa.foundation import documents
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import OrderId, PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import rules, store
from hansa.lifecycle.inventory.model import (
    HOLDING_STATES,
    Holding,
    HoldingRef,
    HoldingState,
    Side,
    Spell,
    Support,
)


def activate(tx: Transaction, *, holding: Holding, supports: Sequence[Support]) -> None:
    """Enters a new holding with its first spell. The same holding again changes nothing.

    The holding is active and has one open spell (ValueError otherwise). What it stands on
    must be held already (NotFound `holding-unknown`). Raises Refused `key-reused` when this
    holding was entered before with other content.
    """
    if holding.state is not HoldingState.ACTIVE or [s.end for s in holding.spells] != [None]:
        raise ValueError(f"{holding.ref} does not begin with one open spell")
    content = documents.fingerprint(
        [documents.write(holding), documents.write(_of(holding.ref, supports))]
    )
    first = holding.spells[0]
    if not store.insert(tx, holding, content):
        _known(store.change_of(tx, holding.ref, first.order), content, holding.ref, first.order)
        return
    _support(tx, supports)


def change(tx: Transaction, *, ref: HoldingRef, spell: Spell, supports: Sequence[Support]) -> None:
    """Ends the open spell where the new one starts. The same order again changes nothing.

    supports: what the holding stands on from now on beside what it stood on before; nothing
    is removed, because a lower holding says itself when it ended. An open spell that starts
    at the same instant gives way, and its one-off price is added to the new one's.

    Raises NotFound `holding-unknown`; Refused `holding-terminated`, `change-too-early`, and
    `key-reused` when the order brought something else to this holding before.
    """
    if spell.end is not None:
        raise ValueError(f"a change of {ref} begins with an open spell")
    holding = _locked(tx, ref)
    content = documents.fingerprint([documents.write(spell), documents.write(_of(ref, supports))])
    before = store.change_of(tx, ref, spell.order)
    if before is not None:
        _known(before, content, ref, spell.order)
        return
    if holding.state is HoldingState.TERMINATED:
        raise Refused(
            "holding-terminated",
            f"Holding {ref.id} of {ref.seller} ended and cannot be changed; order a new one.",
            field="holding",
        )
    after = rules.change(holding.spells, spell)
    store.write_spells(tx, ref, holding.spells, after)
    store.note_change(tx, ref, spell.order, content, holding.spells[-1])
    _support(tx, supports)


def revert(tx: Transaction, *, ref: HoldingRef, order: OrderId, now: Instant) -> None:
    """Takes back the change that `order` brought: the terms before it run on from now.

    They run on without their one-off price, which was due when they first began. A change
    that began at this very instant leaves no trace. Taken back already, or the holding has
    ended: nothing changes. Raises NotFound `holding-unknown`, `change-unknown`; Refused
    `change-first` for the order that brought the holding (end it instead) and
    `change-not-last` while a later change stands on this one.
    """
    holding = _locked(tx, ref)
    found = store.change_of(tx, ref, order)
    if found is None:
        raise NotFound(
            "change-unknown",
            f"Order {order} brought no change to holding {ref.id} of {ref.seller}.",
            field="order",
        )
    if found.before is None:
        raise Refused(
            "change-first",
            f"Order {order} brought holding {ref.id} itself; end the holding instead.",
            field="order",
        )
    if found.reverted or holding.state is HoldingState.TERMINATED:
        return
    if not found.last:
        raise Refused(
            "change-not-last",
            f"Holding {ref.id} was changed again after order {order}; take that change back first.",
            field="order",
        )
    after = rules.revert(holding.spells, found.before, now)
    store.write_spells(tx, ref, holding.spells, after)
    store.note_revert(tx, ref, order, now)


def end(tx: Transaction, *, ref: HoldingRef, now: Instant) -> None:
    """Terminates a holding at now; already terminated changes nothing.

    A spell lasts at least a microsecond: a holding that is ended at the instant at which its
    open spell began, or earlier by a clock that is behind, ends one microsecond after it.
    Raises NotFound `holding-unknown`.
    """
    holding = _locked(tx, ref)
    if holding.state is HoldingState.TERMINATED:
        return
    HOLDING_STATES.check(holding.state, HoldingState.TERMINATED)
    store.write_spells(tx, ref, holding.spells, rules.end(holding.spells, now))
    store.set_state(tx, ref, HoldingState.TERMINATED)


def get(tx: Transaction, *, ref: HoldingRef, buyer: PartyId | None = None) -> Holding:
    """One holding, of this buyer if one is given. Raises NotFound `holding-unknown`."""
    found = store.get(tx, ref)
    if found is None or (buyer is not None and found.buyer != buyer):
        raise _unknown(ref)
    return found


def sold(
    tx: Transaction, *, us: PartyId, buyer: PartyId | None = None, period: Period | None = None
) -> Sequence[Holding]:
    """What others hold from us, of one buyer or all, live in the period if one is given.

    Live in any part of it; without a period everything that was ever held. Oldest first.
    """
    return [h for h in store.find(tx, seller=us, buyer=buyer, period=period) if h.buyer != us]


def shelf_holdings(
    tx: Transaction,
    *,
    us: PartyId,
    buyer: PartyId | None = None,
    state: HoldingState | None = None,
    text: str = "",
    offset: int = 0,
    limit: int,
) -> Page[ShelfHolding]:
    """What one buyer or all hold from us, the newest first. text: see `search`."""
    asked: Mapping[str, PartyId | None] = {"seller": us, "not_buyer": us, "buyer": buyer}
    found, total = store.search(tx, **asked, state=state, text=text, offset=offset, limit=limit)
    return Page([rules.shown(one) for one in found], total)


def shelf_holding(
    tx: Transaction, *, ref: HoldingRef, buyer: PartyId | None = None
) -> ShelfHolding:
    """One holding as its buyer sees it. Raises NotFound `holding-unknown`."""
    found = get(tx, ref=ref, buyer=buyer)
    if found.buyer == found.ref.seller:
        raise _unknown(ref)
    return rules.shown(found)


def bought(
    tx: Transaction, *, us: PartyId, seller: PartyId | None = None, period: Period | None = None
) -> Sequence[Holding]:
    """What we hold from others (not from our own network), live in the period if one is given.

    Periods and order as in `sold`.
    """
    return [h for h in store.find(tx, seller=seller, buyer=us, period=period) if h.ref.seller != us]


def own(tx: Transaction, *, us: PartyId, period: Period | None = None) -> Sequence[Holding]:
    """What we hold from our own network: seller and buyer are both us.

    Periods and order as in `sold`.
    """
    return store.find(tx, seller=us, buyer=us, period=period)


def search(
    tx: Transaction,
    *,
    us: PartyId,
    side: Side,
    party: PartyId | None = None,
    state: HoldingState | None = None,
    family: Family | None = None,
    text: str = "",
    offset: int = 0,
    limit: int,
) -> Page[Holding]:
    """Some of what others hold from us (sold), we from others (bought) or from our own network
    (own), the newest first. party: the other one. text: in ids, offers, sites, names of parties.
    """
    if side == "sold":
        asked: Mapping[str, PartyId | None] = {"seller": us, "not_buyer": us, "buyer": party}
    elif side == "bought":
        asked = {"buyer": us, "not_seller": us, "seller": party}
    else:
        asked = {"seller": us, "buyer": us}
    found, total = store.search(
        tx, **asked, state=state, family=family, text=text, offset=offset, limit=limit
    )
    return Page(found, total)


def earliest(tx: Transaction) -> Instant | None:
    """When the first of all holdings began, sold or bought; None before there is one."""
    return store.earliest(tx)


def below(tx: Transaction, *, ref: HoldingRef) -> Sequence[tuple[Support, Holding]]:
    """What a holding stands on, one level down, ended ones among them. Oldest first."""
    return store.below(tx, ref)


def above(tx: Transaction, *, ref: HoldingRef, limit: int) -> Sequence[tuple[Support, Holding]]:
    """What stands on a holding, one level up: active ones first, the newest of them first."""
    return store.above(tx, ref, limit)


def _unknown(ref: HoldingRef) -> NotFound:
    return NotFound(
        "holding-unknown", f"There is no holding {ref.id} of {ref.seller}.", field="holding"
    )


def _locked(tx: Transaction, ref: HoldingRef) -> Holding:
    found = store.locked(tx, ref)
    if found is None:
        raise _unknown(ref)
    return found


def _of(upper: HoldingRef, supports: Sequence[Support]) -> tuple[Support, ...]:
    for support in supports:
        if support.upper != upper:
            raise ValueError(f"{support} does not say what {upper} stands on")
    return tuple(sorted(supports, key=lambda support: (support.lower.seller, support.lower.id)))


def _known(found: store.Change | None, content: str, ref: HoldingRef, order: OrderId) -> None:
    if found is None or found.fingerprint != content:
        raise Refused(
            "key-reused",
            f"Holding {ref.id} of {ref.seller} is known, and order {order} did not bring it this.",
            field="order",
        )


def _support(tx: Transaction, supports: Sequence[Support]) -> None:
    for support in supports:
        if not store.support(tx, support):
            raise _unknown(support.lower)
