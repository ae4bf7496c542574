"""Sums over the books, for those who look at all of them at once."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.foundation.database import all_rows
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.ledger.model import AccountKind, Turnover


def turnover(tx: Transaction, kind: AccountKind, since: Instant) -> list[Turnover]:
    rows = all_rows(
        tx,
        """select a.code, a.currency, sum(l.amount)::bigint as minor,
                  date_trunc('month', e.effective_at at time zone 'UTC')::date as month
             from ledger_account a
             join ledger_leg l on l.account = a.id
             join ledger_entry e on e.number = l.entry
            where a.kind = %s and e.effective_at >= %s
            group by a.code, a.currency, month order by month, a.code""",
        (kind, since),
    )
    return [
        Turnover(row["code"], row["month"], Money(row["minor"], row["currency"])) for row in rows
    ]


def together(tx: Transaction, heads: Sequence[str]) -> list[tuple[str, Money]]:
    """The balances of accounts whose codes begin with one of these parts, by it and currency."""
    rows = all_rows(
        tx,
        """select split_part(code, '/', 1) as head, currency, sum(balance)::bigint as minor
             from ledger_balance where split_part(code, '/', 1) = any(%s)
            group by head, currency order by currency, head""",
        (list(heads),),
    )
    return [(row["head"], Money(row["minor"], row["currency"])) for row in rows]


def exposures(tx: Transaction, of: Sequence[tuple[PartyId, str]]) -> list[Money]:
    """The exposure to each of these parties in that currency, in the same order."""
    rows = all_rows(
        tx,
        """select currency, ledger_exposure(party, currency) as minor
             from unnest(%s::text[], %s::text[]) with ordinality as o (party, currency, place)
            order by place""",
        ([party for party, _ in of], [currency for _, currency in of]),
    )
    return [Money(row["minor"], row["currency"]) for row in rows]
