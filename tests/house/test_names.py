"""What must be unique is so among the things of one party, or is a name that we give ourselves.

A key over what a party chooses, and over nothing that says whose it is, would tell one of them what
another has: a name that is taken is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import pytest

from hansa.foundation.embedded import EmbeddedServer

WHOSE = frozenset(
    {
        "buyer",
        "creditor",
        "issuer",
        "moved_by",
        "owner",
        "party",
        "seller",
        "sender",
        "upper_seller",
    }
)
"""Columns that say whose a row is."""

GIVEN: Mapping[str, frozenset[str]] = {
    "bears the name of who gave it": frozenset(
        {
            "agreement_country: agreement, version, country",
            "agreement_gate: agreement, country, gate",
            "agreement_item: agreement, version, position",
            "agreement_life: id",
            "agreement_party: agreement, version where (role = 'lead'::text)",
            "agreement_version: agreement, in_force",
            "agreement_version: agreement, version",
            "billing_supplier_invoice: statement",
            "settlement_dispute: id",
            "settlement_statement: id",
        }
    ),
    "is made by us, or is within what is": frozenset(
        {
            "assurance_entry: id",
            "assurance_entry: ticket, number",
            "assurance_entry: ticket, side, key",
            "assurance_entry: ticket, source, source_id",
            "assurance_relay: task",
            "assurance_relay: ticket, supplier, holding",
            "assurance_ticket: id",
            "billing_bill: id",
            "billing_request: id",
            "clearing_letter: id",
            "federation_evidence: number",
            "federation_trust_act: number",
            "hub_subscription: id",
            "ledger_account: id",
            "ledger_batch: position",
            "ledger_entry: id",
            "ledger_entry: number",
            "ledger_entry: reverses",
            "ledger_hold: id",
            "ledger_hold: key",
            "ledger_leg: account, sequence",
            "ledger_leg: entry, line",
            "order_cancellation: id",
            "order_cancellation: order",
            "order_cancellation: taken_back_by",
            "order_extra: order",
            "order_move: order, number",
            "order_order: id",
            "order_order: quote where (kind = 'provide'::text)",
            "plan: id",
            "plan_task: id",
            "plan_task: plan, position",
            "qualification_kept: id",
            "quote_extra: quote",
            "quote_move: quote",
            "quote_quote: id",
            "quote_supply: quote, position",
            "record: id",
        }
    ),
    "says in its words whose it is": frozenset({"ledger_account: code", "ledger_entry: key"}),
    "is signed by who has it, and by nobody else": frozenset({"federation_key: public_key"}),
}
"""Names that are unique without saying whose they are, and why nobody learns anything from it."""


@pytest.fixture
def connection(server: EmbeddedServer, template: str) -> psycopg.Connection[tuple[str, str, str]]:
    return psycopg.connect(server.url(template))


def unscoped(connection: psycopg.Connection[tuple[str, str, str]]) -> set[str]:
    """Every unique key none of whose columns says whose the row is, of tables to which partners
    add: as guests, by functions that are lent to them, or by their cards and messages.
    """
    rows = connection.execute(
        """select t.relname,
                  array_to_string(array(
                      select a.attname from unnest(i.indkey::int2[]) with ordinality as k (n, at)
                        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.n
                       where k.at <= i.indnkeyatts order by k.at), ', ', '?'),
                  coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), '')
             from pg_index i join pg_class t on t.oid = i.indrelid
            where i.indisunique and t.relnamespace = 'public'::regnamespace
              and (has_any_column_privilege('hansa_guest', t.oid, 'insert, update')
                   or t.relname ~ '^(federation|ledger)_')"""
    ).fetchall()
    return {
        f"{table}: {columns}{where}"
        for table, columns, where in rows
        if not WHOSE & set(columns.split(", "))
    }


def test_what_must_be_unique_is_so_for_one_party(
    connection: psycopg.Connection[tuple[str, str, str]],
) -> None:
    with connection:
        assert unscoped(connection) == frozenset().union(*GIVEN.values())


def test_a_key_that_says_nothing_of_whose_it_is_is_found(
    connection: psycopg.Connection[tuple[str, str, str]],
) -> None:
    with connection, pytest.raises(ZeroDivisionError), connection.transaction():
        connection.execute("create unique index on assurance_ticket (key)")
        connection.execute("create unique index on assurance_ticket (lower(name), buyer)")
        assert unscoped(connection) - frozenset().union(*GIVEN.values()) == {
            "assurance_ticket: key"
        }
        raise ZeroDivisionError
