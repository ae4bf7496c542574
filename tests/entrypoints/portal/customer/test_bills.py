"""What a customer owes, on pages and in files."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from hansa.entrypoints.portal.pages.customer.bills import slug
from hansa.foundation.ids import BillId
from hansa.foundation.money import Money
from hansa.lifecycle.settlement.actions import credit_notes
from tests.entrypoints.portal.customer.world import World
from tests.entrypoints.portal.visitor import Visitor


def bill(shop: Visitor) -> str:
    """The address of the one bill that there is."""
    (href,) = shop.open("/my/bills").tree.xpath("//table//a/@href")
    assert isinstance(href, str)
    return href


def test_bills_are_listed_with_what_is_due(world: World, shop: Visitor) -> None:
    (row,) = shop.open("/my/bills?state=due").rows()
    assert row[1] == "November 2026"
    assert row[4] == "To be paid"
    assert row[3].endswith("GBP")


def credited(world: World, bill: str, pence: int | None = None) -> str:
    """Takes back so much, net, of the first line of a bill, else all of it; the note's number."""
    node, id = world.node, BillId(bill.rpartition("/")[2])
    with node.begin() as tx:
        left = credit_notes.left_of(tx, invoice=id)
        lines = [] if pence is None else [(next(iter(left)), Money(pence, "GBP"))]
        note = credit_notes.for_customer(
            tx, invoice=id, lines=lines, ids=node.ids, now=node.clock.now()
        )
    return note.number


def test_a_credit_note_is_told_as_a_credit(world: World, shop: Visitor) -> None:
    paper = bill(shop)
    (before,) = shop.open("/my/bills?state=due").rows()
    number = credited(world, paper, pence=100)
    rows = {row[0]: row for row in shop.open("/my/bills?state=due").rows()}
    assert rows[before[0]] == before
    credit = rows[f"{number} Credit note"]
    assert credit[3:] == ["-1.20 GBP", "In your favour"]
    shown = shop.open("/my")
    assert shown.all("//p[@class='figure-value']")[2] == "1", "a credit is no bill to be paid"
    owed = float(before[3].split()[0].replace(",", "")) - 1.2
    assert f"{owed:,.2f} GBP, credits taken off" in shown.text
    (href,) = shop.open("/my/bills").tree.xpath(f"//table//a[text()='{number}']/@href")
    note = shop.open(href)
    assert note.heading == f"Credit note {number}"
    assert "In your favour" in note.text and "To be paid" not in note.text
    assert "lowers what you have to pay" in note.text


def test_what_is_credited_whole_is_not_due(world: World, shop: Visitor) -> None:
    credited(world, bill(shop))
    assert "0.00 GBP, credits taken off" in shop.open("/my").text


def test_every_line_of_a_bill_says_why_it_is_there(world: World, shop: Visitor) -> None:
    shown = shop.open(bill(shop))
    rows = shown.rows()
    assert any("Due once, when the service began" in row[0] for row in rows)
    assert any("for the part of the month in which you had it" in row[0] for row in rows)
    assert any("What you have used" in row[0] for row in rows)
    assert f"/my/services/{world.holdings[0]}" in shown.answer.text


def test_a_bill_is_asked_about_in_a_ticket(world: World, shop: Visitor) -> None:
    shown = shop.open(bill(shop))
    (href,) = shown.tree.xpath("//a[contains(@href, 'new?bill=')]/@href")
    form = shop.open(href).form("/my/tickets/new")
    told = shop.send("/my/tickets/new", {**form, "description": "Why so much?"})
    assert told.heading.startswith("Bill ACME-2026-")


def test_a_bill_comes_as_csv_under_the_brand(world: World, shop: Visitor) -> None:
    answer = shop.open(f"{bill(shop)}/csv").answer
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "blue-whale-invoice-2026-00000" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) > 4 and rows[-1]["line"] == "Total"
    shown = shop.open(bill(shop))
    assert f"{rows[-1]['total']} GBP".replace(",", "") in shown.text.replace(",", "")


def test_a_bill_comes_as_a_pdf_under_the_brand(world: World, shop: Visitor) -> None:
    answer = shop.open(f"{bill(shop)}/pdf").answer
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-disposition"].endswith('.pdf"')
    assert "blue-whale-invoice-2026-" in answer.headers["content-disposition"]


def test_names_of_files_are_plain() -> None:
    assert slug("Ação & Filhos, S.A.") == "acao-filhos-s-a"
    assert slug("日本") == "bill"


def test_a_bill_without_what_a_paper_needs_tells_its_debtor_what_to_do(
    world: World, shop: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.node, "us", replace(world.node.us, tax_id=""))
    shown = shop.open(f"{bill(shop)}/pdf")
    assert shown.status == 422
    assert "Ask us for it, and we send it." in shown.text
