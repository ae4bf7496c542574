"""What TLS between two nodes costs: see README.md.

.venv/bin/python bench/tls.py > tls.json
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from hansa.entrypoints.tls import Protocol
from hansa.federation.keys import certificates
from hansa.federation.keys.certificates import Pair


async def answer(_scope: Any, _receive: Any, send: Any) -> None:
    """An application that answers at once."""
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def ours(folder: Path, name: str) -> Pair:
    """A node's own certificate: P-256."""
    key, certificate, _ = certificates.make(name, "https://127.0.0.1")
    return kept(folder, name, key, certificate)


def peers(folder: Path, name: str) -> Pair:
    """The same with Ed25519."""
    key = Ed25519PrivateKey.generate()
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
        .sign(key, None)
    )
    secret = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return kept(folder, name, secret.decode(), made.public_bytes(form.Encoding.PEM).decode())


def kept(folder: Path, name: str, key: str, certificate: str) -> Pair:
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    pair.key.write_text(key)
    pair.certificate.write_text(certificate)
    return pair


def served(port: int, context: Any) -> uvicorn.Server:
    made: dict[str, Any] = {"ssl_context_factory": lambda *_: context} if context else {}
    config = uvicorn.Config(
        answer, port=port, log_config=None, access_log=False, lifespan="off", http=Protocol, **made
    )
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return server


def measure(port: int, context: Any, *, new: int, again: int) -> dict[str, float]:
    """Microseconds of a request, the median: on a new connection, and on one that is kept."""
    scheme = "https" if context else "http"
    url = f"{scheme}://127.0.0.1:{port}/"
    verify = context or True

    def timed(client: httpx2.Client) -> float:
        began = time.perf_counter()
        client.get(url).raise_for_status()
        return (time.perf_counter() - began) * 1e6

    first = []
    for _ in range(new):
        with httpx2.Client(verify=verify, trust_env=False) as client:
            first.append(timed(client))
    with httpx2.Client(verify=verify, trust_env=False) as client:
        timed(client)
        rest = [timed(client) for _ in range(again)]
    return {"new_us": round(statistics.median(first)), "kept_us": round(statistics.median(rest))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--new", type=int, default=200, help="connections in each case")
    parser.add_argument("--kept", type=int, default=2000, help="requests on a kept connection")
    parser.add_argument("--port", type=int, default=17_731, help="the first of three ports")
    told = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        cases = (("plain", None), ("p256", ours), ("ed25519", peers))
        for number, (name, make) in enumerate(cases):
            server_side = client_side = None
            if make is not None:
                one, other = (make(Path(folder), f"{name}-{who}") for who in ("server", "client"))
                server_side = certificates.server_context(one, [other.der])
                client_side = certificates.client_context(other, [one.der])
            server = served(told.port + number, server_side)
            found[name] = measure(told.port + number, client_side, new=told.new, again=told.kept)
            server.should_exit = True
            print(name, found[name], file=sys.stderr)
    for what in ("new_us", "kept_us"):
        found[f"{what}_over_plain"] = round(found["p256"][what] / found["plain"][what], 2)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
