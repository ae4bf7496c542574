"""The rows of a deck's file as prices: headers found, cells read, every fault named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hansa.foundation.errors import Refused
from hansa.foundation.money import minor_digits
from hansa.lifecycle.catalogue.model import OPEN_S, Deck, DeckLayout, Problem
from hansa.lifecycle.catalogue.rules import cells
from hansa.lifecycle.catalogue.rules.cells import Fault

Line = tuple[int, Sequence[object]]
"""A row's number in its file, from 1 on, and its cells."""


class Price(NamedTuple):
    """One price of a file, as the rows of a version are kept, in this order."""

    row: int
    code: str
    origin: str
    destination: str
    rate_peak: int
    rate_off: int
    setup: int
    minimum: int
    first_s: int
    next_s: int
    from_s: int
    to_s: int
    blocked: bool


HEADERS: Mapping[str, tuple[str, ...]] = {
    "destination": ("destination", "dest", "destination name", "zone", "area", "description"),
    "code": ("code", "codes", "dial code", "dial codes", "prefix", "prefixes", "dialcode",
             "area code", "breakout", "code range", "codes ranges"),
    "origin": ("origin", "origin group", "origination", "origin based", "a number group"),
    "rate": ("rate", "price", "rate min", "rate per min", "rate per minute", "price per minute",
             "price min", "new rate", "tariff"),
    "peak": ("peak", "peak rate", "rate peak", "price peak"),
    "off_peak": ("off peak", "offpeak", "off peak rate", "rate off peak", "offpeak rate",
                 "price off peak"),
    "currency": ("currency", "cur", "ccy"),
    "increment": ("increment", "increments", "billing increment", "billing increments", "rounding",
                  "charging interval"),
    "first": ("first", "first increment", "initial increment", "first interval", "min duration",
              "interval 1"),
    "next": ("next", "next increment", "subsequent increment", "next interval", "interval n",
             "additional increment"),
    "setup": ("setup", "set up", "setup fee", "set up fee", "connection fee", "connect fee"),
    "minimum": ("minimum", "minimum charge", "min charge"),
    "from": ("valid from", "from", "effective", "effective date", "effective from", "start date",
             "date of change", "valid since"),
    "to": ("valid to", "to", "until", "valid until", "end date", "expiry", "expiry date"),
    "flag": ("change", "flag", "change flag", "status", "change type", "comment", "comments",
             "rate change"),
}  # fmt: skip
"""What headers usually say, without case and marks; a deck's layout may add its own."""

FLAGS: Mapping[str, str] = {
    **dict.fromkeys(("new", "new code", "added", "add", "n"), "new"),
    **dict.fromkeys(("increase", "increased", "up", "i", "+"), "increase"),
    **dict.fromkeys(("decrease", "decreased", "down", "d", "-"), "decrease"),
    **dict.fromkeys(("blocked", "block", "closed", "b"), "blocked"),
    **dict.fromkeys(
        ("unchanged", "no change", "nochange", "same", "current", "u", "="), "unchanged"
    ),
}
"""What a change flag may say."""

HEADER_WITHIN = 30
"""The header is looked for in so many rows: files begin with names and addresses."""

TOLD_AFTER = 5_000
FIRST_MAX = NEXT_MAX = 86_400


@dataclass(slots=True)
class Reading:
    """What a file says: its prices, the change flag beside each, and what is wrong with it."""

    prices: list[Price] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def fault(self, row: int | None, code: str, words: str) -> None:
        self.problems.append(Problem("error", code, row, words))


def read(
    lines: Iterable[Line],
    deck: Deck,
    *,
    since_s: int | None,
    tell: Callable[[int], None] = lambda _: None,
) -> Reading:
    """The prices of a file, and every fault of it. since_s: from when rows are that do not say.

    tell: called now and then with the number of the row.
    """
    found = Reading()
    before: list[Line] = []
    columns: Mapping[str, int] = {}
    reader: _Reader | None = None
    for row, line in lines:
        if reader is None:
            before.append((row, line))
            columns = _columns(line, deck.layout)
            if {"code"} <= columns.keys() and columns.keys() & {"rate", "peak"}:
                reader = _Reader(deck, columns, len(line), since_s)
                for name in reader.missing():
                    found.fault(row, "columns", name)
            elif len(before) == HEADER_WITHIN:
                break
        elif any(cells.text(one) for one in line):
            reader.take(row, line, found)
        if not row % TOLD_AFTER:
            tell(row)
    if reader is None and before:
        _no_header(before[0], found)
    return found


def _columns(line: Sequence[object], layout: DeckLayout) -> Mapping[str, int]:
    """Which field each header stands for; of two that stand for one, the first."""
    said = [_bare(cells.text(one)) for one in line]
    found: dict[str, int] = {}
    for name, usual in HEADERS.items():
        own = tuple(map(_bare, layout.columns.get(name, ())))
        for header in own or usual:
            if header in said:
                found[name] = said.index(header)
                break
    return found


def _bare(header: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", header.lower()))


def _no_header(first: Line, found: Reading) -> None:
    row, line = first
    shown = " | ".join(cells.text(one) for one in line)[:120]
    found.fault(
        row,
        "columns",
        "no row has a header for the code and one for the rate; name them in the deck's "
        f"layout, or correct delimiter and encoding. This row says: {shown}",
    )


class _Reader:
    """Reads row after row by the same columns; what was read once is not worked out again."""

    def __init__(
        self, deck: Deck, columns: Mapping[str, int], width: int, since_s: int | None
    ) -> None:
        self._deck, self._columns, self._width = deck, columns, width
        self._layout, self._since_s = deck.layout, since_s
        self._known: dict[tuple[str, str], object] = {}

    def missing(self) -> Sequence[str]:
        """Columns that it cannot do without."""
        has = self._columns.keys()
        wanted = {
            "no column for the peak and one for the off-peak rate": "rate" in has
            or {"peak", "off_peak"} <= has,
            "no column for increments, and the deck's layout names none": "increment" in has
            or {"first", "next"} <= has
            or bool(self._layout.increment),
            "no column for the date from which a price is valid; say it with --effective": "from"
            in has
            or self._since_s is not None,
        }
        return [words for words, there in wanted.items() if not there]

    def take(self, row: int, line: Sequence[object], found: Reading) -> None:
        """Adds the row's prices, or all of its faults."""
        if len(line) > self._width and any(cells.text(one) for one in line[self._width :]):
            found.fault(row, "columns", f"it has {len(line)} cells, and the header {self._width}")
            return
        said = {
            name: cells.text(line[at]) if at < len(line) else ""
            for name, at in self._columns.items()
        }
        faults: list[Fault] = []

        def get(kind: str, text: str, read: Callable[[str], object]) -> object:
            value = self._known.get((kind, text))
            if value is None:
                try:
                    value = read(text)
                except Fault as fault:
                    value = fault
                self._known[kind, text] = value
            if isinstance(value, Fault):
                faults.append(value)
            return value

        flag = get("flag", said.get("flag", ""), _flag)
        blocked = flag == "blocked"
        codes = get("code", said["code"], cells.codes)
        peak, off = self._rates(said, get, blocked=blocked)
        setup = get("amount", said.get("setup") or "0", self._amount)
        minimum = get("amount", said.get("minimum") or "0", self._amount)
        increments = get("increment", self._increment(said), _increments)
        get("currency", said.get("currency", ""), self._currency)
        origin = get("origin", said.get("origin", ""), self._origin)
        from_s = get("from", said.get("from", ""), self._from)
        to_s = get("to", said.get("to", ""), self._to)
        if isinstance(from_s, int) and isinstance(to_s, int) and to_s <= from_s:
            faults.append(Fault("dates", f"it ends, {said['to']}, before it begins"))
        if not faults:
            assert isinstance(increments, tuple) and isinstance(codes, tuple)
            first_s, next_s = increments
            name = said.get("destination", "")
            rest = (origin, name, peak, off, setup, minimum, first_s, next_s, from_s, to_s, blocked)
            found.prices += [Price(row, code, *rest) for code in codes]  # type: ignore[arg-type]
            found.flags += [flag] * len(codes)  # type: ignore[list-item]
        found.problems += [Problem("error", one.code, row, one.words) for one in faults]

    def _rates(
        self,
        said: Mapping[str, str],
        get: Callable[[str, str, Callable[[str], object]], object],
        *,
        blocked: bool,
    ) -> tuple[object, object]:
        both = said.get("rate", "")
        peak, off = said.get("peak", "") or both, said.get("off_peak", "") or both
        if blocked and not (peak and off):
            return 0, 0
        one = get("rate", peak, self._rate)
        return one, one if off == peak else get("rate", off, self._rate)

    def _rate(self, text: str) -> int:
        if not text:
            raise Fault("rate-missing", "it has no rate")
        return self._amount(text)

    def _amount(self, text: str) -> int:
        return cells.amount(text, self._layout.decimal)

    def _increment(self, said: Mapping[str, str]) -> str:
        own = said.get("increment", "")
        if not own and (said.get("first") or said.get("next")):
            own = f"{said.get('first', '')}/{said.get('next', '')}"
        return own or self._layout.increment

    def _currency(self, text: str) -> str:
        if text and text != self._deck.currency:
            try:
                minor_digits(text)
            except Refused:
                raise Fault("currency", f"{text!r} is not a currency of ISO 4217") from None
            raise Fault("currency", f"it is in {text}, and the deck in {self._deck.currency}")
        return text

    def _origin(self, text: str) -> str:
        if text and text not in self._deck.origins:
            known = ", ".join(sorted(self._deck.origins)) or "none"
            raise Fault("origin", f"{text!r} is no origin group of the deck; it has {known}")
        return text

    def _from(self, text: str) -> int:
        if text:
            return cells.second(text, self._layout.dates)
        if self._since_s is None:
            raise Fault("dates", "it does not say from when it is valid; say it with --effective")
        return self._since_s

    def _to(self, text: str) -> int:
        if not text:
            return OPEN_S
        return cells.second(text, self._layout.dates, end=self._layout.last_day)


def _flag(text: str) -> str:
    if not text:
        return ""
    known = FLAGS.get(text.lower()) or FLAGS.get(_bare(text))
    if known is None:
        raise Fault("flag", f"{text!r} is no change: new, increase, decrease, blocked or unchanged")
    return known


def _increments(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,5})\s*/\s*([0-9]{1,5})", text)
    if found is None:
        raise Fault("increment", f"{text!r} is no increment: first/next seconds, as 60/1")
    first_s, next_s = int(found[1]), int(found[2])
    if not (1 <= first_s <= FIRST_MAX and 1 <= next_s <= NEXT_MAX):
        raise Fault("increment", f"increments are 1 to {NEXT_MAX} seconds, not {text}")
    return first_s, next_s
