"""Whatever operators sell each other, at whatever price and however badly the wires behave: after
the month is settled, what A's books say of B is what B's books say of A.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hansa.federation.contract import OrderState, PercentileTariff
from hansa.federation.papers import StatementState
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, OrderId, PartyId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.model import TaskState
from hansa.foundation.time import Period, SetClock
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions import positions, statements
from hansa.lifecycle.settlement.model import Books
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import Alliance, Quiet
from tests.databases import Pool
from tests.inside import Inside

pytestmark = pytest.mark.slow

NOVEMBER = Period.month(2026, 11)

CURRENCIES = {
    "GBP": "1",
    "EUR": "1.1475",
    "ZAR": "23.4151",
    "UGX": "4871.3",  # no minor unit
    "BHD": "0.4937",  # three decimals
}
"""Units for a pound; those between the others follow from them."""


BAD_IN_A_ROW = 2


class Unreliable(Quiet):
    """A wire that loses requests, loses answers, and delivers twice, as its dice say.

    Whoever asks the same again and again comes through after BAD_IN_A_ROW: dice that come round
    in step with the asking would else keep an answer away for good, and no month would close.
    """

    def __init__(self, wires: Wires, partner: PartyId, inner: Inside) -> None:
        super().__init__(wires, partner, inner)
        self._wires = wires
        self._bad: Counter[tuple[str, str]] = Counter()

    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        fate, asked = next(self._wires.dice), (request.method, request.url.path)
        if fate == "well" or self._bad[asked] == BAD_IN_A_ROW:
            del self._bad[asked]
            return super().send(request, **kwargs)
        self._bad[asked] += 1
        self._wires.mishaps += 1
        if fate == "lost":
            raise httpx2.ConnectError("the request is lost")
        if fate == "twice" and request.method == "POST":
            super().send(request, **kwargs)
        answer = super().send(request, **kwargs)
        if fate == "answer lost":
            raise httpx2.ReadTimeout("the answer is lost")
        return answer


class Wires(Alliance):
    """An alliance on unreliable wires. dice: what happens to each request in turn."""

    dice: Iterator[str] = itertools.repeat("well")
    mishaps = 0

    def _connect(self, partner: Any) -> Unreliable:
        return Unreliable(self, partner.party.id, super()._connect(partner))


@dataclass(frozen=True)
class Operator:
    """supplier: the number of the operator it resells; the first has a network of its own."""

    supplier: int
    currency: str
    one_off: Decimal
    monthly: Decimal
    margin_bp: int


@dataclass(frozen=True)
class Act:
    """What happens some hours after the act before.

    order, change, cease: by the customer of an operator, who waits until it is done. hurry,
    take-back: an order, or the end of one, without waiting for anything. silent: nobody
    reaches the operator, until all answer again.
    """

    what: str
    operator: int
    hours: int
    speed: int


@st.composite
def operators(draw: st.DrawFn) -> list[Operator]:
    """Two to five, each but the first reselling one that came before it."""
    count = draw(st.integers(2, 5))
    amounts = st.decimals(0, 5000, places=2)
    return [
        Operator(
            supplier=draw(st.integers(max(0, number - 2), max(0, number - 1))),
            currency=draw(st.sampled_from(sorted(CURRENCIES))),
            one_off=draw(amounts),
            monthly=draw(amounts),
            margin_bp=draw(st.integers(0, 9999)),
        )
        for number in range(count)
    ]


ACTS = st.lists(
    st.builds(
        Act,
        what=st.sampled_from(["order", "order", "order", "change", "cease"]),
        operator=st.integers(1, 4),
        hours=st.integers(0, 150),
        speed=st.integers(1, 900),
    ),
    min_size=4,
    max_size=9,
)
FATES = st.lists(
    st.sampled_from(["well"] * 8 + ["lost", "twice", "answer lost"]), min_size=5, max_size=40
)


@contextmanager
def alliance(pool: Pool, made_of: list[Operator]) -> Iterator[Wires]:
    with TemporaryDirectory() as folder, pool.lend() as databases:
        wires = Wires(databases, Path(folder), SetClock(datetime(2026, 11, 2, 8, tzinfo=UTC)), b"r")
        try:
            build(wires, made_of)
            yield wires
        finally:
            wires.close()


def build(wires: Wires, made_of: list[Operator]) -> None:
    nodes: list[Node] = []
    for number, one in enumerate(made_of):
        nodes.append(wires.add(f"op{number}", currency=one.currency))
    for (base, pounds), (quote, others) in itertools.combinations(CURRENCIES.items(), 2):
        rate = (Decimal(others) / Decimal(pounds)).quantize(Decimal("0.000001"))
        wires.rate(base, quote, str(rate))
    for number, (node, one) in enumerate(zip(nodes, made_of, strict=True)):
        supplier = node
        if number == 0:
            wires.build_network(node)
        else:
            supplier = nodes[one.supplier]
            wires.join(supplier, node)
            wires.agree(supplier, node, currency=supplier.us.currency)
        wires.offer(
            node,
            sources=[supplier.us.id],
            currency=one.currency,
            one_off=str(one.one_off),
            monthly=str(one.monthly),
            margin_bp=one.margin_bp,
            tariff=PercentileTariff(Decimal("1.2345"), 7) if number == 0 else None,
        )


class Customers:
    """One end customer at each operator, and what they have ordered."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self._fronts: dict[int, Storefront] = {}
        self._live: list[tuple[Storefront, OrderId, int]] = []
        self._number = itertools.count()

    def play(self, act: Act) -> None:
        """What cannot be done now, since somebody is silent or too late, is left alone."""
        last = NOVEMBER.end - timedelta(minutes=2)
        self._wires.pass_time(
            max(timedelta(), min(timedelta(hours=act.hours), last - self._wires.clock.at))
        )
        with suppress(TryLater, Refused):
            match act.what:
                case "order" | "hurry":
                    self._order(act)
                case "silent":
                    names = list(self._wires.nodes)
                    self._wires.silent.add(names[act.operator % len(names)])
                case "answer":
                    self._wires.silent.clear()
                case _ if self._live:
                    self._end_or_change(act)
        if act.what in {"order", "change", "cease"}:
            self._settle_down()

    def _order(self, act: Act) -> None:
        operator = act.operator % len(self._wires.nodes)
        if operator not in self._fronts:
            node = list(self._wires.nodes.values())[operator]
            self._fronts[operator] = self._wires.customer(node, PartyId(f"shop-{operator}"))
        site = f"place-{next(self._number)}"
        self._buy(self._fronts[operator], operator, site, act.speed, None)

    def _end_or_change(self, act: Act) -> None:
        front, order, operator = self._live.pop(act.speed % len(self._live))
        if act.what == "take-back":
            front.cease(order_id=order, key=self._key())
            return
        self._settle_down()
        if front.progress(order).state is not OrderState.COMPLETED:
            return
        if act.what == "cease":
            front.cease(order_id=order, key=self._key())
            return
        (provided,) = front.progress(order).provided
        site = provided.item.removeprefix("line-")
        self._buy(front, operator, site, act.speed, provided.holding)

    def _buy(
        self,
        front: Storefront,
        operator: int,
        site: str,
        speed: int,
        holding: HoldingId | None,
    ) -> None:
        """The quote comes on wires that behave: nobody keeps asking for one."""
        currency = list(self._wires.nodes.values())[operator].us.currency
        need = self._wires.need(
            site, currency=currency, speed=speed, holding=holding, quantity=1 + speed % 3
        )
        dice, self._wires.dice = self._wires.dice, itertools.repeat("well")
        try:
            quote = front.quote(need)
        finally:
            self._wires.dice = dice
        order = front.order(quote_id=quote.id, key=self._key())
        self._live.append((front, order.id, operator))

    def _key(self) -> BuyerKey:
        return BuyerKey(f"k{next(self._number)}")

    def _settle_down(self) -> None:
        for _ in range(4):
            self._wires.pass_time(timedelta(seconds=40))


def end_month(wires: Wires) -> None:
    """The clock moves into December, all answer again after a while, and time passes until nothing
    is held out of netting. A person resumes what was given up while somebody was silent.
    """
    wires.clock.at = NOVEMBER.end + timedelta(minutes=1)
    wires.pass_time(timedelta(minutes=10))
    wires.silent.clear()
    wires.clock.at = NOVEMBER.end + timedelta(hours=6)
    for _ in range(60):
        for node in wires.nodes.values():
            resume(node)
        wires.pass_time(timedelta(seconds=40))
        if all(is_closed(node) for node in wires.nodes.values()):
            return
    raise AssertionError("the month did not close")


GIVEN_UP = ("partner-silent", "signature-not-taken")
"""What the last try was told: nothing, or that a copy of it had come before it."""


def resume(node: Node) -> None:
    with node.begin() as tx:
        stuck = [task for plan in plans.fallout(tx) for task in plan.tasks]
        for task in stuck:
            if task.state in (TaskState.HELD, TaskState.UNDO_HELD):
                assert task.error.startswith(GIVEN_UP), task.error
                plans.resume(tx, task=task.id, by="ops", why="all answer", now=node.clock.now())


def is_closed(node: Node) -> bool:
    with node.begin() as tx:
        if not billing.billed(tx, us=node.us.id, period=NOVEMBER):
            return False
        open_ones = positions.positions(tx, us=node.us.id, period=NOVEMBER)
        return not any(one.held_out for one in open_ones)


def books(node: Node) -> Books:
    with node.begin() as tx:
        now = node.clock.now()
        positions.net(tx, us=node.us.id, period=NOVEMBER, ids=node.ids, now=now)
        return positions.books(tx, us=node.us.id)


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made_of=operators(), acts=ACTS, fates=FATES)
def test_all_books_agree(
    pool: Pool, made_of: list[Operator], acts: list[Act], fates: list[str]
) -> None:
    with alliance(pool, made_of) as wires:
        wires.dice = itertools.cycle(fates)
        customers = Customers(wires)
        for act in acts:
            customers.play(act)
        end_month(wires)
        event(f"mishaps {min(9, wires.mishaps)}")

        proof = positions.proof([books(node) for node in wires.nodes.values()])
        assert proof.ok, proof.breaks
        assert all(not total for total in proof.sums)
        for node in wires.nodes.values():
            with node.begin() as tx:
                assert plans.fallout(tx) == []
                issued = statements.find(tx, direction="issued", period=NOVEMBER)
                heard = statements.find(tx, direction="heard", period=NOVEMBER)
                final = [one for one in billing.bills(tx, period=NOVEMBER) if one.final]
            assert {one.state for one in (*issued, *heard)} <= {StatementState.INVOICED}
            assert all(one.differences == () for one in heard)
            assert len({(one.buyer, one.agreement, one.currency) for one in final}) == len(final)
            assert len({one.number for one in final}) == len(final)
            event(f"invoices {min(3, len(final))}")


@pytest.mark.parametrize("fate", ["lost", "twice", "answer lost"])
def test_the_month_closes_on_wires_that_are_hardly_ever_well(pool: Pool, fate: str) -> None:
    sold = [
        Operator(0, currency, Decimal(10), Decimal(100), margin_bp=500)
        for currency in ("GBP", "EUR")
    ]
    with alliance(pool, sold) as wires:
        wires.dice = itertools.repeat(fate)
        Customers(wires).play(Act("order", operator=1, hours=3, speed=5))
        end_month(wires)
        assert wires.mishaps
        assert positions.proof([books(node) for node in wires.nodes.values()]).ok
