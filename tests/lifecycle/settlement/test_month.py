"""A month between two operators, from drafts to books that agree."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hansa.federation.papers import StatementState
from hansa.foundation.errors import Refused
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import BillState
from hansa.lifecycle.settlement.actions import positions
from hansa.lifecycle.settlement.model import BooksLine
from tests.lifecycle.settlement.world import (
    BT,
    MONTH_END,
    MTN,
    NOVEMBER,
    SHIELD,
    TAIL,
    Node,
    World,
    sell,
)


def balances(node: Node) -> dict[str, int]:
    """What the node's accounts say, in minor units; debits positive."""
    with node.begin() as tx:
        return {one.code: one.balance.minor for one in ledger.balances(tx) if one.balance}


def test_a_month_is_stated_confirmed_and_invoiced(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = sell(bt, mtn, "jnb", monthly=100_000, one_off=25_000)
    sell(bt, mtn, "soc", offer=SHIELD, family="security", monthly=40_000)
    for node in (bt, mtn):
        node.use(held, "12.345")
    two.month_ends()
    two.run()

    theirs = mtn.statement()
    assert (theirs.state, theirs.differences, str(theirs.total)) == (
        StatementState.ISSUED,
        (),
        "1,662.35 GBP",
    )
    assert balances(bt) == {}, "no receivable before the debtor has signed"

    mtn.confirm(theirs.id)
    two.deliver()
    ours = bt.statement()
    assert (ours.state, ours.number) == (StatementState.INVOICED, "BT-2026-000001")
    assert mtn.statement().number == "BT-2026-000001"
    assert balances(bt) == {
        "receivable/mtn/GBP": 166_235,
        "revenue/connectivity/GBP": -126_235,
        "revenue/security/GBP": -40_000,
    }
    assert balances(mtn) == {
        "cost/connectivity/GBP": 126_235,
        "cost/security/GBP": 40_000,
        "payable/bt/GBP": -166_235,
    }
    with bt.begin() as tx:
        (bill,) = billing.bills(tx)
    with mtn.begin() as tx:
        (invoice,) = billing.supplier_invoices(tx)
    assert bill.state is BillState.SENT
    assert (invoice.bill, invoice.number, invoice.total) == (bill.id, bill.number, bill.total)
    assert invoice.issued_at == bill.issued_at == MONTH_END


def test_a_line_that_is_off_by_a_penny_is_the_only_one_shown(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "cpt", monthly=100_000)
    sell(bt, mtn, "jnb", monthly=100_001, told=100_000)
    two.month_ends()
    two.run()
    (difference,) = mtn.statement().differences
    assert (difference.key, str(difference.theirs), str(difference.ours)) == (
        "hld_jnb/monthly@2026-11-01T00:00:00Z",
        "1,000.01 GBP",
        "1,000.00 GBP",
    )
    with pytest.raises(Refused, match=r"Connect, 2026-11: the statement says 1,000\.01") as caught:
        mtn.confirm(mtn.statement().id)
    assert (caught.value.code, caught.value.field) == ("statement-differs", difference.key)
    assert balances(bt) == balances(mtn) == {}


def test_a_line_that_one_side_lacks_differs(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = sell(bt, mtn, "jnb")
    bt.use(held, "1.00", label="gh")
    mtn.use(held, "2.00", label="ng")
    two.month_ends()
    two.run()
    assert [
        (one.key, one.theirs and one.theirs.minor, one.ours and one.ours.minor)
        for one in mtn.statement().differences
    ] == [("hld_jnb/usage/gh", 100, None), ("hld_jnb/usage/ng", None, 200)]


def test_a_dispute_is_seen_by_both_and_answered_by_a_corrected_statement(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "cpt", monthly=50_000)
    sell(bt, mtn, "jnb", monthly=100_001, told=100_000)
    two.month_ends()
    two.run()
    wrong = mtn.dispute(mtn.statement().id)
    assert mtn.dispute(wrong.id) == wrong, "a statement is disputed once"
    two.deliver()
    ours = bt.statement()
    assert ours.state is StatementState.DISPUTED
    assert [(str(one.ours), str(one.theirs)) for one in ours.differences] == [
        ("1,000.01 GBP", "1,000.00 GBP")
    ]
    with bt.begin() as tx:
        assert [one.state for one in billing.bills(tx)] == [BillState.ON_HOLD]

    with pytest.raises(Refused, match="says the same"):
        bt.reissue(ours.id)
    with pytest.raises(Refused, match="no difference"):
        bt.reissue(ours.id, "hld_cpt/monthly@2026-11-01T00:00:00Z")
    right = bt.reissue(ours.id, ours.differences[0].key)
    two.deliver()
    two.run()
    assert right.statement.bare.replaces == wrong.id
    mtn.confirm(right.id)
    two.deliver()
    for node in (bt, mtn):
        assert {one.id: one.state for one in node.statements()} == {
            wrong.id: StatementState.WITHDRAWN,
            right.id: StatementState.INVOICED,
        }
    assert balances(bt)["receivable/mtn/GBP"] == 150_000 == -balances(mtn)["payable/bt/GBP"]


def test_a_person_may_accept_the_partners_figure(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "jnb", monthly=100_001, told=100_000)
    two.month_ends()
    two.run()
    wrong = mtn.dispute(mtn.statement().id)
    two.deliver()
    with pytest.raises(Refused, match="no difference"):
        mtn.resolve(wrong.id, "hld_other")
    seen = mtn.resolve(wrong.id, wrong.differences[0].key)
    assert mtn.resolve(wrong.id, wrong.differences[0].key) == seen
    assert [(one.by, one.why) for one in seen.resolutions] == [("Ada", "seen the meter")]
    mtn.confirm(wrong.id)
    two.deliver()
    assert bt.statement().state is mtn.statement().state is StatementState.INVOICED
    assert balances(mtn)["payable/bt/GBP"] == -100_001


def test_a_statement_waits_until_our_own_usage_is_rated(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    mtn.auto_confirm = True
    held = sell(bt, mtn, "jnb")
    bt.use(held, "3.00")
    bt.rate()
    two.run()
    waiting = mtn.statement()
    assert (waiting.state, waiting.compared_at) == (StatementState.ISSUED, None)
    assert waiting.waiting.startswith("period-not-rated: ")
    assert [one.held_out for one in mtn.positions()] == [
        (f"statement {waiting.id} is issued", "our own 2026-11 is not rated yet")
    ]
    mtn.use(held, "3.00")
    mtn.rate()
    two.run()
    assert (mtn.statement().state, mtn.statement().waiting) == (StatementState.INVOICED, "")


def test_nothing_is_confirmed_unasked_when_something_differs(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    mtn.auto_confirm = True
    sell(bt, mtn, "jnb", monthly=100_001, told=100_000)
    two.month_ends()
    two.run()
    assert mtn.statement().state is StatementState.ISSUED
    assert mtn.statement().unresolved


def test_notices_that_come_twice_change_nothing(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "jnb")
    two.month_ends()
    bt.work()
    stated = two.collect()
    two.deliver([*stated, *stated])
    mtn.work()
    mtn.confirm(mtn.statement().id)
    mtn.confirm(mtn.statement().id)
    answers = two.collect()
    assert len(answers) == 1
    two.deliver([*answers, *answers, *stated])
    assert two.refused == []
    before = balances(bt), balances(mtn), bt.statements(), mtn.statements()
    two.deliver([*stated, *answers])
    assert before == (balances(bt), balances(mtn), bt.statements(), mtn.statements())


def test_both_directions_are_netted_when_nothing_is_open(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "jnb", monthly=100_000)
    sell(mtn, bt, "tail", offer=TAIL, monthly=30_000)
    two.month_ends()
    two.run()
    mtn.confirm(next(one.id for one in mtn.statements() if one.direction == "heard"))
    two.deliver()
    (held_out,) = bt.net()
    assert (str(held_out.receivable), str(held_out.netted)) == ("1,000.00 GBP", "0.00 GBP")
    assert [one.split(" is ")[1] for one in held_out.held_out] == ["issued"]
    assert balances(bt)["receivable/mtn/GBP"] == 100_000

    bt.confirm(next(one.id for one in bt.statements() if one.direction == "heard"))
    two.deliver()
    (done,) = bt.net()
    assert (str(done.receivable), str(done.payable), str(done.net), str(done.netted)) == (
        "1,000.00 GBP",
        "300.00 GBP",
        "700.00 GBP",
        "700.00 GBP",
    )
    assert bt.net() == [done], "netting again moves nothing"
    (other,) = mtn.net()
    assert str(other.netted) == "-700.00 GBP"
    assert balances(bt) == {
        "settlement/mtn/GBP": 70_000,
        "revenue/connectivity/GBP": -100_000,
        "cost/connectivity/GBP": 30_000,
    }
    with bt.begin() as tx:
        (bill,) = billing.bills(tx)
        assert (bill.state, str(bill.total)) == (BillState.SETTLED, "1,000.00 GBP")
        assert [one.net.minor for one in positions.nettings(tx, partner=MTN)] == [70_000]
    proof = positions.proof([bt.books(), mtn.books()])
    assert (proof.ok, [str(one) for one in proof.sums]) == (True, ["0.00 GBP"])
    assert proof.pairs[0].a_says == BooksLine(
        partner=MTN,
        currency="GBP",
        receivable=done.netted - done.netted,
        payable=done.netted - done.netted,
        settlement=done.netted,
    )


def test_what_is_still_to_come_is_held_out(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "jnb")
    sell(mtn, bt, "tail", offer=TAIL)
    two.month_ends()
    assert [one.held_out for one in mtn.positions()] == [("a statement of bt is awaited",)]
    with bt.begin() as tx:
        assert not billing.billed(tx, us=BT, period=NOVEMBER)
    two.run()
    assert {len(one.held_out) for one in mtn.positions()} == {2}


def test_a_month_with_nothing_due_states_nothing(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "jnb", start=NOVEMBER.start, end=NOVEMBER.start + timedelta(microseconds=1))
    two.month_ends()
    two.run()
    assert bt.statements() == mtn.statements() == []
    assert bt.positions() == []
