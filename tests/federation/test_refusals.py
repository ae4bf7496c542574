"""What BT's door does not let in, and how MTN hears of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation import exchange
from hansa.federation.contract import TRAIL_MAX
from hansa.federation.keys import KeyRing
from hansa.federation.tmf import errors
from hansa.federation.tmf.client import TmfPartner
from hansa.federation.tmf.resources import needs
from hansa.federation.tmf.shapes import order, quote
from hansa.federation.tokens import LEEWAY_S, LIFETIME_S, TokenCache, make_token
from hansa.federation.wire import DEPTH_MAX, parse, render
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater
from hansa.foundation.ids import BuyerKey, HoldingId, Ids
from hansa.foundation.time import SetClock
from tests.federation.shop import (
    BT,
    EVE,
    LATER,
    MTN,
    NEED,
    NOVEMBER,
    Door,
    Shop,
    caught,
    retrail,
)
from tests.federation.values import characters

HOLDING = HoldingId("hld_1")
KEY = BuyerKey("tsk_1")
QUOTES = quote.QUOTES


def told(response: httpx2.Response) -> tuple[int, str, str | None]:
    """Status, code and field of an error answer, a TMF630 Error whatever happened."""
    body = parse(response.content)
    assert isinstance(body["code"], str)
    assert isinstance(body["reason"], str)
    assert response.headers["content-type"] == "application/json"
    assert body["status"] == str(response.status_code)
    return response.status_code, body["code"], body.get("hansaField")


@pytest.fixture
def headers(mtn_ring: KeyRing, clock: SetClock) -> dict[str, str]:
    token = make_token(mtn_ring, us=MTN, partner=BT, now=clock.now())
    return {"authorization": f"Bearer {token}", "content-type": "application/json"}


# --- errors, both ways ------------------------------------------------------------------------

texts = st.text(characters, max_size=40)
codes = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
fields = st.none() | texts
failures: st.SearchStrategy[HansaError] = st.one_of(
    st.builds(
        Refused,
        codes | st.sampled_from(sorted(set(exchange.BY_CODE) - {"token-refused"})),
        texts,
        field=fields,
    ),
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
    answer = errors.write(error, exchange.status_of(error))
    status, body = answer.status, answer.body
    assert isinstance(body, bytes)
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
    at = claims.pop("now")
    now = int(at.timestamp())
    good: dict[str, Any] = {"iss": MTN, "aud": BT, "iat": now, "exp": now + LIFETIME_S}
    said = {key: value for key, value in (good | claims).items() if value is not None}
    return ring.current(at).token(said)


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
        "several audiences": forged(mtn_ring, now=now, aud=[BT]),
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
    assert (type(error), error.code) == (TryLater, "token-refused")  # a clock can be set right


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
        (b'{"a":1,"b":2,"a":1}', "malformed"),
        (b'{"\\ud800":1,"\\ud800":1}', "malformed"),
        (b'{"a":"\\u0000"}', "malformed"),
        (b'{"a":%s}' % (b"9" * 5000), "malformed"),
        (b'{"a":1e5000}', "malformed"),
        (b'{"a":1e99999999999999999999}', "malformed"),
        (b'{"a":0.%s}' % (b"1" * 200), "malformed"),
        (b"[" * 5000, "malformed"),
        (b"[" * DEPTH_MAX, "malformed"),
        (b"]" * 5000, "malformed"),
        (b'\\"' + b"[" * 5000, "malformed"),
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


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"quote":[{"id":"a"}],"quote":[]}', "quote"),
        ('{"quote":[{"id":"a","href":"b","id":"c"}]}', "id"),
        ('{"\\u0061":1,"a":1}', "a"),
    ],
)
def test_no_name_stands_twice_in_an_object(body: str, field: str) -> None:
    """Else whoever reads the first and whoever reads the last of them were told two things."""
    error = caught(lambda: parse(body.encode()))
    assert (type(error), error.code, error.field) == (Refused, "malformed", field)
    assert parse(b'{"a":{"b":1},"b":[{"a":1},{"a":2}]}')


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
        (
            "/tmf-api/productOrderingManagement/v4/listener/productOrderStateChangeEvent",
            405,
            "method-unknown",
        ),
        ("/tmf-api/quoteManagement/v4/quotes", 404, "path-unknown"),
        ("/", 404, "path-unknown"),
    ],
)
def test_odd_paths_are_answered_in_the_same_shape(
    door: Door, headers: dict[str, str], path: str, status: int, code: str
) -> None:
    assert told(door.get(path, headers=headers))[:2] == (status, code)


def test_no_secret_is_logged(bt: TmfPartner, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bt.order(quote_id=bt.quote(NEED).id, key=KEY)
    token = door.exchanged[-1][0].headers["authorization"].removeprefix("Bearer ")
    assert [record.message for record in caplog.records if record.name == needs.__name__] == [
        "quote",
        "order",
    ]
    assert token not in caplog.text
    assert all(token not in str(vars(record)) for record in caplog.records)
