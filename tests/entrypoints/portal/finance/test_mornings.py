"""What finance does in the morning: nets a month, answers plans, orders what is due; each once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.people.actions import audit
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill, BillFilter, BillState
from hansa.lifecycle.clearing.actions import centre, netting, payments
from hansa.lifecycle.clearing.model import PartState, RoundState
from hansa.lifecycle.settlement.actions import credit_notes, customers, positions, statements
from hansa.node import Node
from tests.alliance import SHOP, Alliance
from tests.entrypoints.portal.visitor import Shown, Visitor, enter
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


# --- customers who have paid ----------------------------------------------------------------------


def bill_of(node: Node) -> Bill:
    """The shop's invoice for November."""
    with node.begin() as tx:
        found = billing.page(tx, wanted=BillFilter(party=SHOP), limit=9).things
    return next(one for one in found if one.kind_of == "services")


def balance(node: Node, code: str) -> Money:
    with node.begin() as tx:
        return ledger.balance(tx, code=code)


def credited(node: Node, bill: Bill, minor: int) -> None:
    with node.begin() as tx:
        key = next(iter(credit_notes.left_of(tx, invoice=bill.id)))
        credit_notes.for_customer(
            tx, invoice=bill.id, lines=[(key, Money(minor, "GBP"))], ids=node.ids,
            now=node.clock.now(),
        )  # fmt: skip


def test_what_a_customer_has_paid_is_noted_once(two: Alliance) -> None:
    node = two.nodes[OP2]
    fin, bill = Visitor(node).sign_in("fin"), bill_of(node)
    page = f"/invoices/{bill.id}"
    (way,) = [one for one in fin.open(page).tree.xpath("//a/@href") if one.endswith("/paid")]
    form = fin.open(way).form(way) | {"reference": "transfer 4711"}
    assert form["amount"] == f"{bill.total.amount}"
    assert Visitor(node).sign_in("cai").send(way, form).status == 403
    for field, typed in (
        ("amount", "1.00"), ("amount", "much"), ("on", "2026-12-02"), ("on", "soon"),
        ("reference", " "),
    ):  # fmt: skip
        refused = fin.send(way, form | {field: typed})
        assert refused.status == 422
        assert refused.all(f"//*[@id='f-{field}-error']"), "the field is named"
    assert done(node, "payment-noted") == []
    noted = fin.send(way, form)
    assert "It is noted and posted." in noted.text and "Settled" in noted.text
    assert "It was noted before." in fin.send(way, form).text
    assert "Nothing is open of it" in fin.open(way).text
    assert balance(node, "bank/GBP") == bill.total
    assert balance(node, "receivable/shop/GBP").minor == 0
    (entry,) = [one for one in noted.tree.xpath("//dl//a/@href") if "/ledger/entries/" in one]
    assert "transfer 4711" in fin.open(entry).text
    enter(node, "sue", "customer", party=SHOP)
    assert [row[4] for row in Visitor(node).sign_in("sue").open("/my/bills").rows()] == ["Settled"]


def test_what_was_credited_is_taken_off_and_what_is_credited_later_is_paid_back(
    two: Alliance,
) -> None:
    node = two.nodes[OP2]
    fin, bill = Visitor(node).sign_in("fin"), bill_of(node)
    way = f"/invoices/{bill.id}/paid"
    credited(node, bill, 500)
    shown = fin.open(way)
    numbers = [row[0] for row in shown.rows()]
    assert numbers[0] == bill.number and "-CN-" in numbers[1]
    fin.send(way, shown.form(way) | {"reference": "one"})
    left = balance(node, "bank/GBP")
    assert left < bill.total and balance(node, "receivable/shop/GBP").minor == 0
    credited(node, bill, 300)
    with node.begin() as tx:
        found = billing.page(tx, wanted=BillFilter(party=SHOP), limit=9).things
    (note,) = [one for one in found if one.state is BillState.VALIDATED]
    back = f"/invoices/{note.id}/paid"
    form = fin.open(back).form(back)
    assert form["amount"].startswith("-")
    fin.send(back, form | {"reference": "back"})
    assert balance(node, "bank/GBP") == left + note.total
    assert balance(node, "receivable/shop/GBP").minor == 0


def test_two_who_note_a_payment_in_the_same_moment_note_it_once(two: Alliance) -> None:
    node = two.nodes[OP2]
    bill = bill_of(node)

    def note(tx: Transaction) -> int:
        day = node.clock.now().date()
        settled = customers.paid(
            tx, bill=bill.id, amount=bill.total, on=day, reference="x", ids=node.ids,
            now=node.clock.now(),
        )  # fmt: skip
        return len(settled)

    def other() -> int:
        with node.begin() as tx:
            return note(tx)

    with ThreadPoolExecutor(1) as thread:
        with node.begin() as tx:
            assert note(tx) == 1
            second = thread.submit(other)
            with pytest.raises(TimeoutError):
                second.result(0.1)
        assert second.result(10) == 0


def test_what_a_partner_owes_is_not_noted_so(op1: Node, op2: Node) -> None:
    fin = Visitor(op1).sign_in("fin")
    with op1.begin() as tx:
        (bill,) = billing.page(tx, wanted=BillFilter(party=op2.us.id), limit=9).things
    assert "/paid" not in fin.open(f"/invoices/{bill.id}").answer.text
    refused = fin.send(
        f"/invoices/{bill.id}/paid", {"amount": "1", "on": "2026-12-01", "reference": "x"}
    )
    assert refused.status == 422 and "what partners owe is netted" in refused.text
