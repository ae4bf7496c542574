"""Invoices and credit notes as UBL, held against the published schemas and rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hansa.entrypoints.papers import invoice as papers
from hansa.entrypoints.papers import ubl
from hansa.entrypoints.papers.invoice import Invoice, Preceding, Side
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Party
from hansa.lifecycle.billing.model import Bill, BillLine
from hansa.lifecycle.clearing.model import Particulars
from tests.entrypoints.papers.bills import SAMPA, TEJO, bill, draft, line
from tests.entrypoints.papers.official import against_en16931, against_totals, against_ubl

LEGEND = "Autoliquidação: IVA devido pelo adquirente."
EVERY_TAX = [
    line(123_456, bp=2_300),
    line(-5_001, bp=2_300, name="Crédito de serviço"),
    line(70_000, code="reverse-charge", legend=LEGEND),
    line(1_999, code="exempt", unit="part month"),
    line(42, bp=600, quantity="12345.678", unit="min"),
    line(7, quantity="0", unit="record", name="=cmd|'/c calc'!A1 <&>\x07"),
]
NUMBERS = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


def of(
    lines: list[BillLine], *, currency: str = "EUR", preceding: Preceding | None = None
) -> Invoice:
    return papers.of_bill(
        bill(lines, currency=currency),
        seller=TEJO,
        buyer=SAMPA,
        statement="stm_1",
        preceding=preceding,
    )


def problems(document: bytes) -> list[str]:
    return [*against_ubl(document), *against_en16931(document)]


@pytest.mark.parametrize("peppol", [True, False])
def test_an_invoice_with_every_tax_stands_up_to_schema_and_rules(peppol: bool) -> None:
    document = ubl.write(of(EVERY_TAX), peppol=peppol)
    assert problems(document) == []
    assert not peppol or against_totals(document) == []
    text = document.decode()
    for wanted in (
        "<cbc:ID>TEJO-2026-000007</cbc:ID>",
        "<cbc:ID>agr_1 version 2</cbc:ID>",
        "<cbc:ID>stm_1</cbc:ID>",
        "<cbc:EndDate>2026-11-30</cbc:EndDate>",
        "<cbc:TaxExemptionReasonCode>VATEX-EU-AE</cbc:TaxExemptionReasonCode>",
        LEGEND,
        "<cbc:CompanyID>BR12.345.678/0001-95</cbc:CompanyID>",
    ):
        assert wanted in text
    assert (ubl.PEPPOL in text) is peppol


def test_what_is_owed_back_is_a_credit_note() -> None:
    document = ubl.write(of([line(-123_456, bp=2_300), line(456, bp=2_300)]), peppol=True)
    root = etree.fromstring(document)
    assert root.tag.endswith("}CreditNote")
    assert root.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", None, NUMBERS) == "1512.90"
    assert problems(document) == []


def test_a_credit_note_names_what_it_corrects() -> None:
    paper = of([line(500, bp=2_300)], preceding=Preceding("TEJO-2026-000001", date(2026, 10, 1)))
    document = ubl.write(paper, peppol=True)
    assert problems(document) == []
    root = etree.fromstring(document)
    at = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"
    assert root.findtext(at, None, NUMBERS) == "TEJO-2026-000001"


def test_the_rules_bite() -> None:
    """Each of the three judges finds what is broken for it."""
    good = ubl.write(of(EVERY_TAX), peppol=True).decode()
    disordered = good.replace("cbc:IssueDate", "cbc:DueDate")
    assert against_ubl(disordered.encode())
    wrong_sum = good.replace(
        '<cbc:PayableAmount currencyID="EUR">', '<cbc:PayableAmount currencyID="EUR">9'
    )
    assert any("BR-CO-16" in one for one in against_totals(wrong_sum.encode()))
    assert any("BR-CO-16" in one for one in against_en16931(wrong_sum.encode()))
    no_such_code = good.replace("VATEX-EU-AE", "BECAUSE")
    assert any("BR-CL-22" in one for one in against_en16931(no_such_code.encode()))


def test_currencies_without_minor_units() -> None:
    document = ubl.write(of([line(123_456, bp=1_800, currency="UGX")], currency="UGX"), peppol=True)
    assert problems(document) == []
    assert b'<cbc:PayableAmount currencyID="UGX">145678</cbc:PayableAmount>' in document


LINES = st.builds(
    lambda net, bp, quantity: line(net, bp=bp, quantity=quantity, unit="GB"),
    st.integers(-(10**9), 10**11).filter(bool),
    st.sampled_from([0, 600, 1_300, 2_300]),
    st.decimals("0.001", "1e9", places=3).map(str),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30))
def test_any_bill_adds_up(lines: list[BillLine]) -> None:
    """Price times quantity over base is each line to the cent; sums are the bill's own."""
    paper = of(lines)
    root = etree.fromstring(ubl.write(paper, peppol=True))
    kind = "Credited" if paper.kind == "credit-note" else "Invoiced"
    for found in (
        *root.findall("cac:InvoiceLine", NUMBERS),
        *root.findall("cac:CreditNoteLine", NUMBERS),
    ):
        number = {
            name: Decimal(found.findtext(name, "", NUMBERS))
            for name in (
                f"cbc:{kind}Quantity",
                "cbc:LineExtensionAmount",
                "cac:Price/cbc:PriceAmount",
                "cac:Price/cbc:BaseQuantity",
            )
        }
        quantity, net, price, base = number.values()
        assert price >= 0 and quantity * price / base == net
    assert Decimal(root.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", "", NUMBERS)) == abs(
        bill(lines).total.amount
    )
    assert against_ubl(ubl.write(paper, peppol=True)) == []


def refusal(of_this: Bill, seller: Side = TEJO, buyer: Side = SAMPA, *, peppol: bool = True) -> str:
    with pytest.raises(Refused) as refused:
        ubl.write(papers.of_bill(of_this, seller=seller, buyer=buyer), peppol=peppol)
    return refused.value.code


def test_what_is_not_exported() -> None:
    nobody = Side(Party(PartyId("new"), "New", "PT", "EUR"), Particulars(PartyId("new")))
    reverse = bill([line(1, code="reverse-charge")])
    assert refusal(draft()) == "bill-draft"
    assert refusal(bill([line(1)]), seller=nobody) == "tax-number-missing"
    assert refusal(reverse, buyer=nobody) == "tax-number-missing"
    assert refusal(bill([line(1)]), buyer=nobody) == "endpoint-missing"
    assert refusal(bill([line(1, currency="TND")], currency="TND")) == "paper-currency"
    many = [replace(line(100), rate_bp=40, tax=line(1).net) for _ in range(170)]
    assert refusal(bill(many)) == "paper-tax"


def test_a_tax_number_bears_its_country_once() -> None:
    greek = Party(PartyId("hellas"), "Hellas", "GR", "EUR", "123 456")
    assert Side(greek, Particulars(greek.id)).vat_id == "EL123456"
    assert TEJO.vat_id == "PT501442600"
