"""What one person wants and another decides; and what is written down of all that is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest

from hansa.foundation.database import Database, run
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import Ids, ProposalId
from hansa.foundation.people.actions import audit, persons, proposals
from hansa.foundation.people.model import Person, Proposal, ProposalState, StaffRole
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Transaction

NOTE = {"bill": "bil_1", "minor": 5000, "currency": "GBP"}


class Board:
    """Ann and Bob decide, Cyd does not; all of them propose."""

    def __init__(self, database: Database, clock: SetClock, ids: Ids) -> None:
        self.begin = database.begin
        self.clock = clock
        self.ids = ids
        self.ann = self.enter("ann", StaffRole.FINANCE, StaffRole.APPROVER)
        self.bob = self.enter("bob", StaffRole.APPROVER)
        self.cyd = self.enter("cyd", StaffRole.FINANCE)

    def enter(self, login: str, *roles: StaffRole) -> Person:
        with self.begin() as tx:
            return persons.enter(
                tx, login=login, name=login.title(), roles=roles, ids=self.ids,
                now=self.clock.now(),
            )  # fmt: skip

    def propose(
        self,
        by: Person,
        *,
        subject: str = "bil_1",
        content: Mapping[str, Any] = NOTE,
        why: str = "agreed on the telephone",
    ) -> Proposal:
        with self.begin() as tx:
            return proposals.propose(
                tx, kind="credit-note", subject=subject, content=content, why=why, by=by,
                ids=self.ids, now=self.clock.now(),
            )  # fmt: skip

    def approve(self, made: Proposal, by: Person, *, fingerprint: str | None = None) -> Proposal:
        """Approves, and does it: the effect is a line in the audit log."""
        with self.begin() as tx:
            found = proposals.approve(
                tx, proposal=made.id, by=by, fingerprint=fingerprint or made.fingerprint,
                why="as agreed", now=self.clock.now(),
            )  # fmt: skip
            audit.record(
                tx, by=by, action="credited", subject=found.subject, details=found.content,
                now=self.clock.now(),
            )  # fmt: skip
            return found

    def reject(self, made: Proposal, by: Person, why: str = "too much") -> Proposal:
        with self.begin() as tx:
            return proposals.reject(tx, proposal=made.id, by=by, why=why, now=self.clock.now())

    def withdraw(self, made: Proposal, by: Person) -> Proposal:
        with self.begin() as tx:
            return proposals.withdraw(tx, proposal=made.id, by=by, now=self.clock.now())

    def find(self, made: Proposal) -> Proposal:
        with self.begin() as tx:
            return proposals.proposal(tx, proposal=made.id)

    def done(self) -> int:
        """How often anything was credited."""
        with self.begin() as tx:
            return len(audit.trail(tx, action="credited"))


@pytest.fixture
def board(database: Database, clock: SetClock, ids: Ids) -> Board:
    return Board(database, clock, ids)


# --- two decide ---------------------------------------------------------------------------------


def test_what_one_proposes_another_approves(board: Board) -> None:
    made = board.propose(board.cyd)
    assert board.find(made) == made
    assert made.state is ProposalState.OPEN and made.maker == "cyd"
    found = board.approve(made, board.ann)
    assert (found.state, found.checker, found.checker_why) == ("approved", "ann", "as agreed")
    assert board.find(made) == found
    assert board.done() == 1


def test_the_maker_is_not_the_checker(board: Board) -> None:
    made = board.propose(board.ann)
    for decide in (board.approve, board.reject):
        with pytest.raises(Refused, match="maker-is-checker"):
            decide(made, board.ann)
    assert board.find(made) == made
    assert board.approve(made, board.bob).checker == "bob"


def test_only_approvers_decide_as_they_are_now(board: Board) -> None:
    made = board.propose(board.ann)
    for decide in (board.approve, board.reject):
        with pytest.raises(Refused, match="approver-needed"):
            decide(made, board.cyd)
    with board.begin() as tx:
        persons.change(tx, person=board.bob.id, active=False, now=board.clock.now())
    assert board.bob.active, "what a page was opened with"
    with pytest.raises(Refused, match="approver-needed"):
        board.approve(made, board.bob)
    assert board.done() == 0


def test_who_is_no_approver_any_more_does_not_approve_in_haste(board: Board) -> None:
    made = board.propose(board.ann)
    with ThreadPoolExecutor(1) as threads:
        with board.begin() as tx:
            persons.change(tx, person=board.bob.id, roles=[StaffRole.SALES], now=board.clock.now())
            approving = threads.submit(board.approve, made, board.bob)
            with pytest.raises(TimeoutError):
                approving.result(timeout=0.3)
        with pytest.raises(Refused, match="approver-needed"):
            approving.result(timeout=60)
    assert board.done() == 0


def test_what_was_shown_is_what_is_approved(board: Board) -> None:
    made = board.propose(board.cyd)
    board.withdraw(made, board.cyd)
    other = board.propose(board.cyd, content={**NOTE, "minor": 50000})
    assert other.fingerprint != made.fingerprint
    with pytest.raises(Refused, match="proposal-changed"):
        board.approve(other, board.bob, fingerprint=made.fingerprint)
    with pytest.raises(Refused, match="proposal-changed"):
        board.approve(other, board.bob, fingerprint="\udce9")
    assert board.find(other).state is ProposalState.OPEN
    assert board.done() == 0


@pytest.mark.parametrize("end", ["approve", "reject", "withdraw"])
def test_what_is_decided_is_decided(board: Board, end: str) -> None:
    made = board.propose(board.cyd)
    ways: Mapping[str, Callable[[], Proposal]] = {
        "approve": lambda: board.approve(made, board.ann),
        "reject": lambda: board.reject(made, board.bob),
        "withdraw": lambda: board.withdraw(made, board.cyd),
    }
    decided = ways[end]()
    for way in ways.values():
        with pytest.raises(Refused, match="state-move"):
            way()
    assert board.find(made) == decided
    assert board.propose(board.cyd).state is ProposalState.OPEN, "another may be made"


def test_two_who_approve_at_once_have_it_done_once(board: Board) -> None:
    for _ in range(5):
        made, before = board.propose(board.cyd), board.done()
        start = Barrier(2)

        def attempt(by: Person, made: Proposal = made, start: Barrier = start) -> str:
            start.wait()
            try:
                return str(board.approve(made, by).checker)
            except Refused as refusal:
                return refusal.code

        with ThreadPoolExecutor(2) as threads:
            told = sorted(threads.map(attempt, (board.ann, board.bob)))
        assert told in (["ann", "state-move"], ["bob", "state-move"])
        assert board.find(made).checker == told[0]
        assert board.done() == before + 1


def test_an_approval_that_cannot_be_done_is_none(board: Board) -> None:
    """Both are one transaction."""
    made = board.propose(board.cyd)
    with pytest.raises(ZeroDivisionError), board.begin() as tx:
        proposals.approve(
            tx, proposal=made.id, by=board.ann, fingerprint=made.fingerprint, why="",
            now=board.clock.now(),
        )  # fmt: skip
        raise ZeroDivisionError
    assert board.find(made) == made


def test_there_is_one_open_proposal_for_a_thing(board: Board) -> None:
    board.propose(board.cyd)
    with pytest.raises(Refused, match="proposal-open"):
        board.propose(board.ann)
    board.propose(board.ann, subject="bil_2")


def test_only_who_made_it_withdraws_it(board: Board) -> None:
    made = board.propose(board.cyd)
    with pytest.raises(Refused, match="maker-needed"):
        board.withdraw(made, board.ann)
    assert board.withdraw(made, board.cyd).checker is None


def test_reasons_are_given(board: Board) -> None:
    with pytest.raises(Refused, match="proposal-invalid"):
        board.propose(board.cyd, why="  ")
    made = board.propose(board.cyd)
    with pytest.raises(Refused, match="proposal-invalid"):
        board.reject(made, board.ann, why="")


def test_what_nobody_proposed_is_unknown(board: Board) -> None:
    with board.begin() as tx, pytest.raises(NotFound, match="proposal-unknown"):
        proposals.proposal(tx, proposal=ProposalId("prp_0"))
    with board.begin() as tx, pytest.raises(NotFound, match="proposal-unknown"):
        proposals.approve(
            tx, proposal=ProposalId("prp_0"), by=board.ann, fingerprint="", why="",
            now=board.clock.now(),
        )  # fmt: skip


def test_proposals_are_listed_page_by_page(board: Board) -> None:
    made = []
    for number in range(5):
        board.clock.move(timedelta(seconds=1))
        made.append(board.propose(board.cyd, subject=f"bil_{number}"))
    last = board.reject(made[4], board.ann)
    with board.begin() as tx:
        found = proposals.proposals(tx, limit=2)
        assert found == [last, made[3]]
        assert proposals.proposals(tx, before=found[-1].id) == [made[2], made[1], made[0]]
        assert proposals.proposals(tx, state=ProposalState.REJECTED) == [last]
        assert proposals.proposals(tx, kind="price") == []
        assert proposals.proposals(tx, maker="cyd", subject="bil_1") == [made[1]]
        assert proposals.proposals(tx, maker="ann") == []


# --- what the database holds by itself ----------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "update people_proposal set state = 'approved', checker = maker, checked_at = made_at",
        "update people_proposal set state = 'approved', checked_at = made_at",
        "update people_proposal set state = 'approved', checker = 'eve', checked_at = made_at",
        "update people_proposal set state = 'withdrawn', checker = 'ann', checked_at = made_at",
        "update people_proposal set state = 'rejected', checker = 'ann'",
        "update people_proposal set content = '{}'",
        "update people_proposal set fingerprint = repeat('0', 64)",
        "update people_proposal set maker = 'bob'",
        "delete from people_proposal",
        "update people_person set login = 'eve' where login = 'cyd'",
        "delete from people_person where login = 'bob'",
        "update people_person set roles = '{customer}' where login = 'bob'",
        "update people_person set roles = '{customer,sales}', party = 'shop' where login = 'bob'",
        "update people_person set party = 'shop' where login = 'bob'",
    ],
)
def test_the_database_refuses(board: Board, sql: str) -> None:
    board.propose(board.cyd)
    with pytest.raises(psycopg.IntegrityError), board.begin() as tx:
        run(tx, sql)


def test_the_database_keeps_what_was_decided(board: Board) -> None:
    board.reject(board.propose(board.cyd), board.ann)
    with pytest.raises(psycopg.errors.CheckViolation), board.begin() as tx:
        run(tx, "update people_proposal set state = 'approved'")


# --- the audit log ------------------------------------------------------------------------------


def note(board: Board, tx: Transaction, by: Person | str, action: str, subject: str) -> None:
    audit.record(
        tx, by=by, action=action, subject=subject, why="because", details={"n": 1},
        now=board.clock.now(),
    )  # fmt: skip


def test_what_was_done_is_read_the_newest_first(board: Board) -> None:
    with board.begin() as tx:
        note(board, tx, board.ann, "order-resumed", "ord_1")
        note(board, tx, "console:root", "person-entered", "eve")
        note(board, tx, board.cyd, "order-resumed", "ord_2")
    with board.begin() as tx:
        newest, middle, oldest = audit.trail(tx)
        assert (newest.who, newest.roles, newest.subject) == ("cyd", ("finance",), "ord_2")
        assert (middle.who, middle.roles, middle.details) == ("console:root", (), {"n": 1})
        assert oldest.roles == ("approver", "finance") and oldest.why == "because"
        assert audit.trail(tx, limit=1) == [newest]
        assert audit.trail(tx, before=newest.number) == [middle, oldest]
        assert audit.trail(tx, action="order-resumed", who="ann") == [oldest]
        assert audit.trail(tx, subject="eve") == [middle]
        assert audit.trail(tx, who="' or true --") == []


@pytest.mark.parametrize(
    "sql",
    [
        "update people_audit set who = 'bob'",
        "delete from people_audit",
        "delete from people_audit where false",
    ],
)
def test_nobody_changes_what_was_done(board: Board, sql: str) -> None:
    with board.begin() as tx:
        note(board, tx, board.ann, "order-resumed", "ord_1")
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows")
    with refused, board.begin() as tx:
        run(tx, sql)
    with board.begin() as tx:
        assert [entry.who for entry in audit.trail(tx)] == ["ann"]


def test_what_is_rolled_back_was_not_done(board: Board) -> None:
    with pytest.raises(ZeroDivisionError), board.begin() as tx:
        note(board, tx, board.ann, "order-resumed", "ord_1")
        raise ZeroDivisionError
    with board.begin() as tx:
        assert audit.trail(tx) == []
