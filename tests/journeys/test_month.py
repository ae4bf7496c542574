"""A month is settled: between two operators and between three, in four currencies, with a change
in the middle, a share of the revenue for a fourth, and a line on which two do not agree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest

from hansa.federation.papers import StatementState
from hansa.foundation.database import run
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money, Rounding
from hansa.foundation.time import SetClock
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.settlement.actions import statements
from hansa.node import Node
from tests.alliance import SHOP, Alliance
from tests.databases import Pool, unbound
from tests.journeys.month import (
    A_MOMENT,
    CHANGED,
    CURRENCIES,
    MEMBER,
    NOVEMBER,
    OP1,
    OP2,
    OP3,
    ORDERED,
    balances,
    books_agree,
    build,
    customer_bills,
    held,
    netted,
    services,
    traders,
)
from tests.standing import Standing, standing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[2, 3], ids=["two operators", "three operators"])
def world(
    request: pytest.FixtureRequest, pool: Pool, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standing]:
    """The morning after the month; nobody has looked at it yet."""
    with pool.lend() as databases:
        folder = tmp_path_factory.mktemp("month")
        alliance = Alliance(databases, folder, SetClock(ORDERED), b"month")
        build(alliance, request.param)
        with standing(alliance) as made:
            yield made


@pytest.fixture
def alliance(world: Standing) -> Alliance:
    return world.again()


# --- all agree ------------------------------------------------------------------------------------


def test_books_agree_and_positions_add_up_to_zero(alliance: Alliance) -> None:
    alliance.work()
    alliance.pass_time(A_MOMENT)
    for node in alliance.nodes.values():
        for one in held(node):
            assert (one.state, one.differences) == (StatementState.INVOICED, ())
    books_agree(alliance)

    sums: Counter[str] = Counter()
    for name, found in netted(alliance).items():
        for position in found:
            assert position.held_out == (), (name, position)
            assert position.netted == position.net
            sums[position.currency] += position.net.minor
    expected = {CURRENCIES[node.us.id] for node in traders(alliance)[:-1]} | {"USD"}
    assert dict(sums) == dict.fromkeys(expected, 0)
    books_agree(alliance)
    for node in alliance.nodes.values():
        left = [code for code in balances(node) if code.startswith(("receivable", "payable"))]
        top = node is traders(alliance)[-1]
        assert left == ([f"receivable/{SHOP}/{node.us.currency}"] if top else [])


def test_each_side_computed_the_same_lines_and_invoiced_them_once(alliance: Alliance) -> None:
    alliance.work()
    for seller, buyer in pairwise(traders(alliance)):
        (theirs,) = services(seller, buyer)
        (ours,) = held(buyer, direction="heard", partner=seller.us.id)
        assert ours.statement == theirs.statement
        with buyer.begin() as tx:
            (group,) = billing.bought_lines(
                tx, us=buyer.us.id, seller=seller.us.id, period=NOVEMBER
            )
            (invoice,) = billing.supplier_invoices(tx, issuer=seller.us.id)
        assert {line.key: (line.net, line.tax) for line in group.lines} == {
            line.key: (line.net, line.tax) for line in ours.statement.lines
        }
        assert (invoice.total, invoice.number) == (theirs.total, theirs.number)
    before = {name: balances(node) for name, node in alliance.nodes.items()}
    for _ in range(3):
        alliance.pass_time(timedelta(days=2))
    assert {name: balances(node) for name, node in alliance.nodes.items()} == before


def part_of_month(minor: int, since: datetime, until: datetime) -> int:
    """A monthly price for a part of November, rounded half up."""
    exact = Fraction(minor) * Fraction((until - since) / timedelta(seconds=1))
    exact /= Fraction((NOVEMBER.end - NOVEMBER.start) / timedelta(seconds=1))
    return int(exact + Fraction(1, 2))


def test_what_the_first_seller_charges_is_what_one_computes_by_hand(alliance: Alliance) -> None:
    """51.37 once a line; 103.19 + 0.25 a Mbit/s a month, by seconds, at 100 and then at 200."""
    alliance.work()
    op1, op2 = traders(alliance)[:2]
    (stated,) = services(op1, op2)
    lines = {line.key.partition("/")[2]: line for line in stated.statement.lines}
    found = Counter(
        (line.key.partition("/")[2].partition("@")[0], line.net.minor)
        for line in stated.statement.lines
        if "/usage/" not in line.key
    )
    end = NOVEMBER.end
    assert found == Counter(
        [
            ("one-off", 5137),
            ("one-off", 5137),
            ("monthly", part_of_month(10319 + 2500, ORDERED, end)),
            ("monthly", part_of_month(10319 + 2500, ORDERED, CHANGED)),
            ("monthly", part_of_month(10319 + 5000, CHANGED, end)),
        ]
    )
    usage = [line for what, line in lines.items() if what.startswith("usage/")]
    assert usage
    for line in stated.statement.lines:
        if "/usage/" in line.key:
            # Mbit/s at the 95th percentile, of which ten are the least, for a part of the month.
            assert line.quantity >= 10
            exact = Fraction(line.quantity) * Fraction("0.3571") * 100
            exact *= Fraction((end - ORDERED) / (end - NOVEMBER.start))
            assert abs(line.net.minor - exact) <= Fraction(1, 2)
    assert stated.statement.net.minor == sum(line.net.minor for line in stated.statement.lines)
    assert stated.statement.tax == Money.zero("GBP")


def test_the_customer_gets_one_invoice_in_its_own_currency(alliance: Alliance) -> None:
    alliance.work()
    top = traders(alliance)[-1]
    (invoice,) = customer_bills(top)
    assert invoice.number == f"{top.us.id.upper()}-2026-000001"
    assert invoice.currency == top.us.currency
    what = Counter(line.key.partition("/")[2].partition("@")[0] for line in invoice.lines)
    assert (what["one-off"], what["monthly"]) == (2, 3)
    assert sum(count for label, count in what.items() if label.startswith("usage/")) >= 2
    for line in invoice.lines:
        assert line.tax == line.net.times(Fraction(20, 100), rounding=Rounding.HALF_UP)
    assert invoice.total.minor == sum(line.net.minor + line.tax.minor for line in invoice.lines)
    assert balances(top)[f"receivable/{SHOP}/{top.us.currency}"] == invoice.total.minor


def test_the_member_gets_its_share_of_what_was_confirmed(alliance: Alliance) -> None:
    """An eighth of what op1 invoiced, in dollars at the reference rate."""
    alliance.work()
    alliance.pass_time(A_MOMENT)
    op1, op2 = traders(alliance)[:2]
    member = alliance.nodes[MEMBER]
    (sold,) = services(op1, op2)
    (share,) = held(member)
    assert (share.state, share.statement.kind_of) == (StatementState.INVOICED, "revenue-share")
    exact = sold.statement.net.minor * Fraction(1250, 10_000) * Fraction("1.2911")
    assert share.statement.net == Money(int(exact + Fraction(1, 2)), "USD")
    assert balances(member)["receivable/op1/USD"] == share.total.minor
    assert balances(op1)["payable/member/USD"] == -share.total.minor
    assert {code.split("/")[1] for code in balances(member) if code.startswith("rec")} == {OP1}


# --- nobody sees beyond its neighbour -------------------------------------------------------------


def everything(world: Standing, name: PartyId) -> bytes:
    """All text that a node holds, in its tables and its files."""
    prefix = f"{name}: "
    found = world.written().items()
    return b"\n".join(content for what, content in found if what.startswith(prefix))


def has(text: bytes, figure: str) -> bool:
    """Whether a figure stands there by itself, not within another or within an id."""
    return (
        re.search(rf"(?<![0-9a-zA-Z_.]){re.escape(figure)}(?![0-9a-zA-Z_.])".encode(), text)
        is not None
    )


def figures(node: Node, partner: PartyId) -> set[str]:
    """What a node charges a partner: every price and every line, as minor units and plain."""
    (stated,) = [one for one in held(node, partner=partner) if one.statement.kind_of == "services"]
    amounts = [line.net for line in stated.statement.lines]
    with node.begin() as tx:
        for one in inventory.sold(tx, us=node.us.id, buyer=partner):
            for spell in one.spells:
                amounts += [spell.terms.one_off, spell.terms.monthly]
    shown = {str(one.minor) for one in amounts} | {str(one).split()[0] for one in amounts}
    return {figure for figure in shown if len(figure) > 3}


def test_nobody_holds_anything_of_a_trade_that_is_not_its_own(
    alliance: Alliance, world: Standing
) -> None:
    alliance.work()
    netted(alliance)
    chain = traders(alliance)
    texts = {name: everything(world, name) for name in alliance.nodes}
    for seller, buyer in pairwise(chain):
        theirs = figures(seller, buyer.us.id)
        assert theirs
        for party in (seller.us.id, buyer.us.id):
            assert all(has(texts[party], one) for one in theirs if "." not in one)
        # A member knows what was invoiced in all, since it has a share of that; no price.
        for stranger in alliance.nodes.keys() - {seller.us.id, buyer.us.id}:
            assert [one for one in theirs if has(texts[stranger], one)] == [], stranger
    if len(chain) == 3:
        op3, customer_pays = texts[OP3], customer_bills(chain[-1])[0]
        assert b"op1" not in op3, "the customer's operator does not even know who delivers"
        assert b"member" not in op3
        for line in customer_pays.lines:
            assert not has(texts[OP1], str(line.net.minor))
            assert not has(texts[OP2], str(line.net.minor))
    for name in (*(node.us.id for node in chain[:-1]), MEMBER):
        assert SHOP.encode() not in texts[name], name


# --- two do not agree -----------------------------------------------------------------------------


def rate_all(alliance: Alliance) -> None:
    """Everything of the month up to rating; nothing is billed yet."""
    for _ in range(20):
        moved = 0
        for node in alliance.nodes.values():
            moved += node.engine().run_until_idle()
            for name, room in node.month_rooms():
                if name in {"usage", "rating"}:
                    with node.begin() as tx:
                        moved += room(tx, node.clock.now())
        if not moved:
            return
    raise AssertionError("the month is never rated")


ONE_PENNY = 10_000_000
"""In billionths of a pound."""


def wrongly_rated(alliance: Alliance) -> tuple[Node, Node]:
    """op2 has rated one line of what it bought a penny dearer than op1 did."""
    rate_all(alliance)
    op1, op2 = traders(alliance)[:2]
    with unbound(op2.database.url) as tx:
        run(tx, "set local session_replication_role = replica")
        changed = run(
            tx,
            "update rating_line set nano = nano + %s where (seller, holding, label) = "
            "(select seller, holding, label from rating_line where seller = 'op1' "
            "order by holding, label limit 1)",
            (ONE_PENNY,),
        )
    assert changed == 1
    alliance.work()
    return op1, op2


def test_a_line_that_differs_is_seen_by_both_and_nothing_is_invoiced(alliance: Alliance) -> None:
    op1, op2 = wrongly_rated(alliance)
    (ours,) = held(op2, direction="heard", partner=OP1)
    assert ours.state is StatementState.ISSUED, "a person has to look"
    (difference,) = ours.differences
    assert difference.theirs is not None
    assert difference.ours == difference.theirs + Money(1, "GBP")
    assert "/usage/" in difference.key

    with op2.begin() as tx:
        statements.dispute(tx, us=op2.us, statement=ours.id, ids=op2.ids, now=alliance.clock.now())
    alliance.work()
    (theirs,) = services(op1, op2)
    (ours,) = held(op2, direction="heard", partner=OP1)
    assert theirs.state is ours.state is StatementState.DISPUTED
    assert [(one.key, one.ours, one.theirs) for one in theirs.differences] == [
        (difference.key, difference.theirs, difference.ours)
    ]
    for node, word in ((op1, "receivable/op2"), (op2, "payable/op1"), (op1, "payable/member")):
        assert not [code for code in balances(node) if code.startswith(word)]
    assert held(alliance.nodes[MEMBER]) == [], "a share of what is not confirmed is not stated"
    with op1.begin() as tx:
        assert [one.number for one in billing.bills(tx, buyer=OP2)] == [""]
    found = netted(alliance)
    assert [one.held_out for one in found[OP2] if one.partner == OP1] == [
        (f"statement {ours.id} is disputed",)
    ]
    for seller, buyer in pairwise(traders(alliance)[1:]):
        assert services(seller, buyer)[0].state is StatementState.INVOICED
    assert len(customer_bills(traders(alliance)[-1])) == 1
    books_agree(alliance)


def test_a_dispute_ends_when_a_person_gives_way(alliance: Alliance) -> None:
    """The buyer accepts the seller's figure, and says why; then all goes on as if agreed."""
    op1, op2 = wrongly_rated(alliance)
    (ours,) = held(op2, direction="heard", partner=OP1)
    now = alliance.clock.now()
    with op2.begin() as tx:
        statements.dispute(tx, us=op2.us, statement=ours.id, ids=op2.ids, now=now)
    alliance.work()
    with op2.begin() as tx, pytest.raises(Refused, match="statement-differs"):
        statements.confirm(tx, us=op2.us, statement=ours.id, keys=op2.keys, ids=op2.ids, now=now)
    with op2.begin() as tx:
        statements.resolve(
            tx, statement=ours.id, key=ours.differences[0].key, by="ana", why="our meter", now=now
        )
        statements.confirm(tx, us=op2.us, statement=ours.id, keys=op2.keys, ids=op2.ids, now=now)
    alliance.work()
    assert services(op1, op2)[0].state is StatementState.INVOICED
    assert len(held(alliance.nodes[MEMBER])) == 1
    assert all(not one.held_out for found in netted(alliance).values() for one in found)
    books_agree(alliance)


def test_a_dispute_ends_when_the_seller_concedes(alliance: Alliance) -> None:
    op1, op2 = wrongly_rated(alliance)
    (ours,) = held(op2, direction="heard", partner=OP1)
    now = alliance.clock.now()
    with op2.begin() as tx:
        statements.dispute(tx, us=op2.us, statement=ours.id, ids=op2.ids, now=now)
    alliance.work()
    (theirs,) = services(op1, op2)
    with op1.begin() as tx:
        statements.reissue(
            tx, us=op1.us, statement=theirs.id, concede=[theirs.differences[0].key],
            keys=op1.keys, ids=op1.ids, now=now,
        )  # fmt: skip
    alliance.work()
    states = Counter(one.state for one in services(op1, op2))
    assert states == {StatementState.WITHDRAWN: 1, StatementState.INVOICED: 1}
    (final,) = [one for one in services(op1, op2) if one.state is StatementState.INVOICED]
    assert final.statement.net == theirs.statement.net + Money(1, "GBP")
    books_agree(alliance)


# --- late -----------------------------------------------------------------------------------------


def test_a_partner_that_is_silent_at_the_months_end_is_settled_with_later(
    alliance: Alliance,
) -> None:
    alliance.silent.add(OP2)
    alliance.pass_time(timedelta(hours=3))
    op1, op2 = traders(alliance)[:2]
    assert services(op1, op2)[0].state is StatementState.ISSUED
    assert not [code for code in balances(op1) if code.startswith("receivable")]
    alliance.silent.clear()
    for _ in range(6):
        alliance.pass_time(timedelta(minutes=10))
    for node in alliance.nodes.values():
        assert {one.state for one in held(node)} <= {StatementState.INVOICED}
    assert len(customer_bills(traders(alliance)[-1])) == 1
    assert not [one for found in netted(alliance).values() for one in found if one.held_out]
    books_agree(alliance)
