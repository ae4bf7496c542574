"""A seller that we did not write: a mock that Prism makes of MEF's own order and quote documents.

It checks what it is sent, and answers with whatever its document allows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from hansa.federation.contract import OrderState
from hansa.federation.courier import Bearer, Courier
from hansa.federation.sonata.client import SonataPartner
from hansa.federation.sonata.errors import MEDIA_TYPE
from hansa.federation.sonata.settings import SonataSettings
from hansa.federation.sonata.shapes import progress, quote
from hansa.federation.sonata.shapes.common import ContactSettings, write_contact
from hansa.federation.wire import parse, render
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import BuyerKey, OrderId, PartyId, QuoteId
from hansa.foundation.time import SetClock
from tests.federation.openapi3 import FOLDER
from tests.federation.shop import MTN, NEED, START
from tests.federation.sonata.test_shapes import plain_quote

HERE = Path(__file__).parent / "prism"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hansa-tests"
ACME = PartyId("acme")
STRING = "string"
"""What Prism puts wherever its document says no more than that there is a text."""

UP_S = 60.0


@pytest.fixture(scope="module")
def prism() -> Path:
    """The program, installed by its locked list of packages if it is not there yet."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Prism is not at hand: there is no npm on this machine")
    if not FOLDER.exists():
        pytest.skip(f"the official documents are not at hand: {FOLDER} is missing")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = CACHE / f"prism-{hashlib.sha256(lock).hexdigest()[:16]}"
    program = folder / "node_modules" / ".bin" / "prism"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, folder / name)
        made = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if made.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"Prism could not be installed: {made.stderr.strip()[-300:]}")
    return program


@contextmanager
def mock(program: Path, document: str) -> Iterator[str]:
    """The address at which Prism serves an official document."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = FOLDER / "productApi" / f"{document}.api.yaml"
    process = subprocess.Popen(
        [program, "mock", "-h", "127.0.0.1", "-p", str(port), path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + UP_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "Prism has ended"
            assert time.monotonic() < until, f"Prism has not come up within {UP_S} s"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


class Mocks(httpx2.BaseTransport):
    """One partner made of two mocks; each serves its document without the base path."""

    def __init__(self, orders: str, quotes: str) -> None:
        self._bases = {progress.BASE: orders, quote.BASE: quotes}
        self._http = httpx2.Client()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.raw_path.decode()
        if request.method == "GET" and path.startswith(quote.QUOTES):
            return httpx2.Response(200, content=render(plain_quote(id=STRING)))
        base = next(base for base in self._bases if path.startswith(base))
        answer = self._http.request(
            request.method,
            self._bases[base] + path.removeprefix(base),
            content=request.read(),
            headers={"content-type": request.headers.get("content-type", "text/plain")},
        )
        return httpx2.Response(answer.status_code, content=answer.content)

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module")
def courier(prism: Path) -> Iterator[Courier]:
    with ExitStack() as stack:
        orders, quotes = (
            stack.enter_context(mock(prism, document))
            for document in ("order/productOrderManagement", "quote/quoteManagement")
        )
        http = stack.enter_context(httpx2.Client(transport=Mocks(orders, quotes)))
        yield Courier(
            partner=ACME, address="http://acme.test", http=http, trust=Bearer(lambda: "t")
        )


@pytest.fixture
def acme(courier: Courier) -> SonataPartner:
    """The mock as our seller."""
    return SonataPartner(
        us=MTN, courier=courier, settings=SonataSettings(), clock=SetClock(START), node=None
    )


def test_it_takes_what_we_ask_a_price_for(courier: Courier, acme: SonataPartner) -> None:
    contact = write_contact(ContactSettings(), party=MTN, role="buyerContact")
    asked = render(quote.write_need(NEED, contact, {}))
    reply = courier.send("POST", quote.QUOTES, asked, media_type=MEDIA_TYPE)
    assert reply.status == 201
    with pytest.raises(TryLater, match="partner-nonsense"):  # at a price with 38 digits
        acme.quote(NEED)


def test_it_takes_our_order_and_tells_how_far_it_is(acme: SonataPartner) -> None:
    key = BuyerKey(STRING)
    made = acme.order(quote_id=QuoteId(STRING), key=key)
    assert (made.seller, made.buyer, made.key) == (ACME, MTN, key)
    assert made.state is OrderState.ACKNOWLEDGED
    assert acme.progress(made.id).state is OrderState.ACKNOWLEDGED


def test_it_takes_an_order_back(acme: SonataPartner) -> None:
    with pytest.raises(TryLater, match="partner-nonsense"):  # it names any other order
        acme.cease(order_id=OrderId("ord-1"), key=BuyerKey("k"))
    taken = acme.cease(order_id=OrderId(STRING), key=BuyerKey("k"))
    assert acme.progress(taken.id).state is OrderState.IN_PROGRESS


def test_it_refuses_what_is_wrong_and_we_understand(courier: Courier, acme: SonataPartner) -> None:
    reply = courier.send("POST", progress.ORDERS, b"{}", media_type="application/json")
    assert reply.status == 422
    assert parse(reply.body)[0]["code"] == "missingProperty"
    with pytest.raises(Refused, match="partner-refused"):
        acme.quote(replace(NEED, items=(replace(NEED.items[0], id=7),)))  # type: ignore[arg-type]
