"""Rounds of netting between nodes of their own: all or nothing, whatever the post does."""

from __future__ import annotations

import random  # noqa: TID251 - a bad post, by seeds
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from hansa.federation.papers import NettingProposed, NettingSettled
from hansa.foundation.database import Database, run
from hansa.foundation.errors import Refused
from hansa.foundation.ids import Ids, PartyId, RoundId
from hansa.foundation.time import SetClock
from hansa.lifecycle.clearing.actions import centre, netting
from hansa.lifecycle.clearing.model import Part, PartState, Round, RoundState, SeatState
from tests.lifecycle.agreement.examples import Letter
from tests.lifecycle.clearing.world import (
    CENTRE,
    HOURS,
    NAMES,
    UNTAXED,
    Alliance,
    Member,
    alliance,
    invoice,
    offer,
)
from tests.lifecycle.settlement.world import ALLIANCE, NOVEMBER, sell

pytestmark = pytest.mark.slow

BT, DT, MTN, ORANGE = NAMES[:4]
RING = [(0, 1, 100_00), (1, 2, 70_00), (2, 0, 80_00)]
Make = Callable[..., Alliance]


@pytest.fixture
def make(databases: Callable[[], Database], tmp_path: Path, ids: Ids, clock: SetClock) -> Make:
    return lambda size, **modes: alliance(databases, tmp_path, ids, clock, size, **modes)


def settlements(made: Alliance) -> dict[tuple[PartyId, PartyId], int]:
    """What every member's settlement account with every other says, in pence."""
    return {
        (name, line.partner): line.settlement.minor
        for name, member in made.members.items()
        for line in member.books().lines
        if line.settlement
    }


def receivables(made: Alliance) -> int:
    return sum(line.receivable.minor for one in made.members.values() for line in one.books().lines)


def refuse(member: Member, round: RoundId, why: str = "no") -> Part:
    with member.begin() as tx:
        part = netting.part(tx, round=round)
        return netting.refuse(
            tx, us=member.party, part=part, why=why, ids=member.ids, now=member.now
        )


def two_call(member: Member) -> Round:
    """Two people call a round in the same moment, and it is one."""
    with ThreadPoolExecutor(1) as thread:
        with member.begin() as tx:
            one = centre.call(
                tx, us=member.party, agreement=ALLIANCE, period=NOVEMBER, currency="GBP",
                ids=member.ids, now=member.now,
            )  # fmt: skip
            other = thread.submit(member.call)
            with pytest.raises(TimeoutError):
                other.result(0.1)
        assert other.result(10).id == one.id
    return one


def test_a_ring_of_three_pays_twice_instead_of_three_times(make: Make) -> None:
    made = make(3)
    invoice(made, RING)
    round = two_call(made.members[CENTRE])
    assert made.members[CENTRE].call().id == round.id
    made.settle_down()
    done = made.members[CENTRE].round(round.id)
    assert done.state is RoundState.SETTLED and done.plan is not None
    assert done.plan.positions == {BT: 20_00, DT: -30_00, MTN: 10_00}
    assert settlements(made) == {
        (BT, DT): 20_00, (DT, BT): -20_00, (DT, MTN): -10_00, (MTN, DT): 10_00
    }  # fmt: skip
    assert made.proof() == (True, ())
    assert receivables(made) == 0
    with pytest.raises(Refused, match="settled"):
        refuse(made.members[DT], round.id)
    again = made.members[CENTRE].call()
    assert again.id != round.id
    made.settle_down()
    assert made.members[CENTRE].round(again.id).state is RoundState.EMPTY
    assert made.proof() == (True, ())


def test_a_round_is_called_so_by_its_centre(make: Make) -> None:
    """Else one centre could see by the offers it gets which rounds another has called."""
    made = make(3)
    invoice(made, RING)
    call = made.members[CENTRE].call().call
    made.collect()
    dt = made.members[DT]
    for name in ("rnd_1", "rnd_1.mtn"):
        dt.hear(Letter(CENTRE, DT, replace(call, round=RoundId(name))))
    dt.clear()
    assert dt.outbox() == []
    with dt.begin() as tx:
        assert netting.parts(tx) == []
    dt.hear(Letter(CENTRE, DT, call))
    dt.clear()
    assert [letter.notice.kind for letter in dt.outbox()] == ["netting-offered"]


def test_nothing_is_posted_before_all_have_signed(make: Make) -> None:
    made = make(3)
    invoice(made, RING)
    made.members[MTN].auto_net = False
    before = settlements(made), receivables(made)
    round = made.members[CENTRE].call()
    made.settle_down()
    assert [made.members[name].part(round.id).state for name in (BT, DT, MTN)] == [
        PartState.SIGNED, PartState.SIGNED, PartState.PROPOSED,
    ]  # fmt: skip
    assert (settlements(made), receivables(made)) == before
    with pytest.raises(Refused, match="We have signed this plan"):
        refuse(made.members[DT], round.id)  # its centre may settle at any moment
    mtn = made.members[MTN]
    with mtn.begin() as tx:
        part = netting.part(tx, round=round.id)
        netting.sign(tx, us=mtn.party, part=part, keys=mtn.keys, ids=mtn.ids, now=mtn.now)
    made.settle_down()
    assert made.members[CENTRE].round(round.id).state is RoundState.SETTLED
    assert receivables(made) == 0 and made.proof() == (True, ())


@pytest.mark.parametrize("when", ["before the offer", "before the signature", "says no"])
def test_who_does_not_answer_is_left_out_and_the_rest_is_computed_anew(
    make: Make, clock: SetClock, when: str
) -> None:
    made = make(4)
    invoice(made, [*RING, (3, 0, 55_00), (0, 3, 5_00), (3, 2, 10_00), (0, 1, 1_00)])
    orange = made.members[ORANGE]
    orange.asleep = when == "before the offer"
    orange.auto_net = when not in ("before the signature", "says no")
    round = made.members[CENTRE].call()
    made.settle_down()
    if when == "says no":
        refuse(orange, round.id, "a doubt")
        assert refuse(orange, round.id, "another").why == "a doubt"
        answers = orange.outbox()
        assert [letter.notice.kind for letter in answers] == ["netting-answered"]
        made.deliver(answers)
        made.settle_down()
    else:
        assert made.members[CENTRE].round(round.id).state is not RoundState.SETTLED
        clock.at += timedelta(hours=HOURS, seconds=1)
        made.settle_down()
    done = made.members[CENTRE].round(round.id)
    assert done.state is RoundState.SETTLED and done.plan is not None
    assert done.plan.positions == {BT: 21_00, DT: -31_00, MTN: 10_00}
    assert [one.party for one in done.seats if one.state is SeatState.OUT] == [ORANGE]
    assert made.proof() == (True, ())
    orange.asleep = False
    late, made.held_back = made.held_back, []
    made.deliver(late)
    made.settle_down()
    assert made.proof() == (True, ())
    assert all(ORANGE not in pair for pair in settlements(made))
    if when != "before the offer":
        assert orange.part(round.id).state is PartState.DROPPED
        with pytest.raises(Refused, match="no plan to answer"):
            refuse(orange, round.id)


def test_when_nobody_else_answers_nothing_happens(make: Make, clock: SetClock) -> None:
    made = make(3)
    invoice(made, RING)
    for name in (DT, MTN):
        made.members[name].auto_net = False
    round = made.members[CENTRE].call()
    made.settle_down()
    clock.at += timedelta(hours=HOURS + 1)
    made.settle_down()
    assert made.members[CENTRE].round(round.id).state is RoundState.EMPTY
    assert settlements(made) == {}
    for member in made.members.values():
        assert member.part(round.id).state is PartState.DROPPED
        assert member.net()[0].netted


def test_countries_that_do_not_allow_it_stay_out(make: Make) -> None:
    made = make(4, modes={"FR": "bilateral", "ZA": "gross"})
    invoice(made, [*RING, (3, 0, 55_00), (1, 0, 30_00), (0, 3, 5_00)])
    round = made.members[CENTRE].call()
    assert [one.party for one in round.seats] == [BT, DT]
    made.settle_down()
    done = made.members[CENTRE].round(round.id)
    assert done.plan is not None and done.plan.positions == {BT: 70_00, DT: -70_00}
    bt = made.members[BT]
    with bt.begin() as tx:
        why = netting.gross(tx, us=bt.party, period=NOVEMBER)
    assert why == {MTN: "ZA settles gross: leave of ZA"}
    assert made.proof() == (True, ())


def test_what_is_disputed_is_held_out(make: Make) -> None:
    """DT states more to MTN than MTN computes; the rest of the ring is netted without them."""
    made = make(3)
    dt, mtn = made.members[DT], made.members[MTN]
    sell(dt, mtn, "disputed", offer=offer(DT, MTN), monthly=5_00, told=4_00, tax=UNTAXED)
    invoice(made, RING)
    round = made.members[CENTRE].call()
    made.settle_down()
    done = made.members[CENTRE].round(round.id)
    assert done.plan is not None
    assert done.plan.positions == {BT: 20_00, DT: -100_00, MTN: 80_00}
    assert made.proof() == (True, ())
    assert receivables(made) == 0


def test_a_statement_that_is_paid_or_netted_meanwhile_is_not_signed(make: Make) -> None:
    made = make(3)
    invoice(made, RING)
    dt = made.members[DT]
    dt.auto_net = False
    round = made.members[CENTRE].call()
    made.settle_down()
    with dt.begin() as tx:
        part = netting.part(tx, round=round.id)
        run(tx, "insert into clearing_claim values (%s, 'pay_1')", (part.lines[0].statement,))
        new = netting.sign(tx, us=dt.party, part=part, keys=dt.keys, ids=dt.ids, now=dt.now)
        assert new.state is PartState.REFUSED
    made.settle_down()
    assert made.members[CENTRE].round(round.id).plan is None or DT not in (
        made.members[CENTRE].round(round.id).plan.positions  # type: ignore[union-attr]
    )
    assert made.proof() == (True, ())


def test_a_false_centre_or_signature_moves_nothing(make: Make) -> None:
    made = make(3)
    invoice(made, RING)
    made.members[MTN].auto_net = False
    round = made.members[CENTRE].call()
    made.settle_down()
    part = made.members[DT].part(round.id)
    assert part.plan is not None and part.signature is not None
    forged = tuple(replace(part.signature, party=name) for name in sorted(part.plan.positions))
    for sender, notice in (
        (MTN, NettingSettled(part.plan, forged)),
        (CENTRE, NettingSettled(part.plan, forged)),
        (CENTRE, NettingSettled(part.plan, (part.signature,))),
        (CENTRE, NettingSettled(replace(part.plan, attempt=9), forged)),
        (MTN, NettingProposed(replace(part.plan, attempt=9), part.lines)),
    ):
        with made.members[DT].begin() as tx:
            netting.hear(tx, sender=sender, notice=notice, now=made.members[DT].now)
        made.members[DT].clear()
    assert made.members[DT].part(round.id) == part
    assert settlements(made) == {}


def test_what_is_settled_is_kept_by_the_database(make: Make) -> None:
    made = make(3)
    invoice(made, RING)
    round = made.members[CENTRE].call()
    made.settle_down()
    for table in ("clearing_part", "clearing_round"):
        with made.members[CENTRE].begin() as tx, pytest.raises(psycopg.errors.Error):
            run(tx, f"update {table} set state = 'dropped'", ())
    assert made.members[CENTRE].round(round.id).state is RoundState.SETTLED


@pytest.mark.parametrize("seed", range(4))
def test_random_alliances_and_a_bad_post(make: Make, clock: SetClock, seed: int) -> None:
    """Letters reordered and repeated, workers killed in the middle of a turn, members who
    sleep over the time: the books agree to the penny and everyone is paid.
    """
    draw = random.Random(seed)  # noqa: S311
    size = draw.randint(4, 6)
    made = make(size)
    sales = [
        (seller, buyer, draw.randint(1, 10**7))
        for seller in range(size)
        for buyer in range(size)
        if seller != buyer and draw.random() < 0.7
    ]
    invoice(made, sales)
    owed = dict.fromkeys(made.members, 0)
    for seller, buyer, pence in sales:
        owed[NAMES[seller]] += pence
        owed[NAMES[buyer]] -= pence
    sleeper = made.members[NAMES[draw.randint(1, size - 1)]]
    sleeper.auto_net = draw.random() < 0.5
    round = made.members[CENTRE].call()
    for member in made.members.values():
        with pytest.raises(ZeroDivisionError), member.begin() as tx:
            member.clear_in(tx)
            raise ZeroDivisionError
    made.settle_down(draw)
    clock.at += timedelta(hours=HOURS + 1)
    made.settle_down(draw)
    done = made.members[CENTRE].round(round.id)
    assert done.state is RoundState.SETTLED and done.plan is not None
    assert (sleeper.us in done.plan.positions) is sleeper.auto_net
    assert len(done.plan.payments) < len(done.plan.positions)
    assert made.proof() == (True, ())
    for party in done.plan.positions:
        paid = sum(one.amount.minor for one in done.plan.payments if one.payee == party)
        paid -= sum(one.amount.minor for one in done.plan.payments if one.payer == party)
        assert made.settlement_of(party) == paid == done.plan.positions[party]
    if sleeper.auto_net:
        assert done.plan.positions == {party: owed[party] for party in done.plan.positions}
