"""The node's own door: what an application learns of the connection on which a request came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from hansa.entrypoints import api, http, node_folder
from hansa.federation import directory
from hansa.federation.keys.certificates import client_context
from hansa.federation.papers import AgreementDrafted
from hansa.federation.tmf.server import PAPERS_MAX
from hansa.foundation.errors import Refused
from hansa.node import Node
from tests.entrypoints.desk import Desk
from tests.lifecycle.agreement.examples import document


async def tells_what_it_sees(scope: Any, _receive: Any, send: Any) -> None:
    """Answers with the extensions of the request."""
    body = repr(scope["extensions"]).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def served(node: Node, app: Any = tells_what_it_sees) -> Iterator[None]:
    with api.door(node, app) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()


def asked(node: Node, verify: Any = True) -> str:
    with httpx2.Client(verify=verify, trust_env=False) as client:
        return client.get(f"{node.settings.address}/").text


def test_a_request_bears_the_certificate_of_its_connection(desks: Callable[..., Desk]) -> None:
    bt, mtn = desks("bt"), desks("mtn")
    with bt.node() as node, mtn.node() as other:
        card = directory.invite(
            other.keys, party=other.us, address=other.settings.address, now=other.clock.now()
        )
        with node.begin() as tx:
            directory.join(tx, card=card, now=node.clock.now())
        now = node.clock.now()
        theirs = other.keys.certificate(now)
        with served(node):
            pinned = [node.keys.certificate(now).der]
            shown = asked(node, client_context(theirs, pinned))
            assert shown == repr({"tls": {"client_cert_sha256": theirs.sha256}})
            bare = repr({"tls": {"client_cert_sha256": ""}})
            assert asked(node, client_context(None, pinned)) == bare
            assert asked(node, node_folder.own_context(bt.folder)) == bare


def test_a_node_hears_why_its_paper_is_turned_away(desks: Callable[..., Desk]) -> None:
    """A draft of more octets than are taken, to the last of them over a real connection."""
    bt, mtn = desks("bt"), desks("mtn")
    with bt.node() as node, mtn.node() as other:
        for one, its in ((node, other), (other, node)):
            card = directory.invite(
                its.keys, party=its.us, address=its.settings.address, now=its.clock.now()
            )
            with one.begin() as tx:
                directory.join(tx, card=card, now=one.clock.now())
        draft = AgreementDrafted(document(name="x" * PAPERS_MAX))
        with served(node, http.app(node)):
            with pytest.raises(Refused, match="longer than") as caught:
                other.listener(node.us.id).hear(draft)
            other.neighbours.close()
        assert caught.value.code == "body-too-large"


def test_behind_a_proxy_nothing_is_said_of_tls(desks: Callable[..., Desk]) -> None:
    with desks("bt").node() as node:
        bare = replace(node.settings.http, tls="off")
        node.settings = replace(node.settings, http=bare)
        with served(node):
            assert node.settings.address.startswith("http://")
            assert asked(node) == "{}"


def test_tls_is_not_served_at_an_address_that_has_none(desks: Callable[..., Desk]) -> None:
    with desks("bt").node() as node:
        plain = replace(node.settings.http, address="http://bt.example")
        node.settings = replace(node.settings, http=plain)
        with pytest.raises(Refused, match="settings-invalid") as caught, served(node):
            pass
        assert caught.value.field == "http.address"
