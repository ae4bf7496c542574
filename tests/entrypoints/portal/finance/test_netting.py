"""Positions, nettings, payments and how old what is owed is: what pages say is what books say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import NettingCalled, NettingLine, NettingPayment, NettingPlan
from hansa.foundation.ids import AgreementId, PaymentId, RoundId, StatementId
from hansa.foundation.money import Money
from hansa.ledger import actions as ledger
from hansa.lifecycle.clearing.actions import payments
from hansa.lifecycle.clearing.model import Part, PartState, Payment, PaymentOrder, Remitted
from hansa.lifecycle.clearing.store import netting as rounds
from hansa.lifecycle.clearing.store import payments as orders
from hansa.lifecycle.settlement.actions import looking, positions, statements
from hansa.node import Node
from tests.alliance import Alliance
from tests.entrypoints.portal.visitor import Visitor
from tests.journeys.month import NOVEMBER, OP1, OP2


@pytest.fixture(scope="module")
def fin(alliance: Alliance, op2: Node, come: Callable[..., Visitor]) -> Visitor:
    """OP2's books: it owes OP1 pounds, and OP3 owes it euros."""
    with op2.begin() as tx:
        (heard,) = statements.find(tx, direction="heard", partner=OP1, period=NOVEMBER)
        statements.confirm(
            tx, us=op2.us, statement=heard.id, keys=op2.keys, ids=op2.ids, now=op2.clock.now()
        )
    alliance.work()
    return come(op2, "fin", "finance")


@pytest.fixture(scope="module")
def cai(op2: Node, come: Callable[..., Visitor]) -> Visitor:
    return come(op2, "cai", "approver")


def owed(node: Node, code: str) -> str:
    with node.begin() as tx:
        balance = ledger.balance(tx, code=code)
    return f"{abs(balance.amount):,.2f} {balance.currency}"


def test_ageing_says_what_the_books_say(fin: Visitor, op2: Node) -> None:
    shown = fin.open("/ageing")
    assert "not the same" not in shown.text
    (theirs, ours) = shown.rows(0)[0], shown.rows(1)[0]
    receivable, payable = owed(op2, "receivable/op3/EUR"), owed(op2, "payable/op1/GBP")
    assert theirs == ["op3", receivable, *["0.00 EUR"] * 3, receivable, f"{receivable} the same"]
    assert ours == ["op1", payable, *["0.00 GBP"] * 3, payable, f"{payable} the same"]
    text = fin.open("/ageing.csv").answer.text
    amount = payable.split()[0].replace(",", "")
    assert f"to partner,op1,GBP,{amount},0.00,0.00,0.00,{amount}" in text
    with op2.begin() as tx:
        later = op2.clock.now() + timedelta(days=61)
        old = looking.ageing(tx, us=OP2, now=later)
    assert [one.minor > 0 for one in old.owed_to_us[0].ages] == [False, False, True, False]


def test_positions_are_drawn_and_netted(fin: Visitor, op2: Node, alliance: Alliance) -> None:
    receivable, payable = owed(op2, "receivable/op3/EUR"), owed(op2, "payable/op1/GBP")
    shown = fin.open("/netting")  # the month that is over
    assert "November 2026" in shown.text
    charts = shown.tree.xpath("//x-chart[@kind='chord']")
    assert [chart.get("data-unit") for chart in charts] == ["EUR", "GBP"]
    assert shown.rows(0) == [["op3", "op2", receivable]]
    assert shown.rows(1) == [["op2", "op1", payable]]
    partners = {row[0]: row for row in shown.rows(2)}
    assert partners["op3"][1] == receivable
    assert partners["op1"][2] == payable
    with op2.begin() as tx:
        positions.net(tx, us=OP2, period=NOVEMBER, ids=op2.ids, now=op2.clock.now())
    after = fin.open("/netting?month=2026-11")
    netted = {row[0]: row for row in after.rows(3)}
    row = netted["netting/2026-11/op1/GBP/1"]
    assert row[3] == payable
    hrefs = [one for one in after.tree.xpath("//main//a/@href") if "/ledger/entries/" in one]
    posted = [fin.open(href) for href in hrefs]
    legs = {row[0]: row[3] for shown in posted for row in shown.rows()}
    assert legs["payable/op1/GBP"] == payable
    assert legs["settlement/op3/EUR"] == receivable
    assert fin.open(posted[0].tree.xpath("//a[contains(@href,'/netting')]/@href")[-1]).status == 200
    assert "not the same" not in fin.open("/ageing").text


def test_a_bank_account_counts_once_another_has_confirmed_it(fin: Visitor, cai: Visitor) -> None:
    number = "GB33BUKB20201555555555"
    form = {"party": "op1", "holder": "OP1 Ltd", "number": number, "bic": "BUKBGB22"}
    assert fin.send("/payments/accounts", form | {"number": "GB00"}).status == 422
    assert cai.send("/payments/accounts", form).status == 403
    entered = fin.send("/payments/accounts", form)
    assert "…5555" in entered.text
    assert number not in entered.text
    (page,) = [one for one in entered.tree.xpath("//a/@href") if "/payments/accounts/" in one]
    assert "somebody else has to confirm it" in fin.open(page).text
    assert fin.send(f"{page}/confirm", {"number": number}).status == 422
    assert cai.send(f"{page}/confirm", {"number": "GB82WEST12345698765432"}).status == 422
    done = cai.send(f"{page}/confirm", {"number": number})
    assert done.rows(1)[-1][-2:] == ["fin", "cai"]


def test_pages_without_anything_say_what_to_do(fin: Visitor) -> None:
    assert "Nothing between us and partners" in fin.open("/netting?month=2020-01").text
    assert "No round so far" in fin.open("/netting/rounds").text
    assert fin.open("/netting/rounds/rnd_nothing").status == 404
    assert "No orders so far" in fin.open("/payments?month=2020-01").text
    assert fin.open("/payments/orders/pay_nothing").status == 404
    assert fin.open("/netting?month=soon").status == 422


def test_who_sells_sees_none_of_it(op3: Node, come: Callable[..., Visitor]) -> None:
    sal = come(op3, "sal", "sales", "operations", "admin")
    for path in ("/netting", "/netting/rounds", "/payments", "/ageing", "/ageing.csv", "/disputes"):
        assert sal.open(path).status == 403


def test_a_round_is_shown_before_and_after(fin: Visitor, op2: Node) -> None:
    month_end = op2.clock.now() + timedelta(days=2)
    id, ref = RoundId("rnd_1"), AgreementRef(AgreementId("agr_1"), 1)
    payment = NettingPayment(OP2, OP1, Money.of("60", "GBP"))
    plan = NettingPlan(
        id, 1, OP1, ref, NOVEMBER, "GBP", {OP1: 6000, OP2: -6000}, {}, (payment,), month_end
    )
    line = NettingLine(StatementId("stm_1"), OP1, OP2, Money.of("100", "GBP"))
    call = NettingCalled(id, ref, NOVEMBER, "GBP", month_end)
    part = Part(call, OP1, PartState.OFFERED, offered=(line,))
    with op2.begin() as tx:
        rounds.insert_part(tx, part)
        ours = replace(part, state=PartState.PROPOSED, attempt=1, plan=plan, lines=(line,))
        rounds.update_part(tx, ours)
    (row,) = fin.open("/netting/rounds").rows()
    assert row == ["November 2026", "op1", "GBP", "Proposed", "1", "1"]
    shown = fin.open("/netting/rounds/rnd_1")
    assert shown.rows(0) == [["op2", "op1", "100.00 GBP"]]
    assert shown.rows(1) == [["op2", "op1", "60.00 GBP"]]
    assert shown.rows(2) == [["op1", "60.00 GBP"], ["op2", "-60.00 GBP"]]


def test_an_order_to_the_bank_is_read_and_written_again(
    fin: Visitor, cai: Visitor, op2: Node
) -> None:
    with op2.begin() as tx:
        made = {}
        for party, number in ((OP1, "GB82WEST12345698765432"), (OP2, "PT50000201231234567890154")):
            entered = payments.enter_account(
                tx, party=party, holder=party, number=number, bic="BUKBGB22", by="ada",
                ids=op2.ids, now=op2.clock.now(),
            )  # fmt: skip
            made[party] = payments.confirm_account(
                tx, account=entered.id, number=number, by="eve", now=op2.clock.now()
            ).id
        paid = Remitted("OP1-2026-000001", Money.of("12", "GBP"), set_off=False)
        payment = Payment("S-1", OP1, paid.amount, "netting/x", (paid,), account=made[OP1])
        order = PaymentOrder(
            PaymentId("pay_1"), made[OP2], "GBP", date(2026, 12, 30), (payment,), "fin",
            op2.clock.now(),
        )  # fmt: skip
        orders.insert_order(tx, order)
    listed = fin.open("/payments")
    assert listed.rows(1)[0][2:] == ["GBP", "1", "fin"]
    shown = fin.open("/payments/orders/pay_1")
    assert shown.rows() == [["op1", "12.00 GBP", "…5432", "S-1", "OP1-2026-000001"]]
    assert "GB82WEST12345698765432" in fin.open("/payments/orders/pay_1/file").answer.text
    assert cai.open("/payments/orders/pay_1/file").status == 403
