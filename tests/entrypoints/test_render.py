"""What commands print: whole ids, exact amounts, and nothing that could steer a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.files import amount, values
from hansa.federation.contract import OrderState
from hansa.foundation.errors import Refused
from hansa.foundation.money import Money
from tests.entrypoints.desk import hansa

LONG = "ord_" + "0123456789abcdef" * 8


def test_cells() -> None:
    at = datetime(2026, 11, 2, 9, 30, 1, 999_999, tzinfo=timezone(timedelta(hours=2)))
    for value, shown in (
        (None, ""),
        (True, "yes"),
        (Money(123_450, "GBP"), "1,234.50 GBP"),
        (Money(-5, "JPY"), "-5 JPY"),
        (at, "2026-11-02 07:30:01"),
        (OrderState.IN_PROGRESS, "inProgress"),
        ({"speed_mbps": 200, "name": "x"}, "speed_mbps=200, name=x"),
        (("a", 1), "a, 1"),
        ("bad \x1b[31m\x07 \u202e name", "bad \ufffd[31m\ufffd \ufffd name"),
    ):
        assert render.text(value) == shown


def test_tables_keep_words_whole(capsys: pytest.CaptureFixture[str]) -> None:
    render.table("Orders", ("order", "amount>"), [(LONG, Money(1, "GBP")), ("[b]x[/b]", "")])
    shown = capsys.readouterr().out
    assert shown.startswith("Orders\n")
    assert LONG in shown
    assert "[b]x[/b]" in shown
    assert all(line == line.rstrip() for line in shown.splitlines())
    render.table("Orders", ("order",), [])
    assert capsys.readouterr().out == "Orders: none\n"


def test_json_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    thing = {
        "money": Money(5, "GBP"),
        "many": [Money(1, "JPY")],
        "rate": Decimal("0.10"),
        "at": datetime(2026, 11, 2, tzinfo=UTC),
        "none": None,
    }
    assert render.plain(thing) == {
        "money": {"minor": 5, "currency": "GBP"},
        "many": [{"minor": 1, "currency": "JPY"}],
        "rate": "0.10",
        "at": "2026-11-02T00:00:00Z",
        "none": None,
    }
    render.as_json({"name": "Köln"})
    assert '"Köln"' in capsys.readouterr().out


def test_values_from_the_command_line() -> None:
    assert values({"a": "10", "b": "-1", "c": "x", "d": "1.5", "e": ""}) == {
        "a": 10, "b": -1, "c": "x", "d": "1.5", "e": "",
    }  # fmt: skip
    assert amount("250,000.00", "GBP", option="x") == Money(25_000_000, "GBP")
    for bad, code in (("much", "amount-invalid"), ("NaN", "amount-invalid"), ("1.001", "money-")):
        with pytest.raises(Refused, match=code):
            amount(bad, "GBP", option="x")


def test_help_ends_with_an_example() -> None:
    for words in (("node", "init"), ("catalogue", "customers", "add"), ("order", "change")):
        said = hansa(*words, "--help")
        assert (said.exit_code, said.err) == (0, "")
        assert "Example: hansa " + " ".join(words) in " ".join(said.out.split())
    assert "Exit codes: 0 done" in " ".join(hansa("--help").out.split())
