"""How the spells of a holding follow one another: without overlap and without gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hansa.federation.shelf import ShelfHolding
from hansa.foundation.errors import Refused
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.lifecycle.inventory.model import Holding, HoldingState, Spell

Spells = tuple[Spell, ...]
"""The spells of one holding in order of time; never empty."""

SHORTEST = timedelta(microseconds=1)
"""The shortest time that the database can tell apart, and the shortest life of a spell."""


def change(spells: Spells, spell: Spell) -> Spells:
    """The open spell ends where the new one starts.

    An open spell that starts at the same instant gives way altogether, and its one-off price
    is added to the new one's, because it is due all the same.
    """
    last = spells[-1]
    if spell.start < last.start:
        raise Refused(
            "change-too-early",
            f"This change would begin at {spell.start.isoformat()}, before the last one began at "
            f"{last.start.isoformat()}; changes of one holding must come in order of time.",
            field="start",
        )
    if spell.start > last.start:
        return (*spells[:-1], replace(last, end=spell.start), spell)
    one_off = last.terms.one_off + spell.terms.one_off
    return (*spells[:-1], replace(spell, terms=replace(spell.terms, one_off=one_off)))


def revert(spells: Spells, before: Spell, now: Instant) -> Spells:
    """The terms of `before` run on from now, or from the start of the open spell if later.

    They run on without their one-off price, which was due when they first began. An open
    spell that starts at that very instant leaves no trace.
    """
    last = spells[-1]
    at = max(now, last.start)
    kept = spells[:-1] if last.start == at else (*spells[:-1], replace(last, end=at))
    if before.start == at:
        return (*kept, before)
    if kept[-1].start == before.start:
        return (*kept[:-1], before)
    nothing = Money.zero(before.terms.one_off.currency)
    terms = replace(before.terms, one_off=nothing)
    return (*kept, replace(before, start=at, terms=terms))


def end(spells: Spells, now: Instant) -> Spells:
    """The open spell ends at now, or the shortest time after its start if that is later."""
    last = spells[-1]
    return (*spells[:-1], replace(last, end=max(now, last.start + SHORTEST)))


def shown(holding: Holding) -> ShelfHolding:
    """A holding with its terms of now, or its last ones."""
    last = holding.spells[-1]
    return ShelfHolding(
        id=holding.ref.id,
        seller=holding.ref.seller,
        buyer=holding.buyer,
        item=holding.item,
        offer=holding.offer,
        offer_name=holding.offer_name,
        family=holding.family,
        site=holding.site,
        agreement=holding.agreement,
        state="active" if holding.state is HoldingState.ACTIVE else "terminated",
        since=holding.started,
        until=holding.ended,
        characteristics=last.characteristics,
        quantity=last.quantity,
        terms=last.terms,
        tax=last.tax,
        order=last.order,
        began_with=holding.spells[0].order,
    )
