"""In the database itself: whatever SQL a partner's request runs, it finds its own rows alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.federation.helpdesk import TicketAsk
from hansa.federation.papers import (
    AgreementDocument,
    AgreementDrafted,
    AgreementParty,
    NettingDropped,
)
from hansa.foundation import documents
from hansa.foundation.database import Database, all_rows, one_row, run, savepoint
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, PartyId, RoundId
from hansa.foundation.money import Money
from hansa.foundation.party import Actor
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.clearing.actions import parties
from hansa.lifecycle.clearing.model import Particulars
from hansa.node import Node
from tests.alliance import Alliance
from tests.databases import Pool, unbound
from tests.house.test_rights import FOR_EVERYONE, OPEN
from tests.isolation.disputed import confirmed, disputed

US, ALPHA, BETA = PartyId("us"), PartyId("alpha"), PartyId("beta")

UNSEEN = {
    "agreement_customer": "our customers are not in this story",
    "billing_request": "nobody has asked for a bill before its time",
    "billing_supplier_invoice": "we buy from nobody here",
    "assurance_relay": "what is held here stands on our own network",
    "federation_certificate": "these nodes speak to each other without TLS",
    "hub_subscription": "nobody has subscribed",
    "order_cancellation": "nothing is cancelled",
    "order_charge": "nothing is cancelled",
    "order_extra": "nothing was sent that we do not understand",
    "qualification_kept": "quotes are asked for at once",
    "quote_bulk": "nothing is asked for in bulk",
    "quote_bulk_part": "nothing is asked for in bulk",
    "quote_extra": "nothing was sent that we do not understand",
    "record": "no records are kept",
    "settlement_resolution": "what our people decided is never a partner's to see",
    "quote_supply": "our suppliers' quotes are never a buyer's to see",
}
"""Tables in which neither partner of this story has a row that it may see, and why."""


@pytest.fixture(scope="module")
def us(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """An operator of whom two partners, alpha and beta, have bought alike, for a whole month."""
    clock = SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC))
    folder: Path = tmp_path_factory.mktemp("isolation")
    with pool.lend() as databases:
        alliance = Alliance(databases, folder, clock, b"rows")
        node = alliance.add(US)
        buyers = [alliance.add(name) for name in (ALPHA, BETA)]
        alliance.build_network(node)
        alliance.offer(node, sources=[US], currency="GBP")
        for buyer in buyers:
            alliance.join(node, buyer)
            alliance.agree(node, buyer, currency="GBP", credit_limit=Money(10_000_00, "GBP"))
            front = node.storefront(Actor(buyer.us.id, "partner"))
            for number in range(2):
                need = replace(alliance.need("Durban"), trail=(buyer.us.id,))
                quote = front.quote(need)
                placed = front.order(quote_id=quote.id, key=BuyerKey(f"{number}"))
                alliance.work()
            holding = front.progress(placed.id).provided[0].holding
            ask = TicketAsk("It is slow.", severity="minor", kind="fault", holding=holding)
            front.open_ticket(ask=ask, key=BuyerKey("ticket"))
            front.hear(NettingDropped(RoundId("rnd_1"), 1, "no such round"))
        alliance.pass_time(timedelta(days=31))
        for act in (confirmed, disputed):
            for buyer in buyers:
                act(node, buyer)
            alliance.work()
        yield node
        alliance.close()


def as_guest(node: Node, party: PartyId) -> Begin:
    return node.begin_for(Actor(party, "partner"))


def granted(node: Node, right: str) -> Mapping[str, Sequence[str]]:
    """The tables in which a guest has the right, and the columns."""
    with node.begin() as tx:
        rows = all_rows(
            tx,
            """select table_name, array_agg(column_name::text order by ordinal_position) as columns
                 from information_schema.columns c
                where table_schema = 'public' and has_column_privilege(
                          'hansa_guest', format('%%I.%%I', table_schema, table_name),
                          column_name, %s)
                group by table_name order by table_name""",
            (right,),
        )
    return {row["table_name"]: row["columns"] for row in rows}


def seen(node: Node, party: PartyId) -> dict[str, set[str]]:
    """Where every row is that the party sees, by table."""
    views = {"agreement_as_known"}
    with as_guest(node, party)() as tx:
        return {
            table: {row["at"] for row in all_rows(tx, f"select ctid::text as at from {table}")}
            for table in granted(node, "select")
            if table not in views
        }


def test_no_row_is_seen_by_both(us: Node) -> None:
    alpha, beta = seen(us, ALPHA), seen(us, BETA)
    shared = {table for table in alpha if alpha[table] & beta[table]}
    assert shared == set(FOR_EVERYONE) - {"catalogue_reference_rate"} | {"catalogue_price"}
    assert {table for table, rows in alpha.items() if not rows} == {
        *UNSEEN, "catalogue_reference_rate",
    }  # fmt: skip
    assert {t: len(rows) for t, rows in alpha.items()} == {t: len(r) for t, r in beta.items()}


def test_nobody_else_is_named_in_what_is_seen(us: Node) -> None:
    for party, other in ((ALPHA, BETA), (BETA, ALPHA)):
        with as_guest(us, party)() as tx:
            for table in granted(us, "select"):
                for row in all_rows(tx, f"select t::text as row from {table} t"):
                    assert other not in row["row"], (table, row)


def test_a_stranger_sees_what_is_everybodys(us: Node) -> None:
    """A party that nobody knows, and a request that is nobody's."""
    for name in ("nobody", ""):
        found = seen(us, PartyId(name))
        assert {table for table, rows in found.items() if rows} == set(FOR_EVERYONE) - {
            "catalogue_reference_rate"
        }


def test_the_node_sees_everything(us: Node) -> None:
    with us.begin() as tx, unbound(us.database.url) as all_of_it:
        tables = [
            row["table_name"]
            for row in all_rows(
                tx,
                "select table_name from information_schema.tables where table_schema = 'public'",
            )
        ]
        assert len(tables) > 60
        for table in tables:
            count = f"select count(*) as n from {table}"
            assert one_row(tx, count) == one_row(all_of_it, count), table


def test_tables_without_a_right_cannot_be_read(us: Node) -> None:
    with us.begin() as tx:
        tables = {
            row["table_name"]
            for row in all_rows(
                tx,
                "select table_name from information_schema.tables where table_schema = 'public'",
            )
        }
    closed = tables - set(granted(us, "select"))
    assert {"ledger_leg", "ledger_entry", "rating_line", "inventory_support", *OPEN} <= closed
    for table in sorted(closed):
        assert refused(as_guest(us, BETA), f"select from {table}"), table


def refused(begin: Begin, sql: str, params: Sequence[object] = ()) -> str:
    """What the database says when it lets nothing of this happen; empty when it does."""
    try:
        with begin() as tx:
            run(tx, sql, params)
    except psycopg.errors.InsufficientPrivilege as error:
        return str(error)
    return ""


def rows_of(node: Node, table: str, party: PartyId) -> list[dict[str, Any]]:
    places = sorted(seen(node, party)[table])
    with node.begin() as tx:
        return [
            row["row"]
            for row in all_rows(
                tx,
                f"select to_jsonb(t) as row from {table} t where ctid = any(%s::tid[])",
                (places,),
            )
        ]


def test_nothing_is_added_in_anothers_name(us: Node) -> None:
    """Every row of alpha's, offered once more by beta: it is refused before it is even compared
    with what is there.
    """
    tried = set()
    for table in granted(us, "insert"):
        for row in rows_of(us, table, ALPHA):
            sql = (
                f"insert into {table} overriding system value "
                f"select (jsonb_populate_record(null::{table}, %s::jsonb)).*"
            )
            if table == "plan":
                row = {**row, "kind": "provide"}  # noqa: PLW2901 - notices bear no name here
            assert "policy" in refused(as_guest(us, BETA), sql, (json.dumps(row),)), (table, row)
            tried.add(table)
    assert tried == set(granted(us, "insert")) - set(UNSEEN)


def test_nothing_of_anothers_is_changed_locked_or_removed(us: Node) -> None:
    """Beta names every row of alpha's by its very place, and finds nothing there."""
    alpha, tried = seen(us, ALPHA), set()
    for table, columns in granted(us, "update").items():
        places = sorted(alpha[table])
        assert places or table in UNSEEN, table
        with as_guest(us, BETA)() as tx:
            found = all_rows(
                tx, f"select from {table} where ctid = any(%s::tid[]) for update", (places,)
            )
            assert found == [], table
        for column in set(columns) - {"lead"}:  # which nobody may change
            sql = f"update {table} set {column} = {column} where ctid = any(%s::tid[])"
            with as_guest(us, BETA)() as tx:
                assert run(tx, sql, (places,)) == 0, (table, column)
            tried.add(f"{table}.{column}")
    assert {"order_order.hold", "billing_bill.state", "agreement_version.state"} <= tried
    for table in ("record", "hub_subscription", "qualification_kept"):
        with as_guest(us, BETA)() as tx:
            assert run(tx, f"delete from {table} where true") == 0


def test_a_name_is_not_changed_to_anothers(us: Node) -> None:
    for table, column in (
        ("order_order", "buyer"),
        ("quote_quote", "buyer"),
        ("inventory_holding", "buyer"),
        ("ledger_hold", "party"),
        ("settlement_statement", "debtor"),
        ("assurance_ticket", "buyer"),
    ):
        sql = f"update {table} set {column} = 'alpha'"
        assert "permission denied" in refused(as_guest(us, BETA), sql), table


def test_functions_of_the_clerk_ask_whom_they_work_for(us: Node) -> None:
    (holding,) = rows_of(us, "inventory_holding", ALPHA)[:1]
    of_alpha = (holding["seller"], holding["id"])
    begin = as_guest(us, BETA)
    for question in (
        "select from inventory_below(%s, %s)",
        "select from inventory_spells_below(%s, %s)",
        "select from inventory_serves_party(%s, %s) as it where it",
    ):
        with as_guest(us, ALPHA)() as tx:
            assert all_rows(tx, question, of_alpha)
        with begin() as tx:
            assert all_rows(tx, question, of_alpha) == []
    with begin() as tx:
        assert all_rows(tx, "select from agreement_between(%s, %s)", (US, ALPHA)) == []
        assert len(all_rows(tx, "select from agreement_between(%s, %s)", (US, BETA))) == 1
    with us.begin() as tx:
        given = Particulars(ALPHA, city="Accra")
        parties.enter_particulars(tx, given=given, by="ada", now=us.clock.now())
    for guest, seen in ((ALPHA, given), (BETA, Particulars(ALPHA))):
        with as_guest(us, guest)() as tx:
            assert parties.particulars(tx, party=ALPHA) == seen
    hold = """select ledger_place_hold('hol_1', 'mine', %s, 'GBP', 1, null, 'ord_1',
                                      '2026-12-03Z', null)"""
    assert "credit of another" in refused(begin, hold, (ALPHA,))
    post = """select * from ledger_post('2026-12-03Z',
        array['receivable/'||%s||'/GBP', 'revenue/x/GBP'], array['asset', 'income'],
        array[%s, null], array['GBP', 'GBP'],
        array['ent_1'], array['key'], array[encode(sha256('x'), 'hex')], array['invoice'],
        array['x'], array[encode(sha256('x'), 'hex')], array['x'],
        array['2026-12-03Z'::timestamptz], array[null], array[1, 1], array[1, 2], array[1, 2],
        array[100, -100]::bigint[])"""
    assert "another party" in refused(begin, post, (ALPHA, ALPHA))


def test_a_word_about_a_task_is_heard_from_those_it_is_about(us: Node) -> None:
    with us.begin() as tx:
        task = one_row(tx, "select id, body from plan_task where kind = 'delivery.supply'")
        assert task is not None
    for teller in (ALPHA, BETA):
        with as_guest(us, teller)() as tx:
            for sql in ("plan_wake(%s, '1', '2026-12-03Z')", "plan_told(%s, 'us', '1', 'now')"):
                assert one_row(tx, f"select {sql} as done", (task["id"],)) == {"done": False}


def test_an_id_that_another_has_given_cannot_be_given_again(us: Node) -> None:
    """Who drafts an agreement names it; the name of one that it knows nothing of is not free."""
    (version,) = rows_of(us, "agreement_version", ALPHA)
    text = json.dumps(version["document"]).replace('"alpha"', '"beta"')
    document = documents.read(AgreementDocument, json.loads(text))
    parties = (AgreementParty(BETA, "lead"), AgreementParty(US, "partner"))
    drafted = AgreementDrafted(replace(document, parties=parties))
    front = us.storefront(Actor(BETA, "partner"))
    before = seen(us, ALPHA), seen(us, BETA)
    with pytest.raises(Refused, match="id-not-given"):
        front.hear(drafted)
    assert (seen(us, ALPHA), seen(us, BETA)) == before


# --- for as long as the transaction lasts -------------------------------------------------------


def who(tx: Transaction) -> dict[str, Any] | None:
    return one_row(
        tx, "select current_user::text as role, hansa_party() as party, hansa_us() as us"
    )


GUEST_ALPHA = {"role": "hansa_guest", "party": ALPHA, "us": US}
NODE = {"role": "hansa_node", "party": None, "us": None}


def test_a_guest_is_one_until_the_transaction_ends_and_no_longer(us: Node) -> None:
    database = us.database
    begin = database.begin_for(Actor(ALPHA, "customer"), us=US)
    for _ in range(3):
        with begin() as tx:
            assert who(tx) == GUEST_ALPHA
            with pytest.raises(ZeroDivisionError), savepoint(tx):
                run(tx, "select 1")
                raise ZeroDivisionError
            assert who(tx) == GUEST_ALPHA
        with database.begin() as tx:
            assert who(tx) == NODE
        with pytest.raises(ZeroDivisionError), begin() as tx:
            assert who(tx) == GUEST_ALPHA
            raise ZeroDivisionError
        with pytest.raises(psycopg.errors.UndefinedTable), begin() as tx:
            run(tx, "select from nowhere")
        with begin() as tx:
            pass  # nothing was asked
        with database.begin() as tx:
            assert who(tx) == NODE


def test_our_own_staff_are_no_guests(us: Node) -> None:
    with us.begin_for(Actor(US, "operator"))() as tx:
        assert who(tx) == NODE


def test_nothing_but_the_end_of_the_transaction_leads_to_more(database: Database) -> None:
    """As the node connects: by a user that may become a guest, and nobody above itself."""
    with unbound(database.url) as tx:
        run(tx, "create role hansa_caller login")
        run(tx, "grant hansa_node, hansa_guest to hansa_caller with inherit false, set true")
    try:
        with psycopg.connect(database.url) as connection:
            connection.execute("set session authorization hansa_caller")
            for role in ("hansa_owner", "hansa_clerk", "hansa"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(f"set role {role}".encode())
            connection.execute("set role hansa_guest")
            for forbidden in (
                "create table mine (n int)",
                "create function mine() returns int language sql return 1",
                "alter table order_order disable row level security",
                "drop policy of_the_party on order_order",
                "alter function hansa_party() rename to mine",
                "grant select on ledger_leg to hansa_guest",
                "set session_replication_role = replica",
                "truncate order_order",
                "copy order_order to '/tmp/orders'",
            ):
                with (
                    pytest.raises(psycopg.errors.InsufficientPrivilege),
                    connection.transaction(),
                ):
                    connection.execute(forbidden.encode())
            connection.rollback()
    finally:
        with unbound(database.url) as tx:
            run(tx, "drop role hansa_caller")


# --- over random rows ---------------------------------------------------------------------------

PARTIES = ("alpha", "beta", "gamma")
names = st.sampled_from(PARTIES)
NAMES = st.lists(names, max_size=6)
PAIRS = st.lists(st.tuples(names, names).filter(lambda pair: pair[0] != pair[1]), max_size=6)

QUOTE = """insert into quote_quote values
           ('quo_' || %(n)s, %(a)s, 'GBP', '2026-01-01Z', '2027-01-01Z', 'trc', '{}', '{}')"""
SUPPLY = "insert into quote_supply values ('quo_' || %(n)s, 0, 'us', '{}')"
ORDER = """insert into order_order (id, kind, buyer, by_partner, key, request, quote, state,
                                    placed_at, trace)
           values ('ord_' || %(n)s, 'provide', %(a)s, true, %(n)s, '', 'quo_' || %(n)s,
                   'acknowledged', '2026-01-01Z', 'trc')"""
MOVE = """insert into order_move ("order", state, reason, at)
          values ('ord_' || %(n)s, 'acknowledged', '', '2026-01-01Z')"""
PLAN = """insert into plan (id, subject, kind, state, trace, made_at)
          values ('pln_' || %(n)s, 'ord_' || %(n)s, 'provide', 'running', 'trc', '2026-01-01Z')"""
HOLDING = """insert into inventory_holding values (%(a)s, 'hld_' || %(n)s, %(b)s, 'i', 'o', 'o',
             'voice', null, null, null, 'active', 'trc')"""
STATEMENT = """insert into settlement_statement (id, direction, kind_of, agreement,
                   agreement_version, creditor, debtor, period_start, currency, document,
                   fingerprint, signature, state, learned_at)
               values ('sta_' || %(n)s, 'heard', 'services', 'agr_' || %(n)s, 1, %(a)s, %(b)s,
                       '2026-01-01Z', 'GBP', '{}', '', '{}', 'issued', '2026-01-01Z')"""
AGREEMENT = """with life as (insert into agreement_life values ('agr_' || %(n)s, %(a)s)),
                    version as (insert into agreement_version values
                        ('agr_' || %(n)s, 1, repeat('0', 64),
                         jsonb_build_object('id', 'agr_' || %(n)s, 'version', 1), '2026-01-01Z',
                         'draft'))
               insert into agreement_party values ('agr_' || %(n)s, 1, %(a)s, 'lead'),
                                                  ('agr_' || %(n)s, 1, %(b)s, 'partner')"""

SEEN = {
    "quote_quote": "select id as k from quote_quote",
    "quote_supply": "select quote as k from quote_supply",
    "order_order": "select id as k from order_order",
    "order_move": """select "order" as k from order_move""",
    "plan": "select id as k from plan",
    "inventory_holding": "select id as k from inventory_holding",
    "settlement_statement": "select id as k from settlement_statement",
    "agreement_version": "select agreement as k from agreement_version",
    "agreement_as_known": "select agreement as k from agreement_as_known",
    "agreement_party": "select distinct agreement as k from agreement_party",
}


@pytest.fixture
def apart(databases: Callable[[], Database]) -> Database:
    return databases()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(buyers=NAMES, holdings=PAIRS, statements=PAIRS, agreements=PAIRS, looker=names)
def test_whatever_there_is_each_sees_what_names_it(
    apart: Database,
    buyers: Sequence[str],
    holdings: Sequence[tuple[str, str]],
    statements: Sequence[tuple[str, str]],
    agreements: Sequence[tuple[str, str]],
    looker: str,
) -> None:
    def of(prefix: str, pairs: Sequence[Sequence[str]]) -> list[str]:
        return [f"{prefix}_{n}" for n, pair in enumerate(pairs) if looker in pair]

    single = [(buyer,) for buyer in buyers]
    wanted = {
        "quote_quote": of("quo", single),
        "quote_supply": [],
        "order_order": of("ord", single),
        "order_move": of("ord", single),
        "plan": of("pln", single),
        "inventory_holding": of("hld", holdings),
        "settlement_statement": of("sta", statements),
        **dict.fromkeys(
            ("agreement_version", "agreement_as_known", "agreement_party"), of("agr", agreements)
        ),
    }
    with pytest.raises(ZeroDivisionError), unbound(apart.url) as tx:
        for rows, texts in (
            (single, (QUOTE, SUPPLY, ORDER, MOVE, PLAN)),
            (holdings, (HOLDING,)),
            (statements, (STATEMENT,)),
            (agreements, (AGREEMENT,)),
        ):
            for number, pair in enumerate(rows):
                named = {"n": str(number), "a": pair[0], "b": pair[-1]}
                for text in texts:
                    run(tx, text, {k: v for k, v in named.items() if f"%({k})s" in text})
        run(tx, "select set_config('hansa.party', %s, true)", (looker,))
        run(tx, "set local role hansa_guest")
        found = {name: [row["k"] for row in all_rows(tx, sql)] for name, sql in SEEN.items()}
        assert {name: sorted(keys) for name, keys in found.items()} == wanted
        raise ZeroDivisionError  # none of it stays
