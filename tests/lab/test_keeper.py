"""A lab keeps boxes, files and daemons, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hansa.drivers.lab import plan, register
from hansa.drivers.lab.box import Lab
from hansa.foundation.errors import TryLater
from tests.lab.conftest import needs

pytestmark = needs("ground")


def running(word: str) -> list[str]:
    """The command lines of this machine's processes that hold a word."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = one.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if word in line:
            found.append(line)
    return found


def test_two_boxes_reach_each_other_over_a_cable_and_nobody_else(lab: Lab) -> None:
    one, other = lab.box("one"), lab.box("other")
    assert lab.link(one, other, names=("to-other", "to-one"))
    assert not lab.link(one, other, names=("to-other", "to-one"))
    one.run("ip", "addr", "add", "10.0.0.1/24", "dev", "to-other")
    other.run("ip", "addr", "add", "10.0.0.2/24", "dev", "to-one")
    assert one.try_run("ping", "-c1", "-W1", "10.0.0.2").ok
    assert not lab.box("third").try_run("ping", "-c1", "-W1", "10.0.0.2").ok
    lab.unbox("other")
    assert not one.try_run("ping", "-c1", "-W1", "10.0.0.2").ok


def test_a_file_is_whole_and_its_owners_alone(lab: Lab) -> None:
    box = lab.box("files")
    assert box.read("deep/secret.conf") is None
    assert box.write("deep/secret.conf", "one")
    assert not box.write("deep/secret.conf", "one")
    assert box.write("deep/secret.conf", "two")
    assert box.run("stat", "-c", "%a", box.path("deep/secret.conf")).strip() == "600"
    assert box.run("stat", "-c", "%a", box.path("deep")).strip() == "700"
    assert box.read("deep/secret.conf", start=1) == "wo"
    assert not Path(box.path("deep/secret.conf")).exists()
    with pytest.raises(TryLater, match="no file of files"):
        box.write("../other/x", "")


def test_a_daemon_runs_once_is_missed_when_it_dies_and_comes_back(lab: Lab) -> None:
    box = lab.box("daemons")
    assert box.start("sleeper", "sleep", "1000")
    assert not box.start("sleeper", "sleep", "1000")
    assert box.signal("sleeper", signal.SIGKILL)
    box.wait(lambda: not box.runs("sleeper"), what="its death")
    assert lab.boxes()["daemons"] == {"sleeper": False}
    assert box.start("sleeper", "sleep", "1000")
    assert box.start("sleeper", "sleep", "2000"), "another command is another daemon"
    box.stop("sleeper")
    box.stop("sleeper")
    assert lab.boxes()["daemons"] == {}
    with pytest.raises(TryLater, match=r"ghost in daemons was not ready.*cannot access"):
        box.start("ghost", "ls", "/no-such-thing")
        box.wait(lambda: False, what="ghost", timeout_s=0.5)


ECHO = """
import socket, sys
door = socket.socket(socket.AF_UNIX)
door.bind(sys.argv[1])
door.listen()
while True:
    line = door.accept()[0]
    with line, line.makefile("rw") as both:
        both.write("heard: " + both.readline())
"""


def test_a_daemon_is_spoken_to_on_its_own_socket(lab: Lab) -> None:
    box = lab.box("spoken-to")
    path = box.path("echo.sock")
    assert box.talk(path, "anybody?\n") is None
    box.start("echo", sys.executable, "-c", ECHO, path, ready=lambda: bool(box.talk(path, "\n")))
    assert box.talk(path, "hello\n") == "heard: hello\n"


POST = """
import socket, sys
door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
door.bind(sys.argv[1])
while True:
    text, sender = door.recvfrom(1 << 16)
    door.sendto(b"heard: " + text, sender)
"""


def test_a_daemon_answers_datagrams_one_by_one(lab: Lab) -> None:
    box = lab.box("written-to")
    path = box.path("post.sock")
    assert box.exchange(path, ["anybody?"]) is None
    box.start(
        *("post", sys.executable, "-c", POST, path), ready=lambda: bool(box.exchange(path, ["?"]))
    )
    assert box.exchange(path, ["one", "other"]) == ["heard: one", "heard: other"]
    assert box.exchange(path, []) == []
    assert box.run("ls", box.path("")).split() == ["post.log", "post.sock"]


def test_what_a_dead_daemon_has_left_ends_before_it_comes_back(lab: Lab) -> None:
    box = lab.box("orphans")
    mark = f"5{os.getpid()}.5"
    family = ("sh", "-c", f"sleep {mark} & echo there >> said; wait")
    box.start("parent", *family, ready=lambda: box.read("said") == "there\n")
    assert box.signal("parent", signal.SIGKILL)
    box.wait(lambda: not box.runs("parent"), what="its death")
    assert box.start("parent", *family, ready=lambda: box.read("said") == "there\nthere\n")
    box.wait(
        lambda: len([one for one in running(mark) if one.startswith("sleep")]) == 1,
        what="the end of the first one's child",
        timeout_s=5,
    )


def test_a_command_that_fails_says_why(lab: Lab) -> None:
    box = lab.box("commands")
    assert box.run("cat", input="heard") == "heard"
    with pytest.raises(TryLater, match=r"device-failed.*`ls /nowhere` in commands ended with 2"):
        box.run("ls", "/nowhere")
    with pytest.raises(TryLater, match=r"device-failed.*timed out"):
        box.run("sleep", "10", timeout_s=0.2)


def test_a_plan_numbers_what_it_meets_and_keeps_to_it(lab: Lab) -> None:
    acme, apex = plan.network(lab, "acme"), plan.network(lab, "apex")
    assert (acme.number, apex.number) == (1, 2)
    assert plan.network(lab, "acme") == acme
    here = plan.place(lab, acme, site="jhb of acme", country="ZA")
    there = plan.place(lab, apex, site="jhb of apex", country="ZA")
    assert plan.place(lab, acme, site="jhb of acme", country="ZA") == here
    assert here.lan == there.lan, "networks of a lab overlap"
    assert here.host != there.host
    assert plan.underlay(lab, here.spot).net != plan.underlay(lab, there.spot).net
    plan.furnish_network(lab, acme)
    plan.furnish_network(lab, acme)
    box = lab.box(acme.box)
    assert box.try_run("ping", "-c1", "-W1", str(plan.WEB)).ok
    assert not lab.box(plan.INET).try_run("ping", "-c1", "-W1", "10.50.0.53").ok


def test_what_stands_in_a_lab_is_found_again(lab: Lab) -> None:
    register.put(lab, "voice", "hld_1/a", {"network": "acme"})
    assert register.get(lab, "voice", "hld_1/a") == {"network": "acme"}
    assert list(register.all(lab, "voice").values()) == [{"network": "acme"}]
    register.drop(lab, "voice", "hld_1/a")
    assert register.get(lab, "voice", "hld_1/a") is None


def test_a_lab_that_is_not_up_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(TryLater, match=r"lab-silent.*`hansa lab up`"):
        Lab(tmp_path).box("one")
    assert not Lab(tmp_path).down()


PLAY = """
import sys, time
from pathlib import Path
from hansa.drivers.lab.box import Lab
lab = Lab(Path(sys.argv[1]))
lab.up(until_eof=True)
lab.box("one").start("sleeper", "sleep", sys.argv[2])
print("up", flush=True)
time.sleep(60)
"""


def test_nothing_is_left_when_whoever_had_it_is_killed(tmp_path: Path) -> None:
    mark = f"3{os.getpid()}.5"
    owner = subprocess.Popen(
        [sys.executable, "-c", PLAY, str(tmp_path), mark], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    assert running(f"sleep {mark}")
    owner.kill()
    owner.communicate()
    until = time.monotonic() + 10
    while running(f"sleep {mark}") or running(str(tmp_path)):
        assert time.monotonic() < until, "something of the lab is left"
        time.sleep(0.05)


def test_a_lab_that_stays_is_found_by_others_and_taken_down_whole(tmp_path: Path) -> None:
    lab, mark = Lab(tmp_path), f"4{os.getpid()}.5"
    process = lab.up()
    assert process is not None
    assert lab.up() is None
    Lab(tmp_path).box("one").start("sleeper", "sleep", mark)
    assert lab.boxes() == {"one": {"sleeper": True}}
    assert lab.down()
    process.wait(10)
    assert not lab.is_up
    assert not running(f"sleep {mark}")


def test_a_cable_that_was_left_in_the_middle_is_ended(lab: Lab) -> None:
    one, other = lab.box("half-one"), lab.box("half-other")
    ends = ("ip", "link", "add", "lan", "netns", one.name, "type", "veth")
    lab.run(*ends, "peer", "name", "lan", "netns", other.name)
    assert "state DOWN" in one.run("ip", "link", "show", "dev", "lan")
    assert lab.link(one, other, names=("lan", "lan"))
    assert "state UP" in one.run("ip", "link", "show", "dev", "lan")
    assert not lab.link(one, other, names=("lan", "lan"))
    other.run("ip", "link", "set", "dev", "lan", "down")
    assert not lab.link(one, other, names=("lan", "lan")), "who cut it knows why"
