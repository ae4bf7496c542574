"""Is it as promised? What is sold is as well as what it stands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from hansa.federation.contract import Condition, Seller
from hansa.foundation.errors import NotFound, TryLater
from hansa.foundation.ids import HoldingId, Ids, PartyId
from hansa.foundation.readings import Check
from hansa.foundation.time import SetClock
from hansa.foundation.transaction import Begin
from hansa.lifecycle.assurance import rules
from hansa.lifecycle.assurance.actions import looking
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from tests.lifecycle.usage.stage import BT, MTN, SHOP, SINCE, Stage, holding, ref, trunk

SPEED = Check("speed_mbps", "100", "100", ok=True)
SLOW = Check("speed_mbps", "100", "40", ok=False)
LOSS = Check("loss", "0.1 %", "0.0 %", ok=True)
ROUTE, PORT = HoldingId("hld_route"), HoldingId("hld_port")


def told(holding: HoldingId, *checks: Check, measured: bool = True) -> Condition:
    well = all(check.ok for check in checks)
    return Condition(holding, "active" if well else "degraded", checks, measured)


@dataclass
class Watchman:
    """Sellers that are asked for a condition only."""

    tells: dict[HoldingId, Condition] = field(default_factory=dict)

    def condition(self, holding_id: HoldingId) -> Condition:
        if holding_id not in self.tells:
            raise TryLater("silent", "No answer.")
        return self.tells[holding_id]

    def of(self, _: PartyId) -> Seller:
        return cast("Seller", self)


@pytest.fixture
def stage(begin: Begin, clock: SetClock, ids: Ids, tmp_path: Path) -> Stage:
    stage = Stage(begin, clock, ids, tmp_path)
    trunk(stage)
    return stage


def condition(stage: Stage, watchman: Watchman, of: HoldingRef | None = None) -> Condition:
    return looking.condition(stage.begin, us=MTN, ref=of or ref("trunk"), sellers=watchman.of)


def test_all_well_below_is_all_well(stage: Stage) -> None:
    watchman = Watchman({ROUTE: told(ROUTE, SPEED), PORT: told(PORT, LOSS)})
    assert condition(stage, watchman) == Condition(
        HoldingId("hld_trunk"), "active", (LOSS, SPEED), measured=True
    )


def test_one_thing_below_degraded_degrades_it_and_shows_the_failed_check(stage: Stage) -> None:
    watchman = Watchman({ROUTE: told(ROUTE, SLOW), PORT: told(PORT, SPEED)})
    found = condition(stage, watchman)
    assert (found.state, found.checks) == ("degraded", (SLOW,))


def test_what_is_only_imagined_below_makes_all_of_it_imagined(stage: Stage) -> None:
    watchman = Watchman({ROUTE: told(ROUTE, SPEED), PORT: told(PORT, measured=False)})
    assert condition(stage, watchman).measured is False


def test_a_silent_seller_is_no_condition(stage: Stage) -> None:
    with pytest.raises(TryLater, match="silent"):
        condition(stage, Watchman({ROUTE: told(ROUTE, SPEED)}))


def test_something_below_that_its_seller_ended_degrades_it(stage: Stage) -> None:
    watchman = Watchman(
        {ROUTE: Condition(ROUTE, "ended", (), measured=True), PORT: told(PORT, SPEED)}
    )
    found = condition(stage, watchman)
    assert found.state == "degraded"
    assert found.checks[0] == Check("in service", "yes", "no", ok=False)


def test_what_was_replaced_below_is_not_asked(stage: Stage) -> None:
    with stage.begin() as tx:
        inventory.end(tx, ref=ref("route", BT), now=SINCE + timedelta(days=1))
    assert condition(stage, Watchman({PORT: told(PORT, SPEED)})).state == "active"
    with stage.begin() as tx:
        inventory.end(tx, ref=ref("port"), now=SINCE + timedelta(days=1))
    found = condition(stage, Watchman())
    assert (found.state, found.measured) == ("degraded", False)


def test_an_ended_holding_has_ended_whatever_is_below(stage: Stage) -> None:
    with stage.begin() as tx:
        inventory.end(tx, ref=ref("trunk"), now=SINCE + timedelta(days=1))
    assert condition(stage, Watchman()).state == "ended"


def test_of_what_we_hold_its_seller_says(stage: Stage) -> None:
    watchman = Watchman({ROUTE: told(ROUTE, SLOW)})
    assert condition(stage, watchman, ref("route", BT)) == told(ROUTE, SLOW)


def test_what_nobody_holds_is_not_there(stage: Stage) -> None:
    with pytest.raises(NotFound, match="holding-unknown"):
        condition(stage, Watchman(), ref("no-such"))


def test_what_stands_on_nothing_is_never_measured(stage: Stage) -> None:
    stage.enter(holding(ref("plain"), SHOP))
    assert condition(stage, Watchman(), ref("plain")) == Condition(
        HoldingId("hld_plain"), "active", (), measured=False
    )


def test_checks_of_one_name_are_one() -> None:
    below = [told(ROUTE, SPEED, LOSS), told(PORT, SLOW), told(PORT, SPEED)]
    assert rules.combined(ROUTE, below, stands=True).checks == (SLOW, LOSS)
