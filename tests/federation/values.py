"""Any value of the contract and the papers, made from its own type hints."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from hypothesis import strategies as st

from hansa.federation.contract import (
    TRAIL_MAX,
    AgreementRef,
    Milestone,
    Offer,
    Quote,
    QuoteLine,
    Tax,
    Terms,
)
from hansa.federation.helpdesk import Ticket, TicketAsk, TicketMove
from hansa.federation.papers import AgreementDocument
from hansa.foundation.ids import PartyId, TraceId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.readings import SAMPLES_A_DAY, OctetDay
from hansa.foundation.site import Site
from hansa.foundation.time import Period

CURRENCIES = ("GBP", "ZAR", "EUR", "BRL", "USD", "UGX", "KWD", "JPY")
BIGINT = 2**63 - 1

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=12)
names = st.text(characters, min_size=1, max_size=12)
parties = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
traces = st.from_regex(r"[0-9a-f]{31}[1-9a-f]", fullmatch=True)
currencies = st.sampled_from(CURRENCIES)
instants = st.datetimes(
    min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
whole = st.integers(-BIGINT, BIGINT)
moneys = st.builds(Money, whole, currencies)
decimals = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**15), 10**15),
    st.integers(-12, 6),
)


@st.composite
def octet_days(draw: st.DrawFn) -> OctetDay:
    few = st.lists(st.none() | st.integers(0, BIGINT), min_size=1, max_size=4)

    def day() -> tuple[int | None, ...]:
        samples = draw(few)
        return tuple((samples * SAMPLES_A_DAY)[:SAMPLES_A_DAY])

    return OctetDay(draw(st.dates()), day(), day())


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start, end = sorted(draw(st.lists(instants, min_size=2, max_size=2, unique=True)))
    return Period(start, end)


def terms(currency: str) -> st.SearchStrategy[Terms]:
    money = st.builds(Money, whole, st.just(currency))
    return st.builds(Terms, money, money, of(Terms, "tariff"))


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    """All lines of a quote are in its currency."""
    currency = draw(currencies)
    charge = st.none() | st.builds(Money, st.integers(1, BIGINT), st.just(currency))
    line = record(QuoteLine, terms=terms(currency), cancellation=charge)
    lines = st.lists(line, max_size=3).map(tuple)
    quote: Quote = draw(record(Quote, currency=st.just(currency), lines=lines))
    return quote


@st.composite
def tickets(draw: st.DrawFn) -> Ticket:
    """A ticket has been opened, so it has a state."""
    moves = st.lists(value(TicketMove), min_size=1, max_size=3).map(tuple)
    ticket: Ticket = draw(record(Ticket, moves=moves))
    return ticket


SPECIAL: Mapping[Any, Callable[[], st.SearchStrategy[Any]]] = {
    Money: lambda: moneys,
    OctetDay: octet_days,
    Period: periods,
    Quote: quotes,
    Ticket: tickets,
    Terms: lambda: currencies.flatmap(terms),
    datetime: lambda: instants,
    date: st.dates,
    Decimal: lambda: decimals,
    int: lambda: st.integers(0, 10**9 - 1),
    bool: st.booleans,
    str: lambda: texts,
    PartyId: lambda: parties,
    TraceId: lambda: traces,
}

FIELDS: Mapping[tuple[Any, str], st.SearchStrategy[Any]] = {
    (Offer, "countries"): st.lists(names, max_size=3).map(tuple),
    (Tax, "rate_bp"): st.integers(-10_000, 10**6),
    (Milestone, "depth"): st.integers(0, TRAIL_MAX),
    (TicketAsk, "extras"): st.just({}),
    (Site, "latitude"): st.none() | decimals,
    (Party, "currency"): currencies,
    (AgreementRef, "version"): st.integers(0, 10**9 - 1),
    (AgreementDocument, "version"): st.integers(0, 10**9 - 1),
}

IDS = ("id", "key")
"""Text fields that name something and are never empty."""


def of(kind: Any, field: str) -> st.SearchStrategy[Any]:
    """Any value of one field of a dataclass."""
    if (kind, field) in FIELDS:
        return FIELDS[kind, field]
    hint = typing.get_type_hints(kind)[field]
    return names if hint is str and field in IDS else value(hint)


def record(kind: Any, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any value of a dataclass, field by field, so that a new field is drawn too."""
    drawn = {one.name: of(kind, one.name) for one in dataclasses.fields(kind) if one.init}
    return st.builds(kind, **{**drawn, **given})


@cache
def value(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in SPECIAL:
        return SPECIAL[hint]()
    if hasattr(hint, "__supertype__"):
        return names
    if origin in (typing.Union, types.UnionType):
        return st.one_of([value(one) for one in inner])
    if hint is type(None):
        return st.none()
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(value(inner[0]), max_size=3).map(tuple)
    if origin is Mapping or getattr(origin, "__name__", "") == "Mapping":
        return st.dictionaries(texts, value(inner[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(list(hint))
    assert dataclasses.is_dataclass(hint), hint
    return record(hint)


def reachable(hint: Any) -> set[Any]:
    """Every dataclass that a value of this type may contain, itself included."""
    found: set[Any] = set()
    waiting = [hint]
    while waiting:
        one = waiting.pop()
        if dataclasses.is_dataclass(one) and one not in found:
            found.add(one)
            waiting += typing.get_type_hints(one).values()
        waiting += typing.get_args(one)
    return found
