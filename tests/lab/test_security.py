"""Cloud security for real: what a client finds, what drifts and is put right, who sees what."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from hansa.drivers.contract import Change, Intent
from hansa.drivers.lab import plan, register
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.lab.machine import machine
from hansa.drivers.security import defaults, firewall, probe
from hansa.drivers.security.driver import SecurityNetwork, make
from hansa.drivers.security.intent import Firewall, NameList, Policy, Published, Rule
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from tests.lab.conftest import needs

pytestmark = needs("security")

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
MANY = 100_000

FULL = Policy(
    firewall=replace(
        defaults.FIREWALL,
        rules=(Rule("bad", "drop", dst=("@bad",)), *defaults.FIREWALL.rules),
        groups={"bad": ("198.51.100.66/32", "2001:db8::/32")},
        published=(Published("shop", 8443, "10.50.254.10", 8000),),
    ),
    lists=(
        *defaults.LISTS,
        NameList("guests", "block", ("games.example",), clients=("10.50.2.0/24",)),
        NameList("portal", "redirect", ("old.example",), to="198.51.100.81"),
        NameList("ours", "allow", ("good.bets.example",)),
    ),
    gateway=replace(defaults.POLICY.gateway, inspect=("inspect.example",)),  # type: ignore[type-var]
)


def ordered(service: str, policy: Policy | None = None, seats: int = 40) -> Intent:
    told: dict[str, int | str] = {"seats": seats}
    if policy is not None:
        told["policy"] = json.dumps(documents.write(policy))
    return Intent(service, "security", "guard", None, told)


@pytest.fixture(scope="module")
def driver(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> SecurityNetwork:
    return make(lab, tmp_path_factory.mktemp("security"))


class Customer:
    """A customer with cloud security: its box at the point of presence, and a client inside."""

    def __init__(self, driver: SecurityNetwork, service: str, policy: Policy) -> None:
        self.driver, self.intent = driver, ordered(service, policy)
        driver.apply(self.intent, now=NOW)
        self.network = plan.network(driver.lab, service)
        self.box = driver.lab.box(self.network.box)
        self.client = probe.join(driver.lab, self.network)

    def plan(self) -> list[Change]:
        observed = self.driver.observe(self.intent.service)
        return list(self.driver.plan(self.intent, observed))

    def apply(self) -> None:
        self.driver.apply(self.intent, now=NOW)

    def asks(self, name: str, *more: str) -> str:
        """The address that a client is told of a name, or why it is told none."""
        return named(self.client, name, *more)

    def visits(self, url: str, *more: str) -> tuple[str, int]:
        return curl(self.client, url, *more)

    def counts(self, rule: str) -> int:
        return firewall.counts(self.box)[f"r-{rule}"][0]

    def visited(self) -> list[dict[str, object]]:
        text = self.box.read("gateway/access.log") or ""
        return [json.loads(line) for line in text.splitlines()]


def named(box: Box, name: str, *more: str) -> str:
    said = box.try_run("dig", "+time=2", "+tries=1", *more, "@10.50.0.53", name).out
    answers = [line.split()[-1] for line in said.splitlines() if "\tIN\tA\t" in line]
    return answers[0] if answers else said.partition("status: ")[2].partition(",")[0]


def curl(box: Box, url: str, *more: str) -> tuple[str, int]:
    asked = ("curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", *more, url)
    said = box.try_run(*asked)
    return said.out, said.status


SERVE = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    line, _ = server.accept()
    line.recv(4096)
    line.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
    line.close()
"""


def serve(box: Box, name: str, address: str, port: int) -> None:
    """A server in a box that says yes to everything."""
    argv = (sys.executable, "-c", SERVE, address, str(port))
    box.start(name, *argv, ready=lambda: f"{address}:{port} " in box.run("ss", "-Htln"))


def pids(box: Box) -> dict[str, str]:
    """The processes of a box's daemons, by what they are."""
    found = box.run("ip", "netns", "pids", box.name).split()
    return {
        pid: name
        for pid in found
        for name in [box.try_run("cat", f"/proc/{pid}/comm").out.strip()]
        if name in {"squid", "unbound"}
    }


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


def kill(box: Box, name: str) -> None:
    box.signal(name, signal.SIGKILL)
    box.wait(lambda: not box.runs(name), what="its death")


def drop_a_rule(box: Box) -> None:
    listed = box.run("nft", "-a", "list", "chain", "inet", firewall.TABLE, "rules")
    handle = next(line.split()[-1] for line in listed.splitlines() if "r-telnet" in line)
    box.run("nft", "delete", "rule", "inet", firewall.TABLE, "rules", "handle", handle)


def read_other_names(box: Box) -> None:
    """A list that the daemon has read, and that was written back without its reading it again."""
    text = box.read("resolver/betting.0.zone")
    assert text is not None
    box.write(
        "resolver/betting.0.zone", text.replace("casino", "other").replace(" 3600", "1 3600", 1)
    )
    control = ("unbound-control", "-c", box.path("resolver/unbound.conf"))
    box.run(*control, "auth_zone_reload", "betting.0.rpz")
    box.write("resolver/betting.0.zone", text)


DRIFT: dict[str, tuple[Callable[[Box], object], list[str]]] = {
    "the table is deleted": (firewall.remove, ["firewall"]),
    "a rule is taken out": (drop_a_rule, ["firewall"]),
    "an address is taken out": (
        lambda box: box.run(
            *("nft", "delete", "element", "inet", firewall.TABLE, "bad4", "{ 198.51.100.66 }")
        ),
        ["firewall"],
    ),
    "a file of names is changed": (
        lambda box: box.write("resolver/betting.0.zone", "@ SOA a. b. 1 1 1 1 1\n"),
        ["file resolver/betting.0.zone"],
    ),
    "another list was read": (read_other_names, ["list betting"]),
    "the resolver dies": (lambda box: kill(box, "resolver"), ["resolver"]),
    "the gateway dies": (lambda box: kill(box, "gateway"), ["gateway"]),
    "the gateway's file is changed": (
        lambda box: box.write("gateway/squid.conf", "http_access allow all\n"),
        ["file gateway/squid.conf"],
    ),
    "the resolver's address is taken away": (
        lambda box: box.run("ip", "addr", "del", "10.50.0.53/32", "dev", "lo"),
        ["resolver"],
    ),
    "anybody may read the key": (
        lambda box: box.run("chmod", "644", box.path("gateway/ca.pem")),
        ["file gateway/ca.pem"],
    ),
}


@pytest.mark.parametrize("case", DRIFT)
def test_what_somebody_changed_is_found_and_put_right_as_that_alone(
    acme: Customer, case: str
) -> None:
    drift, found = DRIFT[case]
    assert acme.plan() == []
    runs = pids(acme.box)
    drift(acme.box)
    dead = [name for name in ("resolver", "gateway") if not acme.box.runs(name)]
    assert [(one.what, one.becomes) for one in acme.plan()] == [
        (one, "as ordered") for one in found
    ]
    if case == "the resolver dies":
        broken = [one.check for one in acme.driver.verify(acme.intent) if not one.ok]
        assert broken[:2] == ["resolver", "an open name: open.example"]
    acme.apply()
    assert acme.plan() == []
    assert acme.asks("casino.example") == "NXDOMAIN"
    if not dead:
        assert pids(acme.box) == runs
    assert acme.box.run("stat", "-c", "%a", acme.box.path("gateway/ca.pem")).strip() == "600"


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


BROKEN_OFF = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hansa.drivers.contract import Intent
from hansa.drivers.lab.box import Lab
from hansa.drivers.security.driver import make
told = {"seats": 40, "policy": sys.stdin.read()}
driver = make(Lab(Path(sys.argv[1])), Path(sys.argv[2]))
print("begins", flush=True)
driver.apply(
    Intent("hld_torn", "security", "guard", None, told), now=datetime(2026, 11, 2, 8, tzinfo=UTC)
)
"""


@pytest.fixture
def torn(driver: SecurityNetwork) -> Iterator[Intent]:
    intent = ordered("hld_torn", FULL)
    yield intent
    driver.teardown(intent.service, now=NOW)
    assert driver.observe(intent.service) is None


@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.4])
def test_killed_in_the_middle_the_next_run_converges(
    driver: SecurityNetwork, torn: Intent, after_s: float
) -> None:
    at_work = subprocess.Popen(
        [sys.executable, "-c", BROKEN_OFF, str(driver.lab.folder), str(driver.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert at_work.stdin is not None and at_work.stdout is not None
    at_work.stdin.write(str(torn.characteristics["policy"]))
    at_work.stdin.close()
    assert at_work.stdout.readline() == "begins\n"
    time.sleep(after_s)
    at_work.kill()
    at_work.wait()
    at_work.stdout.close()
    driver.apply(torn, now=NOW)
    assert list(driver.plan(torn, driver.observe(torn.service))) == []
    box = driver.lab.box(plan.network(driver.lab, torn.service).box)
    assert named(box, "malware.example") == "NXDOMAIN"


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
