"""Our own network keeps the promise of every Seller, and heals by the same key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.drivers import actions as network
from hansa.drivers import store
from hansa.drivers.contract import Change, Driver, Intent, Observed
from hansa.drivers.model import Choice, Coverage, Product
from hansa.drivers.registry import Kit
from hansa.drivers.simulated import kit
from hansa.federation.contract import Characteristics, Need, NeedItem, OrderState, Seller
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import (
    BuyerKey,
    HoldingId,
    Ids,
    OfferCode,
    OrderId,
    PartyId,
    QuoteId,
    TraceId,
)
from hansa.foundation.party import Party
from hansa.foundation.readings import Call, Check, Reading
from hansa.foundation.site import Site
from hansa.foundation.time import Instant, Period, SetClock
from hansa.foundation.transaction import Begin
from hansa.own_network import OwnNetwork
from tests.promises.seller_suite import Market, SellerSuite

JOHANNESBURG = Site("jhb", "Store 1", "ZA", "Johannesburg")
DURBAN = Site("dur", "Store 2", "ZA", "durban")
ACCRA = Site("acc", "Store 3", "GH", "Accra")
US = Party(PartyId("mtn"), "MTN Business", "ZA", "ZAR")
THEM = Party(PartyId("bt"), "BT", "GB", "GBP")

PRODUCTS = (
    Product(
        OfferCode("access"),
        "Fibre access",
        "connectivity",
        "site",
        (Choice("speed_mbps", "Mbit/s", 10, 1000, 100),),
    ),
    Product(OfferCode("trunk"), "Trunk", "voice", "order", (Choice("channels", "ch", 1, 500),)),
    Product(OfferCode("guard"), "Guard", "security", "site", (Choice("seats", "seats", 1, 9000),)),
)
COVERAGE = (
    Coverage("connectivity", "ZA", "Johannesburg"),
    Coverage("access", "ZA", "Durban"),
    Coverage("guard", "ZA"),
)
NEED = Need(
    items=(
        NeedItem("a", OfferCode("access"), JOHANNESBURG, {"speed_mbps": 50}),
        NeedItem("b", OfferCode("access"), DURBAN),
        NeedItem("c", OfferCode("guard"), DURBAN, {"seats": 12}, quantity=2),
        NeedItem("d", OfferCode("trunk"), None, {"channels": 4}),
    ),
    currency="ZAR",
    trace=TraceId("ab" * 16),
)


@dataclass
class Temperamental:
    """A driver before a driver: silent, or unwilling, or killed, when the test says so."""

    inner: Driver
    name: str = "temperamental"
    measured: bool = False
    troubles: list[Exception] = field(default_factory=list)
    after: bool = False

    def _trouble(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)

    def can(self, intent: Intent) -> str | None:
        return self.inner.can(intent)

    def plan(self, intent: Intent, observed: Observed | None) -> Sequence[Change]:
        return self.inner.plan(intent, observed)

    def apply(self, intent: Intent, *, now: Instant) -> None:
        if not self.after:
            self._trouble()
        self.inner.apply(intent, now=now)
        self._trouble()

    def observe(self, service: str) -> Observed | None:
        return self.inner.observe(service)

    def verify(self, intent: Intent) -> Sequence[Check]:
        return self.inner.verify(intent)

    def teardown(self, service: str, *, now: Instant) -> None:
        if not self.after:
            self._trouble()
        self.inner.teardown(service, now=now)
        self._trouble()


@dataclass
class Stage:
    """Our own network with drivers that have moods."""

    begin: Begin
    seller: OwnNetwork
    drivers: Mapping[str, Temperamental]

    def device(self, holding: HoldingId) -> Characteristics | None:
        for driver in self.drivers.values():
            observed = driver.observe(holding)
            if observed is not None:
                return observed.characteristics
        return None

    def order_of(self, key: str) -> OrderId:
        with self.begin() as tx:
            order = store.order_of_key(tx, buyer=US.id, key=BuyerKey(key))
        assert order is not None
        return order.id

    def holdings_of(self, key: str) -> list[HoldingId]:
        with self.begin() as tx:
            order = store.order_of_key(tx, buyer=US.id, key=BuyerKey(key))
        assert order is not None
        return [line.holding for line in order.lines]


def build(begin: Begin, ids: Ids, clock: SetClock, folder: Path, us: Party = US) -> Stage:
    simulated = kit(folder=folder, seed="test")
    drivers = {family: Temperamental(driver) for family, driver in simulated.drivers.items()}
    with begin() as tx:
        network.set_products(tx, products=PRODUCTS)
        network.cover(tx, entries=COVERAGE)
    stubborn = Kit(drivers=drivers, meters=simulated.meters)
    seller = OwnNetwork(begin=begin, kit=stubborn, ids=ids, clock=clock, us=us)
    return Stage(begin, seller, drivers)


@pytest.fixture
def stage(begin: Begin, ids: Ids, clock: SetClock, tmp_path: Path) -> Stage:
    return build(begin, ids, clock, tmp_path)


class TestOwnNetwork(SellerSuite):
    @pytest.fixture
    def market(self, stage: Stage, ids: Ids, clock: SetClock, tmp_path: Path) -> Market:
        def unfinished(quote: QuoteId, key: BuyerKey) -> OrderId:
            stage.drivers["security"].troubles.append(TryLater("device-silent", "No answer."))
            with pytest.raises(TryLater):
                stage.seller.order(quote_id=quote, key=key)
            return stage.order_of(key)

        seller: Seller = stage.seller
        return Market(
            seller=seller,
            stranger=build(stage.begin, ids, clock, tmp_path, THEM).seller,
            clock=clock,
            need=NEED,
            unreachable=ACCRA,
            unreachable_reason="site-outside-coverage",
            change={"speed_mbps": 200},
            wrong_currency="ZZZ",
            settle=lambda: None,
            unfinished=unfinished,
            shows=stage.device,
            hops=0,
            measured=False,
        )


def test_a_silent_device_is_tried_again_under_the_same_key(stage: Stage, clock: SetClock) -> None:
    quote = stage.seller.quote(NEED)
    stage.drivers["security"].troubles += [TryLater("device-silent", "No answer.")] * 2
    for _ in range(2):
        with pytest.raises(TryLater):
            stage.seller.order(quote_id=quote.id, key=BuyerKey("k"))
    waiting = stage.seller.progress(stage.order_of("k"))
    assert (waiting.state, waiting.provided) == (OrderState.IN_PROGRESS, ())
    clock.move(timedelta(minutes=5))
    order = stage.seller.order(quote_id=quote.id, key=BuyerKey("k"))
    assert order.state is OrderState.COMPLETED
    provided = stage.seller.progress(order.id).provided
    assert {one.since for one in provided} == {clock.now()}
    assert all(stage.seller.condition(one.holding).state == "active" for one in provided)


def test_a_refusal_of_the_network_leaves_nothing_behind(stage: Stage) -> None:
    quote = stage.seller.quote(NEED)
    stage.drivers["security"].troubles.append(Refused("full", "No port is free."))
    order = stage.seller.order(quote_id=quote.id, key=BuyerKey("k"))
    progress = stage.seller.progress(order.id)
    assert (progress.state, progress.reason) == (OrderState.FAILED, "No port is free.")
    assert [stage.device(holding) for holding in stage.holdings_of("k")] == [None] * 4
    assert stage.seller.order(quote_id=quote.id, key=BuyerKey("k")).state is OrderState.FAILED
    again = stage.seller.cease(order_id=order.id, key=BuyerKey("c"))
    assert again.state is OrderState.COMPLETED


def test_a_refused_change_leaves_the_service_as_it_was(stage: Stage) -> None:
    holding = ordered(stage, NEED, "k")[0]
    changing = replace(NEED.items[0], characteristics={"speed_mbps": 900}, holding=holding)
    stage.drivers["connectivity"].troubles.append(Refused("full", "No more speed."))
    quote = stage.seller.quote(replace(NEED, items=(changing,)))
    order = stage.seller.order(quote_id=quote.id, key=BuyerKey("c"))
    assert order.state is OrderState.FAILED
    assert stage.device(holding) == {"speed_mbps": 50}
    assert stage.seller.condition(holding).state == "active"


def test_one_order_at_a_time_changes_a_service(stage: Stage) -> None:
    holding = ordered(stage, NEED, "k")[0]
    one, other = (stage.seller.quote(changing(holding, speed)).id for speed in (200, 300))
    stage.drivers["connectivity"].troubles.append(TryLater("device-silent", "No answer."))
    with pytest.raises(TryLater, match="device-silent"):
        stage.seller.order(quote_id=one, key=BuyerKey("1"))
    with pytest.raises(TryLater, match="holding-busy"):
        stage.seller.order(quote_id=other, key=BuyerKey("2"))
    assert stage.seller.condition(holding).state == "degraded"
    stage.seller.order(quote_id=one, key=BuyerKey("1"))
    stage.seller.order(quote_id=other, key=BuyerKey("2"))
    assert stage.device(holding) == {"speed_mbps": 300}


def test_changes_are_taken_back_last_first(stage: Stage) -> None:
    holding = ordered(stage, NEED, "k")[0]
    orders = []
    for speed in (200, 300):
        quote = stage.seller.quote(changing(holding, speed))
        orders.append(stage.seller.order(quote_id=quote.id, key=BuyerKey(f"{speed}")).id)
    with pytest.raises(Refused, match="order-superseded"):
        stage.seller.cease(order_id=orders[0], key=BuyerKey("x"))
    stage.seller.cease(order_id=orders[1], key=BuyerKey("y"))
    assert stage.device(holding) == {"speed_mbps": 200}
    stage.seller.cease(order_id=orders[0], key=BuyerKey("z"))
    assert stage.device(holding) == {"speed_mbps": 50}


def test_a_change_that_is_ceased_after_the_service_changes_nothing(stage: Stage) -> None:
    holding = ordered(stage, NEED, "k")[0]
    quote = stage.seller.quote(changing(holding, 200))
    change = stage.seller.order(quote_id=quote.id, key=BuyerKey("c"))
    stage.seller.cease(order_id=stage.order_of("k"), key=BuyerKey("e"))
    late = stage.seller.cease(order_id=change.id, key=BuyerKey("l"))
    assert late.state is OrderState.COMPLETED
    assert stage.device(holding) is None


def test_many_at_once_with_one_key_are_one_order(stage: Stage) -> None:
    quote = stage.seller.quote(NEED)

    def place(_: int) -> OrderId:
        return until_done(lambda: stage.seller.order(quote_id=quote.id, key=BuyerKey("k")).id)

    with ThreadPoolExecutor(4) as pool:
        orders = set(pool.map(place, range(8)))
    assert orders == {stage.order_of("k")}
    assert stage.seller.progress(stage.order_of("k")).state is OrderState.COMPLETED
    assert len(set(stage.holdings_of("k"))) == 4


def test_a_quantity_reaches_the_device(stage: Stage) -> None:
    holdings = ordered(stage, NEED, "k")
    assert stage.device(holdings[2]) == {"seats": 12, "quantity": 2}


def test_coverage_can_be_taken_away_and_what_is_held_stays(stage: Stage) -> None:
    holding = ordered(stage, NEED, "k")[0]
    with stage.begin() as tx:
        network.uncover(tx, entries=COVERAGE[:1])
        assert Coverage("connectivity", "ZA", "Johannesburg") not in network.coverage(tx)
    with pytest.raises(Refused, match="site-outside-coverage"):
        stage.seller.quote(NEED)
    assert stage.seller.quote(changing(holding, 70)).lines[0].site == JOHANNESBURG


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (NeedItem("x", OfferCode("access"), None, {}), "site-missing"),
        (NeedItem("x", OfferCode("access"), DURBAN, {"speed_mbps": 5}), "characteristic-out"),
        (NeedItem("x", OfferCode("access"), DURBAN, {"speed_mbps": "fast"}), "characteristic-out"),
        (NeedItem("x", OfferCode("trunk"), None, {}), "characteristic-missing"),
        (NeedItem("x", OfferCode("guard"), DURBAN, {"seats": 9000}, 200), "network-cannot"),
    ],
)
def test_what_the_network_cannot_do_is_said_before_any_price(
    stage: Stage, item: NeedItem, code: str
) -> None:
    need = replace(NEED, items=(item,))
    assert stage.seller.qualify(need).lines[0].reason.startswith(code)
    with pytest.raises(Refused, match=code):
        stage.seller.quote(need)


def test_another_offer_cannot_take_over_a_holding(stage: Stage) -> None:
    holding = ordered(stage, NEED, "k")[0]
    item = NeedItem("x", OfferCode("guard"), DURBAN, {"seats": 1}, holding=holding)
    with pytest.raises(Refused, match="holding-not-changeable"):
        stage.seller.quote(replace(NEED, items=(item,)))


def test_two_changes_of_one_holding_are_two_orders(stage: Stage) -> None:
    holding = ordered(stage, NEED, "k")[0]
    item = changing(holding, 60).items[0]
    with pytest.raises(Refused, match="holding-twice"):
        stage.seller.quote(replace(NEED, items=(item, replace(item, id="other"))))


moods = st.lists(st.sampled_from(["fine", "silent", "cut-off", "crash"]), max_size=6)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moods=moods, after=st.booleans(), cease=st.booleans())
def test_whatever_goes_wrong_the_same_key_brings_it_to_one_end(
    stage: Stage, moods: list[str], after: bool, cease: bool
) -> None:
    quote = stage.seller.quote(replace(NEED, items=NEED.items[:2]))
    key = BuyerKey(f"order/{quote.id}")
    driver = stage.drivers["connectivity"]
    driver.after = after
    driver.troubles[:] = [_trouble(mood) for mood in moods if mood != "fine"]
    order = until_done(lambda: stage.seller.order(quote_id=quote.id, key=key).id)
    provided = stage.seller.progress(order).provided
    assert len(provided) == 2
    assert all(stage.device(one.holding) is not None for one in provided)
    driver.troubles[:] = [_trouble(mood) for mood in moods if mood != "fine"]
    if cease:
        end = BuyerKey(f"cease/{quote.id}")
        until_done(lambda: stage.seller.cease(order_id=order, key=end).id)
        assert all(stage.device(one.holding) is None for one in provided)
        assert {stage.seller.condition(one.holding).state for one in provided} == {"ended"}
    driver.troubles.clear()


def _trouble(mood: str) -> Exception:
    return {
        "silent": TryLater("device-silent", "No answer."),
        "cut-off": TryLater("device-cut-off", "The line broke after the command."),
        "crash": RuntimeError("killed"),
    }[mood]


def until_done(attempt: Callable[[], OrderId]) -> OrderId:
    for _ in range(20):
        try:
            return attempt()
        except (HansaError, RuntimeError):
            continue
    raise AssertionError("never done")


@dataclass
class Tape:
    """A recorder and meter: what has been taken over is what is read."""

    written: list[Call]
    kept: list[Call] = field(default_factory=list)
    measured: bool = True

    def take_over(self, *, now: Instant) -> int:  # noqa: ARG002
        more, self.written = self.written, []
        self.kept += more
        return len(more)

    def readings(self, service: str, period: Period) -> Sequence[Reading]:  # noqa: ARG002
        return [one for one in self.kept if period.holds(one.answered_at)]


def test_what_devices_have_recorded_is_taken_over_before_usage_is_told(
    stage: Stage, ids: Ids, clock: SetClock
) -> None:
    trunk = ordered(stage, NEED, "k")[3]
    month = Period.month_of(clock.now())
    calls = [
        Call(at, "+27101234567", "+442079460001", 61)
        for at in (clock.now() + timedelta(hours=1), month.end - timedelta(seconds=1), month.end)
    ]
    tape = Tape(list(calls))
    kit = Kit(stage.drivers, {"voice": tape}, recorders={"voice": tape})
    seller = OwnNetwork(begin=stage.begin, kit=kit, ids=ids, clock=clock, us=US)
    clock.move(month.end - clock.now())
    told = seller.usage(holding_id=trunk, period=month)
    assert [one.reading for one in told] == calls[:2]
    assert {one.holding for one in told} == {trunk}
    assert seller.usage(holding_id=trunk, period=month) == told
    assert {one.measured for one in told} == {True}
    imagined = stage.seller.usage(holding_id=trunk, period=month)
    assert {one.measured for one in imagined} == {False}, "and nobody can take it for measured"


def changing(holding: HoldingId, speed: int) -> Need:
    item = NeedItem("a", OfferCode("access"), None, {"speed_mbps": speed}, holding=holding)
    return replace(NEED, items=(item,))


def ordered(stage: Stage, need: Need, key: str) -> list[HoldingId]:
    quote = stage.seller.quote(need)
    order = stage.seller.order(quote_id=quote.id, key=BuyerKey(key))
    return [one.holding for one in stage.seller.progress(order.id).provided]
