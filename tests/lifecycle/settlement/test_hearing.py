"""What a node believes of what it is told, in whatever order it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import (
    InvoiceIssued,
    Statement,
    StatementAnswered,
    StatementIssued,
    StatementState,
)
from hansa.foundation import documents
from hansa.foundation.database import run
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import BillId, StatementId
from hansa.foundation.money import Money
from tests.lifecycle.settlement.world import (
    ALLIANCE,
    BT,
    MONTH_END,
    MTN,
    SHIELD,
    Letter,
    World,
    sell,
)

NONE = Money.zero("GBP")


def stated(two: World) -> Letter:
    """BT's statement of November to MTN, on its way."""
    sell(two.nodes[BT], two.nodes[MTN], "jnb", monthly=100_001, told=100_000)
    sell(two.nodes[BT], two.nodes[MTN], "soc", offer=SHIELD, family="security")
    two.month_ends()
    two.nodes[BT].work()
    (letter,) = two.collect()
    return letter


def paper(letter: Letter) -> Statement:
    assert isinstance(letter.notice, StatementIssued)
    return letter.notice.statement


def signed(two: World, letter: Letter, statement: Statement) -> Letter:
    """The letter with another statement in it, signed by BT for all that."""
    fingerprint = documents.fingerprint(documents.write(statement))
    signature = two.nodes[BT].keys.sign(fingerprint, party=BT, at=MONTH_END)
    return replace(letter, notice=StatementIssued(statement, signature))


LIES: tuple[tuple[str, Callable[[Statement], Statement]], ...] = (
    ("statement-sums", lambda one: replace(one, net=Money(1, "GBP"))),
    ("statement-lines", lambda one: replace(one, lines=one.lines + one.lines[:1])),
    ("statement-lines", lambda one: replace(one, currency="ZAR")),
    ("statement-party", lambda one: replace(one, creditor=MTN, debtor=BT)),
    ("statement-party", lambda one: replace(one, kind_of="revenue-share")),
)


@pytest.mark.parametrize(("code", "lie"), LIES)
def test_a_statement_that_cannot_be_true_is_refused(
    two: World, code: str, lie: Callable[[Statement], Statement]
) -> None:
    letter = stated(two)
    with pytest.raises(Refused) as caught:
        two.nodes[MTN].hear(signed(two, letter, lie(paper(letter))))
    assert caught.value.code == code
    assert two.nodes[MTN].statements() == []


def test_a_statement_counts_only_as_it_was_signed(two: World) -> None:
    letter, mtn = stated(two), two.nodes[MTN]
    assert isinstance(letter.notice, StatementIssued)
    forged = replace(letter.notice, statement=replace(paper(letter), id=StatementId("stm_2.bt")))
    with pytest.raises(Refused, match="not over this paper"):
        mtn.hear(replace(letter, notice=forged))
    mtn.hear(letter)
    with pytest.raises(Refused, match="came before with other content"):
        mtn.hear(signed(two, letter, replace(paper(letter), lines=paper(letter).lines[:0])))
    with pytest.raises(Refused, match="name it as the one replaced"):
        mtn.hear(signed(two, letter, replace(paper(letter), id=StatementId("stm_2.bt"))))


def test_a_correction_may_overtake_what_it_corrects(two: World) -> None:
    first, bt, mtn = stated(two), two.nodes[BT], two.nodes[MTN]
    one, two_, three = (
        signed(
            two,
            first,
            replace(
                paper(first),
                id=StatementId(f"stm_{number}.bt"),
                replaces=StatementId(f"stm_{number - 1}.bt") if number > 1 else None,
            ),
        )
        for number in (1, 2, 3)
    )
    del bt
    mtn.hear(three)
    with pytest.raises(TryLater, match=r"stm_2\.bt has not arrived"):
        mtn.hear(one)
    mtn.hear(two_)
    mtn.hear(one)
    for letter in (one, two_, three):
        mtn.hear(letter)
    assert [(held.id, held.state) for held in mtn.statements()] == [
        ("stm_1.bt", StatementState.WITHDRAWN),
        ("stm_2.bt", StatementState.WITHDRAWN),
        ("stm_3.bt", StatementState.ISSUED),
    ]


def test_a_correction_that_crosses_the_confirmation_wins(two: World) -> None:
    """MTN accepts and confirms while BT corrects: only the corrected statement counts."""
    letter, bt, mtn = stated(two), two.nodes[BT], two.nodes[MTN]
    mtn.hear(letter)
    wrong = mtn.dispute(paper(letter).id)
    two.deliver()
    mtn.resolve(wrong.id, wrong.differences[0].key)
    mtn.confirm(wrong.id)
    crossing = two.collect()
    bt.reissue(wrong.id, wrong.differences[0].key)
    two.deliver([*two.collect(), *crossing])
    two.run()
    assert two.refused == []
    assert bt.statement(StatementState.WITHDRAWN).id == wrong.id
    assert mtn.statement(StatementState.WITHDRAWN).id == wrong.id
    new = mtn.statement(StatementState.ISSUED)
    mtn.confirm(new.id)
    two.deliver()
    assert bt.statement(StatementState.INVOICED).id == new.id
    with pytest.raises(Refused, match="can be replaced while it is disputed or issued"):
        bt.reissue(new.id)


def test_a_dispute_that_comes_after_the_confirmation_changes_nothing(two: World) -> None:
    letter, bt, mtn = stated(two), two.nodes[BT], two.nodes[MTN]
    mtn.hear(letter)
    wrong = mtn.dispute(paper(letter).id)
    mtn.resolve(wrong.id, wrong.differences[0].key)
    mtn.confirm(wrong.id)
    dispute, confirmation = two.collect()
    two.deliver([confirmation, dispute])
    assert bt.statement().state is mtn.statement().state is StatementState.INVOICED
    assert two.refused == []


def test_a_confirmation_is_of_exactly_what_was_sent(two: World) -> None:
    letter, bt, mtn = stated(two), two.nodes[BT], two.nodes[MTN]
    mtn.hear(letter)
    seen = mtn.compare(paper(letter).id)
    mtn.resolve(seen.id, seen.differences[0].key)
    mtn.confirm(seen.id)
    (answer,) = two.collect()
    assert isinstance(answer.notice, StatementAnswered)
    confirmation = answer.notice.confirmation
    assert confirmation is not None

    other = replace(confirmation.summary, lines_fingerprint="0" * 64)
    with pytest.raises(Refused, match="as it was sent"):
        bt.hear(
            replace(
                answer,
                notice=replace(answer.notice, confirmation=replace(confirmation, summary=other)),
            )
        )
    fingerprint = documents.fingerprint(documents.write(confirmation.summary))
    ours = replace(bt.keys.sign(fingerprint, party=MTN, at=MONTH_END), party=MTN)
    with pytest.raises(Refused, match="not by its key"):
        bt.hear(
            replace(
                answer,
                notice=replace(answer.notice, confirmation=replace(confirmation, signature=ours)),
            )
        )
    with pytest.raises(NotFound):
        bt.hear(replace(answer, notice=replace(answer.notice, statement=StatementId("stm_x"))))
    assert bt.statement().state is StatementState.ISSUED


def test_no_invoice_is_booked_that_was_not_confirmed(two: World) -> None:
    letter, mtn = stated(two), two.nodes[MTN]
    mtn.hear(letter)
    notice = InvoiceIssued(paper(letter).id, BillId("bil_1"), "BT-2026-000001", MONTH_END)
    with pytest.raises(Refused, match="only a confirmed one can be invoiced"):
        mtn.hear(Letter(BT, MTN, notice))
    with pytest.raises(NotFound):
        mtn.hear(Letter(BT, MTN, replace(notice, statement=StatementId("stm_x"))))


def test_a_second_number_for_one_statement_is_refused(two: World) -> None:
    letter, mtn = stated(two), two.nodes[MTN]
    mtn.hear(letter)
    seen = mtn.compare(paper(letter).id)
    mtn.resolve(seen.id, seen.differences[0].key)
    mtn.confirm(seen.id)
    two.deliver()
    notice = InvoiceIssued(seen.id, BillId("bil_1"), "BT-2026-000009", MONTH_END)
    with pytest.raises(Refused, match="is invoiced as BT-2026-000001 already"):
        mtn.hear(Letter(BT, MTN, notice))


def test_a_bill_is_called_so_once(two: World) -> None:
    """What a partner calls its bills is its own affair; it may not call two of them the same."""
    letter, mtn = stated(two), two.nodes[MTN]
    mtn.hear(letter)
    other = replace(paper(letter), id=StatementId("stm_2.bt"), lines=(), net=NONE, tax=NONE)
    mtn.hear(signed(two, letter, replace(other, agreement=AgreementRef(ALLIANCE.id, 2))))
    for held in mtn.statements():
        for one in mtn.compare(held.id).differences:
            mtn.resolve(held.id, one.key)
        mtn.confirm(held.id)
    first = InvoiceIssued(paper(letter).id, BillId("bil_1"), "BT-2026-000001", MONTH_END)
    mtn.hear(Letter(BT, MTN, first))
    for bill, number in (("bil_1", "BT-2026-000002"), ("bil_2", "BT-2026-000001")):
        again = InvoiceIssued(other.id, BillId(bill), number, MONTH_END)
        with pytest.raises(Refused) as caught:
            mtn.hear(Letter(BT, MTN, again))
        assert caught.value.code == "key-reused"
    mtn.hear(Letter(BT, MTN, replace(first, statement=other.id, bill=BillId("bil_2"), number="2")))
    assert [held.number for held in mtn.statements()] == ["BT-2026-000001", "2"]


@pytest.mark.parametrize(
    ("bill", "number"),
    [("", "1"), ("bil_2", ""), ("bil_\n2", "1"), ("bil_2", "\x07"), ("b" * 201, "1")],
)
def test_an_invoice_has_an_id_and_a_number_that_can_be_written(
    two: World, bill: str, number: str
) -> None:
    letter, mtn = stated(two), two.nodes[MTN]
    mtn.hear(letter)
    seen = mtn.compare(paper(letter).id)
    mtn.resolve(seen.id, seen.differences[0].key)
    mtn.confirm(seen.id)
    with pytest.raises(Refused) as caught:
        mtn.hear(Letter(BT, MTN, InvoiceIssued(seen.id, BillId(bill), number, MONTH_END)))
    assert caught.value.code == "malformed"


def test_a_statement_is_called_so_by_who_makes_it(two: World) -> None:
    letter, mtn = stated(two), two.nodes[MTN]
    for name in ("stm_1", "stm_1.mtn", "stm_1.mci", "stm_1bt", f"{'s' * 200}.bt"):
        with pytest.raises(Refused) as caught:
            mtn.hear(signed(two, letter, replace(paper(letter), id=StatementId(name))))
        assert (caught.value.code, caught.value.field) == ("id-not-given", "id")
    assert mtn.statements() == []


@pytest.mark.parametrize(
    "statement",
    [
        "update settlement_statement set document = '{}'",
        "update settlement_statement set signature = '{}'",
        "update settlement_statement set state = 'issued' where state = 'withdrawn'",
        "delete from settlement_statement",
        "truncate settlement_statement cascade",
        "update settlement_resolution set why = 'other'",
    ],
)
def test_the_database_keeps_papers_as_they_are(two: World, statement: str) -> None:
    letter, mtn = stated(two), two.nodes[MTN]
    mtn.hear(letter)
    seen = mtn.compare(paper(letter).id)
    mtn.resolve(seen.id, seen.differences[0].key)
    with mtn.begin() as tx:
        run(tx, "update settlement_statement set state = 'withdrawn'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), mtn.begin() as tx:
        run(tx, statement)
