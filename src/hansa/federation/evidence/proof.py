"""What evidence proves: pure functions, that need no network, no database and not our word.

Each message is held against the key that its signer had when it signed; an answer against the
request that it is to; each link of a mandate against the one before.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from hansa.federation.evidence.model import (
    FILE_VERSION,
    File,
    FiledKey,
    FiledMessage,
    Finding,
    Verdict,
)
from hansa.federation.keys import signatures, vouching
from hansa.federation.keys.ring import key_id
from hansa.federation.keys.signatures import Unproved
from hansa.federation.mandate import MandateLink
from hansa.federation.wire import parse
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError, Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant

LEEWAY = timedelta(seconds=120)
"""How far the clock of a signer may have been from ours where its key begins or ends."""

WORDS_MAX = 120

_API = re.compile(r"^.*/v[0-9]+/(listener/)?")
"""What a path begins with: the API and its version, and that it is told unasked."""

Keys = Mapping[tuple[PartyId, str], FiledKey]
Place = tuple[str, PartyId, str]
"""What both messages of an exchange have in common."""


def read(document: Json) -> File:
    """A file from its JSON document; raises Refused `malformed`, `evidence-version`."""
    version = document.get("version") if isinstance(document, dict) else None
    if isinstance(version, int) and version != FILE_VERSION:
        raise Refused(
            "evidence-version",
            f"The file is of version {version}; this program reads version {FILE_VERSION}. "
            "Verify it with the program that exported it.",
            field="version",
        )
    return documents.read(File, document, what="evidence")


def verify(file: File) -> Verdict:
    """What the file proves, message by message and link by link."""
    keys = {(one.party, one.kid): one for one in file.keys}
    requests = {_place(one): one for one in file.messages if one.kind == "request"}
    answered = {_place(one) for one in file.messages if one.kind == "answer"}
    findings = []
    for one in file.messages:
        asked = requests.get(_place(one))
        finding = _finding(file.node, one, asked, keys)
        findings.append(finding)
        if one.kind == "request" and _place(one) not in answered:
            findings.append(_unanswered(finding))
    return Verdict(file.order, file.trace, tuple(findings), tuple(_chain(file, keys)))


def _place(one: FiledMessage) -> Place:
    return one.direction, one.party, one.nonce


def _unanswered(asked: Finding) -> Finding:
    return Finding(asked.at, "(no answer to it was kept)", "", "")


# --- messages -----------------------------------------------------------------------------------


def _finding(node: PartyId, one: FiledMessage, asked: FiledMessage | None, keys: Keys) -> Finding:
    by_us = (one.direction == "out") is (one.kind == "request")
    signer, other = (node, one.party) if by_us else (one.party, node)
    created, kid, fault = one.at, "", ""
    try:
        body = b64decode(one.body, validate=True)
        claim = signatures.claim(one.headers)
        if claim is None:
            raise Unproved("bears no signature")  # noqa: TRY301 - told like all others
        created, kid = datetime.fromtimestamp(claim.created, UTC), claim.kid
        if claim.party != signer:
            raise Unproved(f"is signed by {claim.party}, and not by {signer}")  # noqa: TRY301
        _check_content(one, other, body, claim)
        values = _values(one, asked)
        public = _key(keys, signer, kid, created)
        signatures.check_signed(claim, values, public)
        if one.nonce != claim.nonce and one.kind == "request":
            raise Unproved("is kept under another nonce than its own")  # noqa: TRY301
    except Unproved as error:
        fault = f"it {error}"
    except (ValueError, OverflowError):
        body, fault = b"", "it cannot be read"
    said = f"{signer} {_said(one, other, body)}"
    return Finding(created, said, kid, fault)


def _check_content(one: FiledMessage, other: PartyId, body: bytes, claim: signatures.Claim) -> None:
    """Whether the signature is over all that it has to be, and the body is what it is over."""
    required = [signatures.METHOD, signatures.TARGET, f'"{signatures.AUDIENCE}"']
    if one.kind == "answer":
        required = [signatures.STATUS, signatures.ANSWERED]
    signatures.check_covered(claim, [*required, signatures.DIGEST])
    if one.headers.get("content-digest") != signatures.digest(body):
        raise Unproved("was changed: its body is not that of its Content-Digest")
    if one.kind == "request" and one.headers.get(signatures.AUDIENCE) != other:
        raise Unproved(f"was not meant for {other}")


def _values(one: FiledMessage, asked: FiledMessage | None) -> Mapping[str, str]:
    if one.kind == "request":
        return signatures.of_request(one.method, one.target, one.headers)
    if asked is None:
        raise Unproved("answers a request that is not here")
    return signatures.of_answer(one.status, one.headers, signatures.signature(asked.headers))


def _key(keys: Keys, party: PartyId, kid: str, at: Instant) -> str:
    """The public key of a signer, if it was good when it signed."""
    key = keys.get((party, kid))
    if key is None:
        raise Unproved(f"is signed with a key {kid} that {party} is not known to have had")
    try:
        true = key_id(key.public_key) == kid
    except HansaError:
        true = False
    if not true:
        raise Unproved(f"is signed with {kid}, which is not the id of the key that is here")
    ends = [end for end in (key.valid_to, key.revoked_at) if end is not None]
    if at < key.valid_from - LEEWAY or any(at >= end + LEEWAY for end in ends):
        raise Unproved(f"is signed with {kid}, which was not good at that time")
    return key.public_key


def _said(one: FiledMessage, other: PartyId, body: bytes) -> str:
    """A message in words: what its path and the best known attributes of its body say."""
    what = _API.sub("", urlsplit(one.target).path)
    if one.kind == "answer":
        did = f"answered {other} {one.status} to {one.method} {what}"
    else:
        did = f"asked {other}: {one.method} {what}"
    return did + "".join(f", {name} {text}" for name, text in _told(body))


def _told(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        value = parse(body) if body else None
    except Refused:
        return
    if isinstance(value, dict) and isinstance(value.get("event"), dict):
        event = value["event"]
        value = next((one for one in event.values() if isinstance(one, dict)), event)
    if not isinstance(value, dict):
        return
    quotes = value.get("quote")
    if isinstance(quotes, list) and quotes and isinstance(quotes[0], dict):
        value = {**value, "quote": quotes[0].get("id")}
    for name, word in (
        ("id", "id"),
        ("externalId", "key"),
        ("quote", "quote"),
        ("state", "state"),
        ("code", "reason"),
    ):
        text = value.get(name)
        if isinstance(text, str) and text.isprintable():
            yield word, text[:WORDS_MAX]


# --- the chain ----------------------------------------------------------------------------------


def _chain(file: File, keys: Keys) -> Iterator[Finding]:
    """Who asked whom down to this node, by the mandate; empty where the order began here."""
    if file.mandate is None:
        return
    wrong: dict[int, str] = {}
    for number, why in vouching.faults(file.mandate):
        wrong.setdefault(number, why)
    links = file.mandate.links
    for number, link in enumerate(links):
        fault = wrong.get(number, "")
        if not fault and number == len(links) - 1:
            fault = _end_fault(file, link, keys)
        yield Finding(link.at, _asked(link), link.kid, f"it {fault}" if fault else "")


def _end_fault(file: File, link: MandateLink, keys: Keys) -> str:
    """What is wrong with the last link, whose signer this node knows."""
    if link.to != file.node:
        return f"is to {link.to}, and not to {file.node}"
    if link.trace != file.trace:
        return "is of another order"
    try:
        public = _key(keys, link.party, link.kid, link.at)
    except Unproved as error:
        return str(error)
    return "" if public == link.public_key else "bears another key than its party's"


def _asked(link: MandateLink) -> str:
    what = ", ".join(
        f"{line.quantity} x {line.offer}" + (f" in {line.country}" if line.country else "")
        for line in link.lines
    )
    did = f"ordered of {link.to}" if link.act == "order" else f"had {link.to} end"
    return f"{link.party} {did}: {what} (key {link.key})"
