"""Statements as people look through them, and the SQL about it."""

from __future__ import annotations

from hansa.federation import packed
from hansa.federation.papers import StatementLine
from hansa.federation.shelf import Page
from hansa.foundation import packing
from hansa.foundation.database import all_rows, one_row, some_rows
from hansa.foundation.ids import BillId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.settlement.model import Held, OpenInvoice, StatementFilter
from hansa.lifecycle.settlement.store import papers
from hansa.lifecycle.settlement.store.papers import BARE, NEWEST, held_of

_WANTED = """where (%(party)s::text is null or %(party)s in (s.creditor, s.debtor))
               and (%(start)s::timestamptz is null or s.period_start = %(start)s)
               and (%(state)s::text is null or s.state = %(state)s)
               and (%(currency)s::text is null or s.currency = %(currency)s)
               and (%(direction)s::text is null or s.direction = %(direction)s)"""


def listed(tx: Transaction, wanted: StatementFilter, offset: int, limit: int) -> Page[Held]:
    """The newest first, without their lines."""
    asked = {
        "party": wanted.party,
        "start": wanted.period.start if wanted.period else None,
        "state": wanted.state,
        "currency": wanted.currency,
        "direction": wanted.direction,
    }
    sql = f"{BARE} {_WANTED}"
    rows, total = some_rows(tx, sql, asked, order=NEWEST, offset=offset, limit=limit)
    return Page([held_of(row) for row in rows], total)


def bare(tx: Transaction, statement: StatementId) -> Held | None:
    row = one_row(tx, f"{BARE} where s.id = %s", (statement,))
    return held_of(row) if row else None


def of_bill(tx: Transaction, bill: BillId) -> StatementId | None:
    """The statement that counts of a bill of ours."""
    row = one_row(
        tx,
        "select id from settlement_statement where bill = %s and state <> 'withdrawn'",
        (bill,),
    )
    return StatementId(row["id"]) if row else None


def lines(tx: Transaction, statement: StatementId, offset: int, limit: int) -> Page[StatementLine]:
    """Reads no more parts than these lines are in."""
    first, last = packing.parts_of(offset, limit)
    row = one_row(
        tx,
        """select parts is null as unpacked, coalesce(cardinality(parts), 0) as parts,
                  parts[%s:%s] as some, parts[cardinality(parts)] as last
             from settlement_statement where id = %s""",
        (first, last, statement),
    )
    if row is None:
        return Page((), 0)
    if row["unpacked"]:
        held = papers.get(tx, statement)
        assert held is not None
        return Page(held.statement.lines[offset : offset + limit], len(held.statement.lines))
    return packed.page(row["some"], row["parts"], row["last"], offset=offset, limit=limit)


def open_invoices(tx: Transaction, limit: int) -> list[OpenInvoice]:
    """Invoiced statements of which not all is netted, the oldest first."""
    rows = all_rows(
        tx,
        """select * from (
               select s.id, s.number, s.creditor, s.debtor, s.currency, s.learned_at,
                      (s.document->'net'->>'minor')::bigint
                          + (s.document->'tax'->>'minor')::bigint
                          - coalesce((select sum(l.minor) from settlement_netting_line l
                                       where l.statement = s.id), 0)::bigint as minor
                 from settlement_statement s where s.state = 'invoiced') o
           where minor <> 0 order by learned_at, id limit %s""",
        (limit,),
    )
    return [
        OpenInvoice(
            statement=StatementId(row["id"]),
            number=row["number"],
            creditor=PartyId(row["creditor"]),
            debtor=PartyId(row["debtor"]),
            open=Money(row["minor"], row["currency"]),
            since=row["learned_at"],
        )
        for row in rows
    ]
