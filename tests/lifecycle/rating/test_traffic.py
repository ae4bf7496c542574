"""A network's own calls become charges: taken in, rated by the decks in force, billed by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hansa.federation.contract import Conversion, DeckTariff, Tier
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import Ids
from hansa.foundation.plan.engine import Engine
from hansa.foundation.time import Instant, Period, SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.catalogue.actions import offers, prices
from hansa.lifecycle.catalogue.model import Deck, DeckLayout, ReferenceRate
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating import work
from hansa.lifecycle.rating.actions import adjusting, explaining, months, runs
from hansa.lifecycle.rating.model.events import EngineName, Run
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.usage import work as usage_work
from hansa.lifecycle.usage.actions import events, intake, trunks
from hansa.lifecycle.usage.model import Balance, Delivery, EventFile, Trunk
from hansa.lifecycle.usage.rules.layouts import KNOWN
from tests.lifecycle.catalogue.stage import Stage as Decks
from tests.lifecycle.catalogue.stage import row
from tests.lifecycle.usage.counter import call, csv
from tests.lifecycle.usage.stage import (
    BT,
    DECEMBER,
    MTN,
    NOVEMBER,
    SHOP,
    SINCE,
    Stage,
    holding,
    ref,
)

START = datetime(2026, 10, 1, tzinfo=UTC)
RETAIL = Deck("mtn-retail", MTN, (SHOP,), "ZAR", layout=DeckLayout(increment="60/60"))
SUPPLY = Deck("bt-az", BT, (MTN,), "GBP", layout=DeckLayout(increment="1/1"))
SOLD, BOUGHT = ref("sold"), ref("bought", BT)
MAJOR = 10**9


class Network:
    """MTN sells SHOP a trunk by its own deck, and has the calls carried by BT, by BT's deck."""

    def __init__(self, begin: Begin, clock: SetClock, ids: Ids, folder: Path) -> None:
        self.begin, self.clock, self.ids, self.folder = begin, clock, ids, folder
        self.stage = Stage(begin, clock, ids, folder / "usage")
        self.decks = Decks(begin, clock, folder)

    def open(self, sold: DeckTariff | None = None, bought: DeckTariff | None = None) -> None:
        """Both holdings, their decks and their trunks, since 2 November."""
        for deck in (RETAIL, SUPPLY):
            self.decks.put(deck)
        self.decks.version(
            [row("225", 3 * MAJOR, START), row("2250", 6 * MAJOR, START, line=3)], RETAIL
        )
        self.decks.version([row("225", MAJOR // 10, START)], SUPPLY)
        conversion = Conversion("ECB")
        self.stage.enter(
            holding(SOLD, SHOP, tariff=sold or DeckTariff("mtn-retail")),
            holding(BOUGHT, MTN, tariff=bought or DeckTariff("bt-az", conversion=conversion)),
        )
        with self.begin() as tx:
            day = (START - timedelta(days=1)).date()
            rate = ReferenceRate("GBP", "ZAR", day, "ECB", Decimal("23.5"))
            offers.put_rate(tx, rate=rate, now=self.clock.now())
            trunks.enter(tx, us=MTN, trunk=Trunk("shop", "in", SOLD, SINCE))
            trunks.enter(tx, us=MTN, trunk=Trunk("mtn-1", "out", BOUGHT, SINCE))

    def take(self, *lines: str, name: str = "a.csv") -> Delivery:
        """A file of calls comes in."""
        desk = self.folder / "desk"
        desk.mkdir(parents=True, exist_ok=True)
        (desk / name).write_bytes(csv(*lines))
        with self.begin() as tx:
            codes = prices.codes(tx, folder=self.folder)
        taken, _ = intake.take(
            self.begin,
            place=desk / name,
            layout=KNOWN["calls"],
            codes=events.ready(codes),
            folder=self.folder,
            now=self.clock.now(),
        )
        return taken

    def rate(self, *, engine: EngineName = "kernel", anew: str = "") -> Run:
        return runs.run(
            self.begin,
            us=MTN,
            month=NOVEMBER,
            folder=self.folder,
            clock=self.clock,
            engine=engine,
            anew=anew,
        )

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
            moved += engine.run_until_idle()

    def close(self, at: Instant = NOVEMBER.end) -> None:
        self.stage.go_to(at)
        self.work()

    def lines(self, of: HoldingRef, period: Period = NOVEMBER) -> dict[str, tuple[int, int]]:
        """By label: the quantity and the charge, billionths."""
        return {one.label: (int(one.quantity), one.nano) for one in self.rated(of, period)}

    def rated(self, of: HoldingRef, period: Period = NOVEMBER) -> Sequence[RatedLine]:
        with self.begin() as tx:
            return months.rated(tx, holding=of, period=period)

    def files(self) -> Sequence[EventFile]:
        with self.begin() as tx:
            return events.files(tx, month=NOVEMBER.name)

    def balance(self) -> Balance:
        with self.begin() as tx:
            (one,) = events.balances(tx)
        return one


@pytest.fixture
def network(begin: Begin, clock: SetClock, ids: Ids, tmp_path: Path) -> Network:
    return Network(begin, clock, ids, tmp_path / "node")


def test_a_call_is_sold_by_one_deck_and_bought_by_another(network: Network) -> None:
    network.open()
    taken = network.take(call("c1"), call("c2", called="+22600000000"), call("c1"))
    network.close()
    # 61 s to 2250 at 6.00 ZAR a minute, in steps of a second; bought at 0.10 GBP, 23.5 ZAR each:
    # 0.101666667 GBP are 2.3891666745 ZAR, rounded half up.
    charge = 6 * MAJOR + 100_000_000
    assert network.lines(SOLD) == {"to 2250/peak": (61, charge)}
    assert network.lines(BOUGHT) == {"to 225/peak": (61, 2_389_166_675)}
    told = network.balance()
    assert (told.rows, told.rated, told.no_price, told.duplicate) == (3, 1, 1, 1)
    assert told.rows == told.rated + told.quarantined + told.duplicate
    assert taken.number == 1


def test_why_a_call_costs_what_it_does(network: Network) -> None:
    network.open(sold=DeckTariff("mtn-retail", commission_bp=250))
    taken = network.take(call("c1"))
    network.rate()
    event = (taken.number << 32) + 2
    with network.begin() as tx:
        found = explaining.explain(tx, us=MTN, event=event, folder=network.folder)
    assert isinstance(found, explaining.Explained)
    sold, bought = found.legs
    assert (found.called, found.code, sold.holding, bought.holding) == (
        *("22507070000", "2250"),
        *(SOLD, BOUGHT),
    )
    assert sold.stored
    assert bought.stored
    assert (sold.charge, sold.share) == (Decimal("6.1"), Decimal("0.1525"))
    assert bought.amount == Decimal("2.389166675")
    assert any("row 3" in step and "2250" in step for step in sold.steps)
    assert any("x 23.5 =" in step for step in bought.steps)
    with network.begin() as tx, pytest.raises(NotFound, match="event-unknown"):
        explaining.explain(tx, us=MTN, event=event + 1, folder=network.folder)


def test_rating_goes_on_where_it_was_interrupted(network: Network) -> None:
    network.open()
    network.take(call("c1"))
    first = network.rate()
    network.take(call("c2"), name="b.csv")
    place = next((network.folder / "rating" / "2026-11" / first.book).glob("1.parquet"))
    before = place.stat().st_mtime_ns
    second = network.rate()
    assert (second.book, second.files, second.rated) == (first.book, 2, 2)
    assert place.stat().st_mtime_ns == before


def test_duckdb_charges_the_same(network: Network) -> None:
    network.open()
    network.take(call("c1"), call("c2", called="+22600000000"))
    network.take(call("c3"), name="b.csv")
    done = network.rate(engine="duckdb")
    assert (done.rated_files, done.rated, done.no_price) == (2, 2, 1)
    network.close()
    assert network.lines(SOLD) == {"to 2250/peak": (122, 12_200_000_000)}


def test_late_calls_are_charged_with_a_later_month_and_nothing_is_edited(network: Network) -> None:
    network.open()
    network.take(call("c1"))
    network.close()
    before = network.lines(SOLD)
    network.take(call("c9", called="+22590000000", duration="60"), name="late.csv")
    network.work()
    network.work()
    assert network.lines(SOLD) == before
    with network.begin() as tx:
        waiting = adjusting.waiting(tx)
    assert {(one.holding, one.line.label, one.line.nano) for one in waiting} == {
        (SOLD, "to 225/peak~2026-11.1", 3 * MAJOR),
        (BOUGHT, "to 225/peak~2026-11.1", 2_350_000_000),
    }
    network.close(DECEMBER.end)
    assert network.lines(SOLD, DECEMBER) == {"to 225/peak~2026-11.1": (60, 3 * MAJOR)}
    with network.begin() as tx:
        assert adjusting.waiting(tx) == []


def test_a_corrected_deck_adjusts_what_was_charged_by_the_wrong_one(network: Network) -> None:
    network.open()
    network.take(call("c1", duration="60"))
    network.close()
    network.decks.version(
        [row("2250", 5 * MAJOR, START)], RETAIL, correction=True, effective_at=START
    )
    with network.begin() as tx:
        assert (
            adjusting.adjust(
                tx, us=MTN, month=NOVEMBER, folder=network.folder, why="x", now=network.clock.now()
            )
            == []
        )
    network.rate(anew="the rate of 2250 was a mistake")
    with network.begin() as tx:
        made = adjusting.adjust(
            tx,
            us=MTN,
            month=NOVEMBER,
            folder=network.folder,
            why="the rate of 2250 was a mistake",
            now=network.clock.now(),
        )
    assert [(one.line.label, one.line.nano) for one in made] == [("to 2250/peak~2026-11.1", -MAJOR)]
    with network.begin() as tx:
        again = adjusting.adjust(
            tx, us=MTN, month=NOVEMBER, folder=network.folder, why="y", now=network.clock.now()
        )
    assert again == []


def test_turnover_earns_a_discount_and_a_commitment_is_made_up(network: Network) -> None:
    tariff = DeckTariff(
        "mtn-retail",
        tiers=(Tier(10, Decimal(0)), Tier(None, Decimal("0.5"))),
        commit=Decimal(29),
    )
    network.open(sold=tariff)
    network.take(call("c1", duration="60"), call("c2", duration="120"))
    network.close()
    # 18 ZAR; half of what is above 10 off; the commitment since 2 November, 08:00: 29 x 688 / 720.
    assert {one.label: one.nano for one in network.rated(SOLD)} == {
        "to 2250/peak": 18 * MAJOR,
        "discount": -4 * MAJOR,
        "shortfall": round(29 * MAJOR * 688 / 720) - 14 * MAJOR,
    }


def test_a_deck_that_is_not_there_is_said(network: Network) -> None:
    network.open(sold=replace(DeckTariff("mtn-retail"), deck="mtn-gold"))
    network.take(call("c1"))
    with pytest.raises(NotFound, match="deck-unknown"):
        network.rate()
