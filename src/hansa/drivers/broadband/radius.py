"""RADIUS as far as a network gateway speaks it: RFC 2865, 2866, 2869 and 5176.

Pure but for `ask`. Numbers, names and lengths are those of the RFCs; WISPr's two attributes say
speeds in bit/s. It stands on the standard library alone.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT = 1, 2, 3
ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 4, 5
DISCONNECT_REQUEST, DISCONNECT_ACK, DISCONNECT_NAK = 40, 41, 42
COA_REQUEST, COA_ACK, COA_NAK = 43, 44, 45
SESSION_NOT_FOUND, MISSING_ATTRIBUTE = 503, 402
"""Error-Cause (RFC 5176 section 3.5)."""

START, STOP, INTERIM = 1, 2, 3
"""Acct-Status-Type."""

AUTH_PORT, ACCT_PORT, COA_PORT = 1812, 1813, 3799

Value = int | str | IPv4Address

NAMES: Mapping[str, tuple[int, type]] = {
    "User-Name": (1, str),
    "User-Password": (2, str),
    "NAS-IP-Address": (4, IPv4Address),
    "Framed-IP-Address": (8, IPv4Address),
    "Reply-Message": (18, str),
    "Calling-Station-Id": (31, str),
    "Acct-Status-Type": (40, int),
    "Acct-Input-Octets": (42, int),
    "Acct-Output-Octets": (43, int),
    "Acct-Session-Id": (44, str),
    "Acct-Session-Time": (46, int),
    "Acct-Input-Gigawords": (52, int),
    "Acct-Output-Gigawords": (53, int),
    "Event-Timestamp": (55, int),
    "Acct-Interim-Interval": (85, int),
    "NAS-Port-Id": (87, str),
    "Error-Cause": (101, int),
}
WISPR = 14122
WISPR_NAMES: Mapping[str, int] = {"WISPr-Bandwidth-Max-Up": 7, "WISPr-Bandwidth-Max-Down": 8}
MESSAGE_AUTHENTICATOR = 80
_VENDOR = 26
_BY_NUMBER = {number: (name, kind) for name, (number, kind) in NAMES.items()}
_BY_WISPR = {number: name for name, number in WISPR_NAMES.items()}
_HEAD = struct.Struct("!BBH16s")
_ZERO = bytes(16)


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet that was read. raw: as it came."""

    code: int
    number: int
    authenticator: bytes
    attributes: Mapping[str, Value]
    raw: bytes


class Wrong(ValueError):
    """Octets that are no RADIUS packet, or not of who has the secret."""


def request(code: int, number: int, attributes: Mapping[str, Value], secret: bytes) -> bytes:
    """A request, signed as its kind is: RFC 2865 for access, with a Message-Authenticator
    (RFC 3579 section 3.2), RFC 2866 for all others.
    """
    if code != ACCESS_REQUEST:
        return _signed(code, number, _ZERO, _write(attributes), secret)
    authenticator = os.urandom(16)
    mark = bytes([MESSAGE_AUTHENTICATOR, 18])
    body = mark + _ZERO + _write(attributes, hide=lambda one: hidden(one, secret, authenticator))
    draft = _HEAD.pack(code, number, _HEAD.size + len(body), authenticator) + body
    proof = hmac.digest(secret, draft, "md5")
    return draft.replace(mark + _ZERO, mark + proof, 1)


def reply(to: Packet, code: int, attributes: Mapping[str, Value], secret: bytes) -> bytes:
    """The answer to a request."""
    return _signed(code, to.number, to.authenticator, _write(attributes), secret)


def read(raw: bytes, secret: bytes, *, asked: bytes | None = None) -> Packet:
    """A packet, proved to be of one who has the secret. asked: the request that it answers.

    Raises Wrong.
    """
    if len(raw) < _HEAD.size:
        raise Wrong("too short")
    code, number, length, authenticator = _HEAD.unpack_from(raw)
    if not _HEAD.size <= length <= len(raw):
        raise Wrong("cut")
    raw = raw[:length]
    before = _ZERO if asked is None else asked[4:20]
    proof = hashlib.md5(raw[:4] + before + raw[20:] + secret, usedforsecurity=False).digest()
    if not hmac.compare_digest(proof, authenticator):
        raise Wrong("of somebody who does not have the secret")
    if asked is not None and number != asked[1]:
        raise Wrong("an answer to something else")
    return Packet(code, number, authenticator, _parse(raw[20:]), raw)


def ask(
    to: tuple[str, int], packet: bytes, secret: bytes, *, timeout_s: float = 1.0, tries: int = 3
) -> Packet | None:
    """The answer to a request over UDP, sent again when none comes; None: there was none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(timeout_s)
        for _ in range(tries):
            try:
                line.connect(to)
                line.send(packet)
                return read(line.recv(4096), secret, asked=packet)
            except (OSError, Wrong):
                continue
    return None


def hidden(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """A password as User-Password bears it (RFC 2865 section 5.2)."""
    padded = password + bytes(-len(password) % 16 or (16 if not password else 0))
    told, last = b"", authenticator
    for at in range(0, len(padded), 16):
        key = hashlib.md5(secret + last, usedforsecurity=False).digest()
        last = bytes(a ^ b for a, b in zip(padded[at : at + 16], key, strict=True))
        told += last
    return told


def octets(attributes: Mapping[str, Value], way: str) -> int:
    """What a record says was carried, `Input` or `Output`, with its gigawords."""
    low, high = (attributes.get(f"Acct-{way}-{part}", 0) for part in ("Octets", "Gigawords"))
    assert isinstance(low, int)
    assert isinstance(high, int)
    return high << 32 | low


def counted(way: str, count: int) -> dict[str, Value]:
    """A count of octets as two attributes of 32 bits; `Input` is what came from the line."""
    return {
        f"Acct-{way}-Octets": count & 0xFFFFFFFF,
        f"Acct-{way}-Gigawords": count >> 32,
    }


# --- attributes ---------------------------------------------------------------------------------


def _signed(code: int, number: int, before: bytes, body: bytes, secret: bytes) -> bytes:
    head = struct.pack("!BBH", code, number, _HEAD.size + len(body))
    proof = hashlib.md5(head + before + body + secret, usedforsecurity=False).digest()
    return head + proof + body


def _write(attributes: Mapping[str, Value], hide: object = None) -> bytes:
    told = b""
    for name, value in attributes.items():
        if name in WISPR_NAMES:
            inner = _one(WISPR_NAMES[name], _octets(value))
            told += _one(_VENDOR, struct.pack("!I", WISPR) + inner)
            continue
        text = _octets(value)
        if name == "User-Password" and callable(hide):
            text = hide(text)
        told += _one(NAMES[name][0], text)
    return told


def _octets(value: Value) -> bytes:
    if isinstance(value, IPv4Address):
        return value.packed
    return value.encode() if isinstance(value, str) else struct.pack("!I", value)


def _one(number: int, text: bytes) -> bytes:
    if len(text) > 253:
        raise Wrong(f"attribute {number} is too long")
    return bytes([number, len(text) + 2]) + text


def _parse(body: bytes) -> Mapping[str, Value]:
    """Attributes that we know, by name; of one that comes twice, the last."""
    found: dict[str, Value] = {}
    for number, text in _split(body):
        if number == _VENDOR and text[:4] == struct.pack("!I", WISPR):
            for inner, value in _split(text[4:]):
                if inner in _BY_WISPR:
                    found[_BY_WISPR[inner]] = _value(int, value)
        elif number in _BY_NUMBER:
            name, kind = _BY_NUMBER[number]
            found[name] = _value(kind, text)
    return found


def _split(body: bytes) -> Sequence[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(body):
        length = body[at + 1] if at + 1 < len(body) else 0
        if length < 2 or at + length > len(body):
            raise Wrong("an attribute is cut")
        found.append((body[at], body[at + 2 : at + length]))
        at += length
    return found


def _value(kind: type, text: bytes) -> Value:
    if kind is str:
        return text.decode("utf-8", "replace")
    if len(text) != 4:
        raise Wrong("a number is not of 32 bits")
    number = int.from_bytes(text, "big")
    return IPv4Address(number) if kind is IPv4Address else number
