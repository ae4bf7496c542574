"""Statements on pages: read down to posting, compared, and confirmed by a second person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hansa.federation.papers import Difference
from hansa.foundation.money import Money
from hansa.foundation.people.actions import audit
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import BillFilter
from hansa.lifecycle.settlement.actions import looking, statements
from hansa.lifecycle.settlement.model import Held, StatementFilter
from hansa.lifecycle.settlement.store import papers
from hansa.node import Node
from tests.alliance import Alliance
from tests.entrypoints.portal.visitor import Visitor
from tests.journeys.month import NOVEMBER, OP1


@pytest.fixture(scope="module")
def fin(op2: Node, come: Callable[..., Visitor]) -> Visitor:
    return come(op2, "fin", "finance", "approver")


@pytest.fixture(scope="module")
def cai(op2: Node, come: Callable[..., Visitor]) -> Visitor:
    return come(op2, "cai", "approver")


@pytest.fixture
def heard(op2: Node) -> Held:
    """What OP1 has stated to OP2, which confirms by hand."""
    with op2.begin() as tx:
        (found,) = statements.find(tx, direction="heard", partner=OP1, period=NOVEMBER)
    return found


def test_a_statement_is_found_and_read(fin: Visitor, heard: Held) -> None:
    listed = fin.open("/statements?party=op1&direction=heard&month=2026-11&currency=GBP")
    (row,) = listed.rows()
    total = f"{heard.total.amount:,.2f} GBP"
    assert row[:5] == ["op1", "November 2026", "Services", "Received", "Issued"]
    assert row[6] == total
    shown = fin.open(f"/statements/{heard.id}")
    assert shown.heading == f"op2 owes op1 {total}"
    assert "Not one line differs" in shown.text
    assert len(shown.rows()) == len(heard.statement.lines)
    monthly = next(n for n, one in enumerate(heard.statement.lines, 1) if "monthly@" in one.key)
    line = fin.open(f"/statements/{heard.id}/lines/{monthly}")
    net = heard.statement.lines[monthly - 1].net
    assert f"The line says the same: {net.amount:,.2f} GBP" in line.text
    usage = next(n for n, one in enumerate(heard.statement.lines, 1) if "/usage/" in one.key)
    steps = fin.open(f"/statements/{heard.id}/lines/{usage}").all("//ol[not(@class)]/li")
    assert steps[0] == "Rule: 95th percentile"
    assert steps[-1] == f"Rounded half up once: {net_of(heard, usage)}."
    assert fin.open(f"/statements/{heard.id}/as/csv").answer.text.count("GBP") > 2
    assert fin.open(f"/statements/{heard.id}/as/pdf").status == 404
    assert fin.open("/statements/stm_nothing").status == 404


def net_of(heard: Held, number: int) -> str:
    return f"{heard.statement.lines[number - 1].net.amount:,.2f} GBP"


def test_a_differing_line_is_accepted_with_a_reason(
    fin: Visitor, cai: Visitor, op2: Node, heard: Held
) -> None:
    key = heard.statement.lines[0].key
    less = Money(heard.statement.lines[0].net.minor - 7, "GBP")
    theirs = heard.statement.lines[0].net
    differs = Difference(key, "a line", theirs=theirs, ours=less)
    with op2.begin() as tx:
        papers.update(tx, replace(heard, differences=(differs,)))
    shown = fin.open(f"/statements/{heard.id}")
    (row, *_) = shown.rows()
    assert row[1:3] == [f"{theirs.amount:,.2f} GBP", f"{less.amount:,.2f} GBP"]
    action = f"/statements/{heard.id}/accept"
    assert cai.send(action, {"key": key, "why": "so be it"}).status == 403
    assert fin.send(action, {**shown.form(action), "why": " "}).status == 422
    done = fin.send(action, {**shown.form(action), "why": "our meter was off"})
    assert "by fin: our meter was off" in done.text
    fin.send(f"/statements/{heard.id}/compare")
    assert "Not one line differs" in fin.open(f"/statements/{heard.id}").text


def test_one_proposes_and_another_confirms(
    fin: Visitor, cai: Visitor, op1: Node, op2: Node, heard: Held, alliance: Alliance
) -> None:
    page = f"/statements/{heard.id}"
    assert fin.send(f"{page}/confirm", {"why": ""}).status == 422
    assert cai.send(f"{page}/confirm", {"why": "I say so"}).status == 403
    proposed = fin.send(f"{page}/confirm", {"why": "all lines agree"})
    for words in ("op1", "November 2026", f"{heard.total.amount:,.2f} GBP"):
        assert words in proposed.text
    assert heard.statement.fingerprint in proposed.text
    assert "somebody else has to approve it" in proposed.text
    path = proposed.answer.url.path
    form = {"fingerprint": proposed.all("//dl//code")[-1], "why": ""}
    assert fin.send(f"{path}/approve", form).status == 422
    assert fin.send(f"{page}/confirm", {"why": "once more"}).status == 422
    seen = cai.open(path)
    done = cai.send(f"{path}/approve", seen.form(f"{path}/approve"))
    assert "Approved and carried out." in done.text
    with op2.begin() as tx:
        assert looking.bare(tx, statement=heard.id).state == "confirmed"
        (entry, *_) = audit.trail(tx, action="proposal-approved")
    assert entry.who == "cai"
    alliance.work()
    invoiced = fin.open(page)
    assert "Invoiced" in invoiced.text
    legs = {row[0]: row[1] for row in invoiced.rows(table=1)}
    assert legs["payable/op1/GBP"] == f"-{heard.total.amount:,.2f} GBP"
    (booked,) = fin.open("/invoices/received?party=op1").rows()
    assert booked[-1] == f"{heard.total.amount:,.2f} GBP"
    with op1.begin() as tx:
        (bill, *_) = billing.page(tx, wanted=BillFilter(party=op2.us.id), limit=9).things
    assert booked[0] == bill.number
    assert bill.total == heard.total


def test_a_statement_that_changed_is_not_confirmed(
    fin: Visitor, cai: Visitor, op2: Node, op3: Node, come: Callable[..., Visitor]
) -> None:
    with op2.begin() as tx:
        found = looking.page(tx, wanted=StatementFilter(direction="issued"), limit=9)
    ours = found.things[0]
    assert fin.send(f"/statements/{ours.id}/confirm", {"why": "ours"}).status == 404


def test_yen_have_no_decimals(op3: Node, come: Callable[..., Visitor]) -> None:
    yen = come(op3, "yen", "finance")
    (row,) = yen.open("/invoices?currency=JPY").rows()
    with op3.begin() as tx:
        (bill,) = billing.page(tx, wanted=BillFilter(), limit=9).things
    assert row[-1] == f"{bill.total.minor:,} JPY"
    assert "." not in row[-1]
    refused = yen.open(f"/invoices/{bill.id}/as/csv").answer.text.strip().splitlines()[-1]
    assert refused.endswith(f",{bill.total.minor}")
