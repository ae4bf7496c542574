"""What somebody changed by hand, or a kill left half done, is found and put right as that alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from hansa.drivers.contract import Intent
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.security import firewall
from hansa.drivers.security.driver import SecurityNetwork, make
from tests.lab.conftest import needs
from tests.lab.guarded import FULL, NOW, Customer, named, ordered, pids

pytestmark = needs("security")


@pytest.fixture(scope="module")
def driver(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> SecurityNetwork:
    return make(lab, tmp_path_factory.mktemp("security"))


@pytest.fixture(scope="module")
def acme(driver: SecurityNetwork) -> Customer:
    return Customer(driver, "hld_acme", FULL)


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
