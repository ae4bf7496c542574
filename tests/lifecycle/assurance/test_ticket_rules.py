"""Who may move a ticket where, and what suppliers' tickets make of ours, as tables."""

from __future__ import annotations

import itertools

import pytest

from hansa.federation.helpdesk import TicketState
from hansa.lifecycle.assurance import rules
from hansa.lifecycle.assurance.model import TICKET_STATES, Side

S = TicketState
OPEN = (S.ACKNOWLEDGED, S.IN_PROGRESS, S.PENDING, S.HELD)


def moves(side: Side) -> set[tuple[TicketState, TicketState]]:
    return {
        (now, then) for now, then in itertools.product(S, repeat=2) if rules.may(side, now, then)
    }


def test_a_buyer_cancels_closes_reopens_and_answers() -> None:
    assert moves("buyer") == {
        *((state, S.CANCELLED) for state in OPEN),
        (S.RESOLVED, S.CLOSED),
        (S.RESOLVED, S.IN_PROGRESS),
        (S.PENDING, S.IN_PROGRESS),
    }


def test_a_seller_works_and_resolves() -> None:
    assert moves("seller") == {
        *itertools.permutations((S.IN_PROGRESS, S.PENDING, S.HELD), 2),
        *((S.ACKNOWLEDGED, then) for then in (S.IN_PROGRESS, S.PENDING, S.HELD, S.REJECTED)),
        *((state, S.RESOLVED) for state in OPEN),
    }


def test_together_they_may_all_that_a_ticket_may() -> None:
    whole = {(now, then) for now, onward in TICKET_STATES.moves.items() for then in onward}
    assert moves("buyer") | moves("seller") == whole


@pytest.mark.parametrize(
    ("below", "ours"),
    [
        ((), None),
        ((S.ACKNOWLEDGED,), None),
        ((S.IN_PROGRESS, S.ACKNOWLEDGED), S.IN_PROGRESS),
        ((S.RESOLVED, S.ACKNOWLEDGED), S.IN_PROGRESS),
        ((S.RESOLVED, S.CLOSED), S.RESOLVED),
        ((S.RESOLVED, S.REJECTED), S.RESOLVED),
        ((S.REJECTED, S.CANCELLED), None),
        ((S.PENDING, S.IN_PROGRESS), S.PENDING),
        ((S.HELD, S.ACKNOWLEDGED), S.HELD),
        ((S.HELD, S.RESOLVED), S.IN_PROGRESS),
    ],
)
def test_suppliers_tickets_make_ours(below: tuple[TicketState, ...], ours: TicketState) -> None:
    assert rules.from_below(below) is ours


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (S.CANCELLED, S.IN_PROGRESS, S.CANCELLED),
        (S.CANCELLED, S.RESOLVED, S.CLOSED),
        (S.CLOSED, S.RESOLVED, S.CLOSED),
        (S.CLOSED, S.ACKNOWLEDGED, S.CANCELLED),
        (S.CLOSED, S.CLOSED, None),
        (S.IN_PROGRESS, S.RESOLVED, S.IN_PROGRESS),
        (S.IN_PROGRESS, S.PENDING, S.IN_PROGRESS),
        (S.IN_PROGRESS, S.HELD, None),
        (S.RESOLVED, S.IN_PROGRESS, None),
    ],
)
def test_what_a_supplier_is_told(
    ours: TicketState, theirs: TicketState, told: TicketState | None
) -> None:
    assert rules.told_as(ours, theirs) is told


def test_whatever_is_told_may_be_said_by_a_buyer() -> None:
    for ours, theirs in itertools.product(S, repeat=2):
        told = rules.told_as(ours, theirs)
        assert told is None or rules.may("buyer", theirs, told)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("BT's people dug; ask noc@bt.example.", "{0}'s people dug; ask noc@{0}.example."),
        ("bt_noc and Bharat Telecom, (BT)", "{0}_noc and {0}, ({0})"),
        ("A debt of abt 20, in BTX.", "A debt of abt 20, in BTX."),
        ("Nobody is named.", "Nobody is named."),
    ],
)
def test_partners_are_not_named_to_a_buyer(text: str, read: str) -> None:
    names = ["Bharat Telecom", "bt"]
    assert rules.without(names, text) == read.format(rules.WITHHELD)
    assert rules.without([], text) == text
