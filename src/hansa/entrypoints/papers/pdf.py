"""An invoice or credit note as a PDF for people."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hansa.entrypoints.papers.invoice import Invoice, Side
from hansa.entrypoints.papers.typeset import typeset
from hansa.foundation.money import Money


def write(invoice: Invoice) -> bytes:
    """The document. Raises Refused `extra-missing` where the library for it is not installed."""
    return typeset("invoice.typ", data(invoice))


def data(invoice: Invoice) -> dict[str, Any]:
    """All that the template shows, as texts; amounts with grouped thousands."""
    credit = invoice.kind == "credit-note"
    facts = [
        ("Number", invoice.number),
        ("Issued", invoice.issued.isoformat()),
        ("Period", f"{invoice.first.isoformat()} to {invoice.last.isoformat()} (UTC)"),
        ("Currency", invoice.currency),
        ("Contract", invoice.contract),
        ("Statement", invoice.statement),
        ("For", invoice.subject),
    ]
    if invoice.preceding is not None:
        facts.append(
            ("Corrects", f"{invoice.preceding.number} of {invoice.preceding.issued.isoformat()}")
        )
    return {
        "title": f"{'Credit note' if credit else 'Invoice'} {invoice.number}",
        "seller": _side(invoice.seller),
        "buyer": _side(invoice.buyer),
        "facts": [pair for pair in facts if pair[1]],
        "items": [
            [
                item.name,
                f"{item.quantity:,f}",
                item.unit,
                _amount(item.net),
                f"{item.category} {_rate(item.rate)}",
            ]
            for item in invoice.items
        ],
        "taxes": [
            [group.category, _rate(group.rate), _amount(group.net), _amount(group.tax)]
            for group in invoice.taxes
        ],
        "legends": [group.reason for group in invoice.taxes if group.reason],
        "sums": [
            ["Net", _amount(invoice.net)],
            ["Tax", _amount(invoice.tax)],
            [f"Total {invoice.currency}", _amount(invoice.total)],
        ],
        "terms": invoice.terms,
    }


def _side(side: Side) -> list[str]:
    more = side.particulars
    town = " ".join(part for part in (more.postcode, more.city) if part)
    lines = [side.party.name, more.street, town, side.party.country]
    if side.vat_id:
        lines.append(f"Tax number {side.vat_id}")
    if more.registration:
        lines.append(f"Registered as {more.registration}")
    return [line for line in lines if line]


def _amount(money: Money) -> str:
    return f"{money.amount:,f}"


def _rate(rate: Decimal) -> str:
    return f"{rate:.2f} %"
