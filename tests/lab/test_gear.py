"""NETCONF to a real server: netconfd behind sshd, each in a box, reached as a router would be."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hansa.drivers.gear.make import known, load, wrapped
from hansa.drivers.gear.render import render
from hansa.drivers.lab.box import Box, Lab
from hansa.drivers.lab.machine import find
from hansa.foundation import documents
from tests.drivers.test_gear import ONE_LINE, SITE
from tests.lab.conftest import needs
from tests.lab.models import official

pytestmark = [
    needs("gear"),
    pytest.mark.skipif(
        os.geteuid() != 0,
        reason="not root: netconfd wants a home of root's own, and sshd to change users",
    ),
]

HERE = Path(__file__).parent / "gear"
MODULES = ("iana-if-type", "ietf-interfaces", "ietf-ip")
CONFIGURE, REMOVE = (
    getattr(render(SITE, load(HERE / "ietf.yaml")), which) for which in ("configure", "remove")
)
OTHER = (
    CONFIGURE.replace("hld_site", "somebody").replace("<name>", "<name>x").replace("10.6", "10.7")
)
"""What is not ours on the device, and stays."""

MOVED = CONFIGURE.replace("10.60.0.1", "10.60.0.9")


@pytest.fixture(scope="module")
def office(lab: Lab) -> Box:
    pytest.importorskip("ncclient")
    office = lab.box("office")
    serve(lab, office, "router", "192.0.2.2", MODULES, "/usr/share/yuma/modules")
    assert push(office, OTHER)[0]["kept"]
    return office


def serve(
    lab: Lab, office: Box, name: str, address: str, modules: tuple[str, ...], folders: str
) -> None:
    """A router that speaks NETCONF at the other end of a cable from the office."""
    router = lab.box(name)
    own = f"{address.rpartition('.')[0]}.1"
    lab.link(office, router, names=(name, "office"))
    office.run("ip", "addr", "replace", f"{own}/24", "dev", name)
    router.run("ip", "addr", "replace", f"{address}/24", "dev", "office")
    for box, end, at in ((office, name, own), (router, "office", address)):
        # Each end says at once what it has got, for the other waits for that before it goes on.
        to = f"{at.rpartition('.')[0]}.0/24"
        box.run("ip", "route", "replace", to, "dev", end, "src", at, "quickack", "1")
    for box, key in ((office, f"key-{name}"), (router, "host")):
        box.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", box.path(key))
    router.write("authorized", office.read(f"key-{name}.pub") or "")
    control = router.path("ncx.sock")
    router.write(
        "sshd.conf",
        f"Port 830\nListenAddress {address}\nHostKey {router.path('host')}\n"
        f"AuthorizedKeysFile {router.path('authorized')}\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n"
        f"Subsystem netconf {find('netconf-subsystem')} --ncxserver-sockname=830@{control}\n",
    )
    router.start(
        "netconfd",
        *(str(find("netconfd")), "--no-startup", "--target=candidate", "--superuser=root"),
        *(f"--module={one}" for one in modules),
        *(f"--modpath={folders}", "--log-level=warn", f"--ncxserver-sockname={control}"),
        ready=lambda: router.try_run("test", "-S", control).ok,
    )
    router.start(
        "sshd",
        *("sh", "-c", 'mkdir /run/sshd && exec "$0" -D -e -f "$1"', str(find("sshd"))),
        router.path("sshd.conf"),
        ready=lambda: ":830 " in router.run("ss", "-Htln"),
        private=True,
    )


CLIENT = (sys.executable, str(HERE / "client.py"))


def step(configuration: str, **more: object) -> dict[str, object]:
    return {"configuration": configuration, "ok": True, "verify_s": 0, "confirm_s": 20, **more}


def asked(office: Box, *steps: dict[str, object], **other: object) -> str:
    device = {
        "host": "192.0.2.2",
        "user": "root",
        "key": office.path("key-router"),
        "host_key": Box(office.lab, "router").read("host.pub"),
        **other,
    }
    seen = [{**one, "seen": office.path("seen")} for one in steps]
    return json.dumps({"device": device, "steps": seen})


def push(
    office: Box, *steps: str | dict[str, object], **other: object
) -> Sequence[Mapping[str, Any]]:
    """What came of each step; of the last one what went wrong, if something did."""
    whole = [step(one) if isinstance(one, str) else one for one in steps]
    told: Sequence[Mapping[str, Any]] = json.loads(
        office.run(*CLIENT, input=asked(office, *whole, **other), timeout_s=120)
    )
    return told


def start(office: Box, of: dict[str, object]) -> None:
    """Begins a step and leaves it when it has come so far that it looks at what came of it."""
    office.remove("seen")
    office.write("asked", asked(office, of))
    office.start("client", "sh", "-c", f"exec {' '.join(CLIENT)} < {office.path('asked')}")
    office.wait(lambda: "hld_site" in (office.read("seen") or ""), what="client")


@pytest.fixture
def clean(office: Box) -> Box:
    """Without the site, and with what is somebody else's."""
    left = push(office, REMOVE)[0]["running"]
    assert "hld_site" not in left and "somebody" in left
    return office


def test_a_site_is_there_and_again_changes_nothing_and_is_taken_away_twice(clean: Box) -> None:
    told = push(clean, CONFIGURE, CONFIGURE, MOVED, REMOVE, REMOVE)
    assert [one["changed"] for one in told] == [True, False, True, True, False]
    assert all(one["kept"] and all(one["checks"]) for one in told)
    assert ["10.60.0.1" in one["seen"] for one in told] == [True, True, False, False, False]
    assert ["10.60.0.9" in one["seen"] for one in told] == [False, False, True, False, False]
    assert all("somebody" in one["seen"] for one in told)
    assert told[-1]["running"] == told[-1]["seen"]


def test_what_is_not_well_afterwards_goes_back_by_itself(clean: Box) -> None:
    failed = push(clean, CONFIGURE, step(MOVED, ok=False))[-1]
    assert (failed["changed"], failed["kept"], failed["checks"]) == (True, False, [True, False])
    assert "10.60.0.9" in failed["seen"]
    assert "10.60.0.1" in failed["running"] and "10.60.0.9" not in failed["running"]


def test_what_is_looked_at_for_too_long_has_gone_back_by_itself(clean: Box) -> None:
    late = push(clean, CONFIGURE, step(MOVED, confirm_s=1, verify_s=1.5))[-1]
    assert (late["changed"], late["kept"], late["checks"]) == (True, False, [True, True])
    assert "10.60.0.9" in late["seen"]
    assert "10.60.0.1" in late["running"] and "10.60.0.9" not in late["running"]


def test_a_client_that_dies_between_leaves_the_device_as_it_was(clean: Box) -> None:
    before = push(clean, CONFIGURE)[0]["running"]
    start(clean, step(MOVED, verify_s=60, confirm_s=2))
    assert "10.60.0.9" in (clean.read("seen") or "")
    clean.signal("client", signal.SIGKILL)
    time.sleep(3)
    assert push(clean, step(CONFIGURE)) == [
        {"changed": False, "kept": True, "checks": [True], "seen": before, "running": before}
    ]


def test_a_value_out_of_range_is_refused_and_its_place_named(clean: Box) -> None:
    wrong = CONFIGURE.replace("<prefix-length>16<", "<prefix-length>61<")
    before, refused = push(clean, CONFIGURE, wrong)
    assert refused["code"] == "gear-refused"
    assert "prefix-length" in refused["field"] and refused["field"] in refused["words"]
    after = push(clean, CONFIGURE)[0]
    assert (after["changed"], after["running"]) == (False, before["seen"])


def test_a_device_without_the_model_is_not_told(office: Box) -> None:
    refused = push(office, render(ONE_LINE, known("openconfig")).configure)[0]
    assert (refused["code"], refused["field"]) == ("gear-model", "interfaces")


def test_a_device_that_is_not_who_it_was_is_told_nothing(office: Box) -> None:
    office.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", office.path("other"))
    silent = push(office, CONFIGURE, host_key=office.read("other.pub"))[0]
    assert silent["code"] == "gear-silent"
    assert push(office, CONFIGURE)[0]["kept"]


def test_two_do_not_change_a_device_at_once(office: Box) -> None:
    start(office, step(CONFIGURE, verify_s=60))
    assert push(office, MOVED)[0]["code"] == "gear-busy"
    office.stop("client")


def test_what_somebody_changed_since_it_was_shown_is_not_pushed(clean: Box) -> None:
    shown = push(clean, CONFIGURE)[0]["running"]
    stale = push(clean, step(MOVED, shown=["<interfaces/>", shown]))[-1]
    assert stale["code"] == "gear-changed" and "Look at it again" in stale["words"]
    again = push(clean, step(CONFIGURE, shown=[shown, shown]))[-1]
    assert (again["changed"], again["kept"]) == (False, True)


# --- by the command line --------------------------------------------------------------------------


def gear(office: Box, verb: str, *words: str, status: int = 0) -> str:
    """What `hansa gear` says of the site and the router, on both outputs."""
    device = {
        "make": str(HERE / "ietf.yaml"),
        "host": "192.0.2.2",
        "user": "root",
        "key_file": "key-router",
        "host_key": Box(office.lab, "router").read("host.pub"),
    }
    office.write("device.yaml", json.dumps(device))
    answer = office.try_run(
        *(sys.executable, "-m", "hansa.entrypoints.cli.main", "gear", verb),
        *(office.path("site.yaml"), "--device", office.path("device.yaml"), *words),
    )
    assert answer.status == status, answer
    return answer.out + answer.err


def test_a_person_sees_what_would_change_and_takes_it_there(clean: Box) -> None:
    site = json.dumps(documents.write(SITE))
    clean.write("site.yaml", site)
    assert re.search(r"^\+ +<ip>10.60.0.1</ip>$", gear(clean, "check"), re.MULTILINE)
    kept = gear(clean, "push", "--yes", "--verify", "ping -c 1 192.0.2.2")
    assert "192.0.2.2: kept" in kept and "left to you: all but interfaces" in kept

    clean.write("site.yaml", site.replace("10.60.0.1/", "10.60.0.9/"))
    moved = gear(clean, "push", "--yes", "--verify", "false", status=3)
    assert re.findall(r"^([+-]) +<ip>10.60.0.(.)</ip>$", moved, re.MULTILINE) == [
        ("-", "1"),
        ("+", "9"),
    ]
    assert "taken back" in moved and "gear-taken-back" in moved
    clean.write("site.yaml", site)
    assert "has all of it already" in gear(clean, "push")

    assert "192.0.2.2: kept" in gear(clean, "push", "--remove", "--yes")
    left = push(clean, REMOVE)[0]
    assert not left["changed"] and "somebody" in left["running"]


# --- OpenConfig's own models ----------------------------------------------------------------------

MULTI = re.DOTALL | re.MULTILINE
OPENCONFIG = ("iana-if-type", "openconfig-interfaces", "openconfig-if-ip", "openconfig-if-tunnel")


@pytest.fixture(scope="module")
def models() -> Path:
    return official()


def interfaces(text: str) -> str:
    """Of a configuration its interfaces alone."""
    (found,) = re.findall(r'^<interfaces xmlns="[^"]*/interfaces".*?^</interfaces>\n', text, MULTI)
    return wrapped(found)


def test_a_server_with_the_models_of_openconfig_takes_our_interfaces(
    lab: Lab, office: Box, models: Path
) -> None:
    """The rest of what we tell it netconfd has no models of, or cannot read them."""
    folders = f"{models}:/usr/share/yuma/modules"
    serve(lab, office, "modern", "192.0.3.2", OPENCONFIG, folders)
    device = {
        "host": "192.0.3.2",
        "key": office.path("key-modern"),
        "host_key": lab.box("modern").read("host.pub"),
    }
    rendered = render(ONE_LINE, known("openconfig"))
    made, gone = (interfaces(text) for text in (rendered.configure, rendered.remove))
    told = push(office, made, made, gone, **device)
    assert [one.get("changed", one) for one in told] == [True, False, True]
    assert "203.0.113.2" in told[0]["seen"] and "203.0.113.2" not in told[-1]["seen"]
    wrong = push(office, made.replace("<prefix-length>30<", "<prefix-length>61<"), **device)
    assert "prefix-length" in wrong[-1]["field"]
