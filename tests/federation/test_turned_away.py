"""What is turned away before it is read: whoever has signed it is told so under our signature."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from hansa.federation import intake
from hansa.federation.courier import Courier
from hansa.federation.exchange import BODY_MAX
from hansa.federation.limits import Limits, Measure
from hansa.federation.tmf import errors
from hansa.federation.wire import parse
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import PartyId
from tests.federation.roads import EVE, MTN, Between, House
from tests.federation.test_signatures import caught, signed

LONG = b"x" * (BODY_MAX + 1)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def mtn(house: House) -> Courier:
    return house.courier(Between(house))


TURNED_AWAY: tuple[tuple[str, str, bytes | None, int, str], ...] = (
    ("GET", "/nothing", None, 404, "path-unknown"),
    ("POST", "/nothing", b"{}", 404, "path-unknown"),
    ("PATCH", "/things/1", b"{}", 405, "method-unknown"),
    ("GET", "/things/%FF", None, 400, "malformed"),
    ("GET", "/things/1?" + "a" * 9000, None, 400, "malformed"),
    ("POST", "/things/1", LONG, 413, "body-too-large"),
)


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), TURNED_AWAY)
def test_a_partner_hears_why(
    house: House, mtn: Courier, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    reply = mtn.send(method, path, body)
    assert (reply.status, parse(reply.body)["code"]) == (status, code)
    heard = errors.read(reply.status, reply.body, "bt")
    assert (type(heard), heard.code) == (NotFound if status == 404 else Refused, code)
    assert house.asked == []
    assert house.register.nonces == set()


def sent(house: House, request: httpx2.Request, **by: Any) -> httpx2.Response:
    """What is answered to a request of which somebody on its way has made another."""
    return house.http.request(
        by.get("method", request.method),
        by.get("url", str(request.url).replace("https://bt.test", "http://behind-a-proxy")),
        headers={**request.headers, **by.get("headers", {})},
        content=by.get("body", request.content),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"url": "/nothing"},
        {"url": "/things/1?a=b&%FF"},
        {"method": "PATCH"},
        {"body": LONG},
        {"headers": {"content-length": str(len(LONG))}, "body": LONG},
        {"headers": {f"x-{number}": "y" for number in range(100)}},
        {"headers": {"hansa-audience": "eve"}, "url": "/nothing"},
    ],
)
def test_nobody_on_the_way_has_a_request_turned_away(house: House, change: dict[str, Any]) -> None:
    """What came is not what the partner has sent, so it gets no answer of ours to it."""
    answer = sent(house, signed(house), **change)
    assert answer.status_code in {400, 404, 405, 413, 431}
    assert "signature" not in answer.headers
    error = caught(lambda: house.courier(Forged(answer)).send("POST", "/things/1?a=b", b'{"x":1}'))
    assert (type(error), error.code) == (TryLater, "partner-unproved")


class Forged(httpx2.Client):
    """Somebody who answers everything with what somebody else was told."""

    def __init__(self, answer: httpx2.Response) -> None:
        kept = httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
        super().__init__(transport=httpx2.MockTransport(lambda _: kept))


def test_a_stranger_is_told_without_a_signature(house: House) -> None:
    house.register.keys[EVE] = []
    for us in (PartyId("nobody"), EVE):
        answer = sent(house, signed(house, us=us), url="/nothing")
        assert (answer.status_code, answer.json()["code"]) == (404, "path-unknown")
        assert "signature" not in answer.headers
    assert "signature" not in house.http.get("/nothing").headers


@pytest.mark.parametrize(("us", "read"), [(PartyId("nobody"), 9), (MTN, 20)])
def test_of_a_stranger_no_more_is_read_than_may_be(house: House, us: PartyId, read: int) -> None:
    """An eighth of the bound at a time; of a partner it is read on, to prove whose it is."""
    request, taken, answered = signed(house, us=us), iter(range(20)), []

    async def receive() -> Any:
        number = next(taken)
        body = b"x" * (BODY_MAX // 8)
        return {"type": "http.request", "body": body, "more_body": number < 19}

    async def send(message: Any) -> None:
        answered.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/things/1", "raw_path": b"/things/1",
        "scheme": "http", "query_string": b"a=b",
        "headers": [(name, value) for name, value in request.headers.raw
                    if name.lower() != b"content-length"],
    }  # fmt: skip

    async def ask() -> None:
        await house.http.app(scope, receive, send)

    asyncio.run(ask())
    assert answered[0]["status"] == 413
    assert next(taken, 20) == read


def test_a_body_beyond_all_bounds_is_not_waited_for(
    house: House, mtn: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "REST_MAX", 100)
    error = caught(lambda: mtn.send("POST", "/things/1", LONG))
    assert (type(error), error.code) == (TryLater, "partner-unproved")


def test_who_is_turned_away_is_counted_like_all_others(house: House) -> None:
    house.limits = Limits(Measure(requests_per_s=0.001, burst=2))
    house.__post_init__()
    mtn = house.courier(Between(house))
    codes = [parse(mtn.send("GET", "/nothing").body)["code"] for _ in range(3)]
    assert codes == ["path-unknown", "path-unknown", "too-many-requests"]
    assert MTN in house.register.keys
