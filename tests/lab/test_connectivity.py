"""A packet crosses at the sold speed, survives a dead line, and never meets another customer's."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hansa.drivers.connectivity import driver, orders, services
from hansa.drivers.contract import Intent
from hansa.drivers.gear.make import known
from hansa.drivers.gear.render import render
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Box, Lab
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.site import Site
from hansa.foundation.time import Period
from tests.lab.conftest import needs
from tests.lab.sites import (
    BEST_EFFORT,
    EF,
    JHB,
    LON,
    Acme,
    in_band,
    later,
    loading,
    lost,
    pinging,
    reaches,
    silence_s,
    throughput_mbps,
    vpn,
    waiting_ms,
)

pytestmark = needs("connectivity")

FULL = 100


@pytest.fixture(scope="module")
def acme(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Acme:
    made = Acme(
        lab,
        driver.make(lab, tmp_path_factory.mktemp("driver")),
        vpn("hld_lines", JHB, "acme", "access", speed_mbps=FULL, lines=2),
        vpn("hld_jhb", JHB, "acme", "vpn", lines=2, classes="ef:20"),
        vpn("hld_lon", LON, "acme", speed_mbps=FULL),
    )
    for intent in (made.lines, made.jhb, made.lon):
        made.bring(intent)
    return made


@pytest.fixture(autouse=True)
def as_ordered(acme: Acme, request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test that failed has left is put right for those after it."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        for intent in (acme.lines, acme.jhb, acme.lon):
            acme.bring(intent)


# --- as sold --------------------------------------------------------------------------------------


def test_sites_of_a_network_reach_each_other_by_both_protocols(acme: Acme) -> None:
    host, other = acme.host(acme.jhb), acme.place(acme.lon)
    host.wait(lambda: reaches(host, other.host_address), what="London", timeout_s=5)
    assert reaches(host, other.host_address6)
    assert reaches(host, orders.POP_ADDRESS)
    assert acme.is_well(acme.lines)
    assert acme.is_well(acme.jhb)
    assert acme.is_well(acme.lon)


@pytest.fixture(params=[20, FULL])
def sold_mbps(acme: Acme, request: pytest.FixtureRequest) -> Iterator[int]:
    """What the site has: a fifth of its line, and all of it."""
    speed: int = request.param
    acme.bring(faster(acme.jhb, speed))
    yield speed
    acme.bring(acme.jhb)


def faster(intent: Intent, speed_mbps: int) -> Intent:
    return replace(intent, characteristics={**intent.characteristics, "speed_mbps": speed_mbps})


@pytest.mark.parametrize("way", [(), ("-R",)])
def test_what_is_sold_is_what_is_carried(acme: Acme, sold_mbps: int, way: tuple[str, ...]) -> None:
    host, other = acme.host(acme.jhb), acme.host(acme.lon)
    target = acme.place(acme.lon).host_address
    in_band(lambda: throughput_mbps(host, other, target, *way), sold_mbps)


def test_a_call_does_not_wait_behind_a_full_line(acme: Acme, sold_mbps: int) -> None:
    host, other, target = (
        acme.host(acme.jhb),
        acme.host(acme.lon),
        acme.place(acme.lon).host_address,
    )
    if sold_mbps == FULL:  # the line alone: four tunnels' ends would fill the processor before it
        other, target = acme.lab.box(acme.site(acme.jhb).network), orders.POP_ADDRESS
    best = dict.fromkeys((EF, BEST_EFFORT), 1e9)
    with loading(host, other, target, sold_mbps):
        for _ in range(3):
            for mark in best:
                best[mark] = min(best[mark], waiting_ms(host, target, mark))
    assert best[EF] < 10, best
    assert best[EF] < best[BEST_EFFORT] / 2, best


def test_a_speed_is_changed_without_a_packet_lost(acme: Acme) -> None:
    host, target = acme.host(acme.jhb), acme.place(acme.lon).host_address
    more = faster(acme.jhb, 40)
    with pinging(host, target) as end:
        for intent in (more, acme.jhb, more):
            changes = acme.bring(intent)
            assert changes
            assert {one.what.split()[2] for one in changes} <= {"class", "queue"}
        said = end()
    assert lost(said) == 0, said[-200:]
    in_band(lambda: throughput_mbps(host, acme.host(acme.lon), target), 40)
    acme.bring(acme.jhb)


def test_a_line_that_dies_silently_is_missed_for_less_than_half_a_second(acme: Acme) -> None:
    host, target = acme.host(acme.jhb), acme.place(acme.lon).host_address
    operator = acme.lab.box(acme.place(acme.jhb).spot.access)
    way = plan.underlay(acme.lab, acme.place(acme.jhb).spot, 1).tunnel
    with pinging(host, target) as end:
        time.sleep(0.3)
        operator.run("ip", "link", "set", "dev", way, "down")
        time.sleep(1.5)
        said = end()
    assert silence_s(said) < 0.5, said[-2000:]
    assert reaches(host, target), "over the other line"
    failed = [check.check for check in acme.driver.verify(acme.jhb) if not check.ok]
    assert failed == ["routes exchanged over line 1"]
    changes = acme.bring(acme.lines)
    assert [(one.what, one.becomes) for one in changes] == [(f"{operator.name} {way}", "br1")]
    acme.heals(acme.jhb)


# --- apart ----------------------------------------------------------------------------------------


def test_customers_with_the_same_addresses_do_not_meet(acme: Acme) -> None:
    sites = (replace(site, name=f"Apex {site.name}") for site in (JHB, LON))
    apex_jhb, apex_lon = (vpn(f"hld_apex_{site.id}", site, "apex") for site in sites)
    for intent in (apex_jhb, apex_lon):
        acme.bring(intent)
    assert acme.place(apex_lon).lan == acme.place(acme.lon).lan
    target = acme.place(acme.lon).host_address
    assert acme.host(acme.lon).name != acme.host(apex_lon).name
    for mine, theirs in ((acme.lon, apex_lon), (apex_lon, acme.lon)):
        with heard(acme.host(mine)) as mine_heard, heard(acme.host(theirs)) as theirs_heard:
            source = acme.jhb if mine is acme.lon else apex_jhb
            assert acme.host(source).try_run("ping", "-c3", "-i0.1", "-W1", str(target)).ok
            assert mine_heard() == 3
            assert theirs_heard() == 0
    acme.driver.teardown(apex_lon.service, now=later())
    assert not reaches(acme.host(apex_jhb), target)
    assert reaches(acme.host(acme.jhb), target)
    acme.driver.teardown(apex_jhb.service, now=later())


@contextmanager
def heard(box: Box) -> Iterator[Callable[[], int]]:
    """How many echo requests a host has got since."""

    def counted() -> int:
        told = box.run("nft", "-j", "list", "counters")
        return int(re.findall(r'"packets": (\d+)', told)[0])

    box.run(
        *("nft", "-f", "-"),
        input="table ip heard { counter pings { }\nchain in { type filter hook input priority 0\n"
        "icmp type echo-request counter name pings\n}\n}\n",
    )
    yield counted
    box.run("nft", "delete", "table", "ip", "heard")


def test_a_site_cannot_draw_anothers_traffic_to_itself(acme: Acme) -> None:
    router, other = acme.router(acme.jhb), acme.place(acme.lon)
    said = router.read("bird.conf")
    assert said is not None
    theirs = f"{other.lan[0]}/25"
    router.write("bird.conf", said.replace("  ipv4;\n", f"  ipv4;\n  route {theirs} blackhole;\n"))
    router.run("birdc", "-s", router.path("bird.ctl"), "configure")
    network = acme.lab.box(acme.site(acme.jhb).network)

    def routes(*more: str) -> str:
        return network.try_run(
            "birdc", "-s", network.path("bird.ctl"), "show", "route", theirs, *more
        ).out

    network.wait(lambda: "t1n" in routes("filtered"), what="the announcement", timeout_s=5)
    assert "t1n" not in routes()
    assert reaches(acme.host(acme.lon), acme.place(acme.jhb).host_address)
    assert [one.what for one in acme.bring(acme.jhb)] == [f"{router.name} bird.conf"]
    acme.heals(acme.jhb)


def test_one_site_ceased_is_no_event_for_the_others(acme: Acme) -> None:
    paris = vpn("hld_paris", Site("par", "Shop", "FR", "Paris"), "acme")
    acme.bring(paris)
    host, london = acme.host(paris), acme.place(acme.lon).host_address
    host.wait(lambda: reaches(host, london), what="London", timeout_s=5)
    with pinging(acme.host(acme.jhb), acme.place(acme.lon).host_address) as end:
        acme.driver.teardown(paris.service, now=later())
        said = end()
    assert lost(said) == 0, said[-200:]
    assert acme.bring(acme.jhb) == acme.bring(acme.lon) == []


# --- kept so --------------------------------------------------------------------------------------


def test_a_second_apply_changes_nothing(acme: Acme) -> None:
    for intent in (acme.lines, acme.jhb, acme.lon):
        assert acme.bring(intent) == []
        observed = acme.driver.observe(intent.service)
        assert observed is not None
        assert acme.driver.plan(intent, observed) == []


def peer(acme: Acme) -> str:
    told = acme.lab.box("net-1").talk("/run/wireguard/t1n.sock", "get=1\n\n")
    return next(one for one in (told or "").splitlines() if one.startswith("public_key="))


Harm = tuple[str, Callable[[Acme], object], str]

HARMS: list[Harm] = [
    ("hld_jhb", lambda acme: acme.router(acme.jhb).run(
        *("tc", "class", "change", "dev", "t1r", "classid", "1:1", "htb"),
        *("rate", "99mbit", "ceil", "99mbit", "overhead", "132")),
     "cpe-1 t1r class 1:1"),
    ("hld_jhb", lambda acme: acme.router(acme.jhb).run("tc", "filter", "del", "dev", "t2r"),
     "cpe-1 t2r filters"),
    ("hld_jhb", lambda acme: acme.router(acme.jhb).run("ip", "rule", "del", "priority", "10002"),
     "cpe-1 rule 10002"),
    ("hld_jhb", lambda acme: acme.router(acme.jhb).run(
        "ip", "addr", "add", "10.99.0.1/24", "dev", "t1r"),
     "cpe-1 t1r address"),
    ("hld_jhb", lambda acme: acme.lab.box("net-1").talk(
        "/run/wireguard/t1n.sock", f"set=1\n{peer(acme)}\npersistent_keepalive_interval=77\n\n"),
     "net-1 t1n persistent_keepalive_interval"),
    ("hld_lon", lambda acme: acme.lab.box("net-1").run(
        "birdc", "-s", acme.lab.box("net-1").path("bird.ctl"), "disable", "t3n"),
     "net-1 t3n"),
    ("hld_lon", lambda acme: acme.lab.box("net-1").signal("bird", signal.SIGKILL),
     "net-1 bird"),
    ("hld_lines", lambda acme: acme.lab.box("pop").run("ip", "addr", "flush", "dev", "vx2"),
     "pop vx2 address"),
]  # fmt: skip


@pytest.mark.parametrize("harm", HARMS, ids=[expected for *_, expected in HARMS])
def test_what_was_changed_by_hand_is_put_right_and_nothing_else(acme: Acme, harm: Harm) -> None:
    service, do, expected = harm
    intent = next(one for one in (acme.lines, acme.jhb, acme.lon) if one.service == service)
    do(acme)
    acme.lab.box("net-1").wait(lambda: True, what="the harm")
    assert [one.what for one in acme.bring(intent)] == [expected]
    assert acme.bring(intent) == []
    acme.heals(intent)


def test_a_daemon_that_dies_is_missed_and_brought_back(acme: Acme) -> None:
    router = acme.router(acme.lon)
    assert router.signal("t3r", signal.SIGKILL)
    router.wait(lambda: not router.runs("t3r"), what="its death")
    observed = acme.driver.observe(acme.lon.service)
    assert observed is not None
    assert "t3r in cpe-2 does not run" in str(observed.characteristics["fault"])
    assert "fault" in {one.what for one in acme.driver.plan(acme.lon, observed)}
    assert not acme.is_well(acme.lon)
    assert acme.bring(acme.lon)
    acme.heals(acme.lon)
    assert reaches(acme.host(acme.jhb), acme.place(acme.lon).host_address)


# --- ordered together -----------------------------------------------------------------------------


def test_a_network_waits_for_the_line_under_it(acme: Acme) -> None:
    early = vpn("hld_early", Site("ear", "", "ZA", ""), "acme", "vpn")
    with pytest.raises(TryLater, match="line-missing"):
        acme.bring(early)
    line = replace(early, service="hld_early_line", technology="access")
    acme.bring(line)
    acme.bring(early)
    assert acme.is_well(early)
    with pytest.raises(Refused, match="speed-above-line") as refused:
        acme.bring(faster(early, 21))
    assert refused.value.field == "speed_mbps"
    assert acme.bring(early) == []
    for one in (early, line):
        acme.driver.teardown(one.service, now=later())


@needs("ipsec")
def test_ipsec_carries_a_site_as_well(acme: Acme) -> None:
    intent = vpn("hld_ipsec", Site("ips", "", "ZA", ""), "acme", lines=2, tunnel="ipsec")
    acme.bring(intent)
    host, other = acme.host(intent), acme.place(acme.lon)
    assert acme.is_well(intent), acme.driver.verify(intent)
    assert acme.bring(intent) == []
    assert "tunnel mode ipsec" in render(acme.site(intent), known("ios-xe")).configure
    assert reaches(host, other.host_address6)
    in_band(lambda: throughput_mbps(host, acme.host(acme.lon), other.host_address), 20)
    first = plan.underlay(acme.lab, acme.place(intent).spot, 1)
    with pinging(host, other.host_address) as end:
        time.sleep(0.3)
        acme.lab.box(acme.place(intent).spot.access).run("ip", "link", "set", first.tunnel, "down")
        time.sleep(1.5)
        said = end()
    assert silence_s(said) < 0.5, said[-2000:]
    acme.bring(intent)
    acme.heals(intent)
    assert acme.router(intent).signal("charon", signal.SIGKILL)
    acme.router(intent).wait(lambda: not acme.router(intent).runs("charon"), what="its death")
    assert not acme.is_well(intent)
    acme.bring(intent)
    acme.heals(intent)
    other_kind = {**intent.characteristics, "tunnel": "wireguard"}
    acme.bring(replace(intent, characteristics=other_kind))
    acme.heals(replace(intent, characteristics=other_kind))
    assert not acme.router(intent).runs("charon")
    acme.driver.teardown(intent.service, now=later())
    assert acme.is_well(acme.lon)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("prefixes", "10.50.2.128/25", "prefix-overlaps"),
        ("prefixes", "203.0.113.0/24", "prefix-reserved"),
        ("classes", "gold:10", "class-unknown"),
        ("lines", 3, "network-cannot"),
        ("tunnel", "pigeon", "tunnel-unknown"),
    ],
)
def test_what_cannot_be_leaves_no_trace(acme: Acme, name: str, value: int | str, code: str) -> None:
    intent = vpn("hld_bad", Site("bad", "", "ZA", ""), "acme")
    intent = replace(intent, characteristics={**intent.characteristics, name: value})
    boxes = set(acme.lab.boxes())
    with pytest.raises(Refused, match=code):
        acme.bring(intent)
    assert acme.driver.observe("hld_bad") is None
    assert set(acme.lab.boxes()) == boxes


def test_a_site_is_joined_to_a_network_once(acme: Acme) -> None:
    with pytest.raises(Refused, match="site-joined"):
        acme.bring(replace(acme.lon, service="hld_lon_again"))
    with pytest.raises(Refused, match="lines-number"):
        acme.bring(replace(acme.lines, service="hld_third_line"))


def test_lines_of_two_operators_lie_side_by_side_at_a_site(acme: Acme) -> None:
    site = Site("two", "", "ZA", "")
    one = vpn("hld_line_a", site, "acme", "access")
    other = replace(one, service="hld_line_b")
    for line in (one, other):
        acme.bring(line)
        assert acme.is_well(line)
    assert acme.bring(one) == acme.bring(other) == []
    acme.driver.teardown(one.service, now=later())
    assert acme.is_well(other)
    acme.driver.teardown(other.service, now=later())


def test_a_site_that_gives_up_its_second_line_loses_that_alone(acme: Acme) -> None:
    intent = vpn("hld_fewer", Site("few", "", "ZA", ""), "acme", lines=2)
    acme.bring(intent)
    fewer = replace(intent, characteristics={**intent.characteristics, "lines": 1})
    with pinging(acme.host(intent), orders.POP_ADDRESS) as end:
        acme.bring(fewer)
        said = end()
    assert lost(said) == 0, said[-200:]
    assert acme.bring(fewer) == []
    second = plan.underlay(acme.lab, acme.place(intent).spot, 2)
    assert f"t{second.number}r" not in acme.router(intent).run("ip", "-br", "link")
    assert second.tunnel not in acme.lab.box(plan.POP).run("ip", "-br", "link")
    acme.driver.teardown(intent.service, now=later())


# --- told of it -----------------------------------------------------------------------------------


def test_a_round_of_probing_tells_each_class_and_a_dead_site(acme: Acme) -> None:
    told = {
        (one.class_, one.name): one.value
        for one in acme.driver.samples(acme.jhb.service, now=later())
    }
    assert told["", "available"] == 1
    for class_ in ("ef", "best-effort"):
        assert 0 < told[class_, "rtt_us"] < 50_000
        assert 0 <= told[class_, "jitter_us"] < 50_000
        assert told[class_, "loss_ppm"] < 100_000
    access = acme.driver.samples(acme.lines.service, now=later())
    assert {one.name for one in access} == {"available", "rtt_us", "jitter_us", "loss_ppm"}
    router = acme.router(acme.lon)
    router.run("ip", "link", "set", "dev", "wan1", "down")
    dead = acme.driver.samples(acme.lon.service, now=later())
    assert {(one.name, one.value) for one in dead} == {("available", 0), ("loss_ppm", 1_000_000)}
    acme.bring(acme.lon)
    acme.heals(acme.lon)
    assert acme.driver.samples("hld_nobody", now=later()) == ()


def test_what_was_carried_is_counted_in_its_five_minutes(acme: Acme) -> None:
    day = datetime(2026, 12, 1, tzinfo=UTC)
    host, target = acme.host(acme.lon), orders.POP_ADDRESS
    acme.driver.count(acme.lon.service, now=day)
    host.run("ping", "-q", "-c", "100", "-i", "0.002", "-s", "1000", str(target))
    acme.driver.count(acme.lon.service, now=day + timedelta(minutes=5))
    acme.driver.count(acme.lon.service, now=day + timedelta(days=1))
    (told,) = acme.driver.readings(acme.lon.service, Period(day, day + timedelta(days=1)))
    assert told.octets_in[0] is not None
    assert told.octets_out[0] is not None
    assert 100 * 1028 <= told.octets_in[0] < 100 * 1028 + 50_000
    assert 100 * 1028 <= told.octets_out[0] < 100 * 1028 + 50_000
    assert set(told.octets_in[1:]) == {None}, "nobody looked"


# --- many: the last, for they stay until the lab goes ---------------------------------------------


def test_twenty_sites_are_up_in_seconds(acme: Acme) -> None:
    intents = [
        vpn(f"hld_many_{at}", Site(f"shop-{at}", f"Shop {at}", "KE", "Nairobi"), "many")
        for at in range(20)
    ]
    for intent in intents:  # the sites and their boxes are there before anybody orders
        services.furnish(acme.lab, driver.made(intent))
    start = time.monotonic()
    acme.driver.apply_all(intents, now=later())
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert time.monotonic() - start < 8 * crowd, "as much longer as others hold the machine"
    first, last = (acme.place(intents[at]) for at in (0, -1))
    assert reaches(acme.lab.box(first.host), last.host_address)
    assert acme.is_well(intents[7])
