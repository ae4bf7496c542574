"""Signed messages: what a node takes from another, and what it does not."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.federation.courier import Courier
from hansa.federation.exchange import Answer, Ask, Caller
from hansa.federation.keys import signatures
from hansa.federation.keys.ring import SigningKey
from hansa.federation.trust.gate import SignedGate
from hansa.federation.wire import parse
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import PartyId
from tests.federation.roads import BT, EVE, MTN, START, Between, House, key_of


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def between(house: House) -> Between:
    return Between(house)


@pytest.fixture
def mtn(house: House, between: Between) -> Courier:
    return house.courier(between)


def caught(act: Callable[[], object]) -> HansaError:
    with pytest.raises(HansaError) as raised:
        act()
    return raised.value


def test_a_signed_request_is_let_in_and_its_answer_believed(house: House, mtn: Courier) -> None:
    reply = mtn.send("POST", "/things/1?a=b%20c", b'{"x":1}', {"traceparent": TRACE})
    assert (reply.status, reply.body) == (200, b'{"ok":true}')
    assert reply.headers["x-total-count"] == "7"
    assert house.asked[0].body == b'{"x":1}'
    request, answer = house.register.kept
    assert (request.kind, request.target) == ("request", "https://bt.test/things/1?a=b%20c")
    assert (answer.kind, answer.status, answer.nonce) == ("answer", 200, request.nonce)
    assert request.trace == answer.trace == TRACE.split("-")[1]


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_what_only_asks_is_not_kept(house: House, mtn: Courier) -> None:
    mtn.send("GET", "/things/1")
    assert house.register.kept == []
    assert len(house.register.nonces) == 1


def test_an_answer_without_a_body_is_signed_too(house: House, mtn: Courier) -> None:
    house.answer = Answer(204)
    assert mtn.send("DELETE", "/things/1").status == 204


def test_a_refusal_is_signed_and_believed(house: House, mtn: Courier) -> None:
    def refuse(ask: Ask, caller: Caller) -> Answer:
        raise Refused("no-coverage", "Nobody goes there.")

    house.handle = refuse  # type: ignore[method-assign]
    house.__post_init__()
    reply = house.courier(Between(house)).send("POST", "/things/1", b"{}")
    assert (reply.status, parse(reply.body)["code"]) == (422, "no-coverage")


def test_a_stream_is_gathered_before_it_is_signed(house: House, mtn: Courier) -> None:
    house.answer = Answer(200, iter([b"one", b"two"]))
    assert mtn.send("GET", "/things/1").body == b"onetwo"


# --- what is not let in ---------------------------------------------------------------------------


def signed(house: House, **differently: Any) -> httpx2.Request:
    """A request of MTN's at BT, good but for what is given."""
    us, to = differently.get("us", MTN), differently.get("to", BT)
    kept: list[httpx2.Request] = []

    def keep(request: httpx2.Request) -> httpx2.Response:
        kept.append(request)
        return httpx2.Response(503)

    http = httpx2.Client(transport=httpx2.MockTransport(keep))
    headers = {"traceparent": TRACE}
    caught(lambda: house.courier(http, us, to).send("POST", "/things/1?a=b", b'{"x":1}', headers))
    return kept[0]


def sent(
    house: House,
    request: httpx2.Request,
    *,
    method: str | None = None,
    url: str | None = None,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> tuple[int, str, str]:
    """Status, code and words with which a request is answered that somebody has changed."""
    response = house.http.request(
        method or request.method,
        url or str(request.url).replace("https://bt.test", "http://behind-a-proxy"),
        headers=dict(request.headers) if headers is None else headers,
        content=request.content if body is None else body,
    )
    told = parse(response.content)
    return response.status_code, told.get("code", ""), told.get("reason", "")


def test_what_is_not_changed_is_let_in(house: House) -> None:
    assert sent(house, signed(house))[0] == 200


def changed_text(text: str, at: int) -> str:
    """The text with one character replaced by another."""
    at %= len(text)
    other = "x" if text[at] != "x" else "y"
    return text[:at] + other + text[at + 1 :]


@settings(max_examples=150)
@given(st.data())
def test_whatever_is_changed_it_is_refused(data: st.DataObject) -> None:
    house = House()
    request = signed(house)
    headers = dict(request.headers)
    at = data.draw(st.integers(0, 10**6))
    part = data.draw(st.sampled_from(["method", "path", "query", "body", "header", "left out"]))
    if part == "method":
        found = sent(house, request, method="DELETE")
    elif part == "path":
        found = sent(house, request, url=f"/things/{at + 2}?a=b")
    elif part == "query":
        asked = data.draw(st.sampled_from(["", "?a=c", "?a=b&a=b", "?A=b", "?a=b&", "?a=%62"]))
        found = sent(house, request, url=f"/things/1{asked}")
    elif part == "body":
        body = request.content
        at %= len(body)
        changed = data.draw(st.sampled_from([b"", body + b" ", body[:at] + b"?" + body[at + 1 :]]))
        found = sent(house, request, body=changed)
    else:
        covered = ["content-digest", "content-type", "traceparent", "hansa-audience"]
        name = data.draw(st.sampled_from([*covered, "signature-input", "signature"]))
        if part == "left out":
            del headers[name]
        else:
            headers[name] = changed_text(headers[name], at)
        found = sent(house, request, headers=headers)
    assert found[:2] == (401, "signature-refused")
    assert house.asked == []
    assert house.register.kept == []


def test_a_header_that_is_not_covered_is_not_taken(house: House) -> None:
    request = signed(house)
    headers = {**request.headers, "if-match": "1"}
    assert "does not cover" in sent(house, request, headers=headers)[2]


def test_a_replay_is_refused(house: House) -> None:
    request = signed(house)
    assert sent(house, request)[0] == 200
    status, code, words = sent(house, request)
    assert (status, code) == (401, "signature-refused")
    assert "is a replay" in words
    assert len(house.asked) == 1


@pytest.mark.parametrize(
    ("off", "word"), [(31, "is late"), (86400, "is late"), (-31, "is early"), (30, ""), (-30, "")]
)
def test_a_request_has_its_time(house: House, off: int, word: str) -> None:
    request = signed(house)
    house.clock.move(timedelta(seconds=off))
    status, _, words = sent(house, request)
    assert (status == 200) is (word == "")
    assert word in words


def test_a_request_for_another_is_refused(house: House) -> None:
    request = signed(house, to=EVE)
    status, code, words = sent(house, request)
    assert (status, code) == (401, "signature-refused")
    assert "meant for another node" in words


def test_who_is_a_partner_cannot_be_found_out(house: House) -> None:
    """A stranger, and one who signs in a partner's name with its key's id, hear the same."""
    house.register.keys[EVE] = []
    unknown = sent(house, signed(house, us=PartyId("nobody")))
    revoked = sent(house, signed(house, us=EVE))
    request = signed(house, us=EVE)
    forged = dict(request.headers)
    forged["signature-input"] = forged["signature-input"].replace(
        f'"eve/{key_of(EVE).kid}"', f'"mtn/{key_of(MTN).kid}"'
    )
    assert sent(house, request, headers=forged) == unknown == revoked
    assert unknown[:2] == (401, "signature-refused")


def test_the_key_of_strangers_opens_no_door(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers' signatures are held against a key whose private half is in RFC 8032."""
    private = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    known = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)))
    assert base64.b64decode(known.public) == signatures._STRANGER
    monkeypatch.setattr("tests.federation.roads.key_of", lambda _: known)
    assert sent(house, signed(house, us=EVE))[:2] == (401, "signature-refused")


def test_a_partner_comes_with_its_own_certificate(house: House) -> None:
    house.register.certificates[MTN] = "ab" * 32
    assert "certificate" in sent(house, signed(house))[2]
    assert house.register.nonces == set()


def test_nobody_comes_without_proof(house: House) -> None:
    response = house.http.get("/things/1")
    assert (response.status_code, parse(response.content)["code"]) == (401, "signature-missing")
    assert "signature" not in response.headers


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_signature_that_cannot_be_read_is_refused(said: str, value: str) -> None:
    for headers in (
        {"signature-input": said, "signature": value},
        {"signature-input": f"hansa={said}", "signature": "hansa=:" + "A" * 86 + "==:"},
        {"signature-input": f'hansa=("@method"){said}', "signature": f"hansa={value}"},
    ):
        with pytest.raises(signatures.Unproved):
            signatures.claim(headers)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('alg="ed25519"', 'alg="hmac-sha256"'),
        ('tag="hansa"', 'tag="other"'),
        (";created=", ";expires="),
        ("nonce=", "nonsense="),
        ('nonce="0', 'nonce="'),
        ('keyid="mtn/', 'keyid="MTN/'),
        ('"@method" ', '"@method" "@method" '),
        (";created=", ";created=1;created="),
    ],
)
def test_signatures_of_another_kind_are_refused(house: House, before: str, after: str) -> None:
    request = signed(house)
    headers = dict(request.headers)
    short = headers["signature-input"].replace("0" * 20, "")
    headers["signature-input"] = short.replace(before, after)
    assert sent(house, request, headers=headers)[:2] == (401, "signature-refused")


# --- what is not believed -------------------------------------------------------------------------


def rewritten(response: httpx2.Response, **by: Any) -> httpx2.Response:
    headers = {**response.headers, **by.pop("headers", {})}
    for name in by.pop("without", ()):
        headers.pop(name, None)
    status, content = by.get("status", response.status_code), by.get("content", response.content)
    headers.pop("content-length", None)
    return httpx2.Response(status, headers=headers, content=content)


@pytest.mark.parametrize(
    "forgery",
    [
        {"status": 201},
        {"status": 404},
        {"content": b'{"ok":false}'},
        {"content": b""},
        {"headers": {"x-total-count": "8"}},
        {"headers": {"content-type": "text/plain"}},
        {"headers": {"content-digest": signatures.digest(b"x")}, "content": b"x"},
        {"without": ["signature"]},
        {"without": ["signature-input"]},
        {"without": ["signature", "signature-input"]},
        {"without": ["x-total-count"]},
        {"without": ["content-type"]},
    ],
)
def test_a_forged_answer_is_not_believed(
    between: Between, mtn: Courier, forgery: dict[str, Any]
) -> None:
    between.forge = lambda response: rewritten(response, **forgery)
    error = caught(lambda: mtn.send("POST", "/things/1", b"{}"))
    assert (type(error), error.code) == (TryLater, "partner-unproved")


def test_an_added_header_is_left_out(between: Between, mtn: Courier) -> None:
    between.forge = lambda response: rewritten(response, headers={"location": "/evil"})
    assert "location" not in mtn.send("GET", "/things/1").headers


def test_the_answer_to_another_request_is_not_believed(between: Between, mtn: Courier) -> None:
    kept: list[httpx2.Response] = []
    between.forge = lambda response: kept.append(response) or response  # type: ignore[func-returns-value]
    mtn.send("POST", "/things/1", b"{}")
    between.forge = lambda _: kept[0]
    error = caught(lambda: mtn.send("POST", "/things/1", b"{}"))
    assert (type(error), error.code) == (TryLater, "partner-unproved")


def test_a_late_answer_is_not_believed(house: House, between: Between, mtn: Courier) -> None:
    def dawdle(response: httpx2.Response) -> httpx2.Response:
        house.clock.move(timedelta(seconds=31))
        return response

    between.forge = dawdle
    assert caught(lambda: mtn.send("GET", "/things/1")).code == "partner-unproved"


def test_the_answer_of_another_party_is_not_believed(house: House, between: Between) -> None:
    """EVE is a partner of MTN's as well; it answers in BT's place, with its own good key."""
    eve = House(clock=house.clock)
    eve.gate = SignedGate(
        us=EVE,
        address="https://bt.test",
        register=eve.register,
        key=lambda *_: key_of(EVE),
        clock=eve.clock,
    )

    def answered(request: httpx2.Request) -> httpx2.Response:
        headers = {"content-digest": signatures.digest(b"{}")}
        values = signatures.of_answer(200, headers, signatures.signature(dict(request.headers)))
        ours = signatures.sign(list(values.items()), us=EVE, key=key_of(EVE), now=START)
        return httpx2.Response(200, headers={**headers, **ours}, content=b"{}")

    http = httpx2.Client(transport=httpx2.MockTransport(answered))
    assert caught(lambda: house.courier(http).send("GET", "/things/1")).code == "partner-unproved"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "signature-not-taken"),
        (429, "partner-silent"),
        (502, "partner-silent"),
        (404, "partner-unproved"),
        (200, "partner-unproved"),
        (302, "partner-unproved"),
    ],
)
def test_what_nobody_has_signed_changes_nothing_for_good(
    house: House, status: int, code: str
) -> None:
    reply = httpx2.Response(status, content=b'{"code":"no-coverage"}')
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: reply))
    error = caught(lambda: house.courier(http).send("POST", "/things/1", b"{}"))
    assert (type(error), error.code) == (TryLater, code)


def test_a_partner_hears_why_its_signature_is_not_taken(house: House, mtn: Courier) -> None:
    house.register.keys.clear()
    error = caught(lambda: mtn.send("GET", "/things/1"))
    assert (type(error), error.code) == (TryLater, "signature-not-taken")
    assert "signature-refused" in error.words
