"""Every page of finance."""

from __future__ import annotations

from hansa.entrypoints.portal.pages.finance import (
    crediting,
    disputes,
    invoices,
    ledger,
    lines,
    statements,
)

pages = [
    *invoices.pages,
    *crediting.pages,
    *statements.pages,
    *disputes.pages,
    *lines.pages,
    *ledger.pages,
]
