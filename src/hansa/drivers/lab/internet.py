"""The internet of a lab: names, pages and secured pages, served by one process in its box.

Every name below `example` is the web server's address; there are no others (NXDOMAIN). Pages say
which host was asked for. Every host has a certificate, made when it is first asked for; that of
their authority lies in `internet/ca.pem` of the box, for those who want to trust it.
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from hansa.drivers.lab.box import Box

NAME = "internet"
AUTHORITY = "internet/ca.pem"
ZONE = b"\x07example\x00"
ZONE_NAMES = "example"
VALID = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC))
"""A lab's time and the machine's are two; a certificate of a lab is good in both."""


def serve(box: Box, *, names_at: IPv4Address, web_at: IPv4Address) -> None:
    """Has the internet run in this box, which bears both addresses. Twice is once."""
    argv = (sys.executable, "-m", __name__, str(names_at), str(web_at), box.path("internet"))
    box.start(NAME, *argv, ready=lambda: ":443 " in box.run("ss", "-Htln"))


def authority(common_name: str) -> tuple[bytes, bytes]:
    """A certificate authority of its own: key and certificate as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    made = _begun(key, name, name).add_extension(x509.BasicConstraints(True, 0), critical=True)
    return _private(key), made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def certificate(host: str, key: bytes, issuer: bytes) -> bytes:
    """Key and certificate for a host as one PEM, signed by an authority."""
    own, above = ec.generate_private_key(ec.SECP256R1()), x509.load_pem_x509_certificate(issuer)
    signing = load_pem_private_key(key, None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    made = _begun(own, name, above.subject).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
    )
    return _private(own) + made.sign(signing, hashes.SHA256()).public_bytes(Encoding.PEM)


def _begun(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID[0])
        .not_valid_after(VALID[1])
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


# --- in the box -----------------------------------------------------------------------------------


def answer(asked: bytes, web: bytes) -> bytes:
    """The answer to a question for a name (RFC 1035). web: the four octets of its address."""
    end = asked.index(b"\x00", 12) + 1
    known = asked[12:end].lower().endswith(ZONE)
    (kind,) = struct.unpack(">H", asked[end : end + 2])
    found = known and kind == 1
    head = struct.pack(">HHHHHH", 0x8580 if known else 0x8583, 1, found, 0, 0, 0)[:10]
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + web if found else b""
    return asked[:2] + head + asked[12 : end + 4] + record


class _Names(socketserver.ThreadingUDPServer):
    daemon_threads = True
    web = b""


class _Asked(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Names)
        asked, line = self.request
        line.sendto(answer(asked, self.server.web), self.client_address)


class _Pages(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Binds without asking for the address's name, which takes seconds where nobody knows."""
        socketserver.TCPServer.server_bind(self)


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        page = f"{self.headers.get('Host', '')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class _Hosts:
    """A certificate for each host that is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key, self._issuer = authority("Lab internet")
        self._terms: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        (folder / "ca.pem").write_bytes(self._issuer)

    def choose(self, line: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
        asked = host or "nobody.example"
        with self._lock:
            if asked not in self._terms:
                file = self._folder / "host.pem"
                file.write_bytes(certificate(asked, self._key, self._issuer))
                self._terms[asked] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._terms[asked].load_cert_chain(file)
        line.context = self._terms[asked]


def main(argv: Sequence[str]) -> None:
    names_at, web_at, folder = argv[0], argv[1], Path(argv[2])
    folder.mkdir(mode=0o700, exist_ok=True)
    names = _Names((names_at, 53), _Asked)
    names.web = socket.inet_aton(web_at)
    plain = _Pages((web_at, 80), _Page)
    secured = _Pages((web_at, 443), _Page)
    terms = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    terms.sni_callback = _Hosts(folder).choose
    # the handshake is each connection's own thread's affair, so that none waits for another
    secured.socket = terms.wrap_socket(
        secured.socket, server_side=True, do_handshake_on_connect=False
    )
    for one in (names, plain):
        threading.Thread(target=one.serve_forever, daemon=True).start()
    secured.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
