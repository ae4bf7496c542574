"""The lab's internet answers names and serves pages, and is brought back when it has died."""

from __future__ import annotations

import signal
import socket
import sys

from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Lab
from hansa.drivers.lab.internet import AUTHORITY, NAME, answer
from tests.lab.conftest import needs

pytestmark = needs("ground")

ASK = f"""
import socket, ssl, urllib.request
print(urllib.request.urlopen("http://{plan.WEB}/", timeout=5).status)
trust = ssl.create_default_context(cadata=open("AUTHORITY").read())
line = socket.create_connection(("{plan.WEB}", 443), timeout=5)
print(trust.wrap_socket(line, server_hostname="www.example").version())
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.settimeout(5)
asked.sendto(bytes.fromhex("00010100000100000000000003777777076578616d706c65000001") + b"\\0\\1",
    ("{plan.RESOLVER}", 53))
print(socket.inet_ntoa(asked.recv(512)[-4:]))
"""


def question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + bytes([0, 0, kind, 0, 1])


def test_only_names_below_example_are_known() -> None:
    web = socket.inet_aton(str(plan.WEB))
    known = answer(question("WWW.example", 1), web)
    assert known[:4] == b"\x12\x34\x85\x80"
    assert known.endswith(b"\x00\x04" + web)
    assert answer(question("www.example", 28), web)[3:8] == b"\x80\x00\x01\x00\x00"
    assert answer(question("www.other", 1), web)[3:8] == b"\x83\x00\x01\x00\x00"


def test_it_serves_names_and_pages_and_comes_back(lab: Lab) -> None:
    plan.furnish(lab)
    box, pop = lab.box(plan.INET), lab.box(plan.POP)
    code = ASK.replace("AUTHORITY", box.path(AUTHORITY))
    told = ["200", "TLSv1.3", str(plan.WEB)]
    assert pop.run(sys.executable, "-c", code).split() == told
    box.signal(NAME, signal.SIGKILL)
    box.wait(lambda: not box.runs(NAME), what="its death")
    plan.furnish(lab)
    assert pop.run(sys.executable, "-c", code).split() == told
