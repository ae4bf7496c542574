"""Exact money: integers of the currency's minor unit, and one door from rates to money.

No float comes near it. Currencies are never mixed; converting is a rate with a source and
a day (see the catalogue's reference rates), rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache

import iso4217

from hansa.foundation.errors import Refused

NANO = 10**9
"""Usage is rated event by event in billionths of the currency's major unit."""


@cache
def minor_digits(currency: str) -> int:
    """Decimal places of the currency's minor unit (ISO 4217), e.g. 2 for GBP, 0 for UGX.

    Raises Refused `currency-unknown` for a code that ISO 4217 does not list or that has
    no minor unit.
    """
    try:
        digits = iso4217.Currency(currency).exponent
    except ValueError:
        digits = None
    if digits is None:
        raise Refused(
            "currency-unknown",
            f"{currency!r} is not an ISO 4217 currency of account.",
            field="currency",
        )
    return digits


class Rounding(StrEnum):
    """How a fraction of a minor unit becomes a whole one; named at every call."""

    HALF_UP = "half-up"
    """Halves go away from zero: the default of the trade for invoice lines."""


def round_fraction(value: Fraction, rounding: Rounding) -> int:
    """The integer nearest to value; halves as `rounding` says, the same for both signs."""
    return _rounded(value.numerator, value.denominator, rounding)


def _rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """As `round_fraction`, of a fraction of which the denominator is above zero."""
    if rounding is not Rounding.HALF_UP:  # pragma: no cover - closed enumeration
        raise ValueError(rounding)
    if numerator < 0:
        return -((denominator - 2 * numerator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency in integer minor units, e.g. Money(1050, "GBP") is 10.50 GBP."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"money is a whole number of minor units, not {self.minor!r}")

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in this currency."""
        return cls(0, currency)

    @classmethod
    def of(cls, amount: str | Decimal | int, currency: str) -> Money:
        """From a decimal amount of the major unit, e.g. `Money.of("10.50", "GBP")`.

        Raises Refused `money-too-precise` for more decimals than the currency has.
        """
        if isinstance(amount, float):
            raise TypeError("money is never made from a float")
        scaled = Fraction(Decimal(amount)) * 10 ** minor_digits(currency)
        if scaled.denominator != 1:
            raise Refused(
                "money-too-precise",
                f"{amount} {currency} has more decimals than {currency} allows.",
                field="amount",
            )
        return cls(int(scaled), currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise Refused(
                "currency-mixed",
                f"{self.currency} and {other.currency} cannot be added; convert with a dated rate.",
                field="currency",
            )

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    @property
    def amount(self) -> Decimal:
        """The same amount in major units, exact, with the currency's own decimals."""
        return Decimal(f"{self.minor}e-{minor_digits(self.currency)}")

    def times(self, factor: Fraction, *, rounding: Rounding) -> Money:
        """This amount times an exact factor, rounded once."""
        minor = _rounded(self.minor * factor.numerator, factor.denominator, rounding)
        return Money(minor, self.currency)

    def part(self, bp: int, *, rounding: Rounding) -> Money:
        """So many hundredths of a percent of this amount, rounded once."""
        return Money(_rounded(self.minor * bp, 10_000, rounding), self.currency)

    def __str__(self) -> str:
        return f"{self.amount:,} {self.currency}"


def add_up(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts in one currency; zero of that currency when there are none."""
    zero, total = Money.zero(currency), 0
    for amount in amounts:
        if amount.currency != currency:
            zero._same(amount)
        total += amount.minor
    return Money(total, currency)


def split(amount: Money, weights: Sequence[int]) -> tuple[Money, ...]:
    """An amount in parts as these weights are, none of it lost: the parts add up to it.

    Each part is the exact one cut to the minor unit; what is left over goes, a unit each, to
    those of which most was cut, the first of equals first. Negative amounts are split as positive
    ones. Raises ValueError for weights of which one is negative, or all are zero.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"no amount is split by {list(weights)}")
    sign, minor = (-1 if amount.minor < 0 else 1), abs(amount.minor)
    parts = [minor * weight // whole for weight in weights]
    cut = sorted(range(len(parts)), key=lambda at: (-(minor * weights[at] % whole), at))
    for at in cut[: minor - sum(parts)]:
        parts[at] += 1
    return tuple(Money(sign * part, amount.currency) for part in parts)


@dataclass(frozen=True, slots=True)
class Rate:
    """A unit price: a decimal of the major unit, e.g. Rate(Decimal("0.0123"), "GBP") a minute."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise TypeError(f"a rate is a finite Decimal, not {self.amount!r}")


def price(rate: Rate, quantity: int | Fraction, *, rounding: Rounding) -> Money:
    """The one door from a unit price to money: rate x quantity, rounded once to the minor unit."""
    exact = Fraction(rate.amount) * quantity * 10 ** minor_digits(rate.currency)
    return Money(round_fraction(exact, rounding), rate.currency)


def price_nano(rate: Rate, quantity: int | Fraction, *, rounding: Rounding) -> int:
    """As `price`, in billionths of the major unit: what one usage event costs before its line."""
    return round_fraction(Fraction(rate.amount) * quantity * NANO, rounding)


def from_nano(nano: int, currency: str, *, rounding: Rounding) -> Money:
    """A sum of event charges, rounded once to the minor unit: the amount of an invoice line."""
    return Money(_rounded(nano * 10 ** minor_digits(currency), NANO, rounding), currency)
