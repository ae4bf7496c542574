"""The tables of bills and their numbers, and the SQL about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from hansa.federation import packed
from hansa.federation.contract import AgreementRef
from hansa.federation.packed import PackedLines
from hansa.federation.papers import StatementLine
from hansa.federation.shelf import Page
from hansa.foundation import documents, packing
from hansa.foundation.database import Jsonb, all_rows, one_row, run, some_rows
from hansa.foundation.ids import (
    AgreementId,
    BillId,
    PartyId,
)
from hansa.foundation.money import Money
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing.model import (
    Bill,
    BillFilter,
    BillLine,
    BillState,
    KeptBill,
    Run,
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


def bare(tx: Transaction, bill: BillId) -> Bill | None:
    row = one_row(tx, f"{_BARE} where id = %s", (bill,))
    return _bare(row) if row else None


WANTED = """where (%(party)s::text is null or {party} = %(party)s)
               and (%(start)s::timestamptz is null or period_start = %(start)s)
               and (%(currency)s::text is null or currency = %(currency)s)"""
_SOLD = f"""{WANTED.format(party="buyer")}
               and (%(states)s::text[] is null or state = any(%(states)s))
               and (%(customers)s::boolean is null or (agreement is null) = %(customers)s)"""
_NEWEST = "made_at desc, id desc"


def asked(wanted: BillFilter) -> dict[str, Any]:
    return {
        "party": wanted.party,
        "start": wanted.period.start if wanted.period else None,
        "currency": wanted.currency,
        "states": None if wanted.states is None else [str(state) for state in wanted.states],
        "customers": wanted.sold_to and wanted.sold_to == "customers",
    }


def page(tx: Transaction, wanted: BillFilter, offset: int, limit: int) -> Page[Bill]:
    """The newest first, without their lines."""
    sql = f"{_BARE} {_SOLD}"
    rows, total = some_rows(tx, sql, asked(wanted), order=_NEWEST, offset=offset, limit=limit)
    return Page([_bare(row) for row in rows], total)


def whole_page(tx: Transaction, wanted: BillFilter, offset: int, limit: int) -> Page[Bill]:
    """The same with their lines."""
    sql = f"{_BILL} {_SOLD}"
    rows, total = some_rows(tx, sql, asked(wanted), order=_NEWEST, offset=offset, limit=limit)
    return Page([_kept(row).whole for row in rows], total)


_OPEN = """agreement is null and issuer = %(us)s and state in ('validated', 'sent')"""


def open_sums(
    tx: Transaction, us: PartyId, edges: Sequence[Instant], offset: int, limit: int
) -> Page[tuple[PartyId, str, Sequence[int]]]:
    """By customer and currency what is open, in minor units: first what was issued from the
    first edge on, then from the next one on, at last what is older than all of them.
    """
    asked = {"us": us, "edges": list(edges), "offset": offset, "limit": limit}
    rows = all_rows(
        tx,
        f"""{_AGED} where {_OPEN} group by buyer, currency, place
        ) aged group by buyer, currency order by buyer, currency
        offset %(offset)s limit %(limit)s""",
        asked,
    )
    count = one_row(tx, f"{_PAIRS} where {_OPEN}", asked)
    assert count is not None
    found = [
        (
            PartyId(row["buyer"]),
            row["currency"],
            [row["sums"].get(str(place), 0) for place in range(len(edges) + 1)],
        )
        for row in rows
    ]
    return Page(found, count["total"])


_AGED = """select buyer, currency, jsonb_object_agg(place, minor) as sums from (
               select buyer, currency,
                      (select count(*) from unnest(%(edges)s::timestamptz[]) edge
                        where issued_at < edge) as place,
                      sum(net_minor + tax_minor)::bigint as minor
                 from billing_bill"""
_PAIRS = "select count(distinct (buyer, currency)) as total from billing_bill"


def lines(tx: Transaction, bill: BillId, offset: int, limit: int) -> Page[StatementLine]:
    """Reads no more parts than these lines are in."""
    first, last = packing.parts_of(offset, limit)
    row = one_row(
        tx,
        """select lines, coalesce(cardinality(parts), 0) as parts, parts[%s:%s] as some,
                  parts[cardinality(parts)] as last from billing_bill where id = %s""",
        (first, last, bill),
    )
    if row is None:
        return Page((), 0)
    if row["lines"] is not None:
        every = documents.read(Lines, row["lines"])
        return Page(every[offset : offset + limit], len(every))
    return packed.page(row["some"], row["parts"], row["last"], offset=offset, limit=limit)


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
        agreement=agreement_of(row) if row["agreement"] else None,
        period=period_of(row),
        currency=row["currency"],
        lines=(),
        net=Money(row["net_minor"], row["currency"]),
        tax=Money(row["tax_minor"], row["currency"]),
        state=BillState(row["state"]),
        made_at=row["made_at"],
        number=row["number"],
        issued_at=row["issued_at"],
    )


def agreement_of(row: dict[str, Any]) -> AgreementRef:
    return AgreementRef(id=AgreementId(row["agreement"]), version=row["agreement_version"])


def period_of(row: dict[str, Any]) -> Period:
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
