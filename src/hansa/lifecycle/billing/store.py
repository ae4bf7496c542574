"""The tables of bills, numbers and supplier invoices, and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from hansa.federation.contract import AgreementRef
from hansa.federation.packed import PackedLines
from hansa.federation.shelf import BillRequest, Page
from hansa.federation.wire import parse, render
from hansa.foundation import documents, packing
from hansa.foundation.database import Jsonb, all_rows, one_row, run
from hansa.foundation.ids import (
    AgreementId,
    BillId,
    BillRequestId,
    EntryId,
    PartyId,
    StatementId,
)
from hansa.foundation.money import Money
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing.model import (
    Bill,
    BillLine,
    BillState,
    KeptBill,
    Run,
    SupplierInvoice,
    keep,
)

Lines = tuple[BillLine, ...]


def insert(tx: Transaction, draft: KeptBill) -> bool:
    """Enters a draft; False when there is a bill for the same parties, period and kind."""
    bill = draft.bare
    agreement = bill.agreement
    return (
        run(
            tx,
            """insert into billing_bill (id, kind_of, issuer, buyer, agreement, agreement_version,
                   period_start, period_end, currency, net_minor, tax_minor, state, made_at,
                   lines_fingerprint, net_by_offer, parts, runs)
               values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%b::bytea[],%b::bytea[])
               on conflict do nothing""",
            (
                bill.id,
                bill.kind_of,
                bill.issuer,
                bill.buyer,
                agreement.id if agreement else None,
                agreement.version if agreement else None,
                bill.period.start,
                bill.period.end,
                bill.currency,
                bill.net.minor,
                bill.tax.minor,
                bill.state,
                bill.made_at,
                *_packed(draft),
            ),
        )
        == 1
    )


def _packed(draft: KeptBill) -> tuple[str, Jsonb, list[bytes], list[bytes]]:
    lines = draft.packed
    _, runs = packing.pack(packing.texts(draft.runs))
    return lines.fingerprint, Jsonb(dict(lines.net_by_offer)), list(lines.parts), list(runs)


def set_lines(tx: Transaction, draft: KeptBill) -> None:
    bill = draft.bare
    run(
        tx,
        """update billing_bill
           set lines = null, net_minor = %s, tax_minor = %s, state = %s, lines_fingerprint = %s,
               net_by_offer = %s, parts = %b::bytea[], runs = %b::bytea[]
           where id = %s""",
        (bill.net.minor, bill.tax.minor, bill.state, *_packed(draft), bill.id),
    )


def set_state(tx: Transaction, bill: BillId, state: BillState) -> None:
    run(tx, "update billing_bill set state = %s where id = %s", (state, bill))


def next_serial(tx: Transaction, series: str, year: int) -> int:
    """The next number of this series' year; given back if the transaction does not commit."""
    row = one_row(tx, "select billing_next_serial(%s, %s) as last", (series, year))
    assert row is not None
    serial: int = row["last"]
    return serial


def make_final(tx: Transaction, bill: Bill, year: int, serial: int) -> None:
    run(
        tx,
        """update billing_bill
           set state = %s, year = %s, serial = %s, number = %s, issued_at = %s where id = %s""",
        (bill.state, year, serial, bill.number, bill.issued_at, bill.id),
    )


_COLUMNS = """select id, kind_of, issuer, buyer, agreement, agreement_version, period_start,
                  period_end, currency, net_minor, tax_minor, state, made_at,
                  coalesce(number, '') as number, issued_at{more}
           from billing_bill"""
_BARE = _COLUMNS.format(more="")
_BILL = _COLUMNS.format(more=", lines, lines_fingerprint, net_by_offer, parts, runs")


def get(tx: Transaction, bill: BillId, *, lock: bool = False) -> KeptBill | None:
    row = one_row(tx, f"{_BILL} where id = %s{' for update' if lock else ''}", (bill,))
    return _kept(row) if row else None


def drafts(tx: Transaction, issuer: PartyId, period: Period | None) -> list[Bill]:
    """An issuer's bills that are not final, in order of their ids, without their lines."""
    rows = all_rows(
        tx,
        f"""{_BARE}
            where state in ('new', 'onHold') and issuer = %(issuer)s
              and (%(start)s::timestamptz is null or period_start = %(start)s)
            order by id""",
        {"issuer": issuer, "start": period.start if period else None},
    )
    return [_bare(row) for row in rows]


def find(
    tx: Transaction,
    *,
    issuer: PartyId | None,
    buyer: PartyId | None,
    period: Period | None,
    states: Collection[BillState] | None,
    after: BillId | None,
    limit: int | None,
) -> list[KeptBill]:
    rows = all_rows(
        tx,
        f"""{_BILL}
            where (%(issuer)s::text is null or issuer = %(issuer)s)
              and (%(buyer)s::text is null or buyer = %(buyer)s)
              and (%(start)s::timestamptz is null or period_start = %(start)s)
              and (%(states)s::text[] is null or state = any(%(states)s))
              and (%(after)s::text is null or id > %(after)s)
            order by id limit %(limit)s""",
        {
            "issuer": issuer,
            "buyer": buyer,
            "start": period.start if period else None,
            "states": [str(state) for state in states] if states is not None else None,
            "after": after,
            "limit": limit,
        },
    )
    return [_kept(row) for row in rows]


def _kept(row: dict[str, Any]) -> KeptBill:
    """One that was made before lines were packed has them as a document."""
    bare = _bare(row)
    if row["lines"] is not None:
        return keep(replace(bare, lines=documents.read(Lines, row["lines"])))
    lines = PackedLines(row["lines_fingerprint"], row["net_by_offer"], tuple(row["parts"]))
    return KeptBill(bare, lines, packing.unpack(Run, row["runs"], what="runs"))


def _bare(row: dict[str, Any]) -> Bill:
    return Bill(
        id=BillId(row["id"]),
        kind_of=row["kind_of"],
        issuer=PartyId(row["issuer"]),
        buyer=PartyId(row["buyer"]),
        agreement=_agreement(row) if row["agreement"] else None,
        period=_period(row),
        currency=row["currency"],
        lines=(),
        net=Money(row["net_minor"], row["currency"]),
        tax=Money(row["tax_minor"], row["currency"]),
        state=BillState(row["state"]),
        made_at=row["made_at"],
        number=row["number"],
        issued_at=row["issued_at"],
    )


def _agreement(row: dict[str, Any]) -> AgreementRef:
    return AgreementRef(id=AgreementId(row["agreement"]), version=row["agreement_version"])


def _period(row: dict[str, Any]) -> Period:
    """In UTC, whatever the server's time zone: papers are hashed as they are written."""
    return Period(row["period_start"].astimezone(UTC), row["period_end"].astimezone(UTC))


def claim_month(tx: Transaction, us: PartyId, buyer: PartyId, period: Period, now: Instant) -> bool:
    """True for the one transaction that bills this buyer's month."""
    return (
        run(
            tx,
            """insert into billing_month (us, buyer, period_start, billed_at)
               values (%s, %s, %s, %s) on conflict do nothing""",
            (us, buyer, period.start, now),
        )
        == 1
    )


def billed_buyers(tx: Transaction, us: PartyId, period: Period) -> frozenset[PartyId]:
    rows = all_rows(
        tx,
        "select buyer from billing_month where us = %s and period_start = %s",
        (us, period.start),
    )
    return frozenset(PartyId(row["buyer"]) for row in rows)


def close_period(tx: Transaction, us: PartyId, period: Period, now: Instant) -> None:
    run(
        tx,
        """insert into billing_period (us, period_start, billed_at) values (%s, %s, %s)
           on conflict do nothing""",
        (us, period.start, now),
    )


def closed(tx: Transaction, us: PartyId, period: Period) -> bool:
    row = one_row(
        tx,
        "select from billing_period where us = %s and period_start = %s",
        (us, period.start),
    )
    return row is not None


def closed_starts(tx: Transaction, us: PartyId) -> frozenset[Instant]:
    rows = all_rows(tx, "select period_start from billing_period where us = %s", (us,))
    return frozenset(row["period_start"] for row in rows)


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


def _invoice(row: dict[str, Any]) -> SupplierInvoice:
    return SupplierInvoice(
        bill=BillId(row["bill"]),
        number=row["number"],
        kind_of=row["kind_of"],
        issuer=PartyId(row["issuer"]),
        statement=StatementId(row["statement"]),
        agreement=_agreement(row),
        period=_period(row),
        currency=row["currency"],
        net=Money(row["net_minor"], row["currency"]),
        tax=Money(row["tax_minor"], row["currency"]),
        issued_at=row["issued_at"],
        booked_at=row["booked_at"],
        entry=EntryId(row["entry"]),
    )


# --- bills that are looked at -------------------------------------------------------------------


def customers(
    tx: Transaction,
    buyer: PartyId | None,
    states: Collection[BillState],
    offset: int,
    limit: int,
    *,
    bare: bool = False,
) -> tuple[list[Bill], int]:
    """End customers' bills in these states, the newest first, and how many there are.

    bare: without their lines.
    """
    asked = {
        "buyer": buyer,
        "states": [str(state) for state in states],
        "offset": offset,
        "limit": limit,
    }
    rows = all_rows(
        tx,
        f"""{_BARE if bare else _BILL}
            where agreement is null and (%(buyer)s::text is null or buyer = %(buyer)s)
              and state = any(%(states)s)
            order by made_at desc, id desc offset %(offset)s limit %(limit)s""",
        asked,
    )
    count = one_row(
        tx,
        """select count(*) as total from billing_bill
           where agreement is null and (%(buyer)s::text is null or buyer = %(buyer)s)
             and state = any(%(states)s)""",
        asked,
    )
    assert count is not None
    return [_bare(row) if bare else _kept(row).whole for row in rows], count["total"]


def add_request(tx: Transaction, request: BillRequest) -> None:
    run(
        tx,
        "insert into billing_request (id, buyer, asked_at, bill, extra) values (%s,%s,%s,%s,%s)",
        (
            request.id,
            request.buyer,
            request.asked_at,
            request.bill,
            render(request.extras).decode() if request.extras else "",
        ),
    )


def requests(
    tx: Transaction,
    *,
    id: BillRequestId | None = None,
    buyer: PartyId | None,
    offset: int,
    limit: int,
) -> Page[BillRequest]:
    asked = {"id": id, "buyer": buyer, "offset": offset, "limit": limit}
    rows = all_rows(
        tx,
        """select * from billing_request
           where (%(id)s::text is null or id = %(id)s)
             and (%(buyer)s::text is null or buyer = %(buyer)s)
           order by asked_at desc, id desc offset %(offset)s limit %(limit)s""",
        asked,
    )
    count = one_row(
        tx,
        """select count(*) as total from billing_request
           where (%(id)s::text is null or id = %(id)s)
             and (%(buyer)s::text is null or buyer = %(buyer)s)""",
        asked,
    )
    assert count is not None
    return Page(
        [
            BillRequest(
                id=BillRequestId(row["id"]),
                buyer=PartyId(row["buyer"]),
                asked_at=row["asked_at"],
                bill=row["bill"],
                extras=parse(row["extra"].encode()) if row["extra"] else {},
            )
            for row in rows
        ],
        count["total"],
    )
