"""What is due once all is netted, ordered once, to accounts that two people know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import psycopg
import pytest

from hansa.foundation.database import Database, run
from hansa.foundation.errors import Refused
from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import SetClock
from hansa.lifecycle.clearing.actions import payments
from hansa.lifecycle.clearing.model import Payment, PaymentOrder
from hansa.lifecycle.clearing.rules import payments as rules
from tests.lifecycle.clearing.world import CENTRE, NAMES, Alliance, Member, alliance, invoice
from tests.lifecycle.settlement.world import NOVEMBER

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
        return payments.order(
            tx, us=member.party, period=NOVEMBER, currency="GBP", on=date(2026, 12, 30),
            by="Ben", ids=member.ids, now=member.now,
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
    (one,) = order(bt).payments
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
    mtn.move(held.dispute.id, "reject")
    made.settle_down()
    bt.move(held.dispute.id, "withdraw")
    made.settle_down()
    bt.net()
    mtn.net()
    assert sum(one.amount.minor for one in all_due(bt) if one.payee == MTN) == 80_00
    assert made.proof() == (True, ())
