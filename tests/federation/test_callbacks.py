"""A notice goes where its receiver has registered, and never to somebody inside."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hansa.federation.callbacks import actions, rules
from hansa.federation.callbacks.model import Place
from hansa.federation.hub.model import Post, Subscription
from hansa.federation.hub.sending import Sender
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import PartyId, SubscriptionId
from hansa.foundation.party import Actor
from hansa.foundation.transaction import Begin

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
CRM = Actor(PartyId("crm"), "customer")
HOOK = "https://hooks.crm.example/hansa"
PUBLIC = "93.184.215.14"


@pytest.fixture
def known(begin: Begin) -> Begin:
    with begin() as tx:
        for host in ("hooks.crm.example", "127.0.0.1", "FE80::1", "10.0.0.8"):
            actions.add(tx, party=CRM.party, host=host, by="ada", now=NOW)
    return begin


def place(begin: Begin, callback: str, *addresses: str, private: bool = False) -> Place:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        if not addresses:
            raise socket.gaierror
        return addresses

    return actions.find(
        begin, actor=CRM, callback=callback, plain=True, private=private, resolve=resolve
    )


@pytest.mark.parametrize(
    "callback",
    [
        "ftp://hooks.crm.example/",
        "https://",
        "https:///path",
        "https://user:secret@hooks.crm.example/",
        "https://hooks.crm.example/#part",
        "https://hooks.crm.example:0/",
        "https://hooks.crm.example:99999/",
        "https://hooks.crm.example\\@evil.example/",
        "https://hooks.crm.example /",
        "https://h\u00f6oks.crm.example/",
        "https://hooks.crm.example/\r\nx: y",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://[::1/",
        "hooks.crm.example",
        "https://hooks.crm.example/" + "a" * 2000,
    ],
)
def test_what_is_no_callback_is_refused(known: Begin, callback: str) -> None:
    with pytest.raises(Refused, match="callback-refused"):
        actions.check(known, actor=CRM, callback=callback, plain=True, private=True)


def test_a_callback_is_of_https_unless_all_is_plain(known: Begin) -> None:
    with pytest.raises(Refused, match="callback-refused"):
        actions.check(
            known, actor=CRM, callback=HOOK.replace("https", "http"), plain=False, private=False
        )


def test_a_host_is_registered_or_nothing_goes_there(known: Begin) -> None:
    assert place(known, HOOK, PUBLIC).address == PUBLIC
    for host in ("evil.example", "x.hooks.crm.example", "crm.example", PUBLIC):
        with pytest.raises(Refused, match="none of the hosts"):
            place(known, f"https://{host}/", PUBLIC)
    other = Actor(PartyId("other"), "customer")
    with pytest.raises(Refused, match="none of the hosts"):
        actions.check(known, actor=other, callback=HOOK, plain=False, private=False)


def test_a_host_can_be_taken_away(known: Begin) -> None:
    with known() as tx:
        actions.remove(tx, party=CRM.party, host="HOOKS.crm.example.")
        assert "hooks.crm.example" not in [one.host for one in actions.hosts(tx, party=CRM.party)]
        with pytest.raises(NotFound, match="callback-host-unknown"):
            actions.remove(tx, party=CRM.party, host="hooks.crm.example")
        with pytest.raises(Refused, match="callback-refused"):
            actions.add(tx, party=CRM.party, host="https://x/", by="ada", now=NOW)
    with pytest.raises(Refused, match="none of the hosts"):
        place(known, HOOK, PUBLIC)


INSIDE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.8", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.8", "64:ff9b::7f00:1",
    "2002:7f00:1::", "2001:0:7f00:1::", "::127.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_goes_to_an_address_inside(known: Begin, address: str) -> None:
    assert not rules.is_public(address)
    with pytest.raises(Refused, match="not of the public internet"):
        place(known, HOOK, address)
    with pytest.raises(Refused, match="not of the public internet"):
        place(known, HOOK, PUBLIC, address)  # one of several is enough to be refused


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_the_internet_is_open(address: str) -> None:
    assert rules.is_public(address)


def test_an_address_inside_is_refused_when_it_is_asked_for(known: Begin) -> None:
    for host in ("127.0.0.1", "[fe80::1]", "10.0.0.8"):
        with pytest.raises(Refused, match="not of the public internet"):
            actions.check(known, actor=CRM, callback=f"http://{host}/", plain=True, private=False)
        actions.check(known, actor=CRM, callback=f"http://{host}/", plain=True, private=True)


def test_a_host_without_an_address_is_tried_later(known: Begin) -> None:
    with pytest.raises(TryLater, match="callback-silent"):
        place(known, HOOK)


def test_the_place_keeps_the_name_for_tls(known: Begin) -> None:
    found = place(known, "https://hooks.crm.example:8443/a?b=c", "2606:4700::1111")
    assert found.url == "https://[2606:4700::1111]:8443/a?b=c"
    assert (found.host, found.authority) == ("hooks.crm.example", "hooks.crm.example:8443")


# --- on the way -----------------------------------------------------------------------------------


@contextmanager
def listening(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[int]:
    """A small server on this machine; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sent(known: Begin, port: int) -> list[str]:
    """Sends a notice to a name that is this machine today; gives the names that were resolved."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.255.255.1"]

    sender = Sender(
        lambda actor, url: actions.find(
            known, actor=actor, callback=url, plain=True, private=True, resolve=resolve
        )
    )
    url = f"http://hooks.crm.example:{port}/hansa"
    subscription = Subscription(SubscriptionId("sub_1"), "TMF622", ("order",), CRM, url, "", NOW)
    try:
        sender(subscription, Post(url, b"{}"))
    finally:
        sender.close()
    return asked


def test_a_name_is_resolved_once_and_kept_for_the_host(known: Begin) -> None:
    heard: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        heard.append(request.headers["host"])
        request.send_response(204)
        request.end_headers()

    with listening(answer) as port:
        assert sent(known, port) == ["hooks.crm.example"]
    assert heard == [f"hooks.crm.example:{port}"]


def test_no_redirect_is_followed(known: Begin) -> None:
    heard: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        heard.append(request.path)
        request.send_response(307)
        request.send_header("location", "/elsewhere")
        request.end_headers()

    with listening(answer) as port, pytest.raises(TryLater, match="callback-silent"):
        sent(known, port)
    assert heard == ["/hansa"]
