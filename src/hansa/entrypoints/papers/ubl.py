"""An invoice or credit note as UBL 2.1 (ISO/IEC 19845), by EN 16931 or Peppol BIS Billing 3.0."""

from __future__ import annotations

import re
from decimal import Decimal
from xml.etree import ElementTree as ET

from hansa.entrypoints.papers.invoice import PIECE, Invoice, Item, Side, TaxGroup
from hansa.foundation.errors import Refused
from hansa.foundation.money import Money

OASIS = "urn:oasis:names:specification:ubl:schema:xsd"
NAMESPACES = {
    "cac": f"{OASIS}:CommonAggregateComponents-2",
    "cbc": f"{OASIS}:CommonBasicComponents-2",
}
EN_16931 = "urn:cen.eu:en16931:2017"
PEPPOL = f"{EN_16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
REVERSE = "VATEX-EU-AE"

_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""


def write(invoice: Invoice, *, peppol: bool) -> bytes:
    """The document in UTF-8. peppol: by BIS Billing 3.0, which needs both electronic addresses.

    Raises Refused `endpoint-missing`.
    """
    credit = invoice.kind == "credit-note"
    name = "CreditNote" if credit else "Invoice"
    root = ET.Element(name, {"xmlns": f"{OASIS}:{name}-2"})
    for prefix, uri in NAMESPACES.items():
        root.set(f"xmlns:{prefix}", uri)
    _head(root, invoice, peppol=peppol)
    _side(_add(root, "cac:AccountingSupplierParty"), invoice.seller, peppol=peppol)
    _side(_add(root, "cac:AccountingCustomerParty"), invoice.buyer, peppol=peppol)
    _add(_add(root, "cac:PaymentTerms"), "cbc:Note", invoice.terms)
    _totals(root, invoice)
    for item in invoice.items:
        _line(root, item, credit=credit)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _head(root: ET.Element, invoice: Invoice, *, peppol: bool) -> None:
    credit = invoice.kind == "credit-note"
    _add(root, "cbc:CustomizationID", PEPPOL if peppol else EN_16931)
    if peppol:
        _add(root, "cbc:ProfileID", PROFILE)
    _add(root, "cbc:ID", invoice.number)
    _add(root, "cbc:IssueDate", invoice.issued.isoformat())
    if credit:
        _add(root, "cbc:CreditNoteTypeCode", "381")
    else:
        _add(root, "cbc:InvoiceTypeCode", "380")
    if invoice.subject:
        _add(root, "cbc:Note", invoice.subject)
    _add(root, "cbc:DocumentCurrencyCode", invoice.currency)
    _add(root, "cbc:BuyerReference", invoice.contract or invoice.buyer.party.id)
    period = _add(root, "cac:InvoicePeriod")
    _add(period, "cbc:StartDate", invoice.first.isoformat())
    _add(period, "cbc:EndDate", invoice.last.isoformat())
    if invoice.preceding is not None:
        before = _add(_add(root, "cac:BillingReference"), "cac:InvoiceDocumentReference")
        _add(before, "cbc:ID", invoice.preceding.number)
        _add(before, "cbc:IssueDate", invoice.preceding.issued.isoformat())
    if invoice.contract:
        _add(_add(root, "cac:ContractDocumentReference"), "cbc:ID", invoice.contract)
    if invoice.statement:
        confirmed = _add(root, "cac:AdditionalDocumentReference")
        _add(confirmed, "cbc:ID", invoice.statement)
        _add(confirmed, "cbc:DocumentDescription", "Confirmed statement")


def _side(parent: ET.Element, side: Side, *, peppol: bool) -> None:
    more, party = side.particulars, _add(parent, "cac:Party")
    scheme, _, endpoint = more.endpoint.partition(":")
    if endpoint:
        _add(party, "cbc:EndpointID", endpoint, schemeID=scheme)
    elif peppol:
        raise Refused(
            "endpoint-missing",
            f"{side.party.name} has no electronic address, which Peppol needs; enter it with "
            f"`hansa bill particulars {side.party.id} --endpoint SCHEME:ID`.",
            field="endpoint",
        )
    _add(_add(party, "cac:PartyName"), "cbc:Name", side.party.name)
    address = _add(party, "cac:PostalAddress")
    for name, text in (
        ("cbc:StreetName", more.street),
        ("cbc:CityName", more.city),
        ("cbc:PostalZone", more.postcode),
    ):
        if text:
            _add(address, name, text)
    _add(_add(address, "cac:Country"), "cbc:IdentificationCode", side.party.country)
    if side.vat_id:
        scheme_of = _add(party, "cac:PartyTaxScheme")
        _add(scheme_of, "cbc:CompanyID", side.vat_id)
        _add(_add(scheme_of, "cac:TaxScheme"), "cbc:ID", "VAT")
    entity = _add(party, "cac:PartyLegalEntity")
    _add(entity, "cbc:RegistrationName", side.party.name)
    if more.registration:
        _add(entity, "cbc:CompanyID", more.registration)


def _totals(root: ET.Element, invoice: Invoice) -> None:
    total = _add(root, "cac:TaxTotal")
    _money(total, "cbc:TaxAmount", invoice.tax)
    for group in invoice.taxes:
        part = _add(total, "cac:TaxSubtotal")
        _money(part, "cbc:TaxableAmount", group.net)
        _money(part, "cbc:TaxAmount", group.tax)
        _category(_add(part, "cac:TaxCategory"), group.category, group.rate, group)
    sums = _add(root, "cac:LegalMonetaryTotal")
    _money(sums, "cbc:LineExtensionAmount", invoice.net)
    _money(sums, "cbc:TaxExclusiveAmount", invoice.net)
    _money(sums, "cbc:TaxInclusiveAmount", invoice.total)
    _money(sums, "cbc:PayableAmount", invoice.total)


def _category(at: ET.Element, category: str, rate: Decimal, group: TaxGroup | None = None) -> None:
    _add(at, "cbc:ID", category)
    _add(at, "cbc:Percent", f"{rate:f}")
    if group is not None and group.reason:
        if category == "AE":
            _add(at, "cbc:TaxExemptionReasonCode", REVERSE)
        _add(at, "cbc:TaxExemptionReason", group.reason)
    _add(_add(at, "cac:TaxScheme"), "cbc:ID", "VAT")


def _line(root: ET.Element, item: Item, *, credit: bool) -> None:
    """One line. Its price is its net amount for as many as were billed, so that price times
    quantity is the net amount to the minor unit; the sign is the quantity's, never the price's.
    """
    line = _add(root, "cac:CreditNoteLine" if credit else "cac:InvoiceLine")
    pieces = item.unit_code == PIECE and item.unit != "item"
    base = abs(item.quantity) or Decimal(1)
    quantity = -base if item.net.minor < 0 else base
    _add(line, "cbc:ID", str(item.number))
    _add(
        line,
        "cbc:CreditedQuantity" if credit else "cbc:InvoicedQuantity",
        f"{quantity:f}",
        unitCode=item.unit_code,
    )
    _money(line, "cbc:LineExtensionAmount", item.net)
    goods = _add(line, "cac:Item")
    if pieces:
        _add(goods, "cbc:Description", f"{item.quantity:f} {item.unit}")
    _add(goods, "cbc:Name", item.name)
    _add(_add(goods, "cac:SellersItemIdentification"), "cbc:ID", item.offer)
    _category(_add(goods, "cac:ClassifiedTaxCategory"), item.category, item.rate)
    price = _add(line, "cac:Price")
    _money(price, "cbc:PriceAmount", -item.net if item.net.minor < 0 else item.net)
    _add(price, "cbc:BaseQuantity", f"{base:f}", unitCode=item.unit_code)


def _money(parent: ET.Element, name: str, money: Money) -> None:
    _add(parent, name, f"{money.amount:f}", currencyID=money.currency)


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    """A child; names bear their prefixes as they are written, which ElementTree leaves alone."""
    child = ET.SubElement(parent, name, attributes)
    if text:
        child.text = _UNPRINTABLE.sub("\ufffd", text)
    return child
