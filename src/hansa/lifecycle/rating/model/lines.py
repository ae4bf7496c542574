"""Rated usage: what one holding's month costs, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hansa.foundation.documents import Json

Reason = Mapping[str, Json]
"""Why a charge is what it is, as data that a person can read: `rule` names the rule, the rest
its numbers. Decimals are strings.
"""


@dataclass(frozen=True, slots=True)
class RatedLine:
    """One charge of one holding in one period.

    label: unique within the holding and period; both sides compute the same. quantity: exact,
    in `unit`. nano: billionths of the currency's major unit. description: for a paper.
    """

    label: str
    description: str
    quantity: Decimal
    unit: str
    nano: int
    currency: str
    reason: Reason
