"""What is signed is what RFC 9421 says, and what a library that others wrote signs."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.federation.keys import signatures
from hansa.foundation.ids import PartyId
from hansa.foundation.time import SystemClock
from tests.federation.roads import BT, MTN, key_of

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


@settings(deadline=None, max_examples=40)
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
