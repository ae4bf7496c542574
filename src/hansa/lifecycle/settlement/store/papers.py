"""The tables of statements, resolutions and nettings, and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC
from typing import Any

from hansa.federation.packed import KeptStatement, PackedLines, keep
from hansa.federation.papers import (
    Confirmation,
    Difference,
    Signature,
    Statement,
    StatementState,
)
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run, some_rows
from hansa.foundation.ids import AgreementId, BillId, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.settlement.model import (
    Held,
    NettedLine,
    Netting,
    Resolution,
)

Differences = tuple[Difference, ...]


LOCK = 0x70616964
"""The advisory lock under which it is noted that customers have paid (`paid` in ASCII)."""


def lock_paid(tx: Transaction) -> None:
    """Nobody else notes that a customer has paid until the end of tx."""
    run(tx, "select pg_advisory_xact_lock(%s)", (LOCK,))


def insert(tx: Transaction, held: Held, now: Instant) -> bool:
    """Enters a statement; False when this one, or one for the same thing, is there already."""
    statement = held.statement
    return (
        run(
            tx,
            """insert into settlement_statement (id, direction, kind_of, agreement,
                   agreement_version, creditor, debtor, period_start, currency, replaces, document,
                   fingerprint, signature, state, bill, learned_at, dispute, lines_fingerprint,
                   net_by_offer, parts)
               values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%b::bytea[])
               on conflict do nothing""",
            (
                statement.id,
                held.direction,
                statement.kind_of,
                statement.agreement.id,
                statement.agreement.version,
                statement.creditor,
                statement.debtor,
                statement.period.start,
                statement.currency,
                statement.bare.replaces,
                Jsonb(documents.write(statement.bare)),
                statement.fingerprint,
                Jsonb(documents.write(held.signature)),
                held.state,
                held.bill,
                now,
                statement.bare.credits.dispute if statement.bare.credits else None,
                statement.packed.fingerprint,
                Jsonb(dict(statement.packed.net_by_offer)),
                list(statement.packed.parts),
            ),
        )
        == 1
    )


def update(tx: Transaction, held: Held) -> None:
    """Writes all of a statement that may change."""
    confirmation = held.confirmation
    run(
        tx,
        """update settlement_statement
           set state = %s, bill = %s, number = %s, compared_at = %s, waiting = %s,
               differences = %s, confirmation = %s
           where id = %s""",
        (
            held.state,
            held.bill,
            held.number or None,
            held.compared_at,
            held.waiting,
            Jsonb(documents.write(held.differences, Differences)),
            Jsonb(documents.write(confirmation)) if confirmation else None,
            held.id,
        ),
    )


HELD = """select s.direction, s.document, s.fingerprint, s.lines_fingerprint, s.net_by_offer,
                  s.parts, s.signature, s.state, s.bill,
                  coalesce(s.number, '') as number, s.compared_at, s.waiting, s.differences,
                  s.confirmation, coalesce(s.netting, '') as netting,
                  coalesce((select jsonb_agg(jsonb_build_object('difference', r.difference,
                                'by', r.by_whom, 'why', r.why, 'at', r.at) order by r.id)
                            from settlement_resolution r where r.statement = s.id), '[]')
                      as resolutions
           from settlement_statement s"""


BARE = HELD.replace("s.parts,", "'{}'::bytea[] as parts,")
"""The same without lines."""


def get(tx: Transaction, statement: StatementId, *, lock: bool = False) -> Held | None:
    locks = "select from settlement_statement where id = %s for update"
    if lock and not run(tx, locks, (statement,)):
        return None  # what was not there to be locked may have come since
    row = one_row(tx, f"{HELD} where s.id = %s", (statement,))
    return held_of(row) if row else None


def find(
    tx: Transaction,
    *,
    direction: str | None = None,
    party: PartyId | None = None,
    period: Period | None = None,
    kind_of: str | None = None,
    agreement: AgreementId | None = None,
    states: Collection[StatementState] | None = None,
    compared: bool | None = None,
    after: StatementId | None = None,
    limit: int | None = None,
    bare: bool = False,
) -> list[Held]:
    """Statements in order of their ids; each filter that is given must fit. bare: no lines."""
    rows = all_rows(
        tx,
        f"""{BARE if bare else HELD}
            where (%(direction)s::text is null or s.direction = %(direction)s)
              and (%(party)s::text is null or %(party)s in (s.creditor, s.debtor))
              and (%(start)s::timestamptz is null or s.period_start = %(start)s)
              and (%(kind)s::text is null or s.kind_of = %(kind)s)
              and (%(agreement)s::text is null or s.agreement = %(agreement)s)
              and (%(states)s::text[] is null or s.state = any(%(states)s))
              and (%(compared)s::boolean is null
                   or (s.compared_at is not null) = %(compared)s)
              and (%(after)s::text is null or s.id > %(after)s)
            order by s.id limit %(limit)s""",
        {
            "direction": direction,
            "party": party,
            "start": period.start if period else None,
            "kind": kind_of,
            "agreement": agreement,
            "states": [str(state) for state in states] if states is not None else None,
            "compared": compared,
            "after": after,
            "limit": limit,
        },
    )
    return [held_of(row) for row in rows]


def page(
    tx: Transaction,
    *,
    id: StatementId | None = None,
    party: PartyId | None,
    state: StatementState | None,
    netted: bool | None,
    offset: int,
    limit: int,
) -> tuple[list[tuple[Held, Instant]], int]:
    """Statements that count, the newest first, with when each was made or heard; and how many
    there are. netted: invoiced ones that have been netted, or have not.
    """
    asked = {"id": id, "party": party, "state": state, "netted": netted}
    sql = f"{HELD} {_COUNTS}"
    rows, total = some_rows(tx, sql, asked, order=NEWEST, offset=offset, limit=limit)
    times = all_rows(
        tx,
        """select id, learned_at from settlement_statement where id = any(%s)""",
        ([row["document"]["id"] for row in rows],),
    )
    learned: dict[str, Instant] = {row["id"]: row["learned_at"] for row in times}
    held = [held_of(row) for row in rows]
    return [(one, learned[one.id]) for one in held], total


NEWEST = "s.learned_at desc, s.id desc"

_COUNTS = """where s.state <> 'withdrawn'
               and (%(id)s::text is null or s.id = %(id)s)
               and (%(party)s::text is null or %(party)s in (s.creditor, s.debtor))
               and (%(state)s::text is null or s.state = %(state)s)
               and (%(netted)s::boolean is null or (s.netting is not null) = %(netted)s)"""


def like(tx: Transaction, statement: Statement) -> Held | None:
    """The statement that counts now for what this one is about, locked."""
    row = one_row(
        tx,
        """select id from settlement_statement
           where (creditor, debtor, kind_of, agreement, agreement_version, currency, period_start)
               = (%s, %s, %s, %s, %s, %s, %s) and state <> 'withdrawn'
           for update""",
        (
            statement.creditor,
            statement.debtor,
            statement.kind_of,
            statement.agreement.id,
            statement.agreement.version,
            statement.currency,
            statement.period.start,
        ),
    )
    return get(tx, StatementId(row["id"])) if row else None


def known(tx: Transaction, statement: StatementId) -> bool:
    row = one_row(tx, "select from settlement_statement where id = %s", (statement,))
    return row is not None


def replaced(tx: Transaction, statement: StatementId) -> bool:
    """Whether a statement is here that replaces this one."""
    row = one_row(tx, "select from settlement_statement where replaces = %s limit 1", (statement,))
    return row is not None


def of_bills(tx: Transaction, us: PartyId, bills: Sequence[BillId]) -> frozenset[BillId]:
    """Those of these bills of ours of which a statement that counts was made."""
    rows = all_rows(
        tx,
        """select bill from settlement_statement
           where creditor = %s and bill = any(%s) and state <> 'withdrawn'""",
        (us, list(bills)),
    )
    return frozenset(BillId(row["bill"]) for row in rows)


def add_resolution(tx: Transaction, statement: StatementId, resolution: Resolution) -> None:
    run(
        tx,
        """insert into settlement_resolution (statement, difference, by_whom, why, at)
           values (%s, %s, %s, %s, %s) on conflict do nothing""",
        (
            statement,
            Jsonb(documents.write(resolution.difference)),
            resolution.by,
            resolution.why,
            resolution.at,
        ),
    )


def held_of(row: dict[str, Any]) -> Held:
    return Held(
        statement=_kept(row),
        direction=row["direction"],
        signature=documents.read(Signature, row["signature"]),
        state=StatementState(row["state"]),
        bill=BillId(row["bill"]) if row["bill"] else None,
        number=row["number"],
        compared_at=row["compared_at"],
        waiting=row["waiting"],
        differences=documents.read(Differences, row["differences"]),
        resolutions=documents.read(tuple[Resolution, ...], row["resolutions"]),
        confirmation=documents.read(Confirmation, row["confirmation"])
        if row["confirmation"]
        else None,
        netting=row["netting"],
    )


def _kept(row: dict[str, Any]) -> KeptStatement:
    """One that was made before lines were packed has them in its document."""
    found = documents.read(Statement, row["document"], what="statement")
    if row["parts"] is None:
        return keep(found)
    lines = PackedLines(row["lines_fingerprint"], row["net_by_offer"], tuple(row["parts"]))
    return KeptStatement(found, row["fingerprint"], lines)


# --- sharing ----------------------------------------------------------------------------------


def unshared(tx: Transaction, us: PartyId) -> list[tuple[AgreementId, Period]]:
    """Agreements and months in which we have stated services and shared nothing yet."""
    rows = all_rows(
        tx,
        """select distinct s.agreement, s.period_start
           from settlement_statement s
           where s.direction = 'issued' and s.kind_of = 'services' and s.creditor = %s
             and not exists (
                 select from settlement_shared d
                 where (d.agreement, d.period_start) = (s.agreement, s.period_start))
           order by s.period_start, s.agreement""",
        (us,),
    )
    return [
        (AgreementId(row["agreement"]), Period.month_of(row["period_start"].astimezone(UTC)))
        for row in rows
    ]


def claim_share(tx: Transaction, agreement: AgreementId, period: Period, now: Instant) -> bool:
    """True for the one transaction that shares this agreement's month."""
    return (
        run(
            tx,
            """insert into settlement_shared (agreement, period_start, at)
               values (%s, %s, %s) on conflict do nothing""",
            (agreement, period.start, now),
        )
        == 1
    )


# --- netting ----------------------------------------------------------------------------------


def lock_unnetted(
    tx: Transaction, partner: PartyId, currency: str, period: Period
) -> list[StatementId]:
    """The invoiced statements with a partner that are not netted yet, locked."""
    rows = all_rows(
        tx,
        """select id from settlement_statement
           where %s in (creditor, debtor) and currency = %s and period_start = %s
             and state = 'invoiced' and netting is null
           order by id for update""",
        (partner, currency, period.start),
    )
    return [StatementId(row["id"]) for row in rows]


def insert_netting(tx: Transaction, netting: Netting) -> None:
    run(
        tx,
        """insert into settlement_netting (key, partner, period_start, period_end, currency,
               receivable_minor, payable_minor, statements, at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            netting.key,
            netting.partner,
            netting.period.start,
            netting.period.end,
            netting.receivable.currency,
            netting.receivable.minor,
            netting.payable.minor,
            list(netting.statements),
            netting.at,
        ),
    )
    for line in netting.lines:
        run(
            tx,
            """insert into settlement_netting_line (netting, statement, minor, agreed)
               values (%s, %s, %s, %s)""",
            (netting.key, line.statement, line.amount.minor, line.agreed),
        )
    run(
        tx,
        "update settlement_statement set netting = %s where id = any(%s)",
        (netting.key, list(netting.statements)),
    )


def nettings(tx: Transaction, period: Period | None, partner: PartyId | None) -> Sequence[Netting]:
    rows = all_rows(
        tx,
        """select * from settlement_netting
           where (%(start)s::timestamptz is null or period_start = %(start)s)
             and (%(partner)s::text is null or partner = %(partner)s)
           order by at, length(key), key""",
        {"start": period.start if period else None, "partner": partner},
    )
    lines = all_rows(
        tx,
        """select netting, statement, minor, agreed from settlement_netting_line
           where netting = any(%s) order by statement""",
        ([row["key"] for row in rows],),
    )
    return [_netting(row, [one for one in lines if one["netting"] == row["key"]]) for row in rows]


def _netting(row: dict[str, Any], lines: Sequence[dict[str, Any]]) -> Netting:
    currency = row["currency"]
    return Netting(
        key=row["key"],
        partner=PartyId(row["partner"]),
        period=Period(row["period_start"].astimezone(UTC), row["period_end"].astimezone(UTC)),
        receivable=Money(row["receivable_minor"], currency),
        payable=Money(row["payable_minor"], currency),
        statements=tuple(StatementId(one) for one in row["statements"]),
        lines=tuple(
            NettedLine(StatementId(one["statement"]), Money(one["minor"], currency), one["agreed"])
            for one in lines
        ),
        at=row["at"],
    )
