"""What is wrong, or doubtful, about a deck's rows, beside each other and beside those before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hansa.lifecycle.catalogue.model import Change, DeckVersion, Problem
from hansa.lifecycle.catalogue.rules import notice
from hansa.lifecycle.catalogue.rules.cells import nano_text
from hansa.lifecycle.catalogue.rules.reading import Price

TENFOLD = 10

ONE_DIGIT = ("1", "7")
TWO_DIGITS = frozenset(
    str(code)
    for code in (
        20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55,
        56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
    )
)  # fmt: skip
"""Country codes of ITU-T E.164 that are not three digits long."""


def country_code(code: str) -> str:
    """The country code (E.164) with which a dial code begins; or as much of it as there is."""
    if code.startswith(ONE_DIGIT):
        return code[:1]
    return code[:2] if code[:2] in TWO_DIGITS else code[:3]


def times(prices: Sequence[Price]) -> Iterator[Problem]:
    """Codes that stand twice at one time, or leave a time without a price between two."""
    before: Price | None = None
    for one in sorted(
        prices, key=lambda price: (price.code, price.origin, price.from_s, price.row)
    ):
        if before is not None and (before.code, before.origin) == (one.code, one.origin):
            row, code, from_s, to_s = one.row, _named(one), one.from_s, before.to_s
            if from_s == before.from_s:
                words = f"{code} begins at the same time in row {before.row}"
                yield Problem("error", "duplicate", row, words)
            elif from_s < to_s:
                words = f"{code} begins before it ends in row {before.row}"
                yield Problem("error", "overlap", row, words)
            elif from_s > to_s:
                words = f"{code} begins after it ends in row {before.row}: a time without a price"
                yield Problem("error", "gap", row, words)
        before = one


def past(
    prices: Sequence[Price], changes: Sequence[Change], received_s: int, before: DeckVersion | None
) -> Iterator[Problem]:
    """Changes that would have taken effect before the file came.

    A first version may tell what was so before; nothing was rated by it yet.
    """
    if before is None:
        early = [one for one in prices if one.from_s < received_s]
        if early:
            first = min(early)
            yield Problem(
                "warning",
                "past-date",
                first.row,
                f"{_named(first)} and {len(early) - 1} more are valid from before the file was "
                "received; calls since then are rated by them",
            )
        return
    for change in changes:
        if change.stated_at is not None and notice.seconds(change.stated_at) < received_s:
            yield Problem(
                "error",
                "past-date",
                change.row,
                f"{change.code} changes from {_rates(change.before)} to {_rates(change.after)} "
                f"from {change.stated_at:%Y-%m-%d} on, before the file was received; a version "
                "that puts something right is imported with --correction",
            )


def doubts(changes: Sequence[Change], countries: frozenset[str]) -> Iterator[Problem]:
    """Rates ten times as high or low, and codes left out of a country that is there."""
    for one in changes:
        if one.kind == "withdrawn" and country_code(one.code) in countries:
            yield Problem(
                "warning",
                "missing-code",
                None,
                f"{one.code} {one.destination} is missing, other codes of its country are there; "
                "in a full deck it is withdrawn",
            )
        elif one.before and one.after and one.kind in ("increase", "decrease"):
            pairs = list(zip(one.before, one.after, strict=True))
            if any(old and (new >= old * TENFOLD or new * TENFOLD <= old) for old, new in pairs):
                yield Problem(
                    "warning",
                    "tenfold",
                    one.row,
                    f"{one.code} goes from {_rates(one.before)} to {_rates(one.after)}, ten times "
                    "or more: an error of unit?",
                )


def flags(prices: Sequence[Price], said: Sequence[str], kinds: Sequence[str]) -> Iterator[Problem]:
    """Change flags that say something else than the rates."""
    for price, flag, kind in zip(prices, said, kinds, strict=True):
        if flag and kind not in ("past", flag):
            words = f"{_named(price)} is said to be {flag}, and beside the version before it is "
            yield Problem("warning", "flag", price.row, words + kind)


def _named(price: Price) -> str:
    return f"{price.code} from {price.origin}" if price.origin else price.code


def _rates(rates: tuple[int, int] | None) -> str:
    if rates is None:
        return "no rate"
    return " / ".join(nano_text(one) for one in dict.fromkeys(rates))
