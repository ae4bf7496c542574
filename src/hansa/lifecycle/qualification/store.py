"""The table of kept qualifications and every line of SQL about it."""

from __future__ import annotations

from typing import Any

from hansa.federation.contract import Need, Qualification
from hansa.federation.shelf import Page, QualificationKind, ShelfQualification
from hansa.federation.wire import parse, render
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, one_row, run, some_rows
from hansa.foundation.ids import PartyId, QualificationId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction


def forget(tx: Transaction, buyer: PartyId, now: Instant) -> None:
    """Removes what has expired of this buyer's."""
    run(
        tx,
        "delete from qualification_kept where buyer = %s and expires_at <= %s",
        (buyer, now),
    )


def keep(tx: Transaction, kept: ShelfQualification) -> None:
    run(
        tx,
        """insert into qualification_kept
               (id, buyer, kind, made_at, expires_at, need, answer, extra)
           values (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            kept.qualification.id,
            kept.buyer,
            kept.kind,
            kept.made_at,
            kept.expires_at,
            Jsonb(documents.write(kept.need)),
            Jsonb(documents.write(kept.qualification)),
            render(kept.extras).decode() if kept.extras else "",
        ),
    )


def get(
    tx: Transaction, id: QualificationId, buyer: PartyId | None, now: Instant
) -> ShelfQualification | None:
    row = one_row(
        tx,
        """select * from qualification_kept
           where id = %s and (%s::text is null or buyer = %s) and expires_at > %s""",
        (id, buyer, buyer, now),
    )
    return _kept(row) if row else None


def page(
    tx: Transaction,
    kind: QualificationKind,
    buyer: PartyId | None,
    now: Instant,
    offset: int,
    limit: int,
) -> Page[ShelfQualification]:
    rows, total = some_rows(
        tx,
        """select * from qualification_kept
           where kind = %(kind)s and (%(buyer)s::text is null or buyer = %(buyer)s)
             and expires_at > %(now)s""",
        {"kind": kind, "buyer": buyer, "now": now},
        order="made_at desc, id desc",
        offset=offset,
        limit=limit,
    )
    return Page([_kept(row) for row in rows], total)


def _kept(row: dict[str, Any]) -> ShelfQualification:
    return ShelfQualification(
        qualification=documents.read(Qualification, row["answer"]),
        buyer=PartyId(row["buyer"]),
        kind=row["kind"],
        need=documents.read(Need, row["need"]),
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        extras=parse(row["extra"].encode()) if row["extra"] else {},
    )
