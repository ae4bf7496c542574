"""An operator replaces its key, and its partners come to know it: at once, late, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hansa.federation import directory, renewal
from hansa.federation.contract import OrderState
from hansa.foundation.database import Database
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import BuyerKey, PartyId
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import SetClock
from hansa.lifecycle.agreement import actions as agreement
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import Alliance, chain

OP1, OP2 = PartyId("op1"), PartyId("op2")
WEEK = timedelta(days=7)
DAY = timedelta(days=1)


class Two:
    """op2 resells what it has from op1."""

    def __init__(self, alliance: Alliance, front: Storefront) -> None:
        self.alliance = alliance
        self.front = front
        self.op1, self.op2 = alliance.nodes[OP1], alliance.nodes[OP2]
        self.places = iter("ABCDEFGH")

    def order(self) -> OrderState:
        """Quotes, orders and has all done that is due; nothing may be refused on the way."""
        quote = self.front.quote(self.alliance.need(next(self.places))).id
        order = self.front.order(quote_id=quote, key=BuyerKey(quote)).id
        self.alliance.work()
        return self.front.progress(order).state

    def rotate(self, node: Node, overlap: timedelta = WEEK) -> tuple[str, str]:
        """The key before and the key after."""
        old = node.keys.public
        node.keys.rotate(now=node.clock.now(), overlap=overlap)
        return old, node.keys.public

    def knows(self, node: Node, party: PartyId) -> set[str]:
        with node.begin() as tx:
            return set(directory.usable_keys(tx, party=party, now=node.clock.now()))

    def waiting(self, node: Node) -> list[str]:
        with node.begin() as tx:
            return list(renewal.waiting(tx, ring=node.keys))

    def current(self, node: Node) -> str:
        return node.keys.current(node.clock.now()).public


@pytest.fixture
def two(databases: Callable[[], Database], tmp_path: Path, clock: SetClock) -> Iterator[Two]:
    alliance = Alliance(databases, tmp_path, clock, b"renewal")
    yield Two(alliance, chain(alliance, 2))
    alliance.close()


def test_both_replace_their_keys_and_orders_go_on(two: Two) -> None:
    assert two.order() is OrderState.COMPLETED
    for node, other in ((two.op1, two.op2), (two.op2, two.op1)):
        old, new = two.rotate(node)
        assert two.current(node) == old
        assert two.order() is OrderState.COMPLETED
        assert two.current(node) == new
        assert two.knows(other, node.us.id) == {old, new}
        assert two.waiting(node) == []
        assert two.order() is OrderState.COMPLETED
    two.alliance.pass_time(WEEK + DAY)
    assert two.knows(two.op1, OP2) == {two.op2.keys.public}
    assert two.order() is OrderState.COMPLETED
    for node in (two.op1, two.op2):
        with node.begin() as tx:
            assert plans.fallout(tx) == []


def test_nobody_to_tell_and_the_key_is_used_at_once(two: Two) -> None:
    alone = two.alliance.add("alone")
    _, new = two.rotate(alone)
    alone.work_once()
    assert two.current(alone) == new


def test_a_partner_that_was_silent_for_longer_than_the_overlap_catches_up(two: Two) -> None:
    """Until it has heard, it is spoken to with the key that it knows, however old; what was signed
    with the new one waits until the card has been heard.
    """
    old, new = two.rotate(two.op2)
    two.alliance.silent.add(OP1)
    two.alliance.work()
    assert (two.current(two.op2), two.waiting(two.op2)) == (old, [OP1])
    two.alliance.pass_time(WEEK / 2)
    assert two.current(two.op2) == new
    signed = two.alliance.agree(
        two.op1, two.op2, currency="GBP", countries=["GH"], signed_by=[two.op2], launched=[]
    )
    two.alliance.pass_time(WEEK)
    assert two.knows(two.op1, OP2) == {old}
    two.alliance.silent.clear()
    two.alliance.pass_time(timedelta(minutes=1))
    two.alliance.pass_time(timedelta(minutes=1))
    assert two.waiting(two.op2) == []
    assert two.knows(two.op1, OP2) == {new}
    with two.op1.begin() as tx:
        assert OP2 not in agreement.show(tx, ref=signed).unsigned
    assert two.order() is OrderState.COMPLETED


def test_the_answer_to_the_card_is_lost_and_the_old_key_has_ended(two: Two) -> None:
    """op1 has heard, and takes the old key no more; op2 does not know that it has."""
    two.rotate(two.op2, overlap=timedelta())
    card = directory.invite(
        two.op2.keys,
        party=two.op2.us,
        address=two.op2.settings.address,
        now=two.op2.clock.now(),
    )
    with two.op1.begin() as tx:
        directory.join(tx, card=card, now=two.op1.clock.now())
    two.alliance.clock.move(timedelta(minutes=5))
    assert two.knows(two.op1, OP2) == {two.op2.keys.public}
    two.alliance.work()
    assert two.waiting(two.op2) == []
    assert two.order() is OrderState.COMPLETED


def test_a_partner_that_joins_after_a_rotation_knows_the_new_key(two: Two) -> None:
    two.rotate(two.op1)
    two.alliance.work()
    late = two.alliance.add("late")
    two.alliance.join(two.op1, late)
    two.alliance.pass_time(WEEK + DAY)
    assert two.knows(late, OP1) == {two.op1.keys.public}
    assert list(late.seller(OP1).offers()) == []
    assert list(two.op1.seller(PartyId("late")).offers()) == []


def test_a_revoked_partner_is_neither_told_nor_waited_for(two: Two) -> None:
    with two.op2.begin() as tx:
        directory.revoke(tx, party=OP1, why="unpaid", by="ada", now=two.op2.clock.now())
    _, new = two.rotate(two.op2)
    two.alliance.work()
    assert two.current(two.op2) == new
    with pytest.raises(TryLater, match="partner-revoked"):
        two.op2.seller(OP1)
    with two.op2.begin() as tx:
        directory.restore(tx, party=OP1, why="paid", by="ada", now=two.op2.clock.now())
    two.alliance.pass_time(timedelta(minutes=1))
    assert two.knows(two.op1, OP2) > {new}
    assert two.order() is OrderState.COMPLETED


def test_who_is_revoked_is_refused_at_the_next_request_and_what_waits_goes_on_later(
    two: Two,
) -> None:
    quote = two.front.quote(two.alliance.need("Z")).id
    now = two.op1.clock.now()
    with two.op1.begin() as tx:
        directory.revoke(tx, party=OP2, why="key stolen", by="ada", now=now)
    order = two.front.order(quote_id=quote, key=BuyerKey(quote)).id
    two.alliance.work()
    assert two.front.progress(order).state is OrderState.IN_PROGRESS
    with two.op1.begin() as tx:
        directory.restore(tx, party=OP2, why="found", by="ada", now=now)
    two.alliance.pass_time(timedelta(minutes=5))
    assert two.front.progress(order).state is OrderState.COMPLETED
