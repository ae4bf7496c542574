"""Disputes on pages, and credit notes that one proposes and another gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill, BillFilter
from hansa.lifecycle.settlement.actions import looking, statements
from hansa.lifecycle.settlement.model import DisputeFilter, Held
from hansa.node import Node
from tests.alliance import SHOP, Alliance
from tests.entrypoints.portal.visitor import Shown, Visitor
from tests.journeys.month import NOVEMBER, OP1


@pytest.fixture(scope="module")
def invoice(alliance: Alliance, op2: Node) -> Held:
    """OP1's invoice to OP2, as OP2 has it."""
    with op2.begin() as tx:
        (heard,) = statements.find(tx, direction="heard", partner=OP1, period=NOVEMBER)
        statements.confirm(
            tx, us=op2.us, statement=heard.id, keys=op2.keys, ids=op2.ids, now=op2.clock.now()
        )
    alliance.work()
    with op2.begin() as tx:
        return statements.get(tx, statement=heard.id)


@pytest.fixture(scope="module")
def debtor(op2: Node, come: Callable[..., Visitor]) -> Visitor:
    return come(op2, "deb", "finance")


@pytest.fixture(scope="module")
def maker(op1: Node, come: Callable[..., Visitor]) -> Visitor:
    return come(op1, "mia", "finance", "approver")


@pytest.fixture(scope="module")
def checker(op1: Node, come: Callable[..., Visitor]) -> Visitor:
    return come(op1, "cai", "approver")


def approve(checker: Visitor, proposed: Shown) -> Shown:
    path = proposed.answer.url.path
    action = f"{path}/approve"
    return checker.send(action, checker.open(path).form(action))


def test_a_line_is_disputed_and_its_credit_note_needs_two(
    alliance: Alliance,
    debtor: Visitor,
    maker: Visitor,
    checker: Visitor,
    op1: Node,
    op2: Node,
    invoice: Held,
) -> None:
    first = invoice.statement.lines[0]
    line = debtor.open(f"/statements/{invoice.id}/lines/1")
    (href,) = [one for one in line.tree.xpath("//main//a/@href") if "/disputes/new" in one]
    page = debtor.open(href)
    action = f"/disputes/new?statement={invoice.id}&line=1"
    form = page.form(action) | {"cause": "rate", "why": "the price was lowered"}
    for wrong in ("abc", "", "1.005", "9" * 30):
        assert debtor.send(action, form | {"should_be": wrong}).status == 422
    should = first.net.minor - 500
    raised = debtor.send(action, form | {"should_be": f"{should // 100},{should % 100:02}"})
    assert raised.status == 200
    assert "Raised" in raised.text
    assert "5.00 GBP" in raised.text
    alliance.work()
    with op1.begin() as tx:
        (held,) = looking.disputes_page(tx, wanted=DisputeFilter(only_open=True), limit=9).things
    (row,) = maker.open("/disputes?state=open&party=op2&month=2026-11").rows()
    assert row[:4] == [invoice.number, "op2", "op2", "Price"]
    shown = maker.open(f"/disputes/{held.dispute.id}")
    assert "the price was lowered" in shown.text
    target = f"/disputes/{held.dispute.id}/act"
    assert checker.send(target, {"act": "accept", "why": "yes"}).status == 403
    maker.send(target, {"act": "acknowledge", "why": ""})
    too_much = maker.send(target, {"act": "offer", "why": "a part", "credit-1": "6.00"})
    assert too_much.status == 422
    assert "with a part of what is claimed" in too_much.text
    assert maker.send(target, {"act": "offer", "why": "a part"}).status == 422
    proposed = maker.send(target, {"act": "accept", "why": "they are right"})
    assert "5.00 GBP" in proposed.text
    assert "November 2026" in proposed.text
    assert "somebody else has to approve it" in proposed.text
    path = proposed.answer.url.path
    fingerprint = proposed.all("//dl//code")[-1]
    assert maker.send(f"{path}/approve", {"fingerprint": fingerprint}).status == 422
    assert "Approved and carried out." in approve(checker, proposed).text
    alliance.work()
    with op2.begin() as tx:
        (note,) = [
            one
            for one in statements.find(tx, direction="heard", partner=OP1)
            if one.statement.kind_of == "credit-note"
        ]
    assert note.total.minor == -500
    assert "Accepted" in debtor.open(f"/disputes/{held.dispute.id}").text


def test_a_customers_invoice_is_credited_by_two(
    op1: Node, op3: Node, come: Callable[..., Visitor]
) -> None:
    """In yen: what is left of a line is never credited twice."""
    mia, cai = come(op3, "mia", "finance"), come(op3, "cai", "approver")
    with op3.begin() as tx:
        (bare,) = billing.page(tx, wanted=BillFilter(party=SHOP), limit=9).things
        bill = billing.bill(tx, id=bare.id)
        before = ledger.balance(tx, code="receivable/shop/JPY")
    action = f"/invoices/{bill.id}/credit?line=1"
    page = mia.open(action)
    net = bill.lines[0].net
    form = page.form(action) | {"why": "it was late"}
    assert mia.send(action, form | {"amount": f"{net.minor + 1}"}).status == 422
    assert mia.send(action, form | {"amount": "10.5"}).status == 422
    assert cai.send(action, form | {"amount": "100"}).status == 403
    proposed = mia.send(action, form | {"amount": "100"})
    assert "100 JPY" in proposed.text
    assert mia.send(action, form | {"amount": "100"}).status == 422
    assert "Approved and carried out." in approve(cai, proposed).text
    assert credited(op3, bill) == -100
    whole = f"/invoices/{bill.id}/credit"
    rest = mia.send(whole, mia.open(whole).form(whole) | {"why": "all of it"})
    assert f"{bill.net.minor - 100:,} JPY" in rest.text
    assert "Approved and carried out." in approve(cai, rest).text
    assert credited(op3, bill) == -bill.net.minor
    with op3.begin() as tx:
        after = ledger.balance(tx, code="receivable/shop/JPY")
        assert ledger.verify(tx).ok
    assert before - bill.total == after
    assert mia.send(whole, {"why": "once more"}).status == 422


def credited(node: Node, bill: Bill) -> int:
    """What the credit notes of its month come to, net, in minor units."""
    with node.begin() as tx:
        notes = billing.bills(tx, buyer=bill.buyer, period=bill.period)
    return sum(one.net.minor for one in notes if one.kind_of == "credit-note")


def test_a_dispute_that_is_not_there(debtor: Visitor, invoice: Held) -> None:
    assert debtor.open("/disputes/dsp_nothing").status == 404
    assert debtor.open(f"/disputes/new?statement={invoice.id}&line=999").status == 404
    assert debtor.send("/disputes/dsp_nothing/act", {"act": "explode"}).status == 404
