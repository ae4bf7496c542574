"""What one proposes and another carries out: never the same person, and never half."""

from __future__ import annotations

import pytest

from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.duties import Duty
from hansa.entrypoints.portal.pages import administration
from hansa.foundation.errors import Refused
from hansa.foundation.people.actions import audit, persons, proposals
from hansa.foundation.people.model import Proposal
from hansa.foundation.transaction import Transaction
from hansa.node import Node
from tests.entrypoints.portal.visitor import Visitor, enter


@pytest.fixture
def carried_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A duty for tests, and what was carried out of it."""
    done: list[str] = []

    def carry_out(ask: Ask, tx: Transaction, proposal: Proposal) -> None:
        audit.record(tx, by=ask.me, action="tested", subject=proposal.subject, now=ask.now)
        if proposal.content["amount"] == "too much":
            raise Refused("credit-limit", "That is too much.")
        done.append(proposal.subject)

    duty = Duty(
        kind="test",
        label="Give a credit",
        carry_out=carry_out,
        href=lambda one: f"/bills/{one.subject}",
        facts=lambda one: [("Amount", str(one.content["amount"]))],
    )
    monkeypatch.setattr(administration, "DUTIES", {"test": duty})
    return done


@pytest.fixture
def maker(node: Node) -> Visitor:
    return Visitor(node).sign_in(enter(node, "mia", "finance", "approver"))


@pytest.fixture
def checker(node: Node) -> Visitor:
    return Visitor(node).sign_in(enter(node, "cai", "approver"))


def propose(node: Node, amount: str = "10.00 GBP", subject: str = "bil_1") -> Proposal:
    with node.begin() as tx:
        return proposals.propose(
            tx,
            kind="test",
            subject=subject,
            content={"amount": amount},
            why="line was down",
            by=persons.find(tx, login="mia"),
            ids=node.ids,
            now=node.clock.now(),
        )


def test_another_person_approves_and_it_is_done(
    node: Node, carried_out: list[str], maker: Visitor, checker: Visitor
) -> None:
    one = propose(node)
    shown = checker.open("/approvals")
    assert shown.rows()[0][:3] == ["Give a credit", "bil_1", "mia"]
    page = checker.open(f"/approvals/{one.id}")
    assert "10.00 GBP" in page.text
    done = checker.send(
        f"/approvals/{one.id}/approve", {**page.form(f"/approvals/{one.id}/approve"), "why": "ok"}
    )
    assert "Approved and carried out." in done.text
    assert carried_out == ["bil_1"]
    again = checker.send(f"/approvals/{one.id}/approve", {"fingerprint": one.fingerprint})
    assert again.status == 422
    assert carried_out == ["bil_1"]


def test_the_maker_does_not_approve_although_an_approver(
    node: Node, carried_out: list[str], maker: Visitor
) -> None:
    one = propose(node)
    page = maker.open(f"/approvals/{one.id}")
    assert "somebody else has to approve it" in page.text
    refused = maker.send(f"/approvals/{one.id}/approve", {"fingerprint": one.fingerprint})
    assert refused.status == 422
    assert not carried_out
    assert "Withdrawn" in maker.send(f"/approvals/{one.id}/withdraw").text


def test_what_cannot_be_done_is_not_approved_either(
    node: Node, carried_out: list[str], maker: Visitor, checker: Visitor
) -> None:
    one = propose(node, amount="too much")
    refused = checker.send(f"/approvals/{one.id}/approve", {"fingerprint": one.fingerprint})
    assert "That is too much." in refused.text
    with node.begin() as tx:
        assert proposals.proposal(tx, proposal=one.id).state == "open"
        assert not audit.trail(tx, action="tested")
        assert not audit.trail(tx, action="proposal-approved")


def test_only_what_was_shown_is_approved(
    node: Node, carried_out: list[str], maker: Visitor, checker: Visitor
) -> None:
    one = propose(node)
    refused = checker.send(f"/approvals/{one.id}/approve", {"fingerprint": "0" * 64})
    assert refused.status == 422
    assert not carried_out


def test_a_no_needs_a_reason(
    node: Node, carried_out: list[str], maker: Visitor, checker: Visitor
) -> None:
    one = propose(node)
    assert checker.send(f"/approvals/{one.id}/reject", {"why": " "}).status == 422
    assert "Rejected" in checker.send(f"/approvals/{one.id}/reject", {"why": "twice"}).text
    assert not carried_out


def test_nothing_waits(checker: Visitor) -> None:
    assert "Nothing waits" in checker.open("/approvals").text


def test_who_is_no_approver_does_not_decide(
    node: Node, carried_out: list[str], maker: Visitor
) -> None:
    one = propose(node)
    ben = Visitor(node).sign_in(enter(node, "ben", "sales"))
    assert ben.open(f"/approvals/{one.id}").status == 200
    refused = ben.send(f"/approvals/{one.id}/approve", {"fingerprint": one.fingerprint})
    assert refused.status == 403
