"""The table of partners' invoices to us, and the SQL about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.federation.shelf import Page
from hansa.foundation.database import all_rows, one_row, run, some_rows
from hansa.foundation.ids import BillId, EntryId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing.model import BillFilter, SupplierInvoice
from hansa.lifecycle.billing.store.bills import WANTED, agreement_of, asked, period_of


def insert_supplier_invoice(tx: Transaction, us: PartyId, invoice: SupplierInvoice) -> None:
    run(
        tx,
        """insert into billing_supplier_invoice (us, bill, number, kind_of, issuer, statement,
               agreement, agreement_version, period_start, period_end, currency, net_minor,
               tax_minor, issued_at, booked_at, entry)
           values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            us,
            invoice.bill,
            invoice.number,
            invoice.kind_of,
            invoice.issuer,
            invoice.statement,
            invoice.agreement.id,
            invoice.agreement.version,
            invoice.period.start,
            invoice.period.end,
            invoice.currency,
            invoice.net.minor,
            invoice.tax.minor,
            invoice.issued_at,
            invoice.booked_at,
            invoice.entry,
        ),
    )


_INVOICE = """select bill, number, kind_of, issuer, statement, agreement, agreement_version,
                     period_start, period_end, currency, net_minor, tax_minor, issued_at,
                     booked_at, entry
              from billing_supplier_invoice"""


def supplier_invoice_named(
    tx: Transaction, issuer: PartyId, bill: BillId, number: str, statement: StatementId
) -> list[SupplierInvoice]:
    """Every booked invoice that shares any of its names with this one."""
    rows = all_rows(
        tx,
        f"""{_INVOICE}
            where (issuer = %s and (bill = %s or number = %s)) or statement = %s""",
        (issuer, bill, number, statement),
    )
    return [_invoice(row) for row in rows]


def supplier_invoices(
    tx: Transaction, issuer: PartyId | None, period: Period | None
) -> Sequence[SupplierInvoice]:
    rows = all_rows(
        tx,
        f"""{_INVOICE}
            where (%(issuer)s::text is null or issuer = %(issuer)s)
              and (%(start)s::timestamptz is null or period_start = %(start)s)
            order by booked_at, bill""",
        {"issuer": issuer, "start": period.start if period else None},
    )
    return [_invoice(row) for row in rows]


def supplier_invoice(tx: Transaction, issuer: PartyId, bill: BillId) -> SupplierInvoice | None:
    row = one_row(tx, f"{_INVOICE} where issuer = %s and bill = %s", (issuer, bill))
    return _invoice(row) if row else None


def _invoice(row: dict[str, Any]) -> SupplierInvoice:
    return SupplierInvoice(
        bill=BillId(row["bill"]),
        number=row["number"],
        kind_of=row["kind_of"],
        issuer=PartyId(row["issuer"]),
        statement=StatementId(row["statement"]),
        agreement=agreement_of(row),
        period=period_of(row),
        currency=row["currency"],
        net=Money(row["net_minor"], row["currency"]),
        tax=Money(row["tax_minor"], row["currency"]),
        issued_at=row["issued_at"],
        booked_at=row["booked_at"],
        entry=EntryId(row["entry"]),
    )


_RECEIVED = WANTED.format(party="issuer")


def received(tx: Transaction, wanted: BillFilter, offset: int, limit: int) -> Page[SupplierInvoice]:
    """The newest first."""
    sql, newest = f"{_INVOICE} {_RECEIVED}", "booked_at desc, bill desc"
    rows, total = some_rows(tx, sql, asked(wanted), order=newest, offset=offset, limit=limit)
    return Page([_invoice(row) for row in rows], total)
