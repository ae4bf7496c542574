"""A node that sells what it has from a partner and from its own network, at a month's end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

from hansa.federation.contract import (
    PercentileTariff,
    Seller,
    Tariff,
    Tax,
    Terms,
    UsageRecord,
    VoiceBand,
    VoiceTariff,
)
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import HoldingId, Ids, OfferCode, OrderId, PartyId, TraceId
from hansa.foundation.money import Money
from hansa.foundation.plan.engine import Engine
from hansa.foundation.plan.model import Handlers
from hansa.foundation.readings import Call, OctetDay, Reading
from hansa.foundation.time import Instant, Period, SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding, HoldingRef, HoldingState, Spell, Support
from hansa.lifecycle.usage import work

BT, MTN, SHOP = PartyId("bt"), PartyId("mtn"), PartyId("shop")
NOVEMBER, DECEMBER = Period.month(2026, 11), Period.month(2026, 12)
SINCE = datetime(2026, 11, 2, 8, tzinfo=UTC)

VOICE = VoiceTariff(
    (VoiceBand("27", "South Africa", Decimal("0.06"), Decimal("0.03"), 60, 60),), "UTC", 8, 18
)
LINE = PercentileTariff(Decimal("12.50"), 5)


def ref(name: str, seller: PartyId = MTN) -> HoldingRef:
    return HoldingRef(seller, HoldingId(f"hld_{name}"))


def spell(start: Instant, tariff: Tariff | None, order: str = "ord_1") -> Spell:
    money = Money(1000, "ZAR")
    return Spell(start, None, OrderId(order), {}, 1, Terms(money, money, tariff), Tax("exempt", 0))


def holding(
    of: HoldingRef, buyer: PartyId, *, since: Instant = SINCE, tariff: Tariff | None = None
) -> Holding:
    return Holding(
        ref=of,
        buyer=buyer,
        item="a",
        offer=OfferCode("thing"),
        offer_name="Thing",
        family="voice",
        site=None,
        agreement=None,
        state=HoldingState.ACTIVE,
        trace=TraceId("0" * 32),
        spells=(spell(since, tariff),),
    )


def call(of: HoldingRef, number: int, at: Instant, duration_s: int = 60) -> UsageRecord:
    reading = Call(at, "+27101234567", "+27711234567", duration_s)
    return UsageRecord(f"{of.id}/{at:%Y-%m-%d}/{number}", of.id, reading)


def octet_day(of: HoldingRef, day: Instant, count: int | None = 1000) -> UsageRecord:
    reading: Reading = OctetDay(day.date(), (count,) * 288, (count,) * 288)
    return UsageRecord(f"{of.id}/{day:%Y-%m-%d}", of.id, reading)


@dataclass
class Meterman:
    """A seller that is asked for usage only. trouble: raised once each before it answers."""

    tells: dict[HoldingId, list[UsageRecord]] = field(default_factory=dict)
    trouble: list[HansaError] = field(default_factory=list)
    asked: list[tuple[HoldingId, str]] = field(default_factory=list)

    def usage(self, *, holding_id: HoldingId, period: Period) -> Sequence[UsageRecord]:
        self.asked.append((holding_id, period.name))
        if self.trouble:
            raise self.trouble.pop(0)
        return [one for one in self.tells.get(holding_id, []) if _in(one.reading, period)]


def _in(reading: Reading, period: Period) -> bool:
    if reading.kind == "call":
        return period.holds(reading.answered_at)
    return reading.day in set(period.days())


@dataclass
class Stage:
    """MTN's node: SHOP holds `trunk`, which stands on BT's `route` (metered, priced) and on
    MTN's own `port` (not metered).
    """

    begin: Begin
    clock: SetClock
    ids: Ids
    folder: Path
    sellers: dict[PartyId, Meterman] = field(
        default_factory=lambda: {BT: Meterman(), MTN: Meterman()}
    )

    def seller(self, party: PartyId) -> Seller:
        return cast("Seller", self.sellers[party])

    def handlers(self) -> Handlers:
        return work.handlers(us=MTN, sellers=self.seller, folder=self.folder)

    def engine(self) -> Engine:
        return Engine(self.begin, self.handlers(), self.clock)

    def open_months(self) -> int:
        with self.begin() as tx:
            return work.run(tx, us=MTN, ids=self.ids, now=self.clock.now())

    def settle(self) -> None:
        """Works until nothing is due now."""
        while self.open_months() + self.engine().run_until_idle():
            pass

    def go_to(self, at: Instant) -> None:
        self.clock.move(at - self.clock.now())

    def enter(self, *holdings: Holding, supports: Sequence[Support] = ()) -> None:
        with self.begin() as tx:
            for one in holdings:
                inventory.activate(
                    tx,
                    holding=one,
                    supports=[support for support in supports if support.upper == one.ref],
                )


def trunk(stage: Stage, *, hours_later: float = 1) -> None:
    """SHOP's trunk, sold an hour after BT's route was had."""
    stage.enter(
        holding(ref("route", BT), MTN, tariff=VOICE),
        holding(ref("port"), MTN),
        holding(ref("trunk"), SHOP, since=SINCE + timedelta(hours=hours_later), tariff=VOICE),
        supports=(
            Support(ref("trunk"), ref("route", BT), metered=True),
            Support(ref("trunk"), ref("port"), metered=False),
        ),
    )


def calls_of_november(stage: Stage) -> list[UsageRecord]:
    """One call before the trunk was sold, three in November after it, one in December."""
    route = ref("route", BT)
    moments = [
        SINCE + timedelta(minutes=5),
        SINCE + timedelta(hours=1),
        SINCE + timedelta(hours=3),
        NOVEMBER.end - timedelta(seconds=1),
        NOVEMBER.end,
    ]
    told = [call(route, number, at) for number, at in enumerate(moments)]
    stage.sellers[BT].tells[route.id] = told
    return told
