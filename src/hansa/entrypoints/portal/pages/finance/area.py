"""Every page of finance."""

from __future__ import annotations

from hansa.entrypoints.portal.pages.finance import invoices, ledger, lines, statements

pages = [*invoices.pages, *statements.pages, *lines.pages, *ledger.pages]
