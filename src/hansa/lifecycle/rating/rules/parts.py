"""The parts of a month in which one tariff was in force, and how much of the month they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from hansa.federation.contract import Tariff
from hansa.foundation.time import Period
from hansa.lifecycle.inventory.model import Spell

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a month in which the same tariff was in force without a break."""

    part: Period
    month: Period
    tariff: Tariff
    currency: str

    @property
    def share(self) -> Fraction:
        """How much of its month the part lasts, exact; 1 for the whole month."""
        return self.part.share_of(self.month)


def stretches(spells: Sequence[Spell], month: Period) -> tuple[Stretch, ...]:
    """The stretches of a month in time order; spells that follow each other with equal tariffs
    are one. A spell without a tariff is in none.
    """
    found: list[Stretch] = []
    for spell in spells:
        part = month.meet(spell.start, spell.end)
        if part is None or spell.terms.tariff is None:
            continue
        one = Stretch(part, month, spell.terms.tariff, spell.terms.monthly.currency)
        last = found[-1] if found else None
        if (
            last is not None
            and last.part.end == part.start
            and (last.tariff, last.currency) == (one.tariff, one.currency)
        ):
            found[-1] = Stretch(
                Period(last.part.start, part.end), month, last.tariff, last.currency
            )
        else:
            found.append(one)
    return tuple(found)
