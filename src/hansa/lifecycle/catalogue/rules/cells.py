"""Single cells of a deck's file: as text, and as codes, amounts and times. No float is counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hansa.foundation.money import NANO
from hansa.lifecycle.catalogue.rules.notice import seconds

AMOUNT_MAX = 10**6
DECIMALS = 9
RANGE_MAX = 10_000
YEARS = range(1990, 2200)

_AMOUNT = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_CODE = re.compile(r"\+?([0-9]{1,15})")
_RANGE = re.compile(r"\+?([0-9]{1,15})\s*[-\N{EN DASH}]\s*\+?([0-9]{1,15})")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


class Fault(ValueError):
    """What is wrong with one cell: a short code, and words that follow `row 12:`."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(code, words)
        self.code, self.words = code, words


def text(cell: object) -> str:
    """A cell as text. A spreadsheet's number is its shortest decimal text: 27710, 0.0123."""
    if isinstance(cell, str):
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, float):
        shortest = Decimal(repr(cell))
        if not shortest.is_finite():
            return repr(cell)
        return f"{shortest:f}".removesuffix(".0")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds").removesuffix(" 00:00:00")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def codes(words: str) -> tuple[str, ...]:
    """The dial codes of a cell: `27710, 27711; 27720-27729`. Raises Fault `code`."""
    found: list[str] = []
    for part in (one.strip() for one in re.split(r"[,;\n]", words)):
        if not part:
            continue
        if span := _RANGE.fullmatch(part):
            found += _range(part, span[1], span[2])
        elif one := _CODE.fullmatch(part):
            found.append(one[1])
        else:
            raise Fault("code", f"{part!r} is no dial code: 1 to 15 digits")
    if not found:
        raise Fault("code", "it has no dial code")
    return tuple(found)


def _range(part: str, low: str, high: str) -> list[str]:
    if len(low) != len(high) or low > high:
        raise Fault("code", f"{part!r} is no range: two codes of one length, the lower first")
    if int(high) - int(low) >= RANGE_MAX:
        raise Fault("code", f"{part!r} is more than {RANGE_MAX} codes")
    return [f"{one:0{len(low)}}" for one in range(int(low), int(high) + 1)]


def amount(words: str, mark: str = ".") -> int:
    """An amount of the major unit in billionths. Raises Fault `amount`."""
    found = _AMOUNT.fullmatch(words.replace(",", ".") if mark == "," else words)
    if found is None or (mark == "," and "." in words):
        raise Fault("amount", f"{words!r} is no number")
    sign, whole, part = found[1], found[2], (found[3] or "").rstrip("0")
    if sign:
        raise Fault("amount", f"{words} is below zero")
    if len(part) > DECIMALS:
        raise Fault("amount", f"{words} has more than {DECIMALS} decimals")
    nano = int(whole + part.ljust(DECIMALS, "0"))
    if nano >= AMOUNT_MAX * NANO:
        raise Fault("amount", f"{words} is {AMOUNT_MAX} or more")
    return nano


def nano_text(nano: int) -> str:
    """Billionths as a decimal, with the digits that say something: 0.0123."""
    whole, part = divmod(nano, NANO)
    digits = f"{part:09}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def second(words: str, forms: Sequence[str] = (), *, end: bool = False) -> int:
    """A date or time in seconds since 1970; a time without a zone is UTC. Raises Fault `dates`.

    forms: as `strptime` writes them, beside ISO 8601. end: of a day without a time, its end.
    """
    at, whole = _time(words, forms)
    if at is None or at.year not in YEARS:
        raise Fault("dates", f"{words!r} is no date; 2026-11-30, or as the deck's layout says")
    return seconds(at + timedelta(days=1) if end and whole else at)


def _time(words: str, forms: Sequence[str]) -> tuple[datetime | None, bool]:
    """The time that is meant, and whether it is a day without one."""
    if found := _TIME.fullmatch(words):
        try:
            at = datetime.fromisoformat(words)
        except ValueError:
            return None, False
        return (at if at.tzinfo else at.replace(tzinfo=UTC)), not found[1]
    for form in forms:
        try:
            at = datetime.strptime(words, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return at, not re.search(r"%[HIMSTXcfp]", form)
    return None, False
