"""What a network measures becomes charges: samples, seats and sessions, taken in as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hansa.federation.contract import PercentileTariff, SeatTariff, Tariff, Tier, VolumeTariff
from hansa.foundation.database import all_rows
from hansa.foundation.ids import Ids
from hansa.foundation.plan.engine import Engine
from hansa.foundation.time import Instant, Period, SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing import work as billing_work
from hansa.lifecycle.billing.model import Bill
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef, Support
from hansa.lifecycle.rating import work
from hansa.lifecycle.rating.actions import adjusting, explaining, measuring, months
from hansa.lifecycle.rating.actions.samples import MeasuredExplained
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.usage import work as usage_work
from hansa.lifecycle.usage.actions import events, trunks
from hansa.lifecycle.usage.actions import months as usage
from hansa.lifecycle.usage.model import Trunk
from tests.lifecycle.usage.counter import Counter, csv
from tests.lifecycle.usage.stage import BT, DECEMBER, MTN, NOVEMBER, SHOP, Stage, holding, ref
from tests.lifecycle.usage.test_other_kinds import SAMPLES, SEATS, block

START = NOVEMBER.start
BURST = PercentileTariff(Decimal("12.50"), 5)
DATA = VolumeTariff(1, (Tier(None, Decimal(3)),), "graduated")
STAFF = SeatTariff("peak", (Tier(None, Decimal(2)),), "graduated")
PORT, LINE, USERS, UP = ref("port"), ref("line"), ref("users"), ref("up", BT)
MAJOR = 10**9


class Network:
    """MTN sells SHOP a port by its 95th percentile, a line by volume and a service by seats, and
    buys transit of BT, at points that it measures itself.
    """

    def __init__(self, begin: Begin, clock: SetClock, ids: Ids, folder: Path) -> None:
        self.begin, self.clock, self.ids, self.folder = begin, clock, ids, folder
        self.stage = Stage(begin, clock, ids, folder / "usage")
        self.counter = Counter(begin, folder, folder / "desk", now=NOVEMBER.end)
        folder.mkdir()

    def open(self, **tariffs: Tariff) -> None:
        """All four since the beginning of November."""
        told: dict[str, Tariff] = {"port": BURST, "line": DATA, "users": STAFF, "up": BURST}
        told |= tariffs
        refs = {"port": PORT, "line": LINE, "users": USERS, "up": UP}
        self.stage.enter(
            *(
                holding(of, MTN if of == UP else SHOP, since=START, tariff=told[name])
                for name, of in refs.items()
            )
        )
        self.points(("ge-1", PORT), ("bob", LINE), ("shop-staff", USERS), ("uplink", UP))

    def points(self, *points: tuple[str, HoldingRef], since: Instant = START) -> None:
        with self.begin() as tx:
            for name, of in points:
                side = "out" if of == UP else "in"
                trunks.enter(tx, us=MTN, trunk=Trunk(name, side, of, since))  # type: ignore[arg-type]

    def samples(self, *points: tuple[str, int], slots: range, name: str = "s.csv") -> None:
        """Five-minute samples of November, each of so many octets both ways."""
        lines = [
            f"{point},{START + timedelta(minutes=5 * slot):%Y-%m-%dT%H:%M:%S},{octets},{octets}"
            for point, octets in points
            for slot in slots
        ]
        self.counter.take(csv(*lines, head=SAMPLES), name, "samples")

    def seats(self, *days: tuple[int, int]) -> None:
        lines = [f"shop-staff,2026-11-{day:02d},{seats}" for day, seats in days]
        self.counter.take(csv(*lines, head=SEATS), "seats.csv", "seats")

    def work(self) -> None:
        """The worker, until nothing is due."""
        handlers = work.handlers(us=MTN, begin=self.begin, folder=self.folder, clock=self.clock)
        engine = Engine(self.begin, {**self.stage.handlers(), **handlers}, self.clock)
        moved = 1
        while moved:
            now, folder = self.clock.now(), self.stage.folder
            with self.begin() as tx:
                moved = usage_work.run(tx, us=MTN, ids=self.ids, now=now)
                moved += work.run(tx, us=MTN, ids=self.ids, now=now, folder=folder)
                moved += billing_work.run(tx, us=MTN, ids=self.ids, now=now)
            moved += engine.run_until_idle()

    def close(self, at: Instant = NOVEMBER.end) -> None:
        self.stage.go_to(at)
        self.work()

    def add_up(self, *, anew: bool = False) -> int:
        """How many holdings were added up anew."""
        before = self.made_at()
        self.clock.move(timedelta(seconds=1))
        measuring.run(
            self.begin, us=MTN, month=NOVEMBER, folder=self.folder, clock=self.clock, anew=anew
        )
        return len(self.made_at() - before)

    def made_at(self) -> set[tuple[object, ...]]:
        with self.begin() as tx:
            rows = all_rows(tx, "select seller, holding, made_at from rating_measured")
        return {tuple(row.values()) for row in rows}

    def rated(self, of: HoldingRef, period: Period = NOVEMBER) -> Sequence[RatedLine]:
        with self.begin() as tx:
            return months.rated(tx, holding=of, period=period)

    def lines(self, of: HoldingRef, period: Period = NOVEMBER) -> dict[str, tuple[object, int]]:
        """By label: the quantity and the charge, billionths."""
        return {one.label: (one.quantity, one.nano) for one in self.rated(of, period)}

    def why(self, delivery: int, row: int) -> list[str]:
        """What the record in this row of a delivered file has to do with charges."""
        event = (delivery << 32) + row
        with self.begin() as tx:
            found = explaining.explain(tx, us=MTN, event=event, folder=self.folder)
        assert isinstance(found, MeasuredExplained)
        return list(found.steps)

    def bill(self) -> Bill:
        with self.begin() as tx:
            (one,) = billing.bills(tx, issuer=MTN, period=NOVEMBER)
        return one


@pytest.fixture
def network(begin: Begin, clock: SetClock, ids: Ids, tmp_path: Path) -> Network:
    return Network(begin, clock, ids, tmp_path / "node")


MONTH = range(8640)
SLOT_OCTETS = 375_000_000
"""10 Mbit/s."""


def test_from_a_file_of_samples_to_a_line_of_an_invoice(network: Network) -> None:
    network.open()
    network.samples(("ge-1", SLOT_OCTETS), ("uplink", 2 * SLOT_OCTETS), slots=MONTH)
    network.seats((1, 7), (2, 12), (3, 9))
    sessions = block("Start", 0, 0) + block("Stop", 600, 3 * MAJOR)
    network.counter.take(sessions.encode(), "detail", "radius")
    network.close()
    assert network.lines(PORT) == {"p95": (10, 125 * MAJOR)}
    assert network.lines(UP) == {"p95": (20, 250 * MAJOR)}
    assert network.lines(LINE) == {"gb/included": (1, 0), "gb/0+": (2, 6 * MAJOR)}
    assert network.lines(USERS) == {"seats/1+": (12, 24 * MAJOR)}
    billed = network.bill().lines
    assert {line.key: line.net.minor for line in billed if "/usage/" in line.key} == {
        f"{PORT.id}/usage/p95": 12500,
        f"{LINE.id}/usage/gb/0+": 600,
        f"{USERS.id}/usage/seats/1+": 2400,
    }


def test_where_every_record_is(network: Network) -> None:
    """Of a point that nobody holds there is no price; what a server says of itself has none to
    have; and a holding whose tariff is for seats has none for octets.
    """
    network.open()
    network.samples(("ge-1", 1), ("ge-9", 1), ("shop-staff", 1), slots=range(3))
    on = block("Accounting-On", 0, 0, session="")
    other = block("Stop", 9, 9, session="s2", **{"User-Name": '"eve"'})
    content = on + block("Start", 0, 0) + block("Stop", 600, 7) + other
    network.counter.take(content.encode(), "detail", "radius")
    network.close()
    with network.begin() as tx:
        told = events.balances(tx)
    assert all(one.even for one in told)
    assert [(one.rows, one.rated, one.no_price, one.waiting) for one in told] == [
        (9, 3, 6, 0),
        (4, 3, 1, 0),
    ]


def test_what_is_added_up_once_is_added_up_again_only_for_what_has_changed(
    network: Network,
) -> None:
    network.open()
    network.samples(("ge-1", SLOT_OCTETS), slots=range(288))
    assert network.add_up() == 4
    assert network.add_up() == 0
    network.samples(("ge-1", SLOT_OCTETS), slots=range(288), name="again.csv")
    assert network.add_up() == 0
    network.samples(("uplink", SLOT_OCTETS), slots=range(288), name="b.csv")
    assert network.add_up() == 1
    network.points(("ge-2", PORT), since=START + timedelta(days=2))
    assert network.add_up() == 1
    with network.begin() as tx:
        told = measuring.status(tx, month=NOVEMBER)
    assert (told.files, told.added_files, told.holdings) == (2, 2, 4)
    assert (told.events, told.charged) == (576, 576)


def test_late_samples_are_charged_with_a_later_month_and_nothing_is_edited(
    network: Network,
) -> None:
    network.open(port=DATA)
    network.samples(("ge-1", 10**6), slots=range(1000))
    network.seats((1, 7))
    network.close()
    before, bill = network.lines(PORT), network.bill()
    network.samples(("ge-1", 10**6), slots=range(1000, 1500), name="late.csv")
    network.work()
    network.work()
    assert network.lines(PORT) == before == {"gb/included": (1, 0), "gb/0+": (1, 3 * MAJOR)}
    assert network.bill() == bill
    with network.begin() as tx:
        waiting = adjusting.waiting(tx)
    assert [(one.holding, one.line.label, one.line.nano) for one in waiting] == [
        (PORT, "gb/0+~2026-11.1", 3 * MAJOR)
    ]
    network.close(DECEMBER.end)
    assert network.lines(PORT, DECEMBER) == {"gb/0+~2026-11.1": (1, 3 * MAJOR)}
    with network.begin() as tx:
        assert adjusting.waiting(tx) == []


def test_corrections_of_what_has_ended_are_billed_with_the_next_month(network: Network) -> None:
    """The port is given up at the end of November; its samples come while December is open."""
    network.open(port=DATA)
    network.samples(("ge-1", 10**6), slots=range(1000))
    network.close()
    with network.begin() as tx:
        inventory.end(tx, ref=PORT, now=NOVEMBER.end)
    network.samples(("ge-1", 10**6), slots=range(1000, 1500), name="late.csv")
    network.work()
    network.work()
    network.close(DECEMBER.end)
    assert network.lines(PORT, DECEMBER) == {"gb/0+~2026-11.1": (1, 3 * MAJOR)}
    with network.begin() as tx:
        assert adjusting.waiting(tx) == []
        (bill,) = billing.bills(tx, issuer=MTN, period=DECEMBER)
        (january,) = billing.sold_lines(tx, us=MTN, buyer=SHOP, period=Period.month(2027, 1))
    (line,) = [one for one in bill.lines if one.holding == PORT.id]
    assert (line.key, line.net.minor) == (f"{PORT.id}/usage/gb/0+~2026-11.1", 300)
    assert "2026-11 corrected" in line.description
    assert PORT.id not in {one.holding for one in january.lines}


def test_a_buyer_of_nothing_any_more_is_billed_for_corrections(network: Network) -> None:
    network.open(port=DATA)
    network.samples(("ge-1", 10**6), slots=range(1000))
    network.close()
    with network.begin() as tx:
        for one in (PORT, LINE, USERS, UP):
            inventory.end(tx, ref=one, now=NOVEMBER.end)
    network.samples(("ge-1", 10**6), slots=range(1000, 1500), name="late.csv")
    network.work()
    network.close(DECEMBER.end)
    network.close(Period.month(2027, 1).end)
    with network.begin() as tx:
        bills = [
            one
            for period in (DECEMBER, Period.month(2027, 1))
            for one in billing.bills(tx, issuer=MTN, period=period)
        ]
    assert [(one.buyer, one.net.minor) for one in bills] == [(SHOP, 300)]


def test_a_session_that_is_told_late_moves_the_month_after_it_too(network: Network) -> None:
    """What it had carried in October is not November's, though October is told later."""
    network.open()
    network.stage.go_to(START)
    november = block("Stop", 600, 5 * MAJOR)
    network.counter.take(november.encode(), "november", "radius")
    network.close()
    assert network.lines(LINE)["gb/0+"] == (4, 12 * MAJOR)
    unsaid: dict[str, Any] = {"Acct-Session-Time": None}
    october = [("Start", -40, 0), ("Interim-Update", -39, 2 * MAJOR)]
    content = "".join(block(what, 3600 * at, octets, **unsaid) for what, at, octets in october)
    network.counter.take(content.encode(), "october", "radius")
    network.work()
    network.work()
    with network.begin() as tx:
        waiting = adjusting.waiting(tx)
    assert [(one.line.label, one.line.nano) for one in waiting] == [("gb/0+~2026-11.1", -6 * MAJOR)]


def test_a_point_that_was_forgotten_is_charged_anew(network: Network) -> None:
    network.open()
    network.samples(("ge-1", SLOT_OCTETS), ("ge-2", SLOT_OCTETS), slots=MONTH)
    network.close()
    network.points(("ge-2", PORT))
    assert network.add_up() == 0
    assert network.add_up(anew=True) == 1
    with network.begin() as tx:
        made = adjusting.adjust(
            tx, us=MTN, month=NOVEMBER, folder=network.folder, why="forgotten",
            now=network.clock.now(),
        )  # fmt: skip
    assert [(one.line.label, one.line.quantity, one.line.nano) for one in made] == [
        ("p95~2026-11.1", Decimal(10), 125 * MAJOR)
    ]


def test_who_measures_what_it_buys_does_not_ask_its_seller(network: Network) -> None:
    network.open()
    network.stage.enter(holding(ref("asked", BT), MTN, since=START, tariff=BURST))
    network.close()
    assert {of for of, _ in network.stage.sellers[BT].asked} == {ref("asked", BT).id}
    with network.begin() as tx:
        assert usage.records(tx, us=MTN, ref=UP, period=NOVEMBER, folder=network.folder) == ()
        assert list(months.without_usage(tx, period=NOVEMBER)) == []
    assert network.rated(UP)[0].reason["because"] == "coverage below 95 %: commit only"


def test_records_from_below_do_not_count_where_a_point_measures(network: Network) -> None:
    network.stage.enter(
        holding(ref("route", BT), MTN, since=START),
        holding(PORT, SHOP, since=START, tariff=BURST),
        supports=[Support(PORT, ref("route", BT), metered=True)],
    )
    network.points(("ge-1", PORT))
    network.samples(("ge-1", SLOT_OCTETS), slots=MONTH)
    network.close()
    assert network.lines(PORT) == {"p95": (10, 125 * MAJOR)}


def test_what_a_record_has_to_do_with_a_charge(network: Network) -> None:
    network.open()
    network.samples(("ge-1", 3 * SLOT_OCTETS), slots=range(500))
    network.samples(("ge-1", SLOT_OCTETS), slots=range(500, 8640), name="b.csv")
    network.samples(("ge-9", 1), slots=range(1), name="c.csv")
    network.seats((1, 7), (2, 12))
    network.counter.take(block("Stop", 600, 3 * MAJOR).encode(), "detail", "radius")
    assert network.why(1, 2) == ["hld_port: 2026-11 is not added up yet"]
    network.close()
    counts = "the 433. highest of 8640 counts: 30.000 Mbit/s"
    assert network.why(1, 2) == [
        f"hld_port, p95, {way}: among the highest, which are free; {counts}"
        for way in ("in", "out")
    ]
    assert network.why(1, 434)[0] == f"hld_port, p95, in: this one counts; {counts}"
    assert network.why(1, 435)[0] == f"hld_port, p95, in: below the one that counts; {counts}"
    assert network.why(3, 2)[0].startswith("not charged: no holding with a price for it is at")
    assert network.why(4, 2) == ["hld_users, seats/1+: 2026-11-02 counts, with 12 seats (peak)"]
    assert network.why(5, 1)[1] == (
        "hld_line, gb/0+: among 3000000000 octets of the month, of which 1000000000 are included"
    )
