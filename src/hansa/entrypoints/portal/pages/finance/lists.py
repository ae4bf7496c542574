"""What lists of this area share: filters that are parsed, and all of them for a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from hansa.entrypoints.portal import words
from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.language import gettext as _
from hansa.federation.shelf import Page
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import party_id
from hansa.foundation.time import Period
from hansa.foundation.transaction import Transaction
from hansa.node import Node

PAGE = 50
"""How many rows a page shows."""

DIGITS_MAX = 15
"""No amount that somebody types has more digits."""

Thing = TypeVar("Thing")


def month(ask: Ask) -> Period | None:
    """The month that is asked for, if any. Raises Refused `period-invalid` for none that is."""
    text = ask.query.get("month", "").strip()
    return Period.parse(text) if text else None


def party(ask: Ask) -> PartyId | None:
    """The party that is asked for, if any. Raises Refused `party-name` for what cannot be one."""
    text = ask.query.get("party", "").strip().lower()
    return party_id(text) if text else None


def currency(ask: Ask) -> str | None:
    """The currency that is asked for, if any."""
    return ask.query.get("currency", "").strip().upper() or None


def amount(ask: Ask, name: str, currency: str) -> Money:
    """An amount that was typed, `1250.00` or `1250,00`. Raises Refused `amount-invalid`,
    `money-too-precise`.
    """
    text = ask.typed(name).strip().replace(",", ".").replace("\N{NO-BREAK SPACE}", "")
    try:
        written = Decimal(text)
        if written.is_finite() and abs(written.adjusted()) < DIGITS_MAX:
            return Money.of(written, currency)
    except InvalidOperation:
        pass
    raise Refused("amount-invalid", _("Write the amount as 1250.00."), field=name)


def day(ask: Ask, name: str) -> date:
    """A day that was typed, as ISO 8601 has it. Raises Refused `date-invalid`."""
    try:
        return date.fromisoformat(ask.typed(name))
    except ValueError:
        raise Refused("date-invalid", _("Write the day as 2026-12-30."), field=name) from None


def options(values: Iterable[object]) -> Sequence[tuple[str, str]]:
    """What a select offers: all, and each of these in words."""
    return [("", _("All")), *((str(one), words.said(one)) for one in values)]


def every(
    node: Node, some: Callable[[Transaction, int, int], Page[Thing]], *, at_once: int = 1_000
) -> Iterator[Thing]:
    """All that a list has; read so many at once, each time in a transaction of its own.

    some: gives a page of it, by offset and limit.
    """
    offset, total = 0, 1
    while offset < total:
        with node.begin() as tx:
            found = some(tx, offset, at_once)
        yield from found.things
        offset, total = offset + at_once, found.total
