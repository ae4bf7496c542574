"""Cloud security for real: what a client inside finds, and who sees what."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from hansa.drivers.lab import plan, register
from hansa.drivers.lab.box import Lab
from hansa.drivers.lab.machine import machine
from hansa.drivers.security import defaults, firewall
from hansa.drivers.security.driver import SecurityNetwork, make
from hansa.drivers.security.intent import Firewall, NameList, Policy, Rule
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from tests.lab.conftest import needs
from tests.lab.guarded import FULL, MANY, NOW, Customer, curl, ordered, pids, serve

pytestmark = needs("security")


@pytest.fixture(scope="module")
def driver(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> SecurityNetwork:
    return make(lab, tmp_path_factory.mktemp("security"))


@pytest.fixture(scope="module")
def acme(driver: SecurityNetwork) -> Customer:
    return Customer(driver, "hld_acme", FULL)


def test_a_policy_is_true_in_the_buyers_terms(acme: Customer) -> None:
    checks = {one.check: one for one in acme.driver.verify(acme.intent)}
    assert [one for one in checks.values() if not one.ok] == []
    assert {name: one.measured for name, one in checks.items() if name != "policy"} == {
        "in service": "yes",
        "seats": "40",
        "an open name: open.example": "198.51.100.80",
        "a blocked name: malware.example": "NXDOMAIN",
        "a redirected name: old.example": "198.51.100.81",
        "a denied port: other-resolvers (53)": "closed, counted 1",
        "a page through the gateway": "200",
        "a secured page through the gateway": "closed to us",
        "a blocked page through the gateway: malware.example": "403",
        "a blocked secured page through the gateway: malware.example": "ended",
        "a page to be looked into through the gateway: inspect.example": "decrypted",
        "a page by itself": "200",
        "a secured page by itself": "closed to us",
        "a blocked page by itself: malware.example": "403",
        "a blocked secured page by itself: malware.example": "ended",
        "a page to be looked into by itself: inspect.example": "decrypted",
    }
    (sample,) = acme.driver.samples("hld_acme", now=NOW)
    assert (sample.name, sample.value) == ("available", 1)
    assert acme.driver.samples("hld_nobody", now=NOW) == ()


def test_a_port_that_is_open_outside_is_closed_from_inside(acme: Customer) -> None:
    inet, pop = (acme.driver.lab.box(one) for one in (plan.INET, plan.POP))
    serve(inet, "telnet", str(plan.WEB), 23)
    assert curl(pop, f"http://{plan.WEB}:23/")[0] == "200"
    before = acme.counts("telnet")
    assert acme.visits(f"http://{plan.WEB}:23/") == ("000", 7)
    assert acme.counts("telnet") == before + 1


def test_a_forbidden_address_cannot_be_had_through_the_gateway_either(acme: Customer) -> None:
    inet = acme.driver.lab.box(plan.INET)
    plan.address(inet, "pop", "198.51.100.66/32")
    serve(inet, "bad", "198.51.100.66", 80)
    assert curl(acme.driver.lab.box(plan.POP), "http://198.51.100.66/")[0] == "200"
    for way in ((), ("--proxy", "http://10.50.0.80:3128")):
        before = acme.counts("bad")
        assert acme.visits("http://198.51.100.66/", "-m", "1", *way)[0] in {"000", "503"}
        assert acme.counts("bad") > before


def test_a_published_server_is_reached_from_outside_and_nothing_else(acme: Customer) -> None:
    client, inet = acme.client, acme.driver.lab.box(plan.INET)
    serve(client, "shop", "10.50.254.10", 8000)
    assert curl(inet, f"http://{acme.network.public}:8443/")[0] == "200"
    assert curl(inet, f"http://{acme.network.public}:8000/")[0] == "000"
    assert curl(inet, f"http://{acme.network.public}:3128/")[0] == "000"


def test_lists_are_for_their_clients_and_what_is_allowed_wins(acme: Customer) -> None:
    plan.address(acme.client, "lan", "10.50.2.10/32")
    acme.box.run("ip", "route", "replace", "10.50.2.10/32", "dev", "probe")
    guest = ("-b", "10.50.2.10")
    assert acme.asks("games.example") == str(plan.WEB)
    assert acme.asks("games.example", *guest) == "NXDOMAIN"
    assert acme.asks("bets.example") == acme.asks("deep.bets.example", *guest) == "NXDOMAIN"
    assert acme.asks("good.bets.example") == acme.asks("x.good.bets.example") == str(plan.WEB)
    proxy = ("--proxy", "http://10.50.0.80:3128")
    assert acme.visits("http://games.example/", *proxy)[0] == "200"
    assert acme.visits("http://games.example/", *proxy, "--interface", "10.50.2.10")[0] == "403"
    assert acme.visits("https://good.bets.example/", *proxy)[0] == "200"
    assert acme.visits("https://bets.example/", *proxy)[1] == 35


def test_visits_are_logged_as_json_whatever_is_asked_for(acme: Customer) -> None:
    before = len(acme.visited())
    acme.visits('http://open.example/a"b\\c', "-g", "--proxy", "http://10.50.0.80:3128")
    acme.visits("https://bets.example/", "--resolve", f"bets.example:443:{plan.WEB}")
    page, ended = acme.visited()[before:]
    assert (page["client"], page["status"]) == ("10.50.254.10", 200)
    assert page["url"] == 'http://open.example/a"b\\c'
    assert (ended["sni"], ended["tls"]) == ("bets.example", "terminate")


def test_applied_again_changes_nothing_and_counters_go_on(acme: Customer) -> None:
    acme.visits(f"http://{plan.WEB}:23/")
    counted, runs = acme.counts("telnet"), pids(acme.box)
    assert counted
    assert set(runs.values()) == {"squid", "unbound"}
    began = time.monotonic()
    assert acme.plan() == []
    acme.apply()
    assert time.monotonic() - began < 5
    assert (acme.counts("telnet"), pids(acme.box)) == (counted, runs)
    rules = (Rule("new", "drop", dst=("192.0.2.7",)), *FULL.firewall.rules)
    changed = ordered("hld_acme", replace(FULL, firewall=replace(FULL.firewall, rules=rules)))
    acme.driver.apply(changed, now=NOW)
    assert (acme.counts("telnet"), acme.counts("new")) == (counted, 0)
    assert pids(acme.box) == runs
    acme.apply()
    assert acme.counts("telnet") == counted


def test_secrets_and_sockets_are_their_owners_and_nothing_listens_outside(acme: Customer) -> None:
    outside = subprocess.run(["ss", "-Hltun"], capture_output=True, text=True, check=True).stdout
    assert not any(port in outside for port in (":3128 ", ":3129 ", ":3130 ", "10.50."))
    keys = list((acme.driver.folder / "keys").iterdir())
    assert [one.stat().st_mode & 0o777 for one in (*keys, keys[0].parent)][-2:] == [0o600, 0o700]
    for folder in ("resolver", "gateway"):
        assert acme.box.run("stat", "-c", "%a", acme.box.path(folder)).strip() == "700"
    assert "PRIVATE" not in (acme.box.read("gateway/squid.conf") or "")
    listens = acme.box.run("ss", "-Hltun").split()
    assert {one for one in listens if one.endswith((":53", ":3128", ":3129", ":3130"))} == {
        "10.50.0.53:53",
        *(f"10.50.0.80:{port}" for port in (3128, 3129, 3130)),
    }


@pytest.fixture(scope="module")
def apex(driver: SecurityNetwork) -> Customer:
    """Another customer, with the same addresses inside and rules of its own."""
    rules = tuple(one for one in defaults.FIREWALL.rules if one.id != "telnet")
    other = NameList("work", "block", ("news.example",))
    policy = Policy(Firewall(rules, default="accept"), (other,), defaults.POLICY.gateway)
    return Customer(driver, "hld_apex", policy)


def test_two_customers_do_not_see_each_others_names_rules_or_logs(
    acme: Customer, apex: Customer
) -> None:
    assert (
        acme.client.run("ip", "-4", "-o", "addr", "show", "lan").split()[3]
        == (apex.client.run("ip", "-4", "-o", "addr", "show", "lan").split()[3])
    )
    assert (acme.asks("bets.example"), apex.asks("bets.example")) == ("NXDOMAIN", str(plan.WEB))
    assert (acme.asks("news.example"), apex.asks("news.example")) == (str(plan.WEB), "NXDOMAIN")
    proxy = ("--proxy", "http://10.50.0.80:3128")
    assert apex.visits("http://bets.example/mine", *proxy)[0] == "200"
    assert not [one for one in acme.visited() if "mine" in str(one["url"])]
    assert {str(one["url"]) for one in apex.visited()} == {"http://bets.example/mine"}
    counted = firewall.counts(acme.box)
    apex.visits(f"http://{plan.WEB}:23/", "-m", "1")
    assert firewall.counts(acme.box) == counted
    assert "r-telnet" not in firewall.counts(apex.box)
    assert {one.name for one in (acme.driver.folder / "keys").iterdir()} >= {
        "hld_acme.pem",
        "hld_apex.pem",
    }
    for one, other in ((acme, apex), (apex, acme)):
        assert curl(one.box, f"http://{other.network.public}:3128/", "-m", "1")[0] == "000"
        assert one.box.try_run("ping", "-c1", "-W1", str(other.network.public)).ok


def test_a_hundred_thousand_names_and_what_another_customer_feels_of_them(
    driver: SecurityNetwork, acme: Customer, apex: Customer
) -> None:
    names = tuple(f"n{number}.bad.example" for number in range(MANY))
    many = NameList("feed", "block", names)
    large = ordered("hld_apex", Policy(lists=(many,), gateway=defaults.POLICY.gateway))
    began, found = time.monotonic(), Counter[str]()
    with ThreadPoolExecutor(1) as beside:
        made = beside.submit(driver.apply, large, now=NOW)
        while not made.done():
            found[acme.asks("bets.example")] += 1
        made.result()
    assert time.monotonic() - began < 30
    assert set(found) == {"NXDOMAIN"}, "the other customer's names are answered all the while"
    for number in (0, 73_211, MANY - 1):
        assert apex.asks(f"n{number}.bad.example") == "NXDOMAIN"
    assert apex.asks("m0.bad.example") == str(plan.WEB)
    assert apex.visits("http://n9.bad.example/", "--proxy", "http://10.50.0.80:3128")[0] == "403"
    assert acme.asks("n0.bad.example") == str(plan.WEB)
    observed = driver.observe("hld_apex")
    assert list(driver.plan(large, observed)) == []
    wrong = replace(many, names=(*names[:-1], "no name"))
    with pytest.raises(Refused, match=r"names-invalid.*at position 99999") as refused:
        driver.apply(ordered("hld_apex", Policy(lists=(wrong,))), now=NOW)
    assert refused.value.field == "policy.lists.0.names.99999"
    assert apex.asks("n99999.bad.example") == "NXDOMAIN"
    driver.apply(apex.intent, now=NOW)
    assert apex.asks("n0.bad.example") == str(plan.WEB)


def test_what_cannot_be_made_is_refused_before_anything_is_touched(
    driver: SecurityNetwork, acme: Customer
) -> None:
    shut = replace(defaults.POLICY, firewall=Firewall((Rule("all", "drop"),)))
    boxes = set(driver.lab.boxes())
    for intent, words in (
        (ordered("hld_new", shut), "would keep the operator from its equipment"),
        (ordered("hld_new", seats=0), "seats must be from 1"),
        (replace(ordered("hld_new"), characteristics={"seats": "many"}), "a whole number"),
        (replace(ordered("hld_new"), characteristics={"seats": 1, "policy": "{"}), "no JSON"),
        (
            replace(ordered("hld_new"), characteristics={"seats": 1, "network": "hld_acme"}),
            "has cloud security already",
        ),
        (
            replace(ordered("hld_new"), characteristics={"seats": 1, "policy": '{"ids": 1}'}),
            "Unexpected keyword argument",
        ),
    ):
        assert words in (driver.can(intent) or "")
        with pytest.raises(Refused):
            driver.apply(intent, now=NOW)
    assert register.get(driver.lab, "security", "hld_new") is None
    assert set(driver.lab.boxes()) == boxes


def test_detection_is_refused_where_it_cannot_be(driver: SecurityNetwork) -> None:
    lacking = machine().why_not("ids")
    if lacking is None:
        pytest.skip("Suricata is installed here, so there is nothing to refuse")
    asked = json.dumps({"detection": {"mode": "detect", "rules": []}})
    intent = replace(ordered("hld_new"), characteristics={"seats": 1, "policy": asked})
    assert driver.can(intent) == f"This network cannot look for attacks: {lacking}."


@needs("ids")
def test_an_attack_is_told_of(driver: SecurityNetwork) -> None:
    rule = 'alert icmp any any -> any any (msg:"ping"; itype:8; sid:1000003; rev:1;)'
    policy = documents.read(Policy, {"detection": {"mode": "detect", "rules": [rule]}})
    customer = Customer(driver, "hld_watched", policy)
    customer.client.run("ping", "-c1", "-W1", str(plan.WEB))
    customer.box.wait(
        lambda: "1000003" in (customer.box.read("detection/eve.json") or ""), what="the alert"
    )
    driver.teardown("hld_watched", now=NOW)


def test_every_rendering_is_taken_by_its_daemon(lab: Lab) -> None:
    box, given = lab.box("reads"), Path(__file__).parents[1] / "drivers/golden/security"
    told = SimpleNamespace(
        **{one.name.replace(".", "_"): one.read_text() for one in given.iterdir()}
    )
    for text in (told.full_nft, told.usual_nft):
        box.run("nft", "-c", "-f", "-", input=text)
    for text in (told.full_unbound_conf, told.usual_unbound_conf):
        for one in given.glob("*.zone"):
            box.write(f"r/{one.name}", one.read_text())
        box.write("r/betting.0.zone", told.malware_0_zone)
        box.write("r/unbound.conf", text.replace("/box", box.path("r")))
        box.run("unbound-checkconf", box.path("r/unbound.conf"))
