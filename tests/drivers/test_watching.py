"""What our own network's services are measured to be is kept, summed up, and forgotten in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from hansa.drivers import actions as network
from hansa.drivers import simulated, store
from hansa.drivers.contract import Intent, Sample
from hansa.drivers.model import Available, KeptOrder, KeptQuote, Line, Service, Stretch
from hansa.drivers.registry import Kit
from hansa.drivers.simulated import SimulatedNetwork
from hansa.drivers.watching import Watch, checks, measured
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, Ids, OrderId, PartyId, QuoteId, TraceId
from hansa.foundation.readings import Check
from hansa.foundation.time import Instant, SetClock
from hansa.foundation.transaction import Begin

US = PartyId("bt")


@dataclass
class Told:
    """A probe that says what a test has told it to."""

    rtt_us: list[int]
    silent: set[str] = field(default_factory=set)

    def samples(self, service: str, *, now: Instant) -> Sequence[Sample]:
        if service in self.silent:
            raise TryLater("lab-silent", "The lab does not answer.")
        rtt = self.rtt_us.pop(0)
        return [
            Sample(now, service, "", "available", 1),
            Sample(now, service, "ef", "rtt_us", rtt),
        ]


@dataclass
class Tape:
    """A recorder that counts how often it was asked, and fails as often as a test has told it."""

    fails: int = 0
    taken: list[Instant] = field(default_factory=list)

    def take_over(self, *, now: Instant) -> int:
        if self.fails:
            self.fails -= 1
            raise TryLater("lab-silent", "The lab does not answer.")
        self.taken.append(now)
        return 1


def bring(begin: Begin, ids: Ids, clock: SetClock, family: str = "connectivity") -> HoldingId:
    """A service of ours that has been delivered."""
    holding, order, quote = ids.new(HoldingId), ids.new(OrderId), ids.new(QuoteId)
    now = clock.now()
    with begin() as tx:
        store.put_quote(tx, KeptQuote(quote, US, now, now + timedelta(days=1), {}))
        store.put_order(
            tx,
            KeptOrder(
                id=order,
                buyer=US,
                key=BuyerKey(order),
                content="0" * 64,
                quote=quote,
                ceases=None,
                state="completed",
                reason="",
                trace=TraceId("0" * 32),
                placed_at=now,
                finished_at=now,
                lines=(),
            ),
        )
        intent = Intent(holding, family, "line", None, {"speed_mbps": 10})
        store.put_service(tx, Service(holding, US, family, intent, order, now, None))
    return holding


@pytest.fixture
def devices(tmp_path: Path) -> SimulatedNetwork:
    """Devices that pass for real ones."""
    driver = simulated.kit(folder=tmp_path, seed="").drivers["connectivity"]
    assert isinstance(driver, SimulatedNetwork)
    driver.measured = True
    return driver


def watch(begin: Begin, clock: SetClock, devices: SimulatedNetwork, probe: Told) -> Watch:
    kit = Kit({"connectivity": devices}, {}, {"connectivity": probe})
    return Watch(begin=begin, kit=kit, clock=clock, kept_days=90)


def test_what_is_measured_becomes_part_of_the_condition(
    begin: Begin, ids: Ids, clock: SetClock, devices: SimulatedNetwork
) -> None:
    line = bring(begin, ids, clock)
    bring(begin, ids, clock, family="security")
    watching = watch(begin, clock, devices, Told([900, 1234, 5000]))
    assert measured(begin, holding=line, clock=clock) == []
    for _ in range(3):
        assert watching.round() == 2
        clock.move(timedelta(minutes=5))
    assert measured(begin, holding=line, clock=clock) == [
        Check("available", "now", "100.00 % of 3 looks", True),
        Check("round trip, ef", "as measured", "1.23 ms", True),
    ]
    clock.move(timedelta(hours=1))
    assert measured(begin, holding=line, clock=clock) == []


def test_what_was_measured_comes_in_stretches(
    begin: Begin, ids: Ids, clock: SetClock, devices: SimulatedNetwork
) -> None:
    line, start = bring(begin, ids, clock), clock.now()
    watching = watch(begin, clock, devices, Told([900, 5000, 1234, 7000]))
    for _ in range(4):
        watching.round()
        clock.move(timedelta(minutes=4))
    with begin() as tx:
        found = network.series(
            tx,
            holdings=[line],
            start=start,
            end=start + timedelta(minutes=12),
            step=timedelta(minutes=10),
        )
    later = start + timedelta(minutes=10)
    assert found == [
        Stretch(start, line, "", "available", 3, 3, 1),
        Stretch(start, line, "ef", "rtt_us", 3, 7134, 1234),
    ], "the fourth look was at the end, which is not asked for"
    with begin() as tx:
        longer = network.series(
            tx,
            holdings=[line],
            start=start,
            end=start + timedelta(minutes=13),
            step=timedelta(minutes=10),
        )
    assert longer[2:] == [
        Stretch(later, line, "", "available", 1, 1, 1),
        Stretch(later, line, "ef", "rtt_us", 1, 7000, 7000),
    ]


def test_one_that_does_not_answer_stops_no_other(
    begin: Begin, ids: Ids, clock: SetClock, devices: SimulatedNetwork
) -> None:
    silent, line = bring(begin, ids, clock), bring(begin, ids, clock)
    assert watch(begin, clock, devices, Told([1000], {silent})).round() == 2
    assert measured(begin, holding=line, clock=clock) != []
    assert measured(begin, holding=silent, clock=clock) == []


def test_what_was_changed_by_hand_is_put_right(
    begin: Begin, ids: Ids, clock: SetClock, devices: SimulatedNetwork
) -> None:
    line = bring(begin, ids, clock)
    watching = watch(begin, clock, devices, Told([1000] * 3))
    watching.round()
    there = devices.observe(line)
    assert there is not None, "it was not on the device at all"
    assert there.characteristics == {"speed_mbps": 10}
    devices.apply(Intent(line, "connectivity", "line", None, {"speed_mbps": 99}), now=clock.now())
    clock.move(timedelta(minutes=5))
    watching.round()
    assert devices.observe(line) == there


def test_what_an_order_is_changing_is_left_to_it(
    begin: Begin, ids: Ids, clock: SetClock, devices: SimulatedNetwork
) -> None:
    line = bring(begin, ids, clock)
    with begin() as tx:
        service = store.service(tx, holding=line, buyer=US)
        assert service is not None
        changing = Line("cpt", line, service.intent, None, None)
        assert store.put_line(tx, service.brought_by, 0, changing, open=True)
    assert watch(begin, clock, devices, Told([1000])).round() == 0
    assert devices.observe(line) is None


def test_records_are_taken_over_in_each_round_before_anything_else(
    begin: Begin, ids: Ids, clock: SetClock, devices: SimulatedNetwork
) -> None:
    bring(begin, ids, clock)
    silent, tape = Tape(fails=1), Tape()
    kit = Kit(
        {"connectivity": devices},
        {},
        {"connectivity": Told([1000] * 2)},
        {"broadband": silent, "voice": tape},
    )
    watching = Watch(begin=begin, kit=kit, clock=clock, kept_days=90)
    first = clock.now()
    assert watching.round() == 2, "one that does not answer stops nothing"
    clock.move(timedelta(minutes=1))
    watching.round()
    assert (silent.taken, tape.taken) == ([clock.now()], [first, clock.now()])


def test_figures_are_forgotten_when_their_time_is_over(
    begin: Begin, ids: Ids, clock: SetClock, devices: SimulatedNetwork
) -> None:
    line, began = bring(begin, ids, clock), clock.now()
    watching = watch(begin, clock, devices, Told([1000, 2000]))
    watching.round()
    clock.move(timedelta(days=91))
    watching.round()
    with begin() as tx:
        kept = store.samples(tx, holding=line, start=began, end=clock.now())
    assert [one.value for one in kept] == [1, 2000]


def test_a_service_that_was_not_to_be_had_at_the_last_look_is_not_well(clock: SetClock) -> None:
    now = clock.now()
    looks = [
        Sample(now + timedelta(minutes=minute), "hld", "", "available", value)
        for minute, value in enumerate([1, 1, 0])
    ]
    assert checks(looks) == [Check("available", "now", "66.66 % of 3 looks", False)]
    assert checks(looks[:2])[0].ok
    lost = [Sample(now, "hld", "ef", "loss_ppm", 12_345)]
    assert checks(lost) == [Check("loss, ef", "as measured", "1.23 %", True)]


def test_how_available_all_of_the_network_was(
    begin: Begin, ids: Ids, clock: SetClock, devices: SimulatedNetwork
) -> None:
    start = clock.now()
    good, poor = (bring(begin, ids, clock) for _ in range(2))
    looks = [
        Sample(start + timedelta(minutes=at), line, "", "available", int(line == good or at > 0))
        for line in (good, poor)
        for at in range(4)
    ]
    with begin() as tx:
        hour = {"start": start, "end": start + timedelta(minutes=3), "target_bp": 9995}
        assert network.available(tx, **hour) == Available(0, 0, 0, 0)  # type: ignore[arg-type]
        store.put_samples(tx, looks)
        found = network.available(tx, **hour)  # type: ignore[arg-type]
    assert found == Available(services=2, looks=6, good=5, below=1), "the fourth look is too late"
