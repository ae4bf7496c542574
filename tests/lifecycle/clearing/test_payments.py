"""What is due once all is netted, ordered once, to accounts that two people know."""

from __future__ import annotations

import random  # noqa: TID251 - any order, by seeds
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg
import pytest

from hansa.federation.disputes import DisputeAct
from hansa.foundation.database import Database, run
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import DisputeId, Ids, PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.clearing.actions import payments
from hansa.lifecycle.clearing.model import Payment, PaymentOrder
from hansa.lifecycle.clearing.rules import payments as rules
from hansa.lifecycle.settlement.actions import disputes
from hansa.lifecycle.settlement.model import DisputeState, Held, HeldDispute
from tests.lifecycle.clearing.world import CENTRE, NAMES, Alliance, Member, alliance, invoice
from tests.lifecycle.settlement.world import NOVEMBER, Letter

BT, DT, MTN, ORANGE = NAMES[:4]
IBAN = "GB82WEST12345698765432"
RING = [(0, 1, 100_00), (1, 2, 70_00), (2, 0, 80_00), (1, 0, 30_00)]
"""BT is owed 100 and owes 110, DT is owed 100 and owes 100, MTN is owed 80 and owes 70."""
Make = Callable[..., Alliance]


@pytest.fixture
def make(databases: Callable[[], Database], tmp_path: Path, ids: Ids, clock: SetClock) -> Make:
    return lambda size, **modes: alliance(databases, tmp_path, ids, clock, size, **modes)


def know(member: Member, party: PartyId, *, second: str = "Ada", number: str = IBAN) -> None:
    with member.begin() as tx:
        made = payments.enter_account(
            tx, party=party, holder=party.upper(), number="GB82 WEST 1234 5698 7654 32",
            bic="BARCGB22", by="Ben", ids=member.ids, now=member.now,
        )  # fmt: skip
        payments.confirm_account(tx, account=made.id, number=number, by=second, now=member.now)


def due(member: Member) -> dict[PartyId, int]:
    return {one.payee: one.amount.minor for one in all_due(member)}


def all_due(member: Member) -> Sequence[Payment]:
    with member.begin() as tx:
        return payments.due(tx, us=member.party, period=NOVEMBER)


def order(member: Member) -> PaymentOrder:
    with member.begin() as tx:
        return ordered(tx, member)


def ordered(tx: Transaction, member: Member) -> PaymentOrder:
    return payments.order(
        tx, us=member.party, period=NOVEMBER, currency="GBP", on=date(2026, 12, 30), by="Ben",
        ids=member.ids, now=member.now,
    )  # fmt: skip


def signed(one: Payment) -> int:
    return sum(-each.amount.minor if each.set_off else each.amount.minor for each in one.remitted)


def test_a_net_is_paid_once_and_then_bound(make: Make) -> None:
    made = make(3)
    invoice(made, RING)
    dt = made.members[DT]
    assert due(dt) == {}
    dt.net()
    assert due(dt) == {BT: 70_00}
    for party in (DT, BT):
        know(dt, party)
    given = order(dt)
    (one,) = given.payments
    assert signed(one) == one.amount.minor == 70_00
    assert one.settlement == rules.settlement_id("/".join(sorted(one.statements)), DT, BT)
    assert due(dt) == {}
    with pytest.raises(Refused, match="Nothing"):
        order(dt)
    with dt.begin() as tx:
        assert payments.ordered(tx, id=given.id) == given
    round = made.members[CENTRE].call()
    made.settle_down()
    assert [(line.creditor, line.debtor) for line in dt.part(round.id).offered] == [(DT, MTN)]


def test_what_a_round_leaves_is_paid(make: Make) -> None:
    made = make(3)
    invoice(made, RING)
    made.members[CENTRE].call()
    made.settle_down()
    assert [due(made.members[name]) for name in (BT, DT, MTN)] == [{MTN: 10_00}, {}, {}]
    bt = made.members[BT]
    for party in (BT, MTN):
        know(bt, party)
    with ThreadPoolExecutor(1) as thread:
        with bt.begin() as tx:
            (one,) = ordered(tx, bt).payments
            other = thread.submit(order, bt)
            with pytest.raises(TimeoutError):
                other.result(0.1)
        with pytest.raises(Refused, match="Nothing"):
            other.result(10)
    assert one.source.startswith("round/") and due(bt) == {}


def test_gross_invoices_are_paid_one_by_one(make: Make) -> None:
    made = make(3, modes={"ZA": "gross"})
    invoice(made, [(2, 0, 80_00), (0, 2, 50_00)])
    assert due(made.members[BT]) == {MTN: 80_00}
    assert due(made.members[MTN]) == {BT: 50_00}
    know(made.members[BT], BT)
    with pytest.raises(Refused, match="mtn has no confirmed"):
        order(made.members[BT])
    assert due(made.members[BT]) == {MTN: 80_00}


def test_an_account_takes_two_people(make: Make) -> None:
    bt = make(2).members[BT]
    for second, number, code in (("ben", IBAN, "same-person"), ("Ada", "GB00", "differs")):
        with pytest.raises(Refused) as refusal:
            know(bt, DT, second=second, number=number)
        assert refusal.value.code == f"bank-account-{code}"
    know(bt, DT)
    with bt.begin() as tx:
        (found,) = payments.accounts(tx, party=DT)
        assert (found.entered_by, found.confirmed_by, found.masked) == ("Ben", "Ada", "…5432")
    with bt.begin() as tx:
        waiting = payments.enter_account(
            tx, party=MTN, holder="MTN", number="62001234567", bic="FIRNZAJJ", by="Ben",
            ids=bt.ids, now=bt.now,
        )  # fmt: skip
    sql = "insert into clearing_account_check values (%s, 'BEN', now())"
    with pytest.raises(psycopg.errors.Error), bt.begin() as tx:
        run(tx, sql, (waiting.id,))


@pytest.mark.parametrize(
    ("number", "bic"), [("GB82WEST12345698765433", "BARCGB22"), ("x", "BARCGB22"), (IBAN, "BARC")]
)
def test_what_cannot_be_an_account(make: Make, number: str, bic: str) -> None:
    bt = make(2).members[BT]
    with pytest.raises(Refused, match="not entered"), bt.begin() as tx:
        payments.enter_account(
            tx, party=DT, holder="DT", number=number, bic=bic, by="Ben", ids=bt.ids, now=bt.now
        )


def test_what_is_disputed_is_neither_paid_nor_offered(make: Make) -> None:
    """BT owes MTN 80 and disputes 30 of it: 50 is due, and the invoice waits for another round."""
    made = make(3)
    invoice(made, RING)
    bt, mtn = made.members[BT], made.members[MTN]
    paper = next(one for one in bt.statements() if one.statement.debtor == BT)
    (line,) = paper.statement.lines
    held = bt.raise_(paper.id, "rate", {line.key: line.net - Money(30_00, "GBP")})
    made.settle_down()
    round = made.members[CENTRE].call()
    made.settle_down()
    offered = [one for name in (BT, MTN) for one in made.members[name].part(round.id).offered]
    assert paper.id not in [one.statement for one in offered]
    bt.net()
    mtn.net()
    assert due(bt)[MTN] == 50_00
    assert all(signed(one) == one.amount.minor for one in all_due(bt))
    mtn.move(held.dispute.id, "reject")
    made.settle_down()
    bt.move(held.dispute.id, "withdraw")
    made.settle_down()
    bt.net()
    mtn.net()
    assert sum(one.amount.minor for one in all_due(bt) if one.payee == MTN) == 80_00
    assert all(signed(one) == one.amount.minor for one in all_due(bt))
    assert made.proof() == (True, ())


def sale(make: Make, *, mode: str = "multilateral") -> tuple[Alliance, Member, Member, Held]:
    """MTN has sold BT a month for 80.00; what BT holds of the invoice."""
    made = make(3, modes={"ZA": mode})
    invoice(made, [(2, 0, 80_00)])
    bt, mtn = made.members[BT], made.members[MTN]
    for member in (bt, mtn):
        for party in (BT, MTN):
            know(member, party)
    return made, bt, mtn, bt.statement()


def claim(member: Member, paper: Held, pence: int) -> DisputeId:
    line = paper.statement.lines[0]
    held = member.raise_(paper.id, "rate", {line.key: line.net - Money(pence, "GBP")})
    return held.dispute.id


def disputes_of(member: Member) -> Sequence[HeldDispute]:
    with member.begin() as tx:
        return disputes.find(tx)


def owes(member: Member) -> int:
    return sum(one.amount.minor for one in all_due(member))


def end(made: Alliance, dispute: DisputeId, how: str, *, net: bool = True) -> None:
    """BT has disputed: MTN accepts, or rejects and BT withdraws."""
    bt, mtn = made.members[BT], made.members[MTN]
    mtn.move(dispute, "accept" if how == "accepted" else "reject")
    made.settle_down()
    if how == "withdrawn":
        bt.move(dispute, "withdraw")
    made.settle_down()
    made.run()
    if net:
        bt.net()
        mtn.net()
    assert made.proof() == (True, ())


ENDS = [("accepted", 50_00), ("withdrawn", 80_00)]


@pytest.mark.parametrize(("how", "owed"), ENDS)
@pytest.mark.parametrize("ordered", [False, True])
def test_who_nets_before_a_dispute_arrives_comes_to_the_same(
    make: Make, how: str, owed: int, ordered: bool
) -> None:
    """MTN has netted 80 when it hears that BT has held 30 out."""
    made, bt, mtn, paper = sale(make)
    dispute = claim(bt, paper, 30_00)
    mtn.net()
    made.settle_down()
    bt.net()
    mtn.net()
    assert made.proof() == (True, ())
    assert [one.settlement.minor for one in bt.books().lines if one.partner == MTN] == [-50_00]
    assert (due(bt), due(mtn)) == ({MTN: 50_00}, {})
    paid = order(bt).payments[0].amount.minor if ordered else 0
    end(made, dispute, how)
    assert (paid + owes(bt), owes(mtn)) == (owed, 0)
    assert all(signed(one) == one.amount.minor for one in all_due(bt))


@pytest.mark.parametrize(("how", "owed"), ENDS)
def test_what_was_netted_before_it_was_disputed_stays_so_on_both_sides(
    make: Make, how: str, owed: int
) -> None:
    """BT has netted and paid 80 before it disputes 30; MTN nets only then, and gives 30 back."""
    made, bt, mtn, paper = sale(make)
    bt.net()
    paid = order(bt).payments[0].amount.minor
    dispute = claim(bt, paper, 30_00)
    made.settle_down()
    mtn.net()
    bt.net()
    assert made.proof() == (True, ())
    assert (due(bt), due(mtn)) == ({}, {})
    end(made, dispute, how)
    assert paid - owes(mtn) + owes(bt) == owed
    assert all(signed(one) == one.amount.minor for one in all_due(mtn) if one.amount.minor)


@pytest.mark.parametrize(("how", "owed"), ENDS)
@pytest.mark.parametrize("ordered", [False, True])
def test_what_of_a_gross_invoice_is_in_dispute_is_paid_when_it_has_ended(
    make: Make, how: str, owed: int, ordered: bool
) -> None:
    made, bt, _, paper = sale(make, mode="gross")
    dispute = claim(bt, paper, 30_00)
    made.settle_down()
    assert due(bt) == {MTN: 50_00}
    paid = order(bt).payments[0].amount.minor if ordered else 0
    assert due(bt) == ({} if ordered else {MTN: 50_00})
    end(made, dispute, how, net=False)
    assert paid + owes(bt) == owed
    assert all(signed(one) == one.amount.minor for one in all_due(bt))


def test_who_has_paid_too_much_pays_less_of_the_next(make: Make) -> None:
    """MTN says itself that it charged 30 too much; BT hears of it after it has paid all 80."""
    made, bt, mtn, _ = sale(make)
    dispute = claim(mtn, mtn.statement(), 30_00)
    bt.net()
    order(bt)
    made.settle_down()
    mtn.net()
    bt.net()
    assert made.proof() == (True, ())
    assert (due(bt), due(mtn)) == ({}, {})
    mtn.move(dispute, "withdraw")
    made.settle_down()
    bt.net()
    mtn.net()
    assert (due(bt), due(mtn)) == ({}, {})
    assert made.proof() == (True, ())


@dataclass
class Pair:
    """Two members who owe each other, and what is on its way between them, in any order."""

    made: Alliance
    dice: random.Random
    waiting: list[Letter] = field(default_factory=list)
    paid: int = 0
    """What BT has paid to MTN, less what it got back."""

    def sides(self) -> list[Member]:
        return [self.made.members[BT], self.made.members[MTN]]

    def pay(self, member: Member) -> None:
        if all_due(member):
            amount = sum(one.amount.minor for one in order(member).payments)
            self.paid += amount if member.us == BT else -amount

    def dispute(self, member: Member) -> None:
        """As a debtor."""
        known = {one.dispute.statement for one in disputes_of(member)}
        owed = [one for one in member.statements() if one.statement.debtor == member.us]
        free = [one for one in owed if one.id not in known and one.total.minor > 0]
        if free:
            claim(member, self.dice.choice(free), self.dice.choice([5_00, 12_50, 20_00]))

    def answer(self, member: Member) -> None:
        for held in disputes_of(member):
            if held.direction == "heard" and held.state is DisputeState.RAISED:
                return self._move(member, held, self.dice.choice(["accept", "reject"]))
        return None

    def _move(self, member: Member, held: HeldDispute, act: DisputeAct) -> None:
        member.move(held.dispute.id, act)

    def hear(self, member: Member) -> None:
        self.waiting += self.made.collect()
        mine = [one for one in self.waiting if one.to == member.us]
        if mine:
            letter = self.dice.choice(mine)
            with suppress(TryLater):
                member.hear(letter)
                self.waiting.remove(letter)

    def end(self) -> None:
        """All letters arrive, all disputes end, and both net."""
        self.made.deliver([*self.waiting, *self.made.collect()])
        for member in self.sides():
            for held in disputes_of(member):
                if held.direction == "raised" and held.open:
                    member.move(held.dispute.id, "withdraw")
        self.made.deliver()
        self.made.run()
        for member in self.sides() * 2:
            member.net()


def at_random(make: Make, seed: int, *disputing: PartyId) -> Pair:
    made = make(3)
    invoice(made, [(2, 0, 80_00), (0, 2, 55_00), (2, 0, 21_00)])
    pair = Pair(made, random.Random(seed))  # noqa: S311 - no secret
    for member in pair.sides():
        for party in (BT, MTN):
            know(member, party)
    acts = (Member.net, pair.pay, pair.dispute, pair.answer, Member.work, pair.hear, pair.hear)
    for _ in range(60):
        act, member = pair.dice.choice(acts), pair.dice.choice(pair.sides())
        if act != pair.dispute or member.us in disputing:
            act(member)
    pair.end()
    return pair


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_first_the_books_come_to_the_same(make: Make, seed: int) -> None:
    """Both dispute, nets are made and paid, and letters arrive, in any order."""
    assert at_random(make, seed, BT, MTN).made.proof() == (True, ())


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_first_the_same_is_paid(make: Make, seed: int) -> None:
    pair = at_random(make, seed, BT)
    bt, mtn = pair.sides()
    owed = [
        one.total.minor if one.statement.debtor == BT else -one.total.minor
        for one in bt.statements()
    ]
    assert pair.made.proof() == (True, ())
    assert pair.paid + owes(bt) - owes(mtn) == sum(owed)
