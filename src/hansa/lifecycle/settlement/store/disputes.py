"""The tables of disputes, and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hansa.federation.disputes import Dispute, DisputeMoved, DisputeTerms, LineCredit
from hansa.federation.papers import Signature
from hansa.federation.shelf import Page
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run, some_rows
from hansa.foundation.ids import DisputeId, PartyId, StatementId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.settlement.model import (
    DisputeFilter,
    DisputeMove,
    DisputeState,
    HeldDispute,
)

Credits = tuple[LineCredit, ...]


def insert(tx: Transaction, held: HeldDispute, now: Instant) -> bool:
    """Enters a dispute; False when it is there already."""
    return (
        run(
            tx,
            """insert into settlement_dispute (id, statement, partner, direction, document,
                   signature, state, learned_at)
               values (%s,%s,%s,%s,%s,%s,%s,%s) on conflict do nothing""",
            (
                held.dispute.id,
                held.dispute.statement,
                held.partner,
                held.direction,
                Jsonb(documents.write(held.dispute)),
                Jsonb(documents.write(held.signature)),
                held.state,
                now,
            ),
        )
        == 1
    )


def update(tx: Transaction, held: HeldDispute) -> None:
    """Writes what of a dispute may change."""
    run(
        tx,
        "update settlement_dispute set state = %s, credits = %s where id = %s",
        (held.state, Jsonb(documents.write(held.credits, Credits)), held.dispute.id),
    )


def add_move(tx: Transaction, held: HeldDispute, move: DisputeMove) -> None:
    run(
        tx,
        """insert into settlement_dispute_move (dispute, partner, party, place, document, by_whom,
               learned_at)
           values (%s,%s,%s,%s,%s,%s,%s)""",
        (
            held.dispute.id,
            held.partner,
            move.party,
            move.notice.place,
            Jsonb(documents.write(move.notice)),
            move.by,
            move.at,
        ),
    )


_DISPUTE = """select d.id, d.partner, d.direction, d.document, d.signature, d.state, d.credits,
                     (select c.id from settlement_statement c where c.dispute = d.id)
                         as credit_note,
                     coalesce((select jsonb_agg(jsonb_build_object('notice', m.document,
                                  'by', m.by_whom, 'at', m.learned_at)
                                  order by m.learned_at, m.place, m.party)
                               from settlement_dispute_move m where m.dispute = d.id), '[]')
                         as moves
              from settlement_dispute d join settlement_statement s on s.id = d.statement"""


def get(tx: Transaction, dispute: DisputeId, *, lock: bool = False) -> HeldDispute | None:
    locks = "select from settlement_dispute where id = %s for update"
    if lock and not run(tx, locks, (dispute,)):
        return None  # what was not there to be locked may have come since
    row = one_row(tx, f"{_DISPUTE} where d.id = %s", (dispute,))
    return _held(row) if row else None


def find(
    tx: Transaction,
    *,
    partner: PartyId | None = None,
    statement: StatementId | None = None,
    period: Period | None = None,
    states: Collection[DisputeState] | None = None,
) -> list[HeldDispute]:
    """Disputes in order of their ids; each filter that is given must fit."""
    rows = all_rows(
        tx,
        f"""{_DISPUTE}
            where (%(partner)s::text is null or d.partner = %(partner)s)
              and (%(statement)s::text is null or d.statement = %(statement)s)
              and (%(start)s::timestamptz is null or s.period_start = %(start)s)
              and (%(states)s::text[] is null or d.state = any(%(states)s))
            order by d.id""",
        {
            "partner": partner,
            "statement": statement,
            "start": period.start if period else None,
            "states": [str(state) for state in states] if states is not None else None,
        },
    )
    return [_held(row) for row in rows]


def count(tx: Transaction, states: Collection[DisputeState]) -> int:
    """How many disputes, of either side, are in one of these states."""
    row = one_row(
        tx,
        "select count(*) as total from settlement_dispute where state = any(%s)",
        ([str(state) for state in states],),
    )
    assert row is not None
    total: int = row["total"]
    return total


_PAGE = """where (%(party)s::text is null or d.partner = %(party)s)
             and (%(start)s::timestamptz is null or s.period_start = %(start)s)
             and (%(state)s::text is null or d.state = %(state)s)
             and (not %(open)s or d.state not in ('accepted', 'withdrawn'))"""


def page(tx: Transaction, wanted: DisputeFilter, offset: int, limit: int) -> Page[HeldDispute]:
    """The newest first."""
    asked = {
        "party": wanted.party,
        "start": wanted.period.start if wanted.period else None,
        "state": wanted.state,
        "open": wanted.only_open,
    }
    sql, newest = f"{_DISPUTE} {_PAGE}", "d.learned_at desc, d.id desc"
    rows, total = some_rows(tx, sql, asked, order=newest, offset=offset, limit=limit)
    return Page([_held(row) for row in rows], total)


def uncredited(tx: Transaction, limit: int) -> list[HeldDispute]:
    """Accepted disputes about our own invoices that have no credit note yet."""
    rows = all_rows(
        tx,
        f"""{_DISPUTE}
            where d.state = 'accepted' and s.creditor <> d.partner
              and not exists (select from settlement_statement c where c.dispute = d.id)
            order by d.id limit %s""",
        (limit,),
    )
    return [_held(row) for row in rows]


def terms(tx: Transaction, partner: PartyId) -> DisputeTerms | None:
    row = one_row(
        tx,
        "select document from settlement_dispute_terms where partner = %s order by id desc limit 1",
        (partner,),
    )
    return documents.read(DisputeTerms, row["document"]) if row else None


def add_terms(
    tx: Transaction, partner: PartyId, given: DisputeTerms, by: str, now: Instant
) -> None:
    run(
        tx,
        """insert into settlement_dispute_terms (partner, document, by_whom, at)
           values (%s, %s, %s, %s)""",
        (partner, Jsonb(documents.write(given)), by, now),
    )


def _held(row: dict[str, Any]) -> HeldDispute:
    return HeldDispute(
        dispute=documents.read(Dispute, row["document"], what="dispute"),
        partner=PartyId(row["partner"]),
        direction=row["direction"],
        signature=documents.read(Signature, row["signature"]),
        state=DisputeState(row["state"]),
        credits=documents.read(Credits, row["credits"]),
        moves=tuple(
            DisputeMove(
                notice=documents.read(DisputeMoved, one["notice"]),
                by=one["by"],
                at=documents.read(Instant, one["at"]),
            )
            for one in row["moves"]
        ),
        credit_note=StatementId(row["credit_note"]) if row["credit_note"] else None,
    )
