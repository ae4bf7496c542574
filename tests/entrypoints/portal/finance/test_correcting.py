"""Statements of ours that are corrected: computed anew, or by the debtor's figures."""

from __future__ import annotations

import pytest

from hansa.federation.papers import Difference, StatementAnswered
from hansa.foundation.ids import StatementId
from hansa.foundation.money import Money
from hansa.foundation.people.actions import audit
from hansa.lifecycle.settlement.actions import hearing, looking, statements
from hansa.lifecycle.settlement.model import Held, StatementFilter
from hansa.node import Node
from tests.alliance import Alliance
from tests.entrypoints.portal.visitor import Visitor
from tests.journeys.month import NOVEMBER, OP1, OP2

LESS = Money(100, "GBP")


@pytest.fixture
def op1(two: Alliance) -> Node:
    return two.nodes[OP1]


@pytest.fixture
def fin(op1: Node) -> Visitor:
    return Visitor(op1).sign_in("fin")


@pytest.fixture
def disputed(two: Alliance, op1: Node) -> Held:
    """OP2 has told OP1 that two lines of its statement are a pound too high."""
    ours = stated(op1)
    answer = StatementAnswered(
        ours.id,
        None,
        tuple(
            Difference(one.key, one.description, theirs=one.net, ours=one.net - LESS)
            for one in ours.statement.lines[:2]
        ),
    )
    with op1.begin() as tx:
        hearing.hear_answer(tx, us=OP1, sender=OP2, notice=answer, ids=op1.ids, now=op1.clock.now())
    return stated(op1)


def stated(node: Node) -> Held:
    """The statement to OP2 that counts."""
    with node.begin() as tx:
        found = statements.find(tx, direction="issued", period=NOVEMBER)
        return next(one for one in found if one.state != "withdrawn")


def test_by_the_debtors_figure_it_is_corrected_by_two_people(
    two: Alliance, op1: Node, fin: Visitor, disputed: Held
) -> None:
    waits = fin.open("/overview").all("//p[@class='figure-label']/a/@href")
    listed = fin.open(next(one for one in waits if "direction=issued" in one))
    assert [row[0] for row in listed.rows()] == ["op2"]
    page = f"/statements/{disputed.id}"
    assert f'href="{page}/correct"' in listed.answer.text
    assert "/correct" not in Visitor(op1).sign_in("cai").open("/statements").answer.text
    (way,) = [one for one in fin.open(page).tree.xpath("//a/@href") if one.endswith("/correct")]
    assert way == f"{page}/correct"
    shown = fin.open(way)
    keys = [one.get("value") for one in shown.tree.xpath("//input[@name='concede']")]
    assert keys == [one.key for one in disputed.differences]
    first = disputed.differences[0]
    assert first.theirs is not None
    assert shown.rows()[0][2:] == [f"{first.ours} ".strip(), f"{first.theirs}"]
    blank = fin.send(way, {"concede": keys[0], "why": " "})
    assert blank.status == 422
    assert blank.all("//*[@id='f-why-error']"), "the field is named"
    assert blank.all("//input[@name='concede'][@checked]/@value") == [keys[0]]

    proposed = fin.send(way, {"concede": keys[0], "why": "their meter is right"})
    then = disputed.total.minor - LESS.minor
    for words in ("op2", f"{disputed.total.amount:,.2f} GBP", f"{then / 100:,.2f} GBP"):
        assert words in proposed.text
    assert f"{first.description}: {first.ours} → {first.theirs}" in proposed.text
    assert stated(op1).id == disputed.id, "nothing is sent yet"
    path = proposed.answer.url.path
    assert "fin has proposed how to correct it" in fin.open(page).text
    assert "fin has proposed how to correct it" in fin.open(way).text
    assert fin.send(way, {"concede": keys[0], "why": "again"}).status == 422
    assert "Approved and carried out" in approve(op1, path)
    new = stated(op1)
    assert new.statement.bare.replaces == disputed.id
    assert new.total.minor == then
    two.work()
    with two.nodes[OP2].begin() as tx:
        assert looking.bare(tx, statement=new.id).total == new.total
    after = fin.open(page)
    assert f"/statements/{new.id}" in after.answer.text
    assert not [one for one in after.tree.xpath("//a/@href") if one.endswith("/correct")]
    back = fin.send(way, {"concede": keys[0], "why": "by the back button"})
    assert back.answer.url.path == f"/statements/{new.id}"
    assert "corrected before" in back.text
    assert stated(op1).id == new.id


def approve(node: Node, path: str) -> str:
    cai = Visitor(node).sign_in("cai")
    return cai.send(f"{path}/approve", cai.open(path).form(f"{path}/approve")).text


def test_what_changed_since_it_was_proposed_is_not_sent(
    two: Alliance, op1: Node, fin: Visitor, disputed: Held
) -> None:
    way = f"/statements/{disputed.id}/correct"
    form = {"concede": disputed.differences[0].key, "why": "so be it"}
    proposed = fin.send(way, form).answer.url.path
    fay = Visitor(op1).sign_in("fay")
    with op1.begin() as tx:
        statements.reissue(
            tx, us=op1.us, statement=disputed.id, concede=[disputed.differences[1].key],
            keys=op1.keys, ids=op1.ids, now=op1.clock.now(),
        )  # fmt: skip
    new = stated(op1)
    assert "can be replaced while" in approve(op1, proposed)
    assert stated(op1).id == new.id
    assert "corrected before" in fay.send(way, form).text


def test_it_is_computed_anew_by_one_person_with_a_reason(
    op1: Node, fin: Visitor, disputed: Held
) -> None:
    way = f"/statements/{disputed.id}/correct"
    assert Visitor(op1).sign_in("cai").send(way, {"why": "x"}).status == 403
    refused = fin.send(way, {"why": "have it computed again"})
    assert refused.status == 422
    assert "says the same" in refused.text
    assert stated(op1).id == disputed.id
    unknown = fin.send(way, {"concede": "no such line", "why": "x"})
    assert unknown.status == 422
    assert not unknown.all("//input[@name='concede'][@checked]")
    with op1.begin() as tx:
        assert audit.trail(tx, subject=str(disputed.id), limit=9) == []


def test_what_is_theirs_or_invoiced_is_not_corrected(two: Alliance, op1: Node) -> None:
    op2 = two.nodes[OP2]
    theirs = Visitor(op2).sign_in("fin")
    with op2.begin() as tx:
        heard = looking.page(tx, wanted=StatementFilter(direction="heard"), limit=9).things[0]
        statements.confirm(
            tx, us=op2.us, statement=heard.id, keys=op2.keys, ids=op2.ids, now=op2.clock.now()
        )
    assert theirs.open(f"/statements/{heard.id}/correct").status == 404
    two.work()
    fin = Visitor(op1).sign_in("fin")
    way = f"/statements/{StatementId(heard.id)}/correct"
    assert "cannot be corrected any more" in fin.open(way).text
    assert fin.send(way, {"why": "too late"}).status == 422
