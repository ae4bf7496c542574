"""From an invoice to the call to the posting: the same amount at every step."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest

from hansa.foundation.money import Money
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill
from hansa.node import Node
from tests.databases import Pool
from tests.entrypoints.portal.finance.calling import calling
from tests.entrypoints.portal.visitor import Shown, Visitor, enter
from tests.lifecycle.usage.stage import NOVEMBER, SHOP

pytest.importorskip("duckdb")


@pytest.fixture(scope="module")
def node(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with calling(pool, tmp_path_factory.mktemp("mtn")) as made:
        yield made


@pytest.fixture(scope="module")
def fin(node: Node) -> Visitor:
    return Visitor(node).sign_in(enter(node, "fin", "finance"))


@pytest.fixture(scope="module")
def bill(node: Node) -> Bill:
    with node.begin() as tx:
        (found,) = billing.bills(tx, buyer=SHOP, period=NOVEMBER)
    return found


def amounts(shown: Shown, path: str) -> list[Decimal]:
    return [Decimal(one.split()[0].replace(",", "")) for one in shown.all(path)]


def hrefs(shown: Shown, part: str) -> list[str]:
    return [one for one in shown.tree.xpath("//main//a/@href") if part in one]


def test_from_the_invoice_to_the_call_and_the_posting(fin: Visitor, bill: Bill) -> None:
    listed = fin.open("/invoices?party=shop&month=2026-11&currency=zar&to=customers")
    (row,) = listed.rows()
    assert row[0] == bill.number == "MTN-2026-000001"
    assert row[-1] == f"{bill.total.amount:,.2f} ZAR"
    paper = fin.open(*hrefs(listed, bill.id))
    lines = paper.rows()
    assert sum(Decimal(one[3].split()[0].replace(",", "")) for one in lines) == bill.net.amount
    calls_to = next(line for line in bill.lines if "/usage/" in line.key)
    number = bill.lines.index(calls_to) + 1
    line = fin.open(f"/invoices/{bill.id}/lines/{number}")
    assert f"The line says the same: {calls_to.net.amount:,.2f} ZAR" in line.text
    behind = fin.open(*hrefs(line, "/calls"))
    assert "These calls come to exactly what the line was rated at" in behind.text
    each = amounts(behind, "//tbody//td[last()]")
    exact = Money.of(round(sum(each, Decimal()), 2), "ZAR")
    assert exact == calls_to.net
    event = fin.open(hrefs(behind, "/events")[0])
    assert "These steps come to exactly what was stored." in event.text
    assert f"{each[0].normalize():f}" in event.text
    entry = fin.open(hrefs(line, "/ledger/entries/")[0])
    legs = {one[0]: one[3] for one in entry.rows()}
    assert legs["receivable/shop/ZAR"] == f"{bill.total.amount:,.2f} ZAR"
    assert fin.open(*hrefs(entry, "/invoices/")[:1]).heading == bill.number


def test_what_the_books_hold_is_what_is_open(fin: Visitor, bill: Bill) -> None:
    account = fin.open("/ledger/account?code=receivable/shop/ZAR")
    assert account.rows()[-1][-1] == f"{bill.total.amount:,.2f} ZAR"


def test_a_line_that_is_not_there(fin: Visitor, bill: Bill) -> None:
    for path in ("lines/99", "lines/0", "lines/x", "lines/99999999999", "lines/1/calls/x"):
        assert fin.open(f"/invoices/{bill.id}/{path}").status == 404
    assert fin.open("/invoices/bil_nothing").status == 404
    assert fin.open("/events?number=12345678901234567").status == 404
    assert fin.open("/invoices?month=yesterday").status == 422


def test_files_of_an_invoice(fin: Visitor, bill: Bill) -> None:
    csv = fin.open(f"/invoices/{bill.id}/as/csv").answer
    assert csv.headers["content-disposition"] == 'attachment; filename="MTN-2026-000001.csv"'
    last = csv.text.strip().splitlines()[-1].split(",")
    assert Decimal(last[-1]) == bill.total.amount
    assert len(csv.text.strip().splitlines()) == len(bill.lines) + 2
    xlsx = fin.open(f"/invoices/{bill.id}/as/xlsx").answer.content
    assert "xl/worksheets/sheet2.xml" in ZipFile(BytesIO(xlsx)).namelist()
    assert fin.open(f"/invoices/{bill.id}/as/pdf").answer.content.startswith(b"%PDF")
    ubl = fin.open(f"/invoices/{bill.id}/as/ubl").answer.text
    assert f">{bill.total.amount:.2f}</cbc:PayableAmount>" in ubl
    assert fin.open(f"/invoices/{bill.id}/as/exe").status == 404


def test_a_file_that_this_installation_cannot_make(
    fin: Visitor, bill: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "typst", None)
    shown = fin.open(f"/invoices/{bill.id}/as/pdf")
    assert shown.status == 422
    assert "install hansa[papers]" in shown.text


def test_who_sells_sees_no_invoices(node: Node, bill: Bill) -> None:
    sal = Visitor(node).sign_in(enter(node, "sal", "sales"))
    for path in ("/invoices", f"/invoices/{bill.id}", f"/invoices/{bill.id}/as/csv", "/events"):
        assert sal.open(path).status == 403
