"""Statements of more lines than are written out, and those made before lines were packed."""

from __future__ import annotations

import zlib
from base64 import b64decode
from dataclasses import replace

import pytest

from hansa.federation import packed
from hansa.federation.papers import StatementIssued, StatementLine, StatementState
from hansa.foundation import documents, packing
from hansa.foundation.database import Jsonb, run
from hansa.foundation.errors import Refused
from hansa.foundation.money import Money
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import BillLine
from tests.databases import unbound
from tests.lifecycle.settlement.world import BT, MTN, Letter, Node, World, sell


@pytest.fixture(autouse=True)
def few_lines_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PART_ITEMS", 2)


def stated(two: World, told: int = 300) -> Letter:
    """BT's statement of November to MTN, on its way. told: what MTN knows one line to cost."""
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    for name, minor in (("a", 100), ("b", 200), ("c", 300)):
        sell(bt, mtn, name, monthly=minor, told=told if name == "c" else minor)
    two.month_ends()
    bt.work()
    (letter,) = two.collect()
    return letter


def issued(letter: Letter) -> StatementIssued:
    assert isinstance(letter.notice, StatementIssued)
    return letter.notice


def invoiced(two: World) -> None:
    """On both sides, for the same, with its lines."""
    ours, theirs = two.nodes[BT].statement(), two.nodes[MTN].statement()
    assert ours.state is theirs.state is StatementState.INVOICED
    assert ours.total == theirs.total == Money(600, "GBP")
    assert [line.net.minor for line in theirs.statement.lines] == [100, 200, 300]
    assert ours.statement.fingerprint == theirs.statement.fingerprint
    with two.nodes[BT].begin() as tx:
        assert ours.bill is not None
        bill = billing.bill(tx, id=ours.bill)
    assert [line.net.minor for line in bill.lines] == [100, 200, 300]
    assert {str(line.order) for line in bill.lines} == {"ord_a", "ord_b", "ord_c"}


def test_many_lines_travel_packed_and_are_settled_as_any(two: World) -> None:
    letter = stated(two)
    assert issued(letter).statement.lines == ()
    assert [len(packed.from_text([part])) for part in issued(letter).parts] == [2, 1]
    two.nodes[MTN].auto_confirm = True
    two.deliver([letter])
    two.nodes[MTN].hear(letter)
    two.run()
    invoiced(two)


def test_packed_lines_count_only_as_they_were_signed(two: World) -> None:
    letter, mtn = stated(two), two.nodes[MTN]
    notice = issued(letter)
    first, second = notice.parts
    lines = zlib.decompress(b64decode(first))
    for other in (
        lines.replace(b'"minor":100}', b'"minor":101}'),
        lines.replace(b"Connect", b"connect"),
    ):
        assert other != lines
        parts = (*packed.to_text([zlib.compress(other)]), second)
        with pytest.raises(Refused) as caught:
            mtn.hear(replace(letter, notice=replace(notice, parts=parts)))
        assert caught.value.code == "signature-wrong"
    whole = replace(notice.statement, lines=two.nodes[BT].statement().statement.lines)
    with pytest.raises(Refused, match="not both"):
        mtn.hear(replace(letter, notice=replace(notice, statement=whole)))
    assert mtn.statements() == []
    mtn.hear(replace(letter, notice=replace(notice, statement=whole, parts=())))
    mtn.hear(letter)
    assert mtn.statement().statement.whole == whole


def test_packed_lines_that_differ_are_named(two: World) -> None:
    letter, mtn = stated(two, told=299), two.nodes[MTN]
    mtn.hear(letter)
    (found,) = mtn.compare(issued(letter).statement.id).differences
    assert (found.theirs, found.ours) == (Money(300, "GBP"), Money(299, "GBP"))


def as_before(node: Node) -> None:
    """Bills and statements as they were kept before lines were packed."""
    with node.begin() as tx:
        bills = billing.bills(tx)
    with unbound(node.database.url) as tx:
        run(tx, "set local session_replication_role = replica")
        for bill in bills:
            run(
                tx,
                """update billing_bill set lines = %s, parts = null, runs = null,
                       lines_fingerprint = null, net_by_offer = null where id = %s""",
                (Jsonb(documents.write(bill.lines, tuple[BillLine, ...])), bill.id),
            )
        for held in node.statements():
            lines = documents.write(held.statement.lines, tuple[StatementLine, ...])
            run(
                tx,
                """update settlement_statement
                   set document = jsonb_set(document, '{lines}', %s), parts = null,
                       lines_fingerprint = null, net_by_offer = null
                   where id = %s""",
                (Jsonb(lines), held.id),
            )


def test_what_was_stated_before_lines_were_packed_is_settled(two: World) -> None:
    letter, bt, mtn = stated(two), two.nodes[BT], two.nodes[MTN]
    mtn.hear(letter)
    for node in (bt, mtn):
        before = node.statement()
        as_before(node)
        assert node.statement() == before
    mtn.confirm(issued(letter).statement.id)
    two.deliver()
    invoiced(two)


def test_a_bill_that_changed_is_not_invoiced(two: World) -> None:
    letter, bt, mtn = stated(two), two.nodes[BT], two.nodes[MTN]
    mtn.hear(letter)
    mtn.confirm(issued(letter).statement.id)
    bill = bt.statement().bill
    assert bill is not None
    with bt.begin() as tx:
        lines = billing.bill(tx, id=bill).lines
        billing.redraft(tx, bill=bill, lines=lines[1:])
    two.deliver()
    assert [code for _, code in two.refused] == ["bill-differs"]
