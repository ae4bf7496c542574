"""What BT's door does not let in, and how MTN hears of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation import exchange
from hansa.federation.contract import TRAIL_MAX
from hansa.federation.keys.ring import KeyRing
from hansa.federation.keys.signatures import WINDOW_S
from hansa.federation.tmf import errors
from hansa.federation.tmf.client import TmfPartner
from hansa.federation.tmf.resources import needs
from hansa.federation.tmf.shapes import order, quote
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
from tests.signing import SignedBy

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
def auth(mtn_ring: KeyRing, clock: SetClock) -> SignedBy:
    """Signs what MTN sends to BT."""
    return SignedBy(MTN, mtn_ring.current(clock.now()), to=BT, clock=clock)


# --- errors, both ways ------------------------------------------------------------------------

texts = st.text(characters, max_size=40)
codes = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True).filter(
    lambda code: exchange.BY_CODE.get(code) not in exchange.LATER
)
fields = st.none() | texts
FOR_GOOD = sorted(code for code, status in exchange.BY_CODE.items() if status not in exchange.LATER)
failures: st.SearchStrategy[HansaError] = st.one_of(
    st.builds(
        Refused,
        codes | st.sampled_from(FOR_GOOD),
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


def test_who_proves_nothing_is_refused(
    door: Door, mtn_ring: KeyRing, bt_ring: KeyRing, clock: SetClock, auth: SignedBy
) -> None:
    key = mtn_ring.current(clock.now())
    wrong = {
        "another audience": SignedBy(MTN, key, to=EVE, clock=clock),
        "unknown party": SignedBy(EVE, key, to=BT, clock=clock),
        "another's key": SignedBy(MTN, bt_ring.current(clock.now()), to=BT, clock=clock),
        "late": SignedBy(MTN, key, to=BT, clock=SetClock(clock.now() - timedelta(minutes=1))),
        "early": SignedBy(MTN, key, to=BT, clock=SetClock(clock.now() + timedelta(minutes=1))),
    }
    for why, signing in wrong.items():
        answer = door.post(QUOTES, content=b"{", auth=signing)
        assert told(answer)[:2] == (401, "signature-refused"), why
        assert "signature" not in answer.headers
    for headers in ({}, {"authorization": "Bearer abc"}, {"authorization": "Basic b3A="}):
        assert told(door.post(QUOTES, content=b"{", headers=headers))[0] == 401
    assert told(door.post(QUOTES, content=b"{", auth=auth))[0] == 400


def test_clocks_may_be_a_little_apart(
    door: Door, mtn_ring: KeyRing, clock: SetClock, shop: Shop
) -> None:
    theirs = SetClock(clock.now())
    bt = door.client(MTN, mtn_ring, clock=theirs)
    for apart in (-WINDOW_S, 2 * WINDOW_S):
        theirs.move(timedelta(seconds=apart))
        assert len(bt.offers()) == len(shop.offers())
    theirs.move(timedelta(seconds=1))
    error = caught(bt.offers)
    assert (type(error), error.code) == (TryLater, "signature-not-taken")  # it can be set right


def test_everyone_finds_only_their_own(
    door: Door, bt: TmfPartner, mtn_ring: KeyRing, clock: SetClock
) -> None:
    made = bt.order(quote_id=bt.quote(NEED).id, key=KEY)
    door.knows(EVE, mtn_ring)
    eve = door.client(EVE, mtn_ring)
    assert caught(lambda: eve.progress(made.id)).code == "order-unknown"


# --- what is sent -----------------------------------------------------------------------------


def test_a_body_may_not_be_too_long(
    bt_ring: KeyRing, mtn_ring: KeyRing, clock: SetClock, ids: Ids, auth: SignedBy
) -> None:
    door = Door(BT, bt_ring, clock, ids, body_max=1000, papers_max=2000)
    door.knows(MTN, mtn_ring)
    need = render(quote.write_need(replace(NEED, items=NEED.items[:1])))
    fits = need + b" " * (1000 - len(need))
    assert door.post(QUOTES, content=fits, auth=auth).status_code == 201
    for body in (fits + b" ", chunked(fits + b" "), chunked(b"x" * 10**6)):
        assert told(door.post(QUOTES, content=body, auth=auth))[:2] == (413, "body-too-large")
    path = "/tmf-api/agreementManagement/v4/agreement"
    assert told(door.post(path, content=b"[" * 2000, auth=auth))[0] == 400
    assert told(door.post(path, content=b"[" * 2001, auth=auth))[0] == 413
    announced = {"content-length": "9" * 30}
    assert told(door.post(QUOTES, content=b"{}", headers=announced))[0] == 413
    assert door.post(QUOTES, content=chunked(fits), auth=auth).status_code == 201


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
    door: Door, auth: SignedBy, body: bytes, code: str
) -> None:
    answer = door.post(QUOTES, content=body, auth=auth)
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


def test_an_error_names_the_field(door: Door, auth: SignedBy, shop: Shop) -> None:
    need: Any = parse(render(quote.write_need(NEED)))
    need["quoteItem"][1]["quantity"] = "two"
    answer = door.post(QUOTES, content=render(need), auth=auth)
    assert told(answer) == (400, "malformed", "quoteItem.1.quantity")
    need["quoteItem"][1]["quantity"] = 0
    answer = door.post(QUOTES, content=render(need), auth=auth)
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
    door: Door, auth: SignedBy, path: str, status: int, code: str
) -> None:
    assert told(door.get(path, auth=auth))[:2] == (status, code)


def test_no_secret_is_logged(bt: TmfPartner, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bt.order(quote_id=bt.quote(NEED).id, key=KEY)
    signature = door.exchanged[-1][0].headers["signature"]
    assert [record.getMessage() for record in caplog.records if record.name == needs.__name__] == [
        "quote",
        "order",
    ]
    assert signature not in caplog.text
    assert all(signature not in str(vars(record)) for record in caplog.records)
