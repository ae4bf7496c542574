"""Every table is behind row-level security, and a guest has no right that is not listed here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
import pytest

from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.roles import CLERK, GUEST, NODE
from tests.house.tree import SOURCE, python_files, where

OPEN: Mapping[str, str] = {
    "migration": "the names of our schema files; the node reads it, and no guest",
}
"""Tables without row-level security, and why."""

FOR_EVERYONE: Mapping[str, str] = {
    "catalogue_offer": "what we have on offer",
    "catalogue_reference_rate": "published rates",
    "catalogue_tax_rule": "the law",
    "usage_period": "which months are open",
}
"""Tables of which a guest sees every row, and why."""

READS_AND_ADDS = "select, insert"
RIGHTS: Mapping[str, str] = {
    "agreement_as_known": "select",
    "agreement_country": "select, insert, update (live_since, state)",
    "agreement_customer": "select",
    "agreement_gate": READS_AND_ADDS,
    "agreement_item": READS_AND_ADDS,
    "agreement_life": "select, insert, update (lead)",
    "agreement_move": READS_AND_ADDS,
    "agreement_party": READS_AND_ADDS,
    "agreement_signature": READS_AND_ADDS,
    "agreement_version": "select, insert, update (in_force, state)",
    "assurance_entry": READS_AND_ADDS,
    "assurance_relay": READS_AND_ADDS,
    "assurance_ticket": "select, insert, update (entries, moved_at, state)",
    "billing_bill": "select, update (issued_at, number, serial, state, year)",
    "billing_request": READS_AND_ADDS,
    "billing_supplier_invoice": READS_AND_ADDS,
    "catalogue_offer": "select",
    "catalogue_price": "select",
    "catalogue_reference_rate": "select",
    "catalogue_tax_rule": "select",
    "clearing_letter": READS_AND_ADDS,
    "federation_certificate": "select",
    "federation_key": "select",
    "federation_partner": "select",
    "hub_subscription": "select, insert, update (silent_since), delete",
    "inventory_holding": "select",
    "inventory_spell": "select",
    "ledger_hold": "select, update (moved_at, state)",
    "order_cancellation": READS_AND_ADDS,
    "order_charge": "select",
    "order_extra": READS_AND_ADDS,
    "order_move": READS_AND_ADDS,
    "order_order": "select, insert, update (hold)",
    "plan": READS_AND_ADDS,
    "plan_task": READS_AND_ADDS,
    "qualification_kept": "select, insert, delete",
    "quote_bulk": READS_AND_ADDS,
    "quote_bulk_part": READS_AND_ADDS,
    "quote_extra": READS_AND_ADDS,
    "quote_move": READS_AND_ADDS,
    "quote_quote": READS_AND_ADDS,
    "quote_supply": READS_AND_ADDS,
    "record": "select, insert, update, delete",
    "settlement_dispute": "select, insert, update (credits, state)",
    "settlement_dispute_move": READS_AND_ADDS,
    "settlement_dispute_terms": "select",
    "settlement_resolution": "select",
    "settlement_statement": "select, insert, update "
    "(bill, compared_at, confirmation, differences, number, state, waiting)",
    "usage_file": "select",
    "usage_period": "select",
}
"""What a guest may do with a table, as far as its policies let it."""

LENT = frozenset(
    {
        "agreement_between", "agreement_fellows_of_party", "agreement_lists_of_party",
        "agreement_of_party", "billing_bill_guard", "billing_bill_watch",
        "billing_next_serial", "clearing_document", "hub_wanting",
        "inventory_below", "inventory_serves_party", "inventory_spells_below",
        "ledger_place_hold", "ledger_post", "plan_told", "plan_wake",
    }
)  # fmt: skip
"""The functions that work with the clerk's rights; each asks for itself whom it works for."""

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection(server: EmbeddedServer, template: str) -> Iterator[Connection]:
    """To a database as it is after all migrations; what is done there is rolled back."""
    with psycopg.connect(server.url(template)) as made:
        yield made
        made.rollback()


def asked(connection: Connection, sql: str, *params: object) -> list[tuple[Any, ...]]:
    return connection.execute(sql.encode(), params).fetchall()


def exposed(connection: Connection) -> Sequence[str]:
    """Tables that are not behind forced row-level security with the node's own policy."""
    rows = asked(
        connection,
        """select relname from pg_class c
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'f')
              and not (relrowsecurity and relforcerowsecurity and exists (
                  select from pg_policy p where p.polrelid = c.oid and p.polname = 'ours'))
            order by relname""",
    )
    return [name for (name,) in rows]


def rights(connection: Connection, role: str) -> Mapping[str, str]:
    """What a role may do with each table, by its own grants and by those to everybody."""
    found: dict[str, list[str]] = {}
    for table, right, columns in asked(
        connection,
        """with granted as (
               select c.relname, null as attname, a.* from pg_class c, aclexplode(c.relacl) a
                where c.relnamespace = 'public'::regnamespace
               union all
               select c.relname, t.attname, a.* from pg_attribute t
                 join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) a
                where c.relnamespace = 'public'::regnamespace)
           select relname, lower(privilege_type), array_remove(array_agg(attname::text
                      order by attname), null)
             from granted
            where grantee = 0 or grantee = %s::regrole
            group by relname, privilege_type
            order by relname, array_position(array['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
                                             privilege_type)""",
        role,
    ):
        found.setdefault(table, []).append(f"{right} ({', '.join(columns)})" if columns else right)
    return {table: ", ".join(each) for table, each in found.items()}


def test_every_table_is_behind_row_level_security(connection: Connection) -> None:
    assert exposed(connection) == sorted(OPEN)


def test_a_table_that_is_not_is_found(connection: Connection) -> None:
    connection.execute("create table order_secret (n int)")
    connection.execute("create table order_half (n int)")
    connection.execute("alter table order_half enable row level security")
    assert exposed(connection) == sorted({*OPEN, "order_half", "order_secret"})


def test_a_guest_has_the_rights_that_are_listed(connection: Connection) -> None:
    assert rights(connection, GUEST) == RIGHTS


def test_a_right_that_is_not_listed_is_found(connection: Connection) -> None:
    connection.execute("grant update (key) on order_order to public")
    connection.execute("grant delete on plan to hansa_guest")
    found = rights(connection, GUEST)
    assert found["order_order"] == "select, insert, update (hold, key)"
    assert found["plan"] == "select, insert, delete"


def test_what_a_guest_sees_whole_is_listed(connection: Connection) -> None:
    rows = asked(
        connection,
        """select c.relname from pg_policy p join pg_class c on c.oid = p.polrelid
            where 'hansa_guest'::regrole = any (p.polroles)
              and coalesce(pg_get_expr(p.polqual, p.polrelid), 'null') = 'true'
           union
           select c.relname from pg_policy p join pg_class c on c.oid = p.polrelid
            where 0 = any (p.polroles)
            order by 1""",
    )
    assert [name for (name,) in rows] == sorted(FOR_EVERYONE)


def test_whatever_a_guest_writes_is_checked(connection: Connection) -> None:
    """A policy for rows that are added or changed says which ones."""
    rows = asked(
        connection,
        """select c.relname, p.polname from pg_policy p join pg_class c on c.oid = p.polrelid
            where 'hansa_guest'::regrole = any (p.polroles) and p.polcmd <> 'r'
              and coalesce(pg_get_expr(p.polwithcheck, p.polrelid),
                           pg_get_expr(p.polqual, p.polrelid), 'true') = 'true'""",
    )
    assert rows == []


def test_views_have_their_readers_rights(connection: Connection) -> None:
    rows = asked(
        connection,
        """select relname from pg_class
            where relnamespace = 'public'::regnamespace and relkind = 'v'
              and not coalesce('security_invoker=true' = any (reloptions), false)""",
    )
    assert rows == []


def test_borrowed_rights_are_listed_and_narrow(connection: Connection) -> None:
    rows = asked(
        connection,
        """select proname, proowner::regrole::text, proconfig, has_function_privilege(
                      'public', oid, 'execute'), prosrc
             from pg_proc where pronamespace = 'public'::regnamespace and prosecdef""",
    )
    assert {row[0] for row in rows} == LENT
    for name, owner, config, everybody, text in rows:
        assert owner == CLERK, name
        assert "search_path=public, pg_temp" in config, name
        assert not everybody, name
        assert not ROLES.search(text) and not re.search(r"\bexecute\b", text), name


def test_nobody_has_tables_of_a_sessions_own(connection: Connection) -> None:
    """They would be found before ours."""
    may = "select has_database_privilege(%s, current_database(), 'temporary')"
    for role in ("public", NODE, GUEST, CLERK):
        assert asked(connection, may, role) == [(False,)]


def test_roles_have_no_powers_of_their_own(connection: Connection) -> None:
    rows = asked(
        connection,
        """select rolname from pg_roles where rolname like 'hansa\\_%%'
              and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication)""",
    )
    assert rows == []
    may_become = asked(
        connection,
        """select m.member::regrole::text, m.roleid::regrole::text, m.inherit_option
             from pg_auth_members m where m.member::regrole::text in (%s, %s, %s)""",
        NODE,
        GUEST,
        CLERK,
    )
    assert may_become == [(NODE, GUEST, False)]


ROLES = re.compile(
    r"\b(set|reset)\s+(local\s+|session\s+)?(role|authorization)\b"
    r"|\bset_config\b(?!\('(synchronous_commit|hansa\.plan)')"
    r"|\bsession_authorization\b|\brow_security\b",
    re.IGNORECASE,
)
ALLOWED = frozenset({"foundation/database.py", "foundation/migrations.py"})


def meddlers() -> Iterator[str]:
    """Files with SQL about roles."""
    files = [*python_files(SOURCE), *sorted(SOURCE.rglob("*.sql"))]
    for file in files:
        if ROLES.search(file.read_text()) and where(file) not in ALLOWED:
            yield where(file)


def test_no_sql_of_a_room_touches_roles() -> None:
    """So nothing that a request can reach undoes whose request it is."""
    assert list(meddlers()) == []
    assert ROLES.search("reset role")
    assert ROLES.search("set local role hansa_node")
    assert ROLES.search("select set_config('hansa.party', 'bt', true)")
