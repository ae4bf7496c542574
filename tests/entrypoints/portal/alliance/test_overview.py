"""The first page: figures that equal the rooms' own sums, and nothing that is not one's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hansa.drivers.model import Available
from hansa.entrypoints.portal.pages import figures
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import SetClock
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.order.actions import orders
from hansa.lifecycle.settlement.actions import looking
from hansa.lifecycle.settlement.model import StatementFilter
from hansa.node import Node
from tests.alliance import Alliance
from tests.databases import Pool
from tests.entrypoints.portal.alliance.conftest import come
from tests.entrypoints.portal.visitor import Visitor
from tests.journeys.month import OP1, OP2, OP3, build

MONEY = ("turnover", "together", "exposures")


@pytest.fixture(scope="module")
def trade(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alliance]:
    """OP1 (GBP) sells to OP2 (EUR), that to OP3 (JPY); November is billed."""
    with pool.lend() as databases:
        clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
        made = Alliance(databases, tmp_path_factory.mktemp("trade"), clock, b"trade")
        build(made, 3)
        made.work()
        yield made
        made.close()


@pytest.fixture(scope="module")
def op2(trade: Alliance) -> Node:
    return trade.nodes[OP2]


@pytest.fixture(scope="module")
def fin(op2: Node) -> Visitor:
    return come(op2, "fin", "finance")


def amount(text: str) -> Money:
    """What `1,234.50 EUR` says."""
    number, currency = text.replace(",", "").replace("-", "-").split()
    return Money.of(number, currency)


def test_open_money_is_what_the_ledger_says_currency_by_currency(fin: Visitor, op2: Node) -> None:
    with op2.begin() as tx:
        kept = ledger.balances(tx)
    owed: dict[str, Money] = {}
    for one in kept:
        head, currency = one.code.split("/")[0], one.balance.currency
        if head in ("receivable", "payable", "settlement"):
            owed.setdefault(currency, Money.zero(currency))
            owed[currency] += one.balance
    shown = fin.open("/overview")
    rows = shown.tree.xpath("//section[@id='open']//tbody/tr")
    said = {row[0].text_content().strip(): row[4].text_content() for row in rows}
    assert {currency: amount(text) for currency, text in said.items()} == owed
    assert set(owed) >= {"EUR", "GBP"}


def test_what_is_converted_says_by_which_dated_rate(fin: Visitor, op2: Node) -> None:
    shown = fin.open("/overview")
    (rate,) = [one for one in shown.all("//section[@id='open']//li") if "GBP" in one]
    assert rate == "1 GBP = 1.1437 EUR, by test on 1 Jan 2026"
    (words,) = shown.all("//section[@id='open']//div/p[contains(., 'converted')]")
    with op2.begin() as tx:
        found = {one.net.currency: one.net for one in figures.outstanding(tx)}
    exact = found["EUR"].amount + found["GBP"].amount * Decimal("1.1437")
    assert abs(amount(words.split(":")[1].strip(" .")).amount - exact) <= Decimal("0.01")


def test_a_currency_without_a_rate_is_left_out_and_named(
    fin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = [
        figures.Outstanding(Money.of("10", currency), *[Money.zero(currency)] * 2)
        for currency in ("CHF", "EUR")
    ]
    monkeypatch.setattr(figures, "outstanding", lambda _tx: some)
    text = fin.open("/overview").text
    assert "Net, converted to our own currency: 10.00 EUR." in text
    assert "Not in it, because there is no reference rate: CHF." in text


def test_revenue_is_what_was_billed(fin: Visitor, op2: Node) -> None:
    with op2.begin() as tx:
        billed = [one for one in billing.bills(tx, issuer=OP2) if one.final]
        income = [one for one in ledger.balances(tx) if one.kind == "income"]
    shown = fin.open("/overview")
    (total,) = shown.all("//section[@id='revenue']//h3")
    assert amount(total.split(": ")[1]) == billed[0].net
    assert amount(total.split(": ")[1]) == Money(-sum(one.balance.minor for one in income), "EUR")
    heads = shown.all("//section[@id='revenue']//thead//th")
    assert heads == ["Month", "Connectivity"]
    months = shown.all("//section[@id='revenue']//tbody//th")
    assert (months[0], months[-1], len(months)) == ("July 2026", "December 2026", 6)
    values = shown.tree.xpath("//section[@id='revenue']//tbody//td/@data-value")
    assert sum(Decimal(one) for one in values) == billed[0].net.amount


def test_exposure_is_the_ledger_s(fin: Visitor, op2: Node) -> None:
    with op2.begin() as tx:
        used = ledger.exposure(tx, party=OP3, currency="EUR")
    ((name, said, limit, _part),) = [
        [cell.text_content().strip() for cell in row]
        for row in fin.open("/overview").tree.xpath("//section[@id='exposure']//tbody/tr")
    ]
    assert (name, amount(said), limit) == ("OP3", used, "no limit")
    assert used


def test_how_full_a_limit_is_is_rounded_down() -> None:
    of = PartyId("mtn")
    assert figures.Exposure(of, Money(7_999, "GBP"), Money(10_000, "GBP")).bp == 7_999
    assert figures.Exposure(of, Money(2, "GBP"), Money(3, "GBP")).bp == 6_666
    assert figures.Exposure(of, Money(-5, "GBP"), Money(3, "GBP")).bp == 0
    assert figures.Exposure(of, Money(5, "GBP"), None).bp == 0


def test_orders_in_delivery_with_the_oldest(trade: Alliance) -> None:
    op1 = trade.nodes[OP1]
    oli = come(op1, "oli", "operations")
    figure = "//div[contains(@class, 'figure')][contains(., 'Orders in delivery')]"
    (idle,) = oli.open("/overview").all(figure)
    assert idle == "Orders in delivery 0 nothing is under way"
    with op1.begin() as tx:
        done = orders.orders(tx, us=OP1, limit=1)[0]
    found = figures.Delivery(3, done)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "delivery", lambda _ask, _tx: found)
        (busy,) = oli.open("/overview").all(figure)
    assert busy == "Orders in delivery 3 the oldest since 16 Nov 2026"


@pytest.mark.parametrize("roles", [("sales",), ("operations",), ("admin",)])
def test_money_is_for_those_who_keep_the_books_and_not_even_asked_for(
    op2: Node, roles: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: object, **_more: object) -> None:
        raise AssertionError("asked for")

    for name in MONEY:
        monkeypatch.setattr(ledger, name, never)
    shown = come(op2, f"one-{roles[0]}", *roles).open("/overview")
    assert shown.status == 200
    assert "EUR" not in shown.text
    assert "Revenue" not in shown.text


def test_finance_does_not_see_what_operations_does(fin: Visitor) -> None:
    text = fin.open("/overview").text
    assert "Orders in delivery" not in text
    assert "Services held" not in text


@pytest.mark.parametrize("role", ["sales", "operations", "finance", "approver", "admin"])
def test_every_figure_leads_to_a_page_that_this_person_may_open(op2: Node, role: str) -> None:
    one = come(op2, f"led-{role}", role)
    shown = one.open("/overview")
    for href in set(shown.tree.xpath("//main//a/@href")):
        assert one.open(href).status == 200, href


def test_what_waits_is_told_by_role(op2: Node, fin: Visitor) -> None:
    waits = "//section[@aria-labelledby='waits']//p[@class='figure-label']"
    assert fin.open("/overview").all(waits) == []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("unsolved", "undecided"):
            patch.setattr(figures, name, lambda _tx: 2)
        patch.setattr(figures, "to_answer", lambda _tx: 6)
        patch.setattr(figures, "stuck", lambda _tx, _besides: 1)
        patch.setattr(figures, "to_approve", lambda _ask, _tx: (3, 4))
        patch.setattr(figures, "to_sign", lambda _ask, _tx: 5)
        said = {
            role: come(op2, f"w-{role}", role).open("/overview").all(waits)
            for role in ("sales", "operations", "finance", "approver", "admin")
        }
    own = "Your proposals that wait"
    assert said == {
        "sales": ["Agreements to sign", own],
        "operations": ["Work that is stuck", "Open tickets", own],
        "finance": ["Statements to answer", "Open disputes", "Agreements to sign", own],
        "approver": ["Proposals to decide", own],
        "admin": [own],
    }


def test_a_statement_that_nobody_has_answered_waits_for_finance(fin: Visitor, op2: Node) -> None:
    with op2.begin() as tx:
        assert figures.to_answer(tx) == 0  # this node confirms what agrees by itself
        kept = looking.page(tx, wanted=StatementFilter(direction="heard"), limit=9).things
    assert [one.state for one in kept] != []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "to_answer", lambda _tx: 1)
        shown = fin.open("/overview")
    (href,) = shown.tree.xpath("//a[contains(., 'Statements to answer')]/@href")
    assert fin.open(href).status == 200


@pytest.mark.parametrize("path", ["/agreements", "/launches", "/partners"])
def test_what_is_no_text_finds_nothing_and_breaks_nothing(fin: Visitor, path: str) -> None:
    assert fin.open(f"{path}?q=%ff&state=x&page=-1").status == 200
    assert fin.open(f"{path}?page=99999999").status == 200
    assert fin.open(f"{path}?q=" + "x" * 5000).status == 200


def test_availability_is_what_was_measured_or_nothing(trade: Alliance) -> None:
    ona = come(trade.nodes[OP1], "ona", "operations")
    figure = "//div[contains(@class, 'figure')][contains(., 'Availability')]"
    (none,) = ona.open("/overview").all(figure)
    assert none == "Availability unknown nothing was measured in the last hour"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "available", lambda _ask, _tx: Available(2, 6, 5, 1))
        (poor,) = ona.open("/overview").all(figure)
        patch.setattr(figures, "available", lambda _ask, _tx: Available(2, 6, 6, 0))
        (full,) = ona.open("/overview").all(figure)
    assert poor == "Availability 83.33% 1 of our own services below its target in the last hour"
    assert full == "Availability 100% all of our own services in the last hour, as measured"
