"""Every page of finance."""

from __future__ import annotations

from hansa.entrypoints.portal.pages.finance import (
    ageing,
    correcting,
    crediting,
    disputes,
    invoices,
    ledger,
    lines,
    netting,
    payments,
    receiving,
    rounds,
    statements,
)

pages = [
    *invoices.pages,
    *crediting.pages,
    *receiving.pages,
    *statements.pages,
    *correcting.pages,
    *disputes.pages,
    *lines.pages,
    *netting.pages,
    *rounds.pages,
    *payments.pages,
    *ageing.pages,
    *ledger.pages,
]
