"""What BT's door does not let in, and what MTN does not believe of BT."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation.contract import TRAIL_MAX
from hansa.federation.keys import KeyRing
from hansa.federation.tmf import client, errors, server
from hansa.federation.tmf.client import TmfPartner
from hansa.federation.tmf.shapes import order, quote
from hansa.federation.tmf.wire import DEPTH_MAX, parse, render
from hansa.federation.tokens import LEEWAY_S, LIFETIME_S, TokenCache, make_token
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, Ids, QuoteId
from hansa.foundation.time import SetClock
from tests.federation import swagger
from tests.federation.shop import (
    BT,
    EVE,
    LATER,
    MTN,
    NEED,
    NOVEMBER,
    Door,
    Shop,
    retrail,
    some_usage,
)
from tests.federation.values import characters

HOLDING = HoldingId("hld_1")
KEY = BuyerKey("tsk_1")
QUOTES = quote.QUOTES


def caught(act: Callable[[], object]) -> HansaError:
    with pytest.raises(HansaError) as raised:
        act()
    return raised.value


def told(response: httpx2.Response) -> tuple[int, str, str | None]:
    """Status, code and field of an error answer, which is a TMF630 Error whatever happened."""
    body = parse(response.content)
    assert list(swagger.faults(622, {"$ref": "#/definitions/Error"}, body)) == []
    assert response.headers["content-type"] == "application/json"
    assert body["status"] == str(response.status_code)
    return response.status_code, body["code"], body.get("hansaField")


@pytest.fixture
def headers(mtn_ring: KeyRing, clock: SetClock) -> dict[str, str]:
    token = make_token(mtn_ring, us=MTN, partner=BT, now=clock.now())
    return {"authorization": f"Bearer {token}"}


# --- errors, both ways ------------------------------------------------------------------------

texts = st.text(characters, max_size=40)
codes = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
fields = st.none() | texts
failures: st.SearchStrategy[HansaError] = st.one_of(
    st.builds(Refused, codes | st.sampled_from(sorted(errors.BY_CODE)), texts, field=fields),
    st.builds(NotFound, codes, texts, field=fields),
    st.builds(
        TryLater,
        codes,
        texts,
        field=fields,
        after_s=st.none() | st.integers(0, 1000 * errors.WAIT_MAX_S).map(lambda ms: ms / 1000),
    ),
)


@given(failures)
def test_an_error_arrives_as_it_was_raised(error: HansaError) -> None:
    status, _, body = errors.write(error)
    heard = errors.read(status, body, "bt")
    assert type(heard) is type(error)
    assert (heard.code, heard.words, heard.field) == (error.code, error.words, error.field)
    if isinstance(heard, TryLater) and isinstance(error, TryLater):
        assert heard.after_s == error.after_s


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("no-coverage", "Nobody goes there.", field="items.0"), 422),
        (Refused("key-reused", "Used before.", field="key"), 409),
        (Refused("malformed", "Not so."), 400),
        (NotFound("quote-unknown", "No such quote.", field="quote"), 404),
        (LATER, 503),
    ],
)
def test_a_partner_hears_why(
    bt: TmfPartner, shop: Shop, door: Door, error: HansaError, status: int
) -> None:
    shop.failing = error
    heard = caught(lambda: bt.quote(NEED))
    assert type(heard) is type(error)
    assert (heard.code, heard.words, heard.field) == (error.code, error.words, error.field)
    response = door.exchanged[-1][1]
    assert told(response) == (status, error.code, error.field)
    assert response.headers.get("retry-after") == ("1" if error is LATER else None)
    assert isinstance(caught(lambda: bt.hear(order.read_moved(MOVED))), type(error))


MOVED = {
    "event": {
        "productOrder": {
            "id": "ord_1",
            "externalId": "k",
            "state": "held",
            "productOrderItem": [{"id": "all", "action": "add"}],
        }
    }
}


def test_the_same_key_for_something_else_is_refused(bt: TmfPartner) -> None:
    first, second = bt.quote(NEED), bt.quote(NEED)
    bt.order(quote_id=first.id, key=KEY)
    error = caught(lambda: bt.order(quote_id=second.id, key=KEY))
    assert (type(error), error.code) == (Refused, "key-reused")


def test_a_fault_of_ours_says_no_more_than_that(
    bt: TmfPartner, shop: Shop, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    shop.failing = ZeroDivisionError("secret detail")
    error = caught(lambda: bt.usage(holding_id=HOLDING, period=NOVEMBER))
    assert (type(error), error.code) == (TryLater, "partner-silent")
    response = door.exchanged[-1][1]
    assert told(response) == (500, "internal-error", None)
    assert b"secret" not in response.content
    assert "secret detail" in caplog.text


# --- who calls --------------------------------------------------------------------------------


def forged(ring: KeyRing, **claims: Any) -> str:
    now = int(claims.pop("now").timestamp())
    good: dict[str, Any] = {"iss": MTN, "aud": BT, "iat": now, "exp": now + LIFETIME_S}
    return ring.token({key: value for key, value in (good | claims).items() if value is not None})


def test_tokens_that_prove_nothing_are_refused(
    door: Door,
    mtn_ring: KeyRing,
    bt_ring: KeyRing,
    clock: SetClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = clock.now()
    stamp = int(now.timestamp())
    good = forged(mtn_ring, now=now)
    head, payload, signature = good.split(".")
    other = jwt.utils.base64url_encode(b'{"iss":"mtn","aud":"bt","iat":1,"exp":99}').decode()
    wrong = {
        "another audience": forged(mtn_ring, now=now, aud="tim"),
        "no audience": forged(mtn_ring, now=now, aud=None),
        "several audiences": mtn_ring.token({"iss": MTN, "aud": [BT], "iat": stamp, "exp": stamp}),  # type: ignore[dict-item]
        "unknown issuer": forged(mtn_ring, now=now, iss=EVE),
        "no issuer": forged(mtn_ring, now=now, iss=None),
        "odd issuer": forged(mtn_ring, now=now, iss="../bt"),
        "another's key": forged(bt_ring, now=now),
        "expired": forged(mtn_ring, now=now - timedelta(seconds=LIFETIME_S + LEEWAY_S)),
        "not yet": forged(mtn_ring, now=now + timedelta(seconds=LEEWAY_S + 1)),
        "good for ever": forged(mtn_ring, now=now, exp=stamp + 10**9),
        "good for no time": forged(mtn_ring, now=now, exp=None),
        "time as text": forged(mtn_ring, now=now, iat=str(stamp)),
        "tampered claims": f"{head}.{other}.{signature}",
        "tampered signature": f"{head}.{payload}.{signature[:-4]}AAAA",
        "no signature": jwt.encode({"iss": MTN, "aud": BT}, "", algorithm="none"),
        "a shared secret": jwt.encode(
            {"iss": MTN, "aud": BT, "iat": stamp, "exp": stamp + 60},
            "0" * 44,
            algorithm="HS256",
        ),
        "no token": "abc",
        "too long": "a" * 5000,
        "nothing": "",
    }
    for why, token in wrong.items():
        sent = {"authorization": f"Bearer {token}"} if token else {}
        answer = door.post(QUOTES, content=b"{", headers=sent)
        assert told(answer)[:2] == (401, "token-refused"), why
        assert answer.headers["www-authenticate"] == "Bearer"
        assert not token or token not in caplog.text
    basic = {"authorization": f"Basic {good}"}
    assert told(door.get("/tmf-api/usageManagement/v4/usage", headers=basic))[0] == 401


def test_clocks_may_be_a_little_apart(
    door: Door, mtn_ring: KeyRing, clock: SetClock, shop: Shop
) -> None:
    token = make_token(mtn_ring, us=MTN, partner=BT, now=clock.now())
    bt = door.client(MTN, mtn_ring, lambda: token)
    for apart in (-LEEWAY_S, 2 * LEEWAY_S, LIFETIME_S - LEEWAY_S + LEEWAY_S - 1):
        clock.move(timedelta(seconds=apart))
        assert len(bt.offers()) == len(shop.offers())
    clock.move(timedelta(seconds=LEEWAY_S))
    error = caught(bt.offers)
    assert (type(error), error.code) == (Refused, "token-refused")


def test_a_token_is_made_anew_after_half_its_life(mtn_ring: KeyRing, clock: SetClock) -> None:
    tokens = TokenCache(mtn_ring, us=MTN, partner=BT, clock=clock)
    first = tokens()
    clock.move(timedelta(seconds=LIFETIME_S / 2 - 1))
    assert tokens() == first
    clock.move(timedelta(seconds=1))
    second = tokens()
    assert second != first
    clock.move(timedelta(days=-1))
    assert tokens() != second


def test_everyone_finds_only_their_own(
    door: Door, bt: TmfPartner, mtn_ring: KeyRing, clock: SetClock
) -> None:
    made = bt.order(quote_id=bt.quote(NEED).id, key=KEY)
    door.knows(EVE, mtn_ring)
    eve = door.client(EVE, mtn_ring)
    assert caught(lambda: eve.progress(made.id)).code == "order-unknown"


# --- what is sent -----------------------------------------------------------------------------


def test_a_body_may_not_be_too_long(
    bt_ring: KeyRing, mtn_ring: KeyRing, clock: SetClock, ids: Ids, headers: dict[str, str]
) -> None:
    door = Door(BT, bt_ring, clock, ids, body_max=1000, papers_max=2000)
    door.knows(MTN, mtn_ring)
    need = render(quote.write_need(replace(NEED, items=NEED.items[:1])))
    fits = need + b" " * (1000 - len(need))
    assert door.post(QUOTES, content=fits, headers=headers).status_code == 201
    for body in (fits + b" ", chunked(fits + b" "), chunked(b"x" * 10**6)):
        assert told(door.post(QUOTES, content=body, headers=headers))[:2] == (413, "body-too-large")
    path = "/tmf-api/agreementManagement/v4/agreement"
    assert told(door.post(path, content=b"[" * 2000, headers=headers))[0] == 400
    assert told(door.post(path, content=b"[" * 2001, headers=headers))[0] == 413
    announced = headers | {"content-length": "9" * 30}
    assert told(door.post(QUOTES, content=b"{}", headers=announced))[0] == 413
    assert door.post(QUOTES, content=chunked(fits), headers=headers).status_code == 201


def chunked(body: bytes) -> Iterator[bytes]:
    """A body of which no length is announced."""
    for start in range(0, len(body), 100):
        yield body[start : start + 100]


def deep(levels: int) -> bytes:
    return b'{"a":[' * (levels // 2) + b"]}" * (levels // 2)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b'{"a":1,}', "malformed"),
        (b'{"a":NaN}', "malformed"),
        (b'{"a":"\xff"}', "malformed"),
        (b'{"a":"\\ud800"}', "malformed"),
        (b'{"a":"\\u0000"}', "malformed"),
        (b'{"a":%s}' % (b"9" * 5000), "malformed"),
        (b'{"a":1e5000}', "malformed"),
        (b'{"a":1e99999999999999999999}', "malformed"),
        (b'{"a":0.%s}' % (b"1" * 200), "malformed"),
        (b"[" * 5000, "malformed"),
        (b'"' + b'\\"' * 5000, "malformed"),
        (deep(DEPTH_MAX + 2), "body-too-deep"),
        (b"[" * 5000 + b"]" * 5000, "body-too-deep"),
        (deep(DEPTH_MAX), "malformed"),
        (b"[]", "malformed"),
        (b"7", "malformed"),
    ],
)
def test_a_body_that_is_no_document_is_refused(
    door: Door, headers: dict[str, str], body: bytes, code: str
) -> None:
    answer = door.post(QUOTES, content=body, headers=headers)
    assert told(answer)[:2] == (400, code)


def test_brackets_in_texts_are_no_nesting() -> None:
    value = {"a": "[" * 100, "b": '\\"{{{' * 50, "c": [{}] * 50}
    assert parse(json.dumps(value).encode()) == value


def test_an_error_names_the_field(door: Door, headers: dict[str, str], shop: Shop) -> None:
    need: Any = parse(render(quote.write_need(NEED)))
    need["quoteItem"][1]["quantity"] = "two"
    answer = door.post(QUOTES, content=render(need), headers=headers)
    assert told(answer) == (400, "malformed", "quoteItem.1.quantity")
    need["quoteItem"][1]["quantity"] = 0
    answer = door.post(QUOTES, content=render(need), headers=headers)
    assert told(answer) == (422, "quantity", "items.1.quantity")
    assert shop.quotes == {}


def test_a_trail_has_an_end(bt: TmfPartner, shop: Shop) -> None:
    full = [f"op{number}" for number in range(TRAIL_MAX)]
    assert bt.quote(retrail(NEED, *full)).buyer == MTN
    for act in (bt.quote, bt.qualify):
        error = caught(lambda act=act: act(retrail(NEED, *full, "mtn")))  # type: ignore[misc]
        assert (type(error), error.code, error.field) == (Refused, "trail-too-long", "hansaTrail")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/tmf-api/usageManagement/v4/usage", 400, "malformed"),
        ("/tmf-api/usageManagement/v4/usage?product.id=h", 400, "malformed"),
        ("/tmf-api/usageManagement/v4/usage?product.id=h&period=2026-13", 400, "period-invalid"),
        (
            "/tmf-api/usageManagement/v4/usage?product.id=h&period=2026-11&limit=-1",
            400,
            "malformed",
        ),
        (
            "/tmf-api/usageManagement/v4/usage?product.id=h&period=2026-11&offset=x",
            400,
            "malformed",
        ),
        ("/tmf-api/productInventory/v4/product/%00", 400, "malformed"),
        ("/tmf-api/productInventory/v4/product/" + "x" * 300, 400, "malformed"),
        ("/tmf-api/quoteManagement/v4/quote", 405, "method-unknown"),
        ("/tmf-api/quoteManagement/v4/quotes", 404, "path-unknown"),
        ("/", 404, "path-unknown"),
    ],
)
def test_odd_paths_are_answered_in_the_same_shape(
    door: Door, headers: dict[str, str], path: str, status: int, code: str
) -> None:
    assert told(door.get(path, headers=headers))[:2] == (status, code)


# --- what is not believed ---------------------------------------------------------------------


def strange(door: Door, answer: Callable[[Any], httpx2.Response]) -> TmfPartner:
    """A partner at BT's address that answers as it likes."""
    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return TmfPartner(us=MTN, partner=door.partner(), http=http, token=lambda: "t")


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
    mtn_ring: KeyRing, door: Door, answer: Callable[[Any], httpx2.Response], code: str
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


def test_words_and_waits_of_a_partner_are_bounded(mtn_ring: KeyRing, door: Door) -> None:
    long = render({"code": "busy", "reason": "x" * 10**5, "hansaRetryAfter": 10**20})
    error = caught(strange(door, nonsense(long, 503)).offers)
    assert isinstance(error, TryLater)
    assert len(error.words) == errors.WORDS_MAX
    assert error.after_s == errors.WAIT_MAX_S


def test_an_endless_answer_is_cut_off(
    mtn_ring: KeyRing, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ANSWER_MAX", 1000)

    def endless() -> Iterator[bytes]:
        while True:
            yield b"[" * 100

    bt = strange(door, lambda _: httpx2.Response(200, content=endless()))
    assert caught(bt.offers).code == "partner-nonsense"
    monkeypatch.setattr(client, "ANSWER_MAX_S", -1.0)
    assert caught(bt.offers).code == "partner-silent"


def test_an_answer_must_be_about_what_was_asked(
    mtn_ring: KeyRing, door: Door, bt: TmfPartner, shop: Shop
) -> None:
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
    eve = TmfPartner(us=EVE, partner=door.partner(), http=other._http, token=lambda: "t")
    assert caught(lambda: eve.quote(NEED)).code == "partner-nonsense"


@pytest.mark.parametrize(
    "totals",
    [["", "3"], ["x", "3"], ["2", "2"], ["4", "5"], ["9", "9"]],
)
def test_a_list_must_be_all_there(mtn_ring: KeyRing, door: Door, totals: list[str]) -> None:
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


def test_a_partner_that_is_not_there_is_silent(mtn_ring: KeyRing, door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    far = replace(door.partner(), address=f"http://127.0.0.1:{port}")
    with httpx2.Client(timeout=1.0) as http:
        bt = TmfPartner(us=MTN, partner=far, http=http, token=lambda: "t")
        error = caught(bt.offers)
    assert (type(error), error.code) == (TryLater, "partner-silent")


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", b"what?\r\n\r\n"]
)
def test_a_partner_that_stops_in_the_middle_is_silent(
    mtn_ring: KeyRing, door: Door, says: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(says)
                if not says:
                    gone.wait(5)

        gone = threading.Event()
        serving = threading.Thread(target=serve)
        serving.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx2.Client(timeout=0.2) as http:
            far = replace(door.partner(), address=address)
            bt = TmfPartner(us=MTN, partner=far, http=http, token=lambda: "t")
            error = caught(bt.offers)
        gone.set()
        serving.join()
    assert (type(error), error.code) == (TryLater, "partner-silent")


def test_no_secret_is_logged(bt: TmfPartner, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bt.order(quote_id=bt.quote(NEED).id, key=KEY)
    token = door.exchanged[-1][0].headers["authorization"].removeprefix("Bearer ")
    assert [record.message for record in caplog.records if record.name == server.__name__] == [
        "quote",
        "order",
    ]
    assert token not in caplog.text
    assert all(token not in str(vars(record)) for record in caplog.records)
