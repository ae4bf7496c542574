"""Words, numbers, money and dates in five languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hansa.entrypoints.portal import language
from hansa.foundation.money import Money
from hansa.foundation.people.actions import persons
from hansa.node import Node
from tests.entrypoints.portal.visitor import Visitor, enter

WHEN = datetime(2026, 11, 2, 15, 4, 5, tzinfo=UTC)


@pytest.fixture
def speak() -> Iterator[object]:
    before = language.LANGUAGE.set("en")
    yield language.LANGUAGE.set
    language.LANGUAGE.reset(before)


@pytest.mark.parametrize(
    ("spoken", "amount", "day"),
    [
        ("en", "1,234,567.80 ZAR", "2 Nov 2026"),
        ("es", "1.234.567,80 ZAR", "2 nov 2026"),
        ("fr", "1\u202f234\u202f567,80 ZAR", "2 nov. 2026"),
        ("pt-BR", "1.234.567,80 ZAR", "2 de nov. de 2026"),
        ("pt-PT", "1 234 567,80 ZAR", "02/11/2026"),
    ],
)
def test_money_and_dates(speak: object, spoken: str, amount: str, day: str) -> None:
    language.LANGUAGE.set(spoken)
    shown = language.money(Money(123_456_780, "ZAR"))
    assert shown.replace("\u00a0", " ") == amount
    assert language.day(WHEN) == day


def test_money_has_the_decimals_of_its_currency_and_loses_none(speak: object) -> None:
    assert language.money(Money(1500, "UGX")) == "1,500\u00a0UGX"
    assert language.money(Money(1500, "TND")) == "1.500\u00a0TND"
    assert language.money(Money(-5, "GBP")) == "-0.05\u00a0GBP"
    assert language.money(Money(12_345_678_901_234_567_890, "GBP")).startswith("123,456,789,012,")


def test_a_time_names_its_zone(speak: object) -> None:
    assert language.moment(WHEN) == "2 Nov 2026, 15:04:05 UTC"
    assert language.when(WHEN) == "2 Nov, 15:04"
    assert language.month("2026-11") == "November 2026"
    assert language.month(date(2026, 12, 31)) == "December 2026"


@pytest.mark.parametrize(
    ("took", "shown"),
    [
        (timedelta(0), "less than a second"),
        (timedelta(seconds=-5), "less than a second"),
        (timedelta(seconds=61), "1 minute and 1 second"),
        (timedelta(hours=2, seconds=5), "2 hours"),
        (timedelta(days=40, hours=4, minutes=3), "40 days and 4 hours"),
    ],
)
def test_how_long_something_takes(speak: object, took: timedelta, shown: str) -> None:
    assert language.span(took) == shown


@pytest.mark.parametrize("spoken", language.LANGUAGES)
def test_times_are_said_in_every_language(speak: object, spoken: str) -> None:
    language.LANGUAGE.set(spoken)
    assert "15" in language.when(WHEN)
    for took in (timedelta(0), timedelta(days=1, hours=1), timedelta(minutes=59, seconds=1)):
        assert language.span(took)


def test_numbers(speak: object) -> None:
    assert language.number(1_234_567) == "1,234,567"
    assert language.number(Decimal("1234.5678"), 2) == "1,234.57"
    assert language.percent(Decimal("0.9995"), 2) == "99.95%"


@pytest.mark.parametrize(
    ("header", "spoken"),
    [
        ("pt", "pt-BR"),
        ("pt-AO,en;q=0.8", "pt-PT"),
        ("pt-pt", "pt-PT"),
        ("de-DE, fr-CA;q=0.7, en;q=0.3", "fr"),
        ("de", "es"),
        ("*", "es"),
        ("", "es"),
        ("en;q=x, fr;q=0.5", "en"),
    ],
)
def test_a_browser_is_answered_in_what_it_asks_for(header: str, spoken: str) -> None:
    assert language.chosen(language.accepted(header), otherwise="es") == spoken


def test_somebody_chooses_a_language_and_keeps_it(node: Node, visitor: Visitor) -> None:
    enter(node, "ada", "admin")
    visitor.send("/language", {"language": "fr", "next": "/sign-in"})
    assert visitor.open("/sign-in").tree.get("lang") == "fr"
    visitor.sign_in("ada")
    visitor.send("/language", {"language": "pt-PT", "next": "/people"})
    elsewhere = Visitor(node).sign_in("ada")
    assert elsewhere.open("/people").tree.get("lang") == "pt-PT"
    with node.begin() as tx:
        assert persons.find(tx, login="ada").language == "pt-PT"
