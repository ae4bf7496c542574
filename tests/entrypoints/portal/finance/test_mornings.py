"""What finance does in the morning: nets a month, answers plans, orders what is due; each once."""

from __future__ import annotations

import pytest

from hansa.foundation.ids import PartyId
from hansa.foundation.people.actions import audit
from hansa.ledger import actions as ledger
from hansa.lifecycle.clearing.actions import centre, netting, payments
from hansa.lifecycle.clearing.model import PartState, RoundState
from hansa.lifecycle.settlement.actions import positions, statements
from hansa.node import Node
from tests.alliance import Alliance
from tests.entrypoints.portal.visitor import Shown, Visitor
from tests.journeys.month import NOVEMBER, OP1, OP2

IBAN = "GB82WEST12345698765432"
NET = "/netting/net?month=2026-11"
PAY = "/payments/orders?month=2026-11"


@pytest.fixture
def op1(two: Alliance) -> Node:
    return two.nodes[OP1]


@pytest.fixture
def op2(two: Alliance) -> Node:
    """It owes OP1 what that has invoiced."""
    node = two.nodes[OP2]
    with node.begin() as tx:
        (heard,) = statements.find(tx, direction="heard", partner=OP1, period=NOVEMBER)
        statements.confirm(
            tx, us=node.us, statement=heard.id, keys=node.keys, ids=node.ids, now=node.clock.now()
        )
    two.work()
    return node


@pytest.fixture
def fin(op2: Node) -> Visitor:
    return Visitor(op2).sign_in("fin")


@pytest.fixture
def cai(op2: Node) -> Visitor:
    return Visitor(op2).sign_in("cai")


def done(node: Node, action: str) -> list[tuple[str, str]]:
    """Who did such a thing to what, the newest first."""
    with node.begin() as tx:
        return [(one.who, one.subject) for one in audit.trail(tx, action=action, limit=9)]


# --- netting a month ------------------------------------------------------------------------------


def test_what_is_held_out_is_not_netted(two: Alliance) -> None:
    fin = Visitor(two.nodes[OP2]).sign_in("fin")
    shown = fin.open("/netting")
    assert "held out" in shown.text
    assert not shown.all(f"//form[@action='{NET}']")
    assert "Nothing was left to be netted." in fin.send(NET).text


def test_a_month_is_netted_once_however_often_it_is_pressed(
    op2: Node, fin: Visitor, cai: Visitor
) -> None:
    assert not cai.open("/netting").all(f"//form[@action='{NET}']")
    assert cai.send(NET).status == 403
    netted = fin.send(NET, fin.open("/netting").form(NET))
    assert "1 netting is made and posted." in netted.text
    assert "netting/2026-11/op1/GBP/1" in netted.text
    assert not netted.all(f"//form[@action='{NET}']")
    with op2.begin() as tx:
        entries = ledger.head(tx).entries
    assert "Nothing was left to be netted." in fin.send(NET).text
    with op2.begin() as tx:
        assert ledger.head(tx).entries == entries
        assert len(positions.nettings(tx, period=NOVEMBER)) == 1
    assert done(op2, "month-netted") == [("fin", "2026-11")] * 2
    assert fin.send("/netting/net?month=soon").status == 422


# --- paying ---------------------------------------------------------------------------------------


def test_what_is_due_is_ordered_once_however_often_it_is_pressed(
    op2: Node, fin: Visitor, cai: Visitor
) -> None:
    fin.send(NET)
    page = "/payments?month=2026-11"
    assert "No bank account that counts: op1, op2" in fin.open(page).text
    assert not fin.open(page).all(f"//form[@action='{PAY}']")
    for party in (OP1, OP2):
        know(op2, party)
    assert not cai.open(page).all(f"//form[@action='{PAY}']")
    form = fin.open(page).form(PAY)
    assert form["on"] == "2026-12-01"
    assert cai.send(PAY, form).status == 403
    for day in ("soon", "2026-11-30"):
        refused = fin.send(PAY, form | {"on": day})
        assert refused.status == 422
        assert refused.all("//*[@id='on-GBP-error']"), "the field is named"
        assert refused.form(PAY)["on"] == day, "what was typed is kept"
    other = fin.send(PAY, form | {"total": "1"})
    assert other.status == 422 and "not what you were shown" in other.text
    assert fin.send(PAY, form | {"currency": "EUR"}).status == 422
    assert done(op2, "payments-ordered") == []
    given = fin.send(PAY, form | {"on": "2026-12-03"})
    assert "Hand the file to the bank." in given.text
    (row,) = given.rows()
    assert row[0] == "op1"
    again = fin.send(PAY, form)
    assert again.status == 422 and "Nothing of 2026-11 is due" in again.text
    with op2.begin() as tx:
        assert payments.orders(tx, limit=9).total == 1
    assert done(op2, "payments-ordered") == [("fin", "2026-11/GBP")]


def know(node: Node, party: PartyId) -> None:
    with node.begin() as tx:
        made = payments.enter_account(
            tx, party=party, holder=party, number=IBAN, bic="BARCGB22", by="fin", ids=node.ids,
            now=node.clock.now(),
        )  # fmt: skip
        payments.confirm_account(tx, account=made.id, number=IBAN, by="cai", now=node.clock.now())


# --- netting among many ---------------------------------------------------------------------------


def called(node: Node) -> Shown:
    """The centre's people call a round for November."""
    fin = Visitor(node).sign_in("fin")
    form = fin.open("/netting/rounds").form("/netting/rounds")
    assert form["period"] == "2026-11"
    return fin.send("/netting/rounds", form)


def test_a_round_is_called_by_its_centre_and_once(two: Alliance, op1: Node, fin: Visitor) -> None:
    lead = Visitor(op1).sign_in("fay")
    form = lead.open("/netting/rounds").form("/netting/rounds")
    for wrong in ("agreement", "period", "currency"):
        refused = lead.send("/netting/rounds", form | {wrong: "no such"})
        assert refused.status == 422
        assert refused.all(f"//*[@id='f-{wrong}-error']"), "the field is named"
    assert not fin.open("/netting/rounds").all("//main//form")
    assert fin.send("/netting/rounds", form).status == 422
    shown = called(op1)
    assert shown.rows(0) == [["op1", "Asked", "0", ""], ["op2", "Asked", "0", ""]]
    assert called(op1).answer.url == shown.answer.url
    with op1.begin() as tx:
        (made,) = centre.rounds(tx)
    assert shown.answer.url.path == f"/netting/rounds/{made.id}"
    (listed,) = lead.open("/netting/rounds").rows()
    assert listed[:4] == ["November 2026", "op1", "GBP", "Called"]
    assert Visitor(op1).sign_in("cai").send("/netting/rounds", form).status == 403


def test_a_plan_is_signed_as_it_was_shown_and_posted_once_all_have(
    two: Alliance, op1: Node, op2: Node, fin: Visitor, cai: Visitor
) -> None:
    page = called(op1).answer.url.path
    two.work()
    assert "Netting plans to answer" in fin.open("/overview").text
    (listed,) = fin.open("/netting/rounds").rows()
    assert listed[3] == "Proposed"
    form = fin.open(page).form(f"{page}/sign")
    assert not cai.open(page).all("//main//form")
    assert cai.send(f"{page}/sign", form).status == 403
    stale = fin.send(f"{page}/sign", {"attempt": "0"})
    assert stale.status == 422 and "another plan" in stale.text
    signed = fin.send(f"{page}/sign", form)
    assert "We have signed." in signed.text and not signed.all("//main//form")
    assert "We have signed." in fin.send(f"{page}/sign", form).text
    late = fin.send(f"{page}/refuse", form | {"why": "on second thoughts"})
    assert late.status == 422 and "We have signed this plan" in late.text
    two.work()
    lead = Visitor(op1).sign_in("fay")
    seats = {row[0]: row[1] for row in lead.open(page).rows(-1)}
    assert seats == {"op1": "Offered", "op2": "Signed"}
    lead.send(f"{page}/sign", lead.open(page).form(f"{page}/sign"))
    two.work()
    shown = fin.open(page)
    assert "Settled" in shown.text and not shown.all("//main//form")
    with op2.begin() as tx:
        assert ledger.balance(tx, code="payable/op1/GBP").minor == 0
        assert ledger.balance(tx, code="settlement/op1/GBP").minor < 0
    with op1.begin() as tx:
        (made,) = centre.rounds(tx)
    assert made.state is RoundState.SETTLED
    assert fin.send(f"{page}/refuse", form | {"why": "x"}).status == 422


def test_a_plan_is_refused_with_a_reason_that_the_centre_reads(
    two: Alliance, op1: Node, op2: Node, fin: Visitor
) -> None:
    page = called(op1).answer.url.path
    two.work()
    form = fin.open(page).form(f"{page}/refuse")
    silent = fin.send(f"{page}/refuse", form | {"why": " "})
    assert silent.status == 422 and silent.all("//*[@id='f-why-error']")
    for why in ("an invoice is in doubt", "pressed again"):
        assert "we say no" in fin.send(f"{page}/refuse", form | {"why": why}).text
    with op2.begin() as tx:
        (part,) = netting.parts(tx)
    assert (part.state, part.why) == (PartState.REFUSED, "an invoice is in doubt")
    two.work()
    shown = Visitor(op1).sign_in("fin").open(page)
    assert ["op2", "Left out", "1", "an invoice is in doubt"] in shown.rows(-1)
