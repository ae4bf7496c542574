"""What our own network has measured, as the customer of a service sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hansa.drivers import store
from hansa.drivers.contract import Figure, Sample
from hansa.foundation.database import Database
from hansa.foundation.ids import BuyerKey, PartyId
from hansa.foundation.people.model import PortalSettings
from hansa.foundation.time import SetClock
from hansa.lifecycle.inventory import actions as inventory
from tests.alliance import SHOP, Alliance, chain
from tests.entrypoints.portal.customer.world import World
from tests.entrypoints.portal.visitor import Visitor, enter

A_WHILE = timedelta(minutes=9)
FOUND: Sequence[tuple[Figure, int]] = (("rtt_us", 30_000), ("loss_ppm", 5_000), ("available", 0))


@pytest.fixture
def alliance(
    databases: Callable[[], Database], tmp_path: Path, clock: SetClock
) -> Iterator[Alliance]:
    made = Alliance(databases, tmp_path, clock, b"history")
    yield made
    made.close()


def test_who_delivers_itself_shows_what_it_has_measured(alliance: Alliance) -> None:
    front = chain(alliance, 1)
    node = alliance.top
    node.settings = replace(node.settings, portal=PortalSettings(port=2))
    order = front.order(quote_id=front.quote(alliance.need("Durban")).id, key=BuyerKey("k"))
    alliance.work()
    (provided,) = front.progress(order.id).provided
    now = node.clock.now()
    with node.begin() as tx:
        (below,) = inventory.own(tx, us=node.us.id)
        store.put_samples(tx, [Sample(now - A_WHILE, below.ref.id, "", *one) for one in FOUND])
    enter(node, "shop", "customer", party=SHOP)
    enter(node, "thief", "customer", party=PartyId("thief"))
    page = f"/my/services/{provided.holding}/history?span=hour"
    shown = Visitor(node).sign_in("shop").open(page)
    assert shown.all("//h3") == ["Round trip measured", "Loss measured", "Availability measured"]
    said = shown.all("//h3/following-sibling::p[1]")
    assert said[0].startswith("within our targethighest 30 ms, target at most 200 ms")
    assert said[1].startswith("beyond our targetin all 0.5 %, target at most 0.1 %")
    assert said[2].startswith("beyond our targetin all 0 %, target at least 99.95 %")
    assert Visitor(node).sign_in("thief").open(page).status == 404


def test_of_what_others_deliver_it_is_said_that_nothing_is_kept(
    world: World, shop: Visitor
) -> None:
    shown = shop.open(f"/my/services/{world.holdings[0]}/history?span=nonsense")
    assert "Nothing was kept of this time" in shown.text
    assert shown.all("//nav[@class='tabs']//a[@aria-current]") == ["A day"]
