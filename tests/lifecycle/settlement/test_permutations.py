"""Notices in any order and any number: the month ends alike, and the books agree."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.federation.papers import StatementState
from hansa.foundation.errors import TryLater
from hansa.foundation.time import Period, SetClock
from hansa.lifecycle.settlement.actions import positions
from tests.lifecycle.settlement.world import BT, MCI, MTN, TAIL, Letter, World, sell

PRICES = st.integers(100, 10**7)
DRAWS = 24


@dataclass(frozen=True)
class Run:
    """One way in which a month may go.

    sales, back: monthly prices in pence, and the days on which they begin. wrong: the buyer
    knows another price of the first sale. order: draws the next letter. twice: draws which
    letters come again.
    """

    sales: tuple[tuple[int, int], ...]
    back: tuple[int, ...]
    wrong: bool
    order: tuple[int, ...]
    twice: tuple[bool, ...]


RUNS = st.builds(
    Run,
    sales=st.lists(st.tuples(PRICES, st.integers(0, 27)), min_size=1, max_size=3).map(tuple),
    back=st.lists(PRICES, max_size=2).map(tuple),
    wrong=st.booleans(),
    order=st.lists(st.integers(0, 5), min_size=DRAWS, max_size=DRAWS).map(tuple),
    twice=st.lists(st.booleans(), min_size=DRAWS, max_size=DRAWS).map(tuple),
)


class Post:
    """A bad post office: letters come in a drawn order, some twice, some again long after."""

    def __init__(self, world: World, run: Run) -> None:
        self._world = world
        self._order = itertools.cycle(run.order)
        self._twice = itertools.cycle(run.twice)
        self.delivered: list[Letter] = []

    def deliver(self) -> int:
        """Delivers until nothing is on its way; returns how many letters there were."""
        waiting, moved, patience = self._world.collect(), 0, 300
        while waiting:
            patience -= 1
            assert patience, f"nobody takes {waiting}"
            letter = waiting.pop(next(self._order) % len(waiting))
            if not self.hear(letter):
                waiting.append(letter)
                continue
            moved += 1
            self.delivered.append(letter)
            if next(self._twice):
                self.hear(self.delivered[next(self._order) % len(self.delivered)])
            waiting += self._world.collect()
        return moved

    def hear(self, letter: Letter) -> bool:
        try:
            self._world.nodes[letter.to].hear(letter)
        except TryLater:
            return False
        return True


def play(world: World, run: Run, post: Post, period: Period) -> None:
    """The month is used, ends, and is settled; people see to what differs."""
    bt, mtn, mci = (world.nodes[name] for name in (BT, MTN, MCI))
    for number, (price, day) in enumerate(run.sales):
        told = price + 1 if run.wrong and number == 0 else None
        start = period.start + timedelta(days=day, seconds=number)
        name = f"sale-{period.name}-{number}"
        sell(bt, mtn, name, monthly=price, start=start, end=period.end, told=told)
    for number, price in enumerate(run.back):
        name = f"tail-{period.name}-{number}"
        sell(mtn, bt, name, offer=TAIL, monthly=price, start=period.start, end=period.end)
    for node in (bt, mci):
        node.publish("GBP", "USD", "1.2505", period)
    world.month_ends(period)
    for _ in range(30):
        moved = sum(node.work() for node in world.nodes.values()) + post.deliver()
        for held in mtn.statements():
            if held.state is StatementState.ISSUED and held.unresolved:
                mtn.dispute(held.id)
                moved += 1
        for held in bt.statements():
            if held.state is StatementState.DISPUTED:
                bt.reissue(held.id, *(one.key for one in held.differences))
                moved += 1
        if not moved:
            return
    raise AssertionError("the month does not come to rest")


_months = (Period.month(2027 + count // 12, count % 12 + 1) for count in itertools.count())


@given(run=RUNS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_order_and_number_of_notices_ends_alike(
    three: World, clock: SetClock, run: Run
) -> None:
    period = next(_months)
    clock.at = period.end + timedelta(hours=6)
    post = Post(three, run)
    play(three, run, post, period)
    ends = [node.statements() for node in three.nodes.values()]
    books = [node.books() for node in three.nodes.values()]
    proof = positions.proof(books)
    assert proof.ok, proof.breaks

    mine = [one for held in ends for one in held if one.statement.period == period]
    assert {one.state for one in mine} <= {StatementState.INVOICED, StatementState.WITHDRAWN}
    assert {one.statement.kind_of for one in mine} == {"services", "revenue-share"}
    withdrawn = [one for one in mine if one.state is StatementState.WITHDRAWN]
    assert len(withdrawn) <= 2 * run.wrong

    for letter in post.delivered[::-1]:
        assert post.hear(letter)
    assert three.collect() == []
    assert [node.statements() for node in three.nodes.values()] == ends
    assert [node.books() for node in three.nodes.values()] == books

    nets = {
        (name, one.partner, one.currency): one
        for name, node in three.nodes.items()
        for one in node.net(period)
    }
    for (name, partner, currency), one in nets.items():
        other = nets[partner, name, currency]
        assert one.held_out == other.held_out == ()
        assert one.receivable == other.payable
        assert one.netted == one.net == -other.netted
    assert positions.proof([node.books() for node in three.nodes.values()]).ok
