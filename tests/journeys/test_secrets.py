"""A day of trade with debug logging on: nothing that is secret stands in any log."""

from __future__ import annotations

import io
import logging
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hansa.entrypoints import logs
from hansa.entrypoints.http import app
from hansa.federation.clients import actions as clients
from hansa.federation.helpdesk import TicketAsk
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import BuyerKey, PartyId, TicketId
from hansa.foundation.party import Actor
from hansa.storefront.seller import Storefront
from tests.alliance import SHOP, Alliance, Quiet, chain
from tests.inside import Inside

OFFERS = "/tmf-api/productCatalogManagement/v4/productOffering"
HIDDEN = ("authorization", "signature")


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """All that is logged meanwhile, as a node at level debug writes it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    text = io.StringIO()
    try:
        logs.set_up(party="op1", process="test", level="debug")
        (handler,) = root.handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(text)
        yield text
    finally:
        root.handlers[:], root.level = handlers, level


def files_with_secrets(folder: Path) -> Iterator[str]:
    """What is in files that only their owner may read."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.stat().st_mode & 0o077 and path.suffix == ".key":
            yield from path.read_text().split("\n")


def test_no_secret_is_logged(
    alliance: Alliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets: set[str] = set()
    send = Quiet.send

    def overheard(client: Quiet, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        secrets.update(request.headers[name] for name in HIDDEN if name in request.headers)
        return send(client, request, **kwargs)

    monkeypatch.setattr(Quiet, "send", overheard)
    with logged() as text:
        shop = chain(alliance, 2)
        quote = shop.quote(alliance.need("Durban"))
        order = shop.order(quote_id=quote.id, key=BuyerKey("first"))
        alliance.work()
        (held,) = shop.progress(order.id).provided
        shop.open_ticket(
            ask=TicketAsk("No light.", "major", "incident", held.holding), key=BuyerKey("t-1")
        )
        alliance.work()
        secrets |= a_client_asks(alliance)
        something_breaks(alliance)
        for node in alliance.nodes.values():
            secrets.update(files_with_secrets(node.folder))
    secrets = {part for secret in secrets for part in secret.split() if len(part) > 20}
    assert len(secrets) > 6
    written = text.getvalue()
    assert "debug" in written or "info" in written
    assert "caller refused" in written and "nobody foresaw this" in written
    assert [secret for secret in secrets if secret in written] == []


def a_client_asks(alliance: Alliance) -> set[str]:
    """A customer's system, which also errs; gives what is secret about it."""
    node = alliance.top
    with node.begin() as tx:
        made = clients.register(
            tx, name="crm", actor=Actor(SHOP, "customer"), scopes=["tmf620:read"], by="ada",
            ids=node.ids, now=node.clock.now(),
        )  # fmt: skip
    http = Inside(app(node), base_url=node.settings.address)
    basic = b64encode(f"{made.client.id}:{made.secret}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    answer = http.post("/oauth2/token", data=form, headers={"authorization": f"Basic {basic}"})
    token = answer.json()["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert http.get(OFFERS, headers=bearer).status_code == 200
    assert http.post(OFFERS, headers=bearer, json={}).status_code >= 400
    wrong = {**form, "client_id": made.client.id, "client_secret": f"{made.secret}-not-quite"}
    assert http.post("/oauth2/token", data=wrong).status_code == 401
    assert http.get(OFFERS, headers={"authorization": f"Bearer {token}x"}).status_code == 401
    assert made.secret not in f"{made!r}{made}"
    return {made.secret, basic, token, f"{made.secret}-not-quite"}


def something_breaks(alliance: Alliance) -> None:
    """A fault that nobody foresaw, in the middle of a request of a partner's."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("nobody foresaw this")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Storefront, "ticket", broken)
        with pytest.raises(TryLater, match="partner-silent"):
            alliance.top.helpdesk(PartyId("op1")).ticket(TicketId("tck_1"))


@pytest.mark.parametrize("level", ["debug", "info"])
def test_libraries_that_log_headers_keep_quiet(level: str) -> None:
    with logged():
        logs.set_up(party="op1", process="test", level=level)
        for name in ("httpx2", "httpcore2", "uvicorn.access"):
            assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING


def test_values_with_secrets_do_not_show_them(alliance: Alliance) -> None:
    node = alliance.add("op1")
    hidden = set(files_with_secrets(node.folder)) - {""}
    assert hidden
    for thing in (node.keys, node.keys.current(node.clock.now()), node.clients, vars(node.keys)):
        assert not [secret for secret in hidden if secret in f"{thing!r} {thing}"]
