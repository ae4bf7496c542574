"""Certificates of TLS connections between nodes: self-signed, known by their SHA-256, not by a CA.

A node trusts exactly the certificates that stand on its partners' cards, so that no authority
can make one that would be taken, and nothing but a card or a revocation ends one.
"""

from __future__ import annotations

import hashlib
import ssl
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hansa.foundation.errors import Refused

BEGINS = datetime(2000, 1, 1)  # noqa: DTZ001 - X.509 takes UTC without saying so
ENDS = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001
"""RFC 5280, 4.1.2.5: no well-defined end. The end stands on the card, by the node's own clock."""

DER_MAX = 8192
"""The longest certificate that is taken from a card, in octets."""


@dataclass(frozen=True)
class Pair:
    """The files of one TLS key pair, in PEM."""

    certificate: Path
    key: Path

    @cached_property
    def der(self) -> str:
        """The certificate, DER in base64, as it stands on our card."""
        return b64encode(ssl.PEM_cert_to_DER_cert(self.certificate.read_text("ascii"))).decode()

    @property
    def sha256(self) -> str:
        return sha256(self.der)


def make(party: str, address: str) -> tuple[str, str, str]:
    """A new P-256 key and its certificate, both in PEM, and a name for them.

    P-256 because every proxy, library and key store takes it; a handshake with Ed25519 is not
    quicker (docs/performance.md). address: whose host the certificate names, for those who look
    at names; partners look at the certificate alone.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, party),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, hashlib.sha256(spki).hexdigest()[:16]),
        ]
    )
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(x509.SubjectAlternativeName(_hosts(address)), critical=False)
        .sign(key, hashes.SHA256())
    )
    der = certificate.public_bytes(Encoding.DER)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return secret, ssl.DER_cert_to_PEM_cert(der), hashlib.sha256(der).hexdigest()[:16]


def _hosts(address: str) -> list[x509.GeneralName]:
    """The host of the address, and the machine itself, for whoever watches over the node there."""
    hosts = dict.fromkeys([urlsplit(address).hostname or "localhost", "localhost", "127.0.0.1"])
    return [_host(host) for host in hosts]


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def sha256(der: str) -> str:
    """What a certificate is known by: lower-case hexadecimal, of its DER given in base64."""
    return hashlib.sha256(b64decode(der)).hexdigest()


def check(der: str, *, field: str) -> str:
    """The SHA-256 of a certificate from a card; raises Refused `certificate-invalid`."""
    try:
        raw = b64decode(der, validate=True)
        x509.load_der_x509_certificate(raw[: DER_MAX + 1]).public_key()
        too_long = len(raw) > DER_MAX
    except (ValueError, TypeError, UnsupportedAlgorithm):
        too_long = True
    if too_long:
        raise Refused(
            "certificate-invalid",
            f"This is no X.509 certificate: DER in base64, at most {DER_MAX} octets, is expected.",
            field=field,
        )
    return sha256(der)


# --- connections --------------------------------------------------------------------------------


def server_context(ours: Pair, trusted: Sequence[str]) -> ssl.SSLContext:
    """TLS 1.3 with our certificate. A caller may show a certificate, but only one of these (DER in
    base64); a handshake with any other fails. No session is resumed: each caller proves itself.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.num_tickets = 0
    return _ready(context, ours, trusted)


def client_context(ours: Pair | None, trusted: Sequence[str]) -> ssl.SSLContext:
    """TLS 1.3 to one partner, who must show one of these certificates (DER in base64), by whatever
    name it is called; we show ours.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the very certificate is known, so that its name adds nothing
    context.verify_mode = ssl.CERT_REQUIRED
    return _ready(context, ours, trusted)


def _ready(context: ssl.SSLContext, ours: Pair | None, trusted: Sequence[str]) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if ours is not None:
        context.load_cert_chain(ours.certificate, ours.key)
    if trusted:
        context.load_verify_locations(
            cadata="".join(ssl.DER_cert_to_PEM_cert(b64decode(der)) for der in trusted)
        )
    return context
