"""Signed messages: HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530), Ed25519.

Of a request the signature is over method, target, digest of the body, and the party that it is
for; of an answer over its status, its digest and the signature of the request that it answers.
The base is built here, for the few components that we use, because a general library takes five
times as long; a test holds both to the same octets.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hansa.foundation.errors import HansaError
from hansa.foundation.ids import PartyId
from hansa.foundation.party import party_id
from hansa.foundation.time import Instant

LABEL = "hansa"
"""The label of our signature, and its tag; a proxy may add signatures of its own under others."""

AUDIENCE = "hansa-audience"
"""The header that names the party for which a request is meant."""

WINDOW_S = 30
"""How far a signature's time may be from ours, unless a node is set otherwise."""

FIELD_MAX = 4096
"""The longest header of a signature that is looked at, in characters."""

METHOD, TARGET, STATUS = '"@method"', '"@target-uri"', '"@status"'
DIGEST, TYPE, TRACE = '"content-digest"', '"content-type"', '"traceparent"'
ANSWERED = f'"signature";req;key="{LABEL}"'
"""Of an answer: the signature of the request that it is to."""

_NAME = r'"[@a-z0-9*_.-]{1,64}"(?:;req)?(?:;key="[a-z0-9_-]{1,32}")?'
_PARAMETER = r';([a-z]{1,16})=(?:"([ !#-\[\]-~]{0,256})"|([0-9]{1,15}))'
_INPUT = re.compile(
    rf"(?:^|,)[ \t]*{LABEL}=(\(({_NAME}(?: {_NAME}){{0,31}})\)(?:{_PARAMETER}){{1,8}})[ \t]*(?:,|$)"
)
_PARAMETERS = re.compile(_PARAMETER)
_VALUE = re.compile(rf"(?:^|,)[ \t]*{LABEL}=:([A-Za-z0-9+/]{{85}}[AQgw]==):[ \t]*(?:,|$)")
_NONCE = re.compile(r"[A-Za-z0-9+/=_-]{16,64}")

_STRANGER = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
"""A public key (RFC 8032, 7.1) against which the signatures of strangers are held, in vain, so
that they take as long as others."""


class Signs(Protocol):
    """A key of ours. kid: its id, as partners know it."""

    @property
    def kid(self) -> str: ...

    def sign(self, content: bytes) -> bytes: ...


Keys = Callable[[PartyId, str, Instant], str | None]
"""A partner's public key by its id, in base64; None for one that is not good at that time."""


class Unproved(Exception):
    """The words say what is wrong with a signature: they follow on `the message`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message says of its signature. names: of the components that it is over, in order.

    text: of all parameters, as signed. nonce: empty for an answer, which has its request's.
    """

    party: PartyId
    kid: str
    created: int
    nonce: str
    names: tuple[str, ...]
    text: str
    value: bytes


def digest(body: bytes) -> str:
    """The value of Content-Digest."""
    return written(hashlib.sha256(body).digest())


def written(sha256: bytes) -> str:
    """A SHA-256 as Content-Digest writes it."""
    return f"sha-256=:{b64encode(sha256).decode()}:"


def origin(address: str) -> str:
    """A node's address in the one form that is signed: lower case, no port that goes unsaid."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + ("" if parts.port in (None, usual) else f":{parts.port}")


# --- signing ------------------------------------------------------------------------------------


def base(lines: Sequence[tuple[str, str]], text: str) -> bytes:
    """The signature base (RFC 9421, 2.5) of these components and their values."""
    said = "".join([f"{name}: {value}\n" for name, value in lines])
    return f'{said}"@signature-params": {text}'.encode("ascii")


def sign(
    lines: Sequence[tuple[str, str]], *, us: PartyId, key: Signs, now: Instant, nonce: str = ""
) -> dict[str, str]:
    """The two headers of a signature over these components and their values."""
    names = " ".join([name for name, _ in lines])
    said = f';nonce="{nonce}"' if nonce else ""
    text = (
        f'({names});created={int(now.timestamp())}{said};keyid="{us}/{key.kid}"'
        f';alg="ed25519";tag="{LABEL}"'
    )
    value = b64encode(key.sign(base(lines, text))).decode()
    return {"signature-input": f"{LABEL}={text}", "signature": f"{LABEL}=:{value}:"}


def of_request(method: str, target: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The values of a request's components. headers: names in lower case."""
    return {METHOD: method, TARGET: target, **_fields(headers)}


def of_answer(status: int, headers: Mapping[str, str], answered: str) -> dict[str, str]:
    """The values of an answer's components. answered: the request's signature, see `signature`."""
    return {STATUS: str(status), **_fields(headers), ANSWERED: answered}


def signature(headers: Mapping[str, str]) -> str:
    """Our member of a Signature header as RFC 8941 writes it; empty if there is none."""
    found = _VALUE.search(headers.get("signature", "")[:FIELD_MAX])
    return f":{found[1]}:" if found else ""


def covered(claimed: Claim, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that a signature is over, and its own two."""
    names = [name.strip('"') for name in claimed.names if ";" not in name]
    return {
        name: headers[name] for name in (*names, "signature-input", "signature") if name in headers
    }


def _fields(headers: Mapping[str, str]) -> dict[str, str]:
    return {f'"{name}"': value.strip(" \t") for name, value in headers.items()}


# --- verifying ----------------------------------------------------------------------------------


def claim(headers: Mapping[str, str]) -> Claim | None:
    """What the headers say of a signature of ours; None where there is none.

    Raises Unproved when it cannot be read.
    """
    said, value = headers.get("signature-input"), headers.get("signature")
    if said is None and value is None:
        return None
    found = _INPUT.search(said) if said and len(said) <= FIELD_MAX else None
    signed = _VALUE.search(value) if value and len(value) <= FIELD_MAX else None
    if found is None or signed is None:
        raise Unproved("bears no signature that can be read")
    text: str = found[1]
    names = tuple(found[2].split(" "))
    parameters = _PARAMETERS.findall(text, len(found[2]) + 2)
    given = {name: string or number for name, string, number in parameters}
    if len(given) != len(parameters) or len(set(names)) != len(names):
        raise Unproved("bears a signature that says something twice")
    if given.get("alg") != "ed25519" or given.get("tag") != LABEL:
        raise Unproved(f'bears a signature of another kind than alg="ed25519", tag="{LABEL}"')
    party, _, kid = given.get("keyid", "").partition("/")
    nonce = given.get("nonce", "")
    try:
        return Claim(
            party_id(party), kid, int(given["created"]), nonce, names, text, b64decode(signed[1])
        )
    except (HansaError, KeyError, ValueError):
        raise Unproved("bears a signature without created or keyid") from None


def check_time(claimed: Claim, now: Instant, window_s: int) -> None:
    """Raises Unproved for what was signed too long ago, or is yet to come."""
    apart = now.timestamp() - claimed.created
    if abs(apart) > window_s:
        raise Unproved(
            f"is {'late' if apart > 0 else 'early'}: it was signed {abs(apart):.0f} s "
            f"{'before' if apart > 0 else 'after'} {now:%Y-%m-%d %H:%M:%S} UTC, and {window_s} s "
            "are allowed"
        )


def check_covered(claimed: Claim, names: Sequence[str]) -> None:
    """Raises Unproved unless the signature is over all of these."""
    missing = [name for name in names if name not in claimed.names]
    if missing:
        raise Unproved(f"bears a signature that does not cover {', '.join(missing)}")


def check_nonce(claimed: Claim) -> None:
    if not _NONCE.fullmatch(claimed.nonce):
        raise Unproved("bears a signature without a nonce of 16 to 64 characters")


def check_signed(claimed: Claim, values: Mapping[str, str], public: str | None) -> None:
    """Raises Unproved unless the key has signed these values. public: in base64.

    None for a key that is not known: as much is done then, and the same said.
    """
    good = public is not None
    try:
        lines = [(name, values[name]) for name in claimed.names]
        key = _stranger() if public is None else _public(public)
        key.verify(claimed.value, base(lines, claimed.text))
    except (InvalidSignature, KeyError, ValueError):
        good = False
    if not good:
        raise Unproved("was changed on its way, or is not signed by a key that is known and good")


@lru_cache(maxsize=1024)
def _public(public: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(b64decode(public, validate=True))


@lru_cache(maxsize=1)
def _stranger() -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_STRANGER)
