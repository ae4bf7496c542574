"""What somebody does on real daemons is used, measured and charged, in the books of a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hansa.drivers import actions as network
from hansa.drivers import store
from hansa.drivers.broadband import bng
from hansa.drivers.broadband.access import access, port
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Lab
from hansa.drivers.model import Choice, Coverage, NetworkSettings, Product, Service
from hansa.drivers.voice.driver import VoiceTrunks
from hansa.federation.contract import (
    CharacteristicSpec,
    Family,
    Need,
    NeedItem,
    OrderState,
    Tariff,
    Tier,
    UsageRecord,
    VoiceBand,
    VoiceTariff,
    VolumeTariff,
)
from hansa.foundation.database import Database
from hansa.foundation.ids import BuyerKey, HoldingId, OfferCode
from hansa.foundation.money import Money
from hansa.foundation.readings import Call, OctetDay
from hansa.foundation.time import Period, SetClock
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.model import CatalogueOffer, Component, ListPrice, Source
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.usage.actions import months as usage
from hansa.node import Node
from hansa.storefront.seller import Storefront
from tests.alliance import LONG_AGO, RETAIL, SHOP, Alliance
from tests.lab.conftest import needs
from tests.lab.phones import CALLED, SITE, Customer

pytestmark = needs("voice", "broadband")

CALLS = VoiceTariff(
    (VoiceBand("44", "United Kingdom", Decimal(6), Decimal(6), 60, 60),), "UTC", 8, 18
)
VOLUME = VolumeTariff(0, (Tier(None, Decimal(10**6)),), "graduated")
SOLD: dict[str, tuple[Family, Choice, Tariff]] = {
    "trunk": ("voice", Choice("channels", "channels", 1, 100), CALLS),
    "home": ("broadband", Choice("speed_mbps", "Mbit/s", 1, 1000), VOLUME),
}


@dataclass
class Shop:
    """A customer of an operator that delivers in the lab, and what it has."""

    alliance: Alliance
    node: Node
    front: Storefront

    def order(self, offer: str, **chosen: int) -> HoldingId:
        front = self.front
        item = NeedItem("a", OfferCode(offer), SITE, chosen)
        quote = front.quote(Need((item,), "ZAR", self.node.ids.trace()))
        order = front.order(quote_id=quote.id, key=BuyerKey(offer))
        self.alliance.work()
        progress = front.progress(order.id)
        assert progress.state is OrderState.COMPLETED
        return progress.provided[0].holding

    def service(self, holding: HoldingId) -> Service:
        """What was made for it on our own network."""
        with self.node.begin() as tx:
            ref = HoldingRef(self.node.us.id, holding)
            ((_, lower),) = inventory.below(tx, ref=ref)
            found = store.service(tx, holding=lower.ref.id, buyer=self.node.us.id)
        assert found is not None
        return found

    def used(self, period: Period) -> list[UsageRecord]:
        with self.node.begin() as tx:
            return list(
                usage.of_buyer(
                    tx,
                    us=self.node.us.id,
                    buyer=SHOP,
                    period=period,
                    folder=self.node.usage_folder,
                )
            )


def sell(node: Node) -> None:
    with node.begin() as tx:
        products = [
            Product(OfferCode(name), name, family, "site", (choice,))
            for name, (family, choice, _) in SOLD.items()
        ]
        network.set_products(tx, products=products)
        network.cover(tx, entries=[Coverage(name, "ZA") for name in SOLD])
        for name, (family, choice, tariff) in SOLD.items():
            code, spec = OfferCode(name), CharacteristicSpec(choice.name, choice.unit, 1, 100)
            part = Component(
                "own", (Source(node.us.id, code),), metered=True, passes=(choice.name,)
            )
            offer = CatalogueOffer(code, name, family, "site", ("ZA",), (spec,), (part,))
            catalogue.put_offer(tx, offer=offer)
            nothing = Decimal(0)
            price = ListPrice(RETAIL, code, "ZAR", nothing, nothing, LONG_AGO, tariff=tariff)
            catalogue.put_price(tx, price=price)


@pytest.fixture
def shop(
    lab: Lab, databases: Callable[[], Database], clock: SetClock, tmp_path: Path
) -> Iterator[Shop]:
    alliance = Alliance(databases, tmp_path, clock, b"lab")
    real = dict.fromkeys(("voice", "broadband"), "lab")
    alliance.network = NetworkSettings(real, lab=str(lab.folder))
    node = alliance.add("mtn", "ZA", "ZAR")
    sell(node)
    yield Shop(alliance, node, alliance.customer(node))
    alliance.close()


def test_a_call_and_a_session_are_used_and_charged_although_the_lab_has_gone(
    shop: Shop, lab: Lab
) -> None:
    clock, node = shop.alliance.clock, shop.node
    trunk, line = shop.order("trunk", channels=2), shop.order("home", speed_mbps=20)
    began = clock.now()

    of = access(lab, "ZA")
    house = lab.box(port(lab, of, shop.service(line).holding).home)
    house.run("ping", "-c", "20", "-i", "0.01", "-s", "1200", str(plan.RESOLVER))
    bng.report(lab.box(of.bng))

    made, driver = shop.service(trunk), node.kit.drivers["voice"]
    assert made.intent is not None
    assert isinstance(driver, VoiceTrunks)
    phone = Customer(lab, driver, made.intent)
    caller = phone.caller
    assert phone.call(held_ms=1200).answered == 1

    assert phone.written(), "the call is over"
    clock.move(timedelta(minutes=5))
    node.watch().round()
    month = Period.month_of(began)
    clock.move(month.end - clock.now() + timedelta(hours=1))
    lab.down()
    shop.alliance.work()

    told = shop.used(month)
    assert {one.measured for one in told} == {True}
    (call,) = [one for one in told if isinstance(one.reading, Call)]
    (day,) = [one for one in told if isinstance(one.reading, OctetDay)]
    assert (call.holding, day.holding) == (trunk, line)
    assert isinstance(call.reading, Call)
    assert (call.reading.calling, call.reading.called) == (caller, CALLED)
    assert call.reading.duration_s in {2, 3}
    assert timedelta() < call.reading.answered_at - began < timedelta(minutes=5), "by our clock"
    assert isinstance(day.reading, OctetDay)
    assert day.reading.day == began.date()
    assert sum(one or 0 for one in day.reading.octets_in) > 20 * 1200
    with node.begin() as tx:
        bills = billing.bills(tx, issuer=node.us.id, period=month)
    charged = [line for bill in bills for line in bill.lines if "/usage/" in line.key]
    assert {one.holding for one in charged} == {trunk, line}
    (minute,) = [one for one in charged if one.holding == trunk]
    assert (minute.quantity, minute.net) == (Decimal(60), Money(600, "ZAR"))
