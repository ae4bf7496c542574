"""Bank accounts, and what was ordered of our bank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansa.federation.shelf import Page
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run, some_rows
from hansa.foundation.ids import BankAccountId, PartyId, PaymentId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.clearing.model import BankAccount, PaymentOrder


def insert_account(tx: Transaction, account: BankAccount) -> None:
    run(
        tx,
        """insert into clearing_account (id, party, holder, number, bic, entered_by, entered_at)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (
            account.id,
            account.party,
            account.holder,
            account.number,
            account.bic,
            account.entered_by,
            account.entered_at,
        ),
    )


def confirm_account(tx: Transaction, account: BankAccountId, by: str, now: Instant) -> None:
    run(
        tx,
        """insert into clearing_account_check (account, confirmed_by, confirmed_at)
           values (%s, %s, %s) on conflict do nothing""",
        (account, by, now),
    )


_ACCOUNT = """select a.*, c.confirmed_by, c.confirmed_at
              from clearing_account a left join clearing_account_check c on c.account = a.id"""


def account(tx: Transaction, id: BankAccountId) -> BankAccount | None:
    row = one_row(tx, f"{_ACCOUNT} where a.id = %s", (id,))
    return _account(row) if row else None


def accounts(tx: Transaction, party: PartyId | None = None) -> Sequence[BankAccount]:
    """The newest confirmation first, then those that wait for one."""
    rows = all_rows(
        tx,
        f"""{_ACCOUNT} where %(party)s::text is null or a.party = %(party)s
            order by c.confirmed_at desc nulls last, a.id desc""",
        {"party": party},
    )
    return [_account(row) for row in rows]


def _account(row: dict[str, Any]) -> BankAccount:
    return BankAccount(
        id=BankAccountId(row["id"]),
        party=PartyId(row["party"]),
        holder=row["holder"],
        number=row["number"],
        bic=row["bic"],
        entered_by=row["entered_by"],
        entered_at=row["entered_at"],
        confirmed_by=row["confirmed_by"] or "",
        confirmed_at=row["confirmed_at"],
    )


LOCK = 0x7061796F7574
"""The advisory lock under which payments are ordered (`payout` in ASCII)."""


def lock_orders(tx: Transaction) -> None:
    """Nobody else orders payments until the end of tx."""
    run(tx, "select pg_advisory_xact_lock(%s)", (LOCK,))


def insert_order(tx: Transaction, order: PaymentOrder) -> None:
    """Raises an error of the database when a payment of it was ordered before."""
    run(
        tx,
        "insert into clearing_order (id, document, at) values (%s, %s, %s)",
        (order.id, Jsonb(documents.write(order)), order.ordered_at),
    )
    for payment in order.payments:
        run(
            tx,
            """insert into clearing_payment (source, settlement, payment_order, account)
               values (%s, %s, %s, %s)""",
            (payment.source, payment.settlement, order.id, payment.account),
        )


def order(tx: Transaction, id: PaymentId) -> PaymentOrder | None:
    row = one_row(tx, "select document from clearing_order where id = %s", (id,))
    return documents.read(PaymentOrder, row["document"]) if row else None


def orders(tx: Transaction, offset: int, limit: int) -> Page[PaymentOrder]:
    """The newest first."""
    sql = "select document from clearing_order"
    rows, total = some_rows(tx, sql, {}, order="at desc, id desc", offset=offset, limit=limit)
    return Page([documents.read(PaymentOrder, row["document"]) for row in rows], total)


def ordered(tx: Transaction) -> dict[str, Money]:
    """What was ordered, by its source."""
    rows = all_rows(
        tx,
        """select one->>'source' as source, (one->'amount'->>'minor')::bigint as minor,
                  one->'amount'->>'currency' as currency
             from clearing_order, jsonb_array_elements(document->'payments') as one""",
    )
    return {row["source"]: Money(row["minor"], row["currency"]) for row in rows}
