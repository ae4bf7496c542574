"""What MTN does not believe of a partner, and how long it waits for one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from hansa.federation import courier
from hansa.federation.courier import Bearer, Courier
from hansa.federation.tmf import errors
from hansa.federation.tmf.client import TmfPartner
from hansa.federation.wire import render
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, PartyId, QuoteId
from tests.federation.shop import BT, EVE, MTN, NEED, NOVEMBER, Door, Shop, caught, some_usage

HOLDING = HoldingId("hld_1")
KEY = BuyerKey("tsk_1")


def reached(address: str, http: httpx2.Client) -> TmfPartner:
    """BT at an address, believed whatever it answers, as if it ran no node."""
    trust = Bearer(lambda: "t")
    return TmfPartner(us=MTN, courier=Courier(partner=BT, address=address, http=http, trust=trust))


def strange(door: Door, answer: Callable[[Any], httpx2.Response], us: PartyId = MTN) -> TmfPartner:
    """BT, who answers as it likes, and signs whatever it is."""
    http = httpx2.Client(
        transport=httpx2.MockTransport(lambda request: door.sealed(request, answer(request)))
    )
    key = door.ring.current(door.clock.now())  # MTN's own is not looked at here
    return TmfPartner(us=us, courier=door.courier(us, key, http))


def nonsense(text: bytes, status: int = 200, **headers: str) -> Callable[[Any], httpx2.Response]:
    return lambda _: httpx2.Response(status, content=text, headers=headers)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (nonsense(b"<html>"), "partner-nonsense"),
        (nonsense(b"[]"), "partner-nonsense"),
        (nonsense(b"{}"), "partner-nonsense"),
        (nonsense(b"[" * 100 + b"]" * 100), "partner-nonsense"),
        (nonsense(b"", 302, location="http://elsewhere.test/"), "partner-nonsense"),
        (nonsense(b"Not here", 404), "partner-nonsense"),
        (nonsense(b'{"code":"<b>","reason":"x"}', 400), "partner-nonsense"),
        (nonsense(b'{"code":7,"reason":"x"}', 422), "partner-nonsense"),
        (nonsense(b'{"code":"x"}', 404), "partner-nonsense"),
        (nonsense(b"Bad gateway", 502), "partner-silent"),
        (nonsense(b'{"code":"no-coverage","reason":"x"}', 500), "partner-silent"),
        (nonsense(b"Busy", 503), "partner-silent"),
    ],
)
def test_an_answer_that_cannot_be_read_is_no_answer(
    door: Door, answer: Callable[[Any], httpx2.Response], code: str
) -> None:
    bt = strange(door, answer)
    for act in (
        bt.offers,
        lambda: bt.quote(NEED),
        lambda: bt.order(quote_id=QuoteId("q"), key=KEY),
        lambda: bt.usage(holding_id=HOLDING, period=NOVEMBER),
    ):
        error = caught(act)
        assert (type(error), error.code) == (TryLater, code)


def test_words_and_waits_of_a_partner_are_bounded(door: Door) -> None:
    long = render({"code": "busy", "reason": "x" * 10**5, "hansaRetryAfter": 10**20})
    error = caught(strange(door, nonsense(long, 503)).offers)
    assert isinstance(error, TryLater)
    assert len(error.words) == errors.WORDS_MAX
    assert error.after_s == errors.WAIT_MAX_S


def test_an_endless_answer_is_cut_off(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "ANSWER_MAX", 1000)

    def endless() -> Iterator[bytes]:
        while True:
            yield b"[" * 100

    answers = httpx2.MockTransport(lambda _: httpx2.Response(200, content=endless()))
    bt = reached(door.partner().address, httpx2.Client(transport=answers))
    assert caught(bt.offers).code == "partner-nonsense"
    monkeypatch.setattr(courier, "ANSWER_MAX_S", -1.0)
    assert caught(bt.offers).code == "partner-silent"


def test_an_answer_must_be_about_what_was_asked(door: Door, bt: TmfPartner, shop: Shop) -> None:
    made = bt.order(quote_id=bt.quote(NEED).id, key=KEY)
    shop.readings = some_usage(HOLDING)
    last = {}
    for act in (
        lambda: bt.qualify(NEED),
        lambda: bt.quote(NEED),
        lambda: bt.order(quote_id=made.quote, key=KEY),
        lambda: bt.progress(made.id),
        lambda: bt.condition(HOLDING),
        lambda: bt.usage(holding_id=HOLDING, period=NOVEMBER),
    ):
        act()
        response = door.exchanged[-1][1]
        last[door.exchanged[-1][0].url.path.split("/")[2]] = response

    def replay(request: httpx2.Request) -> httpx2.Response:
        kept = last[request.url.path.split("/")[2]]
        return httpx2.Response(kept.status_code, content=kept.content, headers=kept.headers)

    other = strange(door, replay)
    assert other.quote(NEED).seller == BT
    less = replace(NEED, items=NEED.items[:1])
    for act in (
        lambda: other.qualify(less),
        lambda: other.quote(less),
        lambda: other.quote(replace(NEED, currency="ZAR")),
        lambda: other.progress(type(made.id)("ord_2")),
        lambda: other.condition(HoldingId("hld_2")),
        lambda: other.usage(holding_id=HoldingId("hld_2"), period=NOVEMBER),
    ):
        error = caught(act)
        assert (type(error), error.code) == (TryLater, "partner-nonsense")
    eve = strange(door, replay, EVE)
    assert caught(lambda: eve.quote(NEED)).code == "partner-nonsense"


@pytest.mark.parametrize(
    "totals",
    [["", "3"], ["x", "3"], ["2", "2"], ["4", "5"], ["9", "9"]],
)
def test_a_list_must_be_all_there(door: Door, totals: list[str]) -> None:
    asked = iter(totals)
    pages = iter((b"[%s]" % b",".join([OFFER] * 3), b"[]"))

    def page(_: Any) -> httpx2.Response:
        return httpx2.Response(200, content=next(pages), headers={"x-total-count": next(asked)})

    assert caught(strange(door, page).offers).code == "partner-nonsense"


OFFER = render(
    {
        "id": "line",
        "name": "Line",
        "category": [{"id": "voice"}],
        "place": [],
        "prodSpecCharValueUse": [],
        "hansaPer": "site",
        "hansaCurrency": "GBP",
    }
)


# --- silence ----------------------------------------------------------------------------------


def test_a_partner_that_is_not_there_is_silent(door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with httpx2.Client(timeout=1.0) as http:
        error = caught(reached(f"http://127.0.0.1:{port}", http).offers)
    assert (type(error), error.code) == (TryLater, "partner-silent")


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", b"what?\r\n\r\n"]
)
def test_a_partner_that_stops_in_the_middle_is_silent(door: Door, says: bytes) -> None:
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(says)
                if not says:
                    gone.wait(5)

        serving = threading.Thread(target=serve)
        serving.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx2.Client(timeout=0.2) as http:
            error = caught(reached(address, http).offers)
        gone.set()
        serving.join()
    assert (type(error), error.code) == (TryLater, "partner-silent")
