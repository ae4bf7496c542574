"""Trunks on Kamailio and rtpengine: calls get through, are refused, recorded, and none is lost."""

from __future__ import annotations

import base64
import json
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from hansa.drivers.connectivity import driver as connectivity
from hansa.drivers.contract import Change, Intent
from hansa.drivers.lab import plan, register
from hansa.drivers.lab.box import Lab
from hansa.drivers.voice import calls, config, orders, sbc
from hansa.drivers.voice.driver import VoiceTrunks, make
from hansa.drivers.voice.intent import Destination, Way
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.readings import Check
from hansa.foundation.time import Period, SystemClock
from hansa.foundation.transaction import Begin
from tests.lab.conftest import needs
from tests.lab.phones import CALLED, SITE, Customer, losing_the_first, order
from tests.lifecycle.usage.counter import Counter, told

pytestmark = needs("voice")

CHEAP, DEAR = "carrier-b", "carrier-a"
"""Of the ways to +44."""

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EVER = Period(datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def driver(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> VoiceTrunks:
    return make(lab, tmp_path_factory.mktemp("driver"))


@pytest.fixture(scope="module")
def acme(lab: Lab, driver: VoiceTrunks) -> Customer:
    return Customer(lab, driver, order("hld_acme", "acme"))


@pytest.fixture(autouse=True)
def as_ordered(acme: Customer) -> None:
    """Whatever a test has broken or stopped, the next finds it as it was ordered."""
    acme.driver.bring(acme.intent)


@pytest.fixture(scope="module", autouse=True)
def cut_off(lab: Lab, driver: VoiceTrunks) -> Customer:
    """One whose line is cut in the middle of a call; while that is found out, other tests run."""
    customer = Customer(lab, driver, order("hld_cut", "cut"))
    soon = replace(customer.controller, misses=1)
    sbc.apply(customer.box, soon, [customer.trunk], key=customer.box.read("voice/stir.pem") or "")
    customer.cut_off()
    return customer


def with_ways(customer: Customer, destinations: Sequence[Destination]) -> list[Change]:
    """The customer's controller with other destinations."""
    controller = replace(customer.controller, destinations=tuple(destinations))
    key = customer.box.read("voice/stir.pem") or ""
    return sbc.apply(customer.box, controller, [customer.trunk], key=key)


def wrong(driver: VoiceTrunks, intent: Intent) -> list[Check]:
    """What the buyer does not have."""
    return [one for one in driver.verify(intent) if not one.ok]


# --- calls ----------------------------------------------------------------------------------------


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_call_is_signed_carried_both_ways_and_recorded(lab: Lab, acme: Customer) -> None:
    partner = lab.box(CHEAP)
    heard = partner.path("heard.log")
    address = acme.controller.partners[1].address
    calls.take_calls(partner, address, "-trace_msg", "-message_file", heard)
    assert acme.call(held_ms=1000, media=True).answered == 1
    start, end, duration, id, trunk, calling, called, way, attest, _, rtp = acme.written()[-1]
    assert (trunk, calling, called, way, attest) == (
        "hld_acme", acme.caller, CALLED, CHEAP, "A",
    )  # fmt: skip
    assert id.endswith(f"@{acme.controller.outside}")
    assert 0.8 < float(duration) < 2
    assert datetime.fromisoformat(start) <= datetime.fromisoformat(end)
    packets = int(rtp.partition(" bytes, ")[2].partition(" ")[0])
    assert 80 <= packets <= 110, "50 a second each way"

    invite = (partner.read("heard.log") or "").partition("\n\n\n")[0].replace("\r", "")
    assert f"c=IN IP4 {acme.controller.outside}" in invite
    assert f"c=IN IP4 {acme.address}" not in invite
    assert "X-Trunk" not in invite
    token = invite.partition("Identity: ")[2].partition(";")[0]
    head, payload, signature = token.split(".")
    assert json.loads(decoded(head)) == {
        "alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": acme.controller.certificate,
    }  # fmt: skip
    says = json.loads(decoded(payload))
    assert (says["attest"], says["orig"], says["dest"]) == (
        "A", {"tn": acme.caller[1:]}, {"tn": [CALLED[1:]]},
    )  # fmt: skip
    made = serialization.load_pem_private_key(
        (acme.box.read("voice/stir.pem") or "").encode(), None
    )
    assert isinstance(made, ec.EllipticCurvePrivateKey)
    raw = decoded(signature)
    der = utils.encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )
    made.public_key().verify(der, f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("called", "caller", "code"),
    [
        ("0115550001", "", 484),
        ("+27115", "", 484),
        ("+4420794600011234", "", 484),
        (CALLED, "+4989111222", 403),
        (CALLED, "anonymous", 403),
    ],
)
def test_what_a_trunk_may_not_is_refused(
    acme: Customer, called: str, caller: str, code: int
) -> None:
    before = len(acme.written())
    assert acme.call(called, caller).refused == (code,)
    assert len(acme.written()) == before


def test_foreign_callers_may_be_shown_where_that_was_ordered_and_are_not_vouched_for(
    acme: Customer,
) -> None:
    acme.driver.bring(order("hld_acme", "acme", callers="any"))
    assert acme.call(caller="+4989111222").answered == 1
    assert acme.written()[-1][8] == "B"
    assert acme.call(caller="anonymous").refused == (403,)


def test_whoever_has_no_trunk_is_refused(lab: Lab, acme: Customer) -> None:
    stranger = lab.box("stranger")
    address = IPv4Address("10.60.0.9")
    acme.cable(stranger, address, "stranger")
    tried = calls.call(stranger, source=address, at=plan.SBC, caller=acme.caller, called=CALLED)
    assert tried.refused == (403,)
    assert not calls.answers(stranger, source=address, at=plan.SBC)
    assert calls.answers(acme.host, source=acme.address, at=plan.SBC)


def test_where_no_way_leads_is_not_found(acme: Customer) -> None:
    with_ways(acme, [Destination("+44", (Way(CHEAP, 1),))])
    assert acme.call("+8112345678").refused == (404,)
    assert acme.call().answered == 1


def test_channels_are_as_many_as_were_ordered(acme: Customer) -> None:
    tried = acme.call(count=9, rate=200, held_ms=1500)
    assert (tried.answered, tried.refused) == (3, (503,))
    assert acme.call(count=3, rate=200).answered == 3, "they are free again"


def test_who_was_refused_and_asks_again_is_refused_though_a_channel_is_free(
    acme: Customer,
) -> None:
    acme.driver.bring(order("hld_acme", "acme", channels=1))
    with acme.on_the_phone(1000):
        assert acme.invite() == 503
    acme.written()
    assert acme.invite() == 503
    assert acme.calls() == []
    assert acme.call().answered == 1


def test_a_partner_that_is_dead_is_left_out(lab: Lab, acme: Customer) -> None:
    lab.box(CHEAP).stop(calls.PARTNER)
    start = time.monotonic()
    assert acme.call().answered == 1
    assert time.monotonic() - start > 1.9, "it was waited for"
    start = time.monotonic()
    assert acme.call().answered == 1
    assert time.monotonic() - start < 1.9, "it was not asked again"
    assert [one[7] for one in acme.written()[-2:]] == [DEAR, DEAR]
    lab.box(DEAR).stop(calls.PARTNER)
    assert acme.call().refused == (502,)
    sbc.ask(acme.box, ("lcr.reload",))  # asks again those that were to be left alone


def test_calls_at_200_a_second_are_all_recorded_and_taken_in_as_usage(
    lab: Lab, driver: VoiceTrunks, begin: Begin, tmp_path: Path
) -> None:
    busy = Customer(lab, driver, order("hld_busy", "busy", channels=500))
    for _ in range(3):  # a machine with other work may be too slow for some of the calls
        before = len(busy.written())
        answered = busy.call(count=1000, rate=200, held_ms=300, timeout_s=40).answered
        assert len(busy.written()) - before >= answered, "none is lost, however busy it is"
        if answered == 1000:
            break
    assert answered == 1000
    assert len(busy.written()) - before == 1000
    assert driver.take_over(now=SystemClock().now()) > 0
    assert driver.take_over(now=SystemClock().now()) == 0
    files = sorted(driver.records.glob("*.log"))
    ended = datetime.fromisoformat(max(one[1] for one in busy.written())).replace(tzinfo=UTC)
    counter = Counter(begin, tmp_path / "node", tmp_path / "desk", now=ended + timedelta(minutes=1))
    taken = [told(counter.take(one.read_bytes(), one.name, "kamailio")) for one in files]
    assert sum(rows for rows, *_ in taken) >= len(busy.written())
    for rows, events, quarantined, duplicate in taken:
        assert (events, quarantined, duplicate) == (rows, 0, 0)
    assert len(driver.readings("hld_busy", EVER)) == len(busy.written())
    before = len(busy.written())
    with busy.on_the_phone(14_000, count=300):
        driver.teardown("hld_busy", now=NOW)
    assert len(driver.readings("hld_busy", EVER)) == before + 300, "all were hung up and recorded"


@needs("connectivity")
def test_a_phone_whose_goodbye_is_lost_says_it_again(acme: Customer) -> None:
    before = len(acme.written())
    with losing_the_first(acme.box, "ACK", "BYE"):
        assert acme.call(held_ms=300).answered == 1
    assert len(acme.written()) == before + 1, "the answer asked again was not taken for its end"


# --- what is and what should be -------------------------------------------------------------------


def test_a_second_apply_changes_nothing(acme: Customer) -> None:
    assert acme.driver.bring(acme.intent) == []
    assert acme.wrong() == ()


def test_drift_is_seen_and_repaired_as_just_that(acme: Customer) -> None:
    sbc.ask(acme.box, ("htable.seti", "trunk", "hld_acme::channels", 99))
    observed = acme.driver.observe("hld_acme")
    assert list(acme.driver.plan(acme.intent, observed)) == [Change("channels", 99, 3)]
    assert [one.check for one in wrong(acme.driver, acme.intent)] == ["channels"]
    assert acme.driver.bring(acme.intent) == [Change("trunks", "differs", "as wanted")]

    sbc.ask(acme.box, ("htable.sets", "trunk", "hld_acme::callers", "any"))
    observed = acme.driver.observe("hld_acme")
    assert list(acme.driver.plan(acme.intent, observed)) == [Change("differs", "trunks", None)]
    assert acme.driver.bring(acme.intent) == [Change("trunks", "differs", "as wanted")]

    peers = acme.box.read("voice/peers.list") or ""
    acme.box.write("voice/peers.list", f"{peers}1 10.66.0.0 16 0 hld_acme\n")
    sbc.ask(acme.box, ("permissions.addressReload",))
    observed = acme.driver.observe("hld_acme")
    assert list(acme.driver.plan(acme.intent, observed)) == [Change("differs", "peers", None)]
    assert acme.driver.bring(acme.intent) == [
        Change("file peers.list", None, "written"),
        Change("peers", "differs", "as wanted"),
    ]
    assert acme.driver.bring(acme.intent) == []


def test_a_daemon_that_dies_is_seen_and_brought_back(acme: Customer) -> None:
    acme.box.signal(sbc.MEDIA, signal.SIGKILL)
    acme.box.wait(lambda: not acme.box.runs(sbc.MEDIA), what="its death")
    assert acme.call().refused == (503,), "no call without media"
    observed = acme.driver.observe("hld_acme")
    assert list(acme.driver.plan(acme.intent, observed)) == [Change("channels", 0, 3)]
    acme.driver.bring(acme.intent)
    assert acme.call().answered == 1

    acme.box.signal(sbc.SIGNALLING, signal.SIGKILL)
    acme.box.wait(lambda: not acme.box.runs(sbc.SIGNALLING), what="its death")
    observed = acme.driver.observe("hld_acme")
    assert list(acme.driver.plan(acme.intent, observed)) == [Change("channels", 0, 3)]
    assert [one for one in acme.driver.bring(acme.intent) if one.what != "media"] == [
        Change(sbc.SIGNALLING, None, "started")
    ], "and it may have to be told that there is media"
    assert acme.call().answered == 1


def test_another_way_is_taken_while_calls_go_on(acme: Customer) -> None:
    with acme.on_the_phone(4000) as told:
        changes = with_ways(acme, [Destination("+", (Way(DEAR, 1),))])
        assert [one.what for one in changes][-1] == "destinations"
        assert sbc.SIGNALLING not in [one.what for one in changes]
        acme.driver.bring(order("hld_acme", "acme", channels=4))
        assert len(acme.calls()) == 1
    assert told[0].answered == 1
    longest = max(acme.written()[-2:], key=lambda one: float(one[2]))
    assert float(longest[2]) > 3.5
    with_ways(acme, [Destination("+", (Way(DEAR, 1),))])
    assert acme.call().answered == 1
    assert acme.written()[-1][7] == DEAR


def test_a_configuration_is_checked_before_anything_is_touched(
    acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = acme.box.read("voice/kamailio.cfg")
    monkeypatch.setattr(config, "render", lambda *_, **__: "request_route { nonsense }\n")
    with pytest.raises(TryLater, match=r"device-failed.*kamailio -c"):
        acme.driver.bring(order("hld_acme", "acme", channels=4))
    assert acme.box.read("voice/kamailio.cfg") == before
    assert acme.call().answered == 1


class DyingLab(Lab):
    """Ends whoever uses it before it does one thing: an operation, and a word in what it is of."""

    at: tuple[str, str] | None = None

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        if self.at is not None and do == self.at[0] and self.at[1] in str(what):
            raise KeyboardInterrupt
        return super().ask(do, **what)


def test_whatever_is_killed_in_the_middle_the_next_apply_converges(
    lab: Lab, driver: VoiceTrunks
) -> None:
    intent = order("hld_hurt", "hurt")
    dying = DyingLab(lab.folder)
    hurt = VoiceTrunks(dying, driver.records.parent)
    for made_at, taken_at in (
        (("write", "hld_hurt"), ("write", "tables/trunk")),
        (("write", "tables/trunk"), ("exchange", "rpc.sock")),
        (("start", sbc.MEDIA), ("stop", sbc.MEDIA)),
        (("start", sbc.SIGNALLING), ("remove", "stir.pem")),
        (("exchange", "rpc.sock"), ("remove", "hld_hurt")),
    ):
        dying.at = made_at
        with pytest.raises(KeyboardInterrupt):
            hurt.bring(intent)
        driver.bring(intent)
        assert wrong(driver, intent) == []
        dying.at = taken_at
        with pytest.raises(KeyboardInterrupt):
            hurt.teardown(intent.service, now=NOW)
        driver.teardown(intent.service, now=NOW)
        assert driver.observe(intent.service) is None
        assert not any(lab.boxes()[plan.network(lab, "hurt").box].values())


# --- customers beside each other ------------------------------------------------------------------


def test_customers_with_the_same_addresses_have_trunks_of_their_own(
    lab: Lab, driver: VoiceTrunks, acme: Customer
) -> None:
    apex = Customer(lab, driver, order("hld_apex", "apex", channels=2))
    assert apex.address == acme.address
    assert apex.caller != acme.caller
    before = len(acme.written())
    assert apex.call().answered == 1
    assert apex.call(caller=acme.caller).refused == (403,), "numbers are their customer's"
    assert [one[4] for one in apex.written()] == ["hld_apex"]
    assert len(acme.written()) == before
    with acme.on_the_phone(3000):
        assert apex.call(count=2, rate=100).answered == 2, "channels are their customer's"
    driver.teardown("hld_apex", now=NOW)
    assert driver.observe("hld_apex") is None
    assert acme.wrong() == ()


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"numbers": "+2755500xxxxx"}, "number-taken", "numbers[0]"),
        ({"numbers": "2711"}, "range-invalid", "numbers"),
        ({"channels": 2_001}, "trunk-invalid", "channels"),
        ({"callers": "all"}, "trunk-invalid", "callers"),
        ({"colour": "red"}, "trunk-invalid", "colour"),
        ({"network": "acme"}, "source-taken", "sources[0]"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_touched(
    lab: Lab, driver: VoiceTrunks, acme: Customer, more: dict[str, Any], code: str, field: str
) -> None:
    assert acme.trunk.numbers[0].prefix.startswith("+2755500")
    wanted = order("hld_other", "elsewhere")
    wanted = replace(wanted, characteristics={**wanted.characteristics, **more})
    boxes = lab.boxes()
    with pytest.raises(Refused) as refused:
        driver.bring(wanted)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert lab.boxes() == boxes
    assert register.get(lab, "voice", "hld_other") is None
    assert acme.wrong() == ()


def test_a_trunk_without_a_site_is_its_whole_networks(lab: Lab, driver: VoiceTrunks) -> None:
    intent = Intent("hld_all", "voice", "trunk", None, {"channels": 2, "quantity": 3})
    driver.bring(intent)
    observed = driver.observe("hld_all")
    assert observed is not None
    assert dict(observed.characteristics) == {"channels": 2, "quantity": 3}
    assert wrong(driver, intent) == []
    box = lab.box(plan.network(lab, "hld_all").box)
    assert sbc.observe(box).loaded.trunks["hld_all::channels"] == 6  # type: ignore[union-attr]
    driver.teardown("hld_all", now=NOW)


@needs("connectivity")
def test_a_call_goes_through_the_tunnel_of_a_site(
    lab: Lab, driver: VoiceTrunks, tmp_path: Path
) -> None:
    lines = connectivity.make(lab, tmp_path)
    line = Intent("hld_line", "connectivity", "line", SITE, {"speed_mbps": 20, "network": 7})
    lines.apply(line, now=NOW)
    trunk = Intent("hld_far", "voice", "trunk", None, {"channels": 2, "network": 7})
    driver.bring(trunk)
    site = plan.site_name(SITE)
    network, own = plan.network(lab, "7"), f"{site}, 7"
    place = plan.place(lab, network, site=site, spot=own, country=SITE.country)
    tried = calls.call(
        lab.box(place.host),
        source=place.host_address,
        at=plan.SBC,
        caller=orders.trunk(lab, orders.made(trunk)).numbers[0].first,
        called=CALLED,
        held_ms=1000,
        media=True,
    )
    assert tried.answered == 1
    driver.teardown("hld_far", now=NOW)
    lines.teardown("hld_line", now=NOW)
    assert len(driver.readings("hld_far", EVER)) == 1


# --- what was consumed ----------------------------------------------------------------------------


def test_the_meter_tells_calls_for_ever_and_no_tries(lab: Lab, driver: VoiceTrunks) -> None:
    gone = Customer(lab, driver, order("hld_gone", "gone"))
    assert list(driver.readings("hld_gone", EVER)) == []
    assert wrong(driver, gone.intent) == [], "with a call that is not recorded"
    assert gone.call(count=2).answered == 2
    first = driver.readings("hld_gone", EVER)
    assert [(one.calling, one.called, one.duration_s) for one in first] == [  # type: ignore[union-attr]
        (gone.caller, CALLED, 1)
    ] * 2
    with gone.on_the_phone(8000) as told:
        with pytest.raises(TryLater, match="calls-in-progress"):
            driver.readings("hld_gone", EVER)
        driver.teardown("hld_gone", now=SystemClock().now())
        assert not lab.box(gone.box.name).runs(sbc.SIGNALLING)
    assert told[0].answered == 0, "hung up in the middle"
    readings = driver.readings("hld_gone", EVER)
    assert readings[:2] == first
    assert len(readings) == 3, "and recorded all the same"
    again = make(lab, driver.records.parent)
    assert again.readings("hld_gone", EVER) == readings
    away = make(Lab(lab.folder / "away"), driver.records.parent)
    assert away.readings("hld_gone", EVER) == readings
    middle = readings[2].answered_at  # type: ignore[union-attr]
    halves = (Period(EVER.start, middle), Period(middle, EVER.end))
    assert readings == tuple(one for half in halves for one in driver.readings("hld_gone", half))


# --- secrets and doors ----------------------------------------------------------------------------


def test_secrets_are_their_owners_alone_and_intents_only_name_them(acme: Customer) -> None:
    key = acme.box.read("voice/stir.pem") or ""
    (kept,) = (acme.driver.records.parent / "secrets").iterdir()
    assert kept.read_text() == key
    assert kept.stat().st_mode & 0o777 == 0o600
    told = acme.box.run("stat", "-c", "%a", *map(acme.box.path, ("voice", "voice/stir.pem")))
    assert told.split() == ["700", "600"]
    assert acme.box.run("stat", "-c", "%a", acme.box.path("voice/rpc.sock")).strip() == "600"
    assert "PRIVATE" not in repr(acme.controller)
    assert "PRIVATE" not in str(register.get(acme.lab, "voice", "hld_acme"))


def test_nothing_listens_outside_of_the_lab(acme: Customer) -> None:
    inside = acme.box.run("ss", "-Hlnu", "sport = :5060 or sport = :2223")
    assert len(inside.splitlines()) == 3, "inside it does"
    for table in ("udp", "udp6", "tcp", "tcp6"):
        file = Path("/proc/net") / table
        lines = file.read_text().splitlines()[1:] if file.exists() else []
        ports = {int(one.split()[1].rpartition(":")[2], 16) for one in lines}
        assert not ports & {5060, 2223}
    assert "rpc.sock" not in Path("/proc/net/unix").read_text()


def test_a_call_whose_end_nobody_tells_ends_with_one_record(cut_off: Customer) -> None:
    cut_off.box.wait(lambda: not cut_off.calls(), what="its end", timeout_s=120)
    assert len(cut_off.written()) == 1
    (reading,) = cut_off.driver.readings("hld_cut", EVER)
    assert reading.duration_s > 30  # type: ignore[union-attr]
