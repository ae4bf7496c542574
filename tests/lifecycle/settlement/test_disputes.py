"""Disputes about invoices: raised, answered, ended by a credit note, and books that agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import psycopg
import pytest

from hansa.federation.contract import Tax
from hansa.federation.disputes import DisputeMoved, DisputeTerms, LineCredit
from hansa.federation.papers import StatementIssued, StatementState
from hansa.foundation.database import run
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.money import Money
from hansa.foundation.time import SetClock
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions import disputes, positions
from hansa.lifecycle.settlement.model import DisputeState, Held, HeldDispute
from hansa.lifecycle.settlement.rules import disputes as rules
from tests.lifecycle.settlement.test_month import balances
from tests.lifecycle.settlement.world import BT, MTN, NOVEMBER, World, sell

KEY = "hld_jnb/monthly@2026-11-01T00:00:00Z"
CAPE = "hld_cpt/monthly@2026-11-01T00:00:00Z"
STANDARD = Tax("standard", 2000, "")


def gbp(amount: str) -> Money:
    return Money.of(amount, "GBP")


def invoiced(two: World, tax: Tax = STANDARD) -> Held:
    """A month that BT has invoiced to MTN: 10,000.01 for Johannesburg, 2,000 for Cape Town."""
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "jnb", monthly=1_000_001, tax=tax)
    sell(bt, mtn, "cpt", monthly=200_000, tax=tax)
    for node in (bt, mtn):
        node.publish("USD", "GBP", "0.8")
    two.month_ends()
    two.run()
    mtn.confirm(mtn.statement().id)
    two.deliver()
    assert bt.statement().state is StatementState.INVOICED
    return mtn.statement()


def both(two: World, held: HeldDispute) -> tuple[HeldDispute, HeldDispute]:
    two.deliver()
    return tuple(two.nodes[name].held_dispute(held.dispute.id) for name in (BT, MTN))  # type: ignore[return-value]


def books_agree(two: World) -> None:
    proof = positions.proof([node.books() for node in two.nodes.values()])
    assert proof.ok, proof.breaks


def finish(two: World) -> None:
    """Credit notes are stated, confirmed by a person, and invoiced."""
    two.deliver()
    two.run()
    for node in two.nodes.values():
        for one in node.statements():
            if one.direction == "heard" and one.state is StatementState.ISSUED:
                assert one.differences == ()
                node.confirm(one.id)
    two.deliver()


def test_an_accepted_dispute_becomes_a_credit_note_on_both_sides(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    paper = invoiced(two)
    held = mtn.raise_(paper.id, "rate", {KEY: gbp("9999.00")})
    ours, theirs = both(two, held)
    assert ours.dispute == theirs.dispute
    assert (ours.direction, theirs.direction) == ("heard", "raised")
    bt.move(held.dispute.id, "acknowledge")
    bt.move(held.dispute.id, "accept", reason="old price")
    assert {one.state for one in both(two, held)} == {DisputeState.ACCEPTED}
    finish(two)
    with bt.begin() as tx:
        invoice, note = sorted(billing.bills(tx), key=lambda one: one.number)
    assert (note.kind_of, note.number, note.net, note.tax) == (
        "credit-note",
        "BT-CN-2026-000001",
        gbp("-1.01"),
        gbp("-0.20"),
    )
    assert (invoice.number, invoice.net) == ("BT-2026-000001", gbp("12000.01")), "it is not edited"
    assert balances(bt) == {
        "receivable/mtn/GBP": 1_439_880,
        "revenue/connectivity/GBP": -1_199_900,
        "tax-output/GBP": -239_980,
    }
    assert balances(mtn) == {
        "payable/bt/GBP": -1_439_880,
        "cost/connectivity/GBP": 1_199_900,
        "tax-input/GBP": 239_980,
    }
    credit = next(one for one in mtn.statements() if one.statement.kind_of == "credit-note")
    assert credit.statement.bare.credits is not None
    assert credit.statement.bare.credits.number == invoice.number
    assert mtn.held_dispute(held.dispute.id).credit_note == credit.id
    books_agree(two)
    with bt.begin() as tx:
        assert ledger.verify(tx).ok


def test_the_undisputed_part_is_payable_and_the_rest_follows(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = mtn.raise_(invoiced(two).id, "rate", {KEY: gbp("9000.01")})
    two.deliver()
    for node, sign in ((bt, 1), (mtn, -1)):
        (position,) = node.net()
        assert position.held_out == ()
        assert position.netted.minor == sign * (1_440_001 - 120_000)
    books_agree(two)
    bt.move(held.dispute.id, "offer", LineCredit(KEY, gbp("250.00")), reason="half a day")
    two.deliver()
    mtn.move(held.dispute.id, "accept", reason="agreed")
    finish(two)
    for node, sign in ((bt, 1), (mtn, -1)):
        (position,) = node.net()
        assert position.net.minor == position.netted.minor == sign * (1_440_001 - 30_000)
        assert balances(node).get("receivable/mtn/GBP", 0) == 0
        assert balances(node).get("payable/bt/GBP", 0) == 0
    books_agree(two)


def test_a_dispute_that_is_withdrawn_leaves_all_payable(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = mtn.raise_(invoiced(two).id, "rate", {KEY: gbp("1")})
    two.deliver()
    bt.net()
    mtn.net()
    bt.move(held.dispute.id, "reject", reason="the deck says so")
    two.deliver()
    mtn.move(held.dispute.id, "reject", reason="see our deck")
    assert {one.state for one in both(two, held)} == {DisputeState.INSISTED}
    bt.move(held.dispute.id, "reject", reason="no")
    two.deliver()
    mtn.move(held.dispute.id, "withdraw", reason="we had not loaded it")
    assert {one.state for one in both(two, held)} == {DisputeState.WITHDRAWN}
    for node, sign in ((bt, 1), (mtn, -1)):
        (position,) = node.net()
        assert position.netted.minor == sign * 1_440_001
    books_agree(two)
    two.run()
    assert len(bt.statements()) == 1


def test_a_creditor_that_charged_too_much_says_so_itself(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = bt.raise_(invoiced(two).id, "rate", {KEY: gbp("0")})
    two.deliver()
    mtn.move(held.dispute.id, "accept", reason="thank you")
    finish(two)
    assert balances(bt)["receivable/mtn/GBP"] == 240_000
    books_agree(two)


def test_whose_turn_it_is(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = mtn.raise_(invoiced(two).id, "rate", {KEY: gbp("1")})
    two.deliver()
    for act in ("accept", "reject", "offer", "acknowledge"):
        with pytest.raises(Refused, match="dispute-turn"):
            mtn.move(held.dispute.id, act, LineCredit(KEY, gbp("1")))
    with pytest.raises(Refused, match="dispute-turn"):
        bt.move(held.dispute.id, "withdraw")
    with pytest.raises(Refused, match="reason-missing"):
        bt.move(held.dispute.id, "reject", reason=" ")
    with pytest.raises(Refused, match="claim-invalid"):
        bt.move(held.dispute.id, "offer", LineCredit(KEY, gbp("10000.00")))
    bt.move(held.dispute.id, "acknowledge")
    with pytest.raises(Refused, match="state-move"):
        bt.move(held.dispute.id, "acknowledge")


def test_an_acceptance_wins_over_a_withdrawal_that_it_crosses(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = mtn.raise_(invoiced(two).id, "rate", {KEY: gbp("9000")})
    two.deliver()
    bt.move(held.dispute.id, "accept")
    mtn.move(held.dispute.id, "withdraw")
    assert {one.state for one in both(two, held)} == {DisputeState.ACCEPTED}
    finish(two)
    books_agree(two)


def test_notices_come_in_any_order_and_twice(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    paper = invoiced(two)
    for order in permutations(range(3)):
        held = mtn.raise_(paper.id, "rate", {CAPE: gbp("1999.9")})
        two.deliver()
        bt.move(held.dispute.id, "acknowledge")
        bt.move(held.dispute.id, "offer", LineCredit(held.dispute.lines[0].key, gbp("0.05")))
        letters = two.collect()
        waiting = [letters[place] for place in order if place < len(letters)]
        while waiting:
            letter = waiting.pop(0)
            try:
                two.nodes[letter.to].hear(letter)
                two.nodes[letter.to].hear(letter)
            except TryLater:
                waiting.append(letter)
        assert mtn.held_dispute(held.dispute.id).state is DisputeState.OFFERED
        mtn.move(held.dispute.id, "withdraw")
        assert {one.state for one in both(two, held)} == {DisputeState.WITHDRAWN}


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({KEY: "10000.01"}, "claim-invalid"),
        ({KEY: "-0.01"}, "claim-invalid"),
        ({KEY: "10001"}, "claim-invalid"),
        ({"no-line": "1"}, "difference-unknown"),
        ({}, "claim-invalid"),
    ],
)
def test_what_cannot_be_claimed(two: World, claims: dict[str, str], code: str) -> None:
    mtn = two.nodes[MTN]
    paper = invoiced(two)
    with pytest.raises(Refused) as caught:
        mtn.raise_(paper.id, "rate", {key: gbp(net) for key, net in claims.items()})
    assert caught.value.code == code


def test_no_more_is_taken_back_than_was_charged(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    paper = invoiced(two)
    first = mtn.raise_(paper.id, "rate", {KEY: gbp("4000.00")})
    two.deliver()
    bt.move(first.dispute.id, "accept")
    finish(two)
    with pytest.raises(Refused, match="claim-invalid"):
        mtn.raise_(paper.id, "rate", {KEY: gbp("5999.99")})
    mtn.raise_(paper.id, "rate", {KEY: gbp("6000.01")})


def test_thresholds_and_times(two: World, clock: SetClock) -> None:
    mtn = two.nodes[MTN]
    paper = invoiced(two)
    with pytest.raises(Refused, match=r"from 800\.00 GBP on") as caught:
        mtn.raise_(paper.id, "volume", {KEY: gbp("9200.02")})
    assert caught.value.code == "dispute-small"
    with pytest.raises(Refused, match="dispute-proof"):
        mtn.raise_(paper.id, "fraud", {KEY: gbp("1")})
    mtn.raise_(paper.id, "volume", {KEY: gbp("9200.01")})
    mtn.raise_(paper.id, "rate", {KEY: gbp("10000.00")})
    clock.move(timedelta(days=30))
    mtn.raise_(paper.id, "rate", {KEY: gbp("10000.00")})
    clock.move(timedelta(seconds=1))
    with pytest.raises(Refused, match="dispute-late"):
        mtn.raise_(paper.id, "rate", {KEY: gbp("10000.00")})


def test_a_price_needs_no_reference_rate(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "jnb", monthly=1_000_001)
    two.month_ends()
    two.run()
    mtn.confirm(mtn.statement().id)
    two.deliver()
    mtn.raise_(mtn.statement().id, "rate", {KEY: gbp("10000.00")})
    with pytest.raises(NotFound, match="rate-missing"):
        mtn.raise_(mtn.statement().id, "volume", {KEY: gbp("1")})


def test_a_small_gap_counts_when_it_repeats() -> None:
    terms = DisputeTerms()

    def check(repeats: int) -> None:
        from tests.lifecycle.settlement.test_rules import statement

        paper = replace(statement(), net=gbp("1000.00"))
        rules.check_threshold(
            paper, (), cause="volume", terms=terms, least=gbp("800"),
            issued_at=NOVEMBER.end, repeats=repeats, now=NOVEMBER.end,
        )  # fmt: skip

    check(3)
    with pytest.raises(Refused, match="dispute-small"):
        check(2)


def test_clocks_run_in_business_days_and_levels_rise(two: World, clock: SetClock) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    paper = invoiced(two)
    clock.at = datetime(2026, 12, 4, 9, tzinfo=UTC)  # a Friday
    held = mtn.raise_(paper.id, "rate", {KEY: gbp("1")})
    due = disputes.clock(held, now=clock.at)
    assert (due.acknowledge_by.day, due.sample_by.day, due.answer_by.day) == (8, 11, 18)
    seen = []
    for days in (4, 5, 14, 15, 30, 31, 61, 91):
        found = disputes.clock(held, now=clock.at + timedelta(days=days))
        seen.append((found.level, len(found.overdue)))
    assert seen == [(1, 0), (1, 1), (1, 1), (2, 2), (2, 2), (2, 2), (3, 2), (4, 2)]
    two.deliver()
    bt.move(held.dispute.id, "reject", reason="no")
    _, answered = both(two, held)
    assert disputes.clock(answered, now=clock.at + timedelta(days=20)).overdue == ()


@pytest.mark.parametrize(
    ("silence", "state"),
    [
        ("accept", DisputeState.ACCEPTED),
        ("reject", DisputeState.REJECTED),
        ("escalate", DisputeState.RAISED),
    ],
)
def test_silence_means_what_the_contract_says(
    two: World, clock: SetClock, silence: str, state: DisputeState
) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    paper = invoiced(two)
    terms = DisputeTerms(silence=silence)  # type: ignore[arg-type]
    for node, partner in ((bt, MTN), (mtn, BT)):
        with node.begin() as tx:
            disputes.enter_terms(tx, partner=partner, given=terms, by="Ada", now=clock.at)
    held = mtn.raise_(paper.id, "rate", {KEY: gbp("9999.01")})
    two.deliver()
    clock.move(timedelta(days=30))
    two.run()
    assert {one.state for one in both(two, held)} == {state}
    finish(two)
    books_agree(two)


def test_terms_that_differ_are_refused(two: World) -> None:
    mtn = two.nodes[MTN]
    paper = invoiced(two)
    with mtn.begin() as tx:
        terms = DisputeTerms(silence="accept", answer_bd=1)
        disputes.enter_terms(tx, partner=BT, given=terms, by="Eve", now=mtn.now)
        with pytest.raises(Refused, match="terms-invalid"):
            disputes.enter_terms(
                tx, partner=BT, given=DisputeTerms(answer_bd=0), by="Eve", now=mtn.now
            )
    held = mtn.raise_(paper.id, "rate", {KEY: gbp("1")})
    two.deliver()
    assert [code for _, code in two.refused] == ["dispute-terms"]
    with pytest.raises(NotFound, match="dispute-unknown"):
        two.nodes[BT].held_dispute(held.dispute.id)


def test_only_invoices_are_disputed(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    sell(bt, mtn, "jnb", monthly=1_000_001)
    two.month_ends()
    two.run()
    with pytest.raises(Refused, match="dispute-uninvoiced"):
        mtn.raise_(mtn.statement().id, "rate", {KEY: gbp("1")})


def test_a_forged_credit_or_move_is_refused(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = mtn.raise_(invoiced(two).id, "rate", {KEY: gbp("9000")})
    two.deliver()
    bt.move(held.dispute.id, "accept")
    (letter,) = two.collect()
    assert isinstance(letter.notice, DisputeMoved)
    forged = replace(letter, notice=replace(letter.notice, reason="else"))
    with pytest.raises(Refused, match="signature-wrong"):
        mtn.hear(forged)
    mtn.hear(letter)
    bt.work()
    (stated,) = two.collect()
    assert isinstance(stated.notice, StatementIssued)
    with pytest.raises(Refused):
        mtn.hear(replace(stated, notice=replace(stated.notice, signature=letter.notice.signature)))
    mtn.hear(stated)
    assert mtn.statement(StatementState.ISSUED).statement.kind_of == "credit-note"
    with pytest.raises(Refused, match="credit-agreed"):
        bt.reissue(bt.statement(StatementState.ISSUED).id)


def test_the_database_keeps_what_was_raised_and_accepted(two: World) -> None:
    bt, mtn = two.nodes[BT], two.nodes[MTN]
    held = mtn.raise_(invoiced(two).id, "rate", {KEY: gbp("9000")})
    two.deliver()
    bt.move(held.dispute.id, "accept")
    for sql in (
        "update settlement_dispute set document = '{}'",
        "update settlement_dispute set state = 'raised'",
        "delete from settlement_dispute",
        "delete from settlement_dispute_move",
    ):
        with pytest.raises(psycopg.Error), bt.begin() as tx:
            run(tx, sql)


def test_evidence_is_what_its_digest_says(two: World) -> None:
    mtn = two.nodes[MTN]
    shown = disputes.reconciled("{}", [("differences.parquet", "0" * 64, 17)])
    paper = invoiced(two)
    held = mtn.raise_(paper.id, "fraud", {KEY: gbp("1")}, shown)
    ours, theirs = both(two, held)
    assert ours.dispute.evidence == theirs.dispute.evidence == shown
    with pytest.raises(Refused, match="evidence-wrong"):
        mtn.raise_(paper.id, "fraud", {CAPE: gbp("2")}, [replace(shown[0], content="{ }")])
