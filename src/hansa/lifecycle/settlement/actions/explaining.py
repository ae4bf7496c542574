"""Why a line of an invoice or statement is what it is, down to the month's usage."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hansa.federation.papers import StatementLine
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.money import Money, Rounding, from_nano
from hansa.foundation.time import Period, instant_name
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef
from hansa.lifecycle.rating.actions import months as rating
from hansa.lifecycle.rating.model.lines import RatedLine


@dataclass(frozen=True, slots=True)
class Recurring:
    """A price of a spell of a holding. share: of the month, exact; 1 for a one-off."""

    price: Money
    part: Period
    share: Fraction
    once: bool


@dataclass(frozen=True, slots=True)
class LineExplained:
    """What is known here of a line. comes_to: its net computed anew by `because`, rounded once;
    None where this node knows of no reason, as for lines that only its issuer can compute.
    """

    line: StatementLine
    holding: Holding | None
    because: Recurring | RatedLine | None
    comes_to: Money | None

    @property
    def agrees(self) -> bool:
        """Whether the line is what it comes to; so too where a credit takes all of it back."""
        return self.comes_to in (self.line.net, -self.line.net)


def explain(
    tx: Transaction, *, seller: PartyId, line: StatementLine, period: Period
) -> LineExplained:
    """A line of a month that a seller charges. Its key says what it is for."""
    id, _, what = line.key.partition("/")
    try:
        holding = inventory.get(tx, ref=HoldingRef(seller, HoldingId(id)))
    except NotFound:
        return LineExplained(line, None, None, None)
    if what.startswith("usage/"):
        label = what.removeprefix("usage/")
        try:
            rated = rating.explain(tx, holding=holding.ref, period=period, label=label)
        except NotFound:
            return LineExplained(line, holding, None, None)
        comes_to = from_nano(rated.nano, rated.currency, rounding=Rounding.HALF_UP)
        return LineExplained(line, holding, rated, comes_to)
    because = _recurring(holding, what, period)
    if because is None:
        return LineExplained(line, holding, None, None)
    comes_to = because.price.times(because.share, rounding=Rounding.HALF_UP)
    return LineExplained(line, holding, because, comes_to)


def _recurring(holding: Holding, what: str, period: Period) -> Recurring | None:
    kind, _, start = what.partition("@")
    for spell in holding.spells:
        part = period.meet(spell.start, spell.end)
        if part is None or instant_name(spell.start) != start:
            continue
        if kind == "one-off":
            return Recurring(spell.terms.one_off, part, Fraction(1), once=True)
        if kind == "monthly":
            return Recurring(spell.terms.monthly, part, part.share_of(period), once=False)
    return None
