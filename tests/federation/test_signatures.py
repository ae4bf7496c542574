"""Signed messages: what a node takes from another, and what it does not."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from hansa.federation import signatures
from hansa.federation.courier import Courier
from hansa.federation.exchange import Answer, Ask, Caller, Dialect, Exchanges, Operation
from hansa.federation.gate import FrontGate, SignedGate
from hansa.federation.keys import SigningKey
from hansa.federation.tmf import errors
from hansa.federation.trust import Signed
from hansa.federation.wire import parse
from hansa.foundation.errors import HansaError, Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.time import SetClock, SystemClock
from tests.federation.memory import Memory

BT, MTN, EVE = PartyId("bt"), PartyId("mtn"), PartyId("eve")
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
NOBODY_ELSE = "not signed by a key that is known and good"


@cache
def key_of(party: PartyId) -> SigningKey:
    return SigningKey(Ed25519PrivateKey.from_private_bytes(party.encode().ljust(32, b"-")))


# --- RFC 9421 itself ----------------------------------------------------------------------------

RFC_KEY = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
"""


def test_the_vector_of_the_standard() -> None:
    """RFC 9421, B.2.6: Ed25519 is deterministic, so that base and signature are facts."""
    made = signatures.base(
        [
            ('"date"', "Tue, 20 Apr 2021 02:07:55 GMT"),
            ('"@method"', "POST"),
            ('"@path"', "/foo"),
            ('"@authority"', "example.com"),
            ('"content-type"', "application/json"),
            ('"content-length"', "18"),
        ],
        '("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
    )
    assert made.startswith(b'"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo')
    private = load_pem_private_key(RFC_KEY, None)
    assert isinstance(private, Ed25519PrivateKey)
    assert base64.b64encode(private.sign(made)) == (
        b"wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )


def test_the_digest_of_the_standard() -> None:
    """RFC 9530, appendix D: the digest of a body of two lines."""
    assert signatures.digest(b'{"hello": "world"}\n') == (
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    )


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("HTTPS://Hansa.BT.example:443", "https://hansa.bt.example"),
        ("http://127.0.0.1:7101/", "http://127.0.0.1:7101"),
        ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_address_is_signed_in_one_form(address: str, origin: str) -> None:
    assert signatures.origin(address) == origin


# --- two nodes ----------------------------------------------------------------------------------


@dataclass
class House:
    """BT's door, where anything is answered with what the test likes; MTN is a partner."""

    clock: SetClock = field(default_factory=lambda: SetClock(START))
    register: Memory = field(default_factory=Memory)
    answer: Answer = Answer(200, b'{"ok":true}', {"x-total-count": "7"})  # noqa: RUF009
    asked: list[Ask] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**6)))

    def __post_init__(self) -> None:
        self.register.keys[MTN] = [key_of(MTN).public]
        self.gate = SignedGate(
            us=BT,
            address="https://bt.test",
            register=self.register,
            key=lambda *_: key_of(BT),
            clock=self.clock,
        )
        operations = [
            Operation(method, "/things/{id}", self.handle, "TEST", "Anything.")
            for method in ("GET", "POST", "DELETE")
        ]
        dialect = Dialect("/", operations, errors.write, errors.UNFORESEEN)
        app = Exchanges([dialect], FrontGate(signed=self.gate))
        self.http = TestClient(app, base_url="http://behind-a-proxy", raise_server_exceptions=False)

    def handle(self, ask: Ask, caller: Caller) -> Answer:
        assert caller.actor.party == MTN
        self.asked.append(ask)
        return self.answer

    def courier(self, http: httpx2.Client, us: PartyId = MTN, to: PartyId = BT) -> Courier:
        trust = Signed(
            us=us,
            partner=to,
            address="https://bt.test",
            key=lambda _: key_of(us),
            register=Memory({BT: [key_of(BT).public]}),
            nonce=lambda: f"{next(self.numbers):032d}",
            clock=self.clock,
        )
        return Courier(partner=to, address="https://bt.test", http=http, trust=trust)


class Between(TestClient):
    """Somebody between two nodes, who may change what passes."""

    def __init__(self, house: House) -> None:
        super().__init__(house.http.app, base_url="https://bt.test", raise_server_exceptions=False)
        self.request_seen: list[httpx2.Request] = []
        self.change: Callable[[httpx2.Request], httpx2.Request] = lambda request: request
        self.forge: Callable[[httpx2.Response], httpx2.Response] = lambda response: response

    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        self.request_seen.append(request)
        response = super().send(self.change(request), **kwargs)
        response.read()
        return self.forge(response)


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


# --- held against a library -----------------------------------------------------------------------


class Heard:
    """A message as the library wants it."""

    def __init__(self, method: str, url: str, headers: dict[str, str]) -> None:
        self.method, self.url, self.headers = method, url, headers


class Said:
    def __init__(self, status: int, headers: dict[str, str], request: Heard) -> None:
        self.status_code, self.headers, self.request = status, headers, request


def library() -> tuple[Any, Any]:
    """A signer and a verifier that somebody else has written."""
    library = pytest.importorskip("http_message_signatures")
    algorithms = pytest.importorskip("http_message_signatures.algorithms")

    class Keys(library.HTTPSignatureKeyResolver):  # type: ignore[misc,name-defined]
        def resolve_public_key(self, key_id: str) -> Any:
            return self.resolve_private_key(key_id).public_key()

        def resolve_private_key(self, key_id: str) -> Any:
            return key_of(PartyId(key_id.partition("/")[0]))._private

    given = {"signature_algorithm": algorithms.ED25519, "key_resolver": Keys()}
    return library.HTTPMessageSigner(**given), library.HTTPMessageVerifier(**given)


steps = st.text(st.sampled_from("abc019-._~"), min_size=1, max_size=8)
words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)


@given(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
    st.lists(steps, min_size=1, max_size=4),
    st.lists(st.tuples(steps, steps), max_size=3),
    st.dictionaries(st.sampled_from(["content-type", "traceparent", "x-own"]), words),
    st.binary(max_size=60),
)
def test_both_sign_the_same_octets(
    method: str,
    path: list[str],
    query: list[tuple[str, str]],
    headers: dict[str, str],
    body: bytes,
) -> None:
    """The library takes what we sign, and makes the very signature that we make."""
    signer, verifier = library()
    now = SystemClock().now().replace(microsecond=0)
    asked = "&".join(f"{name}={value}" for name, value in query)
    url = f"https://bt.test/{'/'.join(path)}" + (f"?{asked}" if asked else "")
    headers = {**headers, "content-digest": signatures.digest(body), "hansa-audience": "bt"}
    values = signatures.of_request(method, url, headers)
    ours = signatures.sign(
        list(values.items()), us=MTN, key=key_of(MTN), now=now, nonce="0123456789abcdef"
    )
    [found] = verifier.verify(Heard(method, url, {**headers, **ours}), expect_tag="hansa")
    assert found.parameters["keyid"] == f"mtn/{key_of(MTN).kid}"
    theirs = Heard(method, url, dict(headers))
    signer.sign(
        theirs,
        key_id=f"mtn/{key_of(MTN).kid}",
        created=now,
        nonce="0123456789abcdef",
        label="hansa",
        tag="hansa",
        use_existing_digest=True,
        covered_component_ids=list(values),
    )
    lower = {name.lower(): value for name, value in theirs.headers.items()}
    claim = signatures.claim(lower)
    assert claim is not None
    signatures.check_signed(claim, values, key_of(MTN).public)
    answered = signatures.signature(lower)
    shown = {"content-digest": signatures.digest(b""), "location": "/x"}
    lines = signatures.of_answer(201, shown, answered)
    signed = signatures.sign(list(lines.items()), us=BT, key=key_of(BT), now=now)
    [found] = verifier.verify(Said(201, {**shown, **signed}, theirs), expect_tag="hansa")
    assert '"signature";req;key="hansa"' in found.covered_components


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
    monkeypatch.setattr(f"{__name__}.key_of", lambda _: known)
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
