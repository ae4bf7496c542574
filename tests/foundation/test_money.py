"""Money is exact: whole minor units, one currency at a time, one rounding with a name."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.foundation.errors import Refused
from hansa.foundation.money import (
    NANO,
    Money,
    Rate,
    Rounding,
    add_up,
    from_nano,
    minor_digits,
    price,
    price_nano,
    round_fraction,
    split,
)

HALF_UP = Rounding.HALF_UP
currencies = st.sampled_from(["GBP", "ZAR", "UGX", "BHD", "EUR"])
minors = st.integers(-(10**30), 10**30)
fractions = st.fractions(max_denominator=10**6)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10.50", "GBP", 1050),
        ("10.5", "GBP", 1050),
        ("-0.01", "GBP", -1),
        ("7", "UGX", 7),
        ("0.005", "BHD", 5),
        ("1e3", "EUR", 100_000),
        ("1234567890123456789012345678901.23", "EUR", 123456789012345678901234567890123),
    ],
)
def test_an_amount_is_read_in_major_units(text: str, currency: str, minor: int) -> None:
    assert Money.of(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("0.001", "GBP"),
        ("0.5", "UGX"),
        ("1e-9", "BHD"),
        ("1234567890123456789012345678.901", "EUR"),
    ],
)
def test_what_the_currency_cannot_say_is_refused(text: str, currency: str) -> None:
    with pytest.raises(Refused, match="money-too-precise"):
        Money.of(text, currency)


@pytest.mark.parametrize("code", ["gbp", "XAU", "ABC", ""])
def test_a_currency_is_one_of_account(code: str) -> None:
    with pytest.raises(Refused, match="currency-unknown"):
        minor_digits(code)


def test_no_float_becomes_money() -> None:
    with pytest.raises(TypeError):
        Money.of(1.5, "GBP")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(1.0, "GBP")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Rate(0.1, "GBP")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "mix",
    [
        lambda one, other: one + other,
        lambda one, other: one - other,
        lambda one, other: one < other,
        lambda one, other: one <= other,
        lambda one, other: add_up([one, other], one.currency),
    ],
)
def test_currencies_do_not_mix(mix: Callable[[Money, Money], object]) -> None:
    with pytest.raises(Refused, match="currency-mixed"):
        mix(Money(1, "GBP"), Money(1, "EUR"))


@given(minor=minors, currency=currencies)
def test_an_amount_survives_being_written(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.of(money.amount, currency) == money
    assert -money.amount.as_tuple().exponent == minor_digits(currency)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("1/2", 1), ("-1/2", -1), ("3/2", 2), ("-3/2", -2), ("49/100", 0), ("-51/100", -1), ("0", 0)],
)
def test_halves_go_away_from_zero(value: str, rounded: int) -> None:
    assert round_fraction(Fraction(value), HALF_UP) == rounded


@given(value=fractions)
def test_rounding_goes_to_the_nearest_and_treats_both_signs_alike(value: Fraction) -> None:
    rounded = round_fraction(value, HALF_UP)
    assert abs(rounded - value) <= Fraction(1, 2)
    assert round_fraction(-value, HALF_UP) == -rounded


@given(minor=minors, bp=st.integers(0, 10_000))
def test_a_part_is_rounded_once(minor: int, bp: int) -> None:
    exact = round_fraction(Fraction(minor * bp, 10_000), HALF_UP)
    assert Money(minor, "GBP").part(bp, rounding=HALF_UP) == Money(exact, "GBP")


@given(minor=minors, weights=st.lists(st.integers(0, 10_000), min_size=1, max_size=6))
def test_a_split_loses_nothing(minor: int, weights: list[int]) -> None:
    whole = sum(weights)
    if not whole:
        with pytest.raises(ValueError, match="no amount is split"):
            split(Money(minor, "GBP"), weights)
        return
    parts = split(Money(minor, "GBP"), weights)
    assert add_up(parts, "GBP") == Money(minor, "GBP")
    assert split(Money(-minor, "GBP"), weights) == tuple(-part for part in parts)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - Fraction(minor * weight, whole)) < 1


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (100, [60, 40], [60, 40]),
        (5, [1, 1], [3, 2]),
        (2, [1, 5, 0], [0, 2, 0]),
        (-100, [1, 1, 1], [-34, -33, -33]),
    ],
)
def test_what_is_left_over_goes_to_whom_most_was_cut(
    minor: int, weights: list[int], parts: list[int]
) -> None:
    assert [one.minor for one in split(Money(minor, "GBP"), weights)] == parts


@given(amounts=st.lists(minors, max_size=8), currency=currencies)
def test_a_sum_does_not_depend_on_the_order(amounts: list[int], currency: str) -> None:
    listed = [Money(minor, currency) for minor in amounts]
    total = add_up(listed, currency)
    assert total == add_up(reversed(listed), currency) == Money(sum(amounts), currency)
    assert bool(total) is (sum(amounts) != 0)


@given(
    rate=st.decimals(-(10**6), 10**6, places=9),
    quantity=fractions,
    currency=currencies,
)
def test_a_price_is_rounded_once_from_the_exact_product(
    rate: Decimal, quantity: Fraction, currency: str
) -> None:
    exact = Fraction(rate) * quantity
    unit = Fraction(1, 10 ** minor_digits(currency))
    whole = price(Rate(rate, currency), quantity, rounding=HALF_UP)
    assert abs(Fraction(whole.amount) - exact) <= unit / 2
    nano = price_nano(Rate(rate, currency), quantity, rounding=HALF_UP)
    assert abs(Fraction(nano, NANO) - exact) <= Fraction(1, 2 * NANO)
    line = from_nano(nano, currency, rounding=HALF_UP)
    assert abs(Fraction(line.amount) - Fraction(nano, NANO)) <= unit / 2
