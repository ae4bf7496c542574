"""Two operators with real processes speak TLS, replace their keys while orders run, and take
trust away: nothing is refused that should be served, and the next request is refused that should.
"""

from __future__ import annotations

import hashlib
import itertools
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from hansa.federation import directory
from hansa.federation.contract import OrderState
from hansa.federation.keys import certificates
from hansa.federation.keys.certificates import client_context
from hansa.federation.keys.ring import KeyRing
from hansa.federation.neighbours import Neighbours
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import BuyerKey, OrderId, PartyId
from hansa.foundation.party import Actor, Party
from hansa.foundation.time import SystemClock
from hansa.node import Node, open_node
from tests.alliance import SHOP, Alliance, chain
from tests.databases import Pool
from tests.journeys.test_kills import Addressed, Living, free_port, listens, wait, write_settings
from tests.nursery import nursery

OP1, OP2 = PartyId("op1"), PartyId("op2")
OFFERS = "/tmf-api/productCatalogManagement/v4/productOffering"
WEEK = timedelta(days=7)


class Pair:
    """op2 sells to a customer what it has from op1; the test is the customer, and both's staff."""

    def __init__(self, op1: Node, op2: Node, alliance: Alliance) -> None:
        self.op1, self.op2 = op1, op2
        self._alliance = alliance
        self._front = op2.storefront(Actor(SHOP, "customer"))
        self._numbers = itertools.count()

    def order(self) -> OrderId:
        need = self._alliance.need(f"R{next(self._numbers)}")
        quote = self._front.quote(need).id
        return self._front.order(quote_id=quote, key=BuyerKey(quote)).id

    def wait_for(self, order: OrderId) -> None:
        wait(lambda: self._front.progress(order).state is OrderState.COMPLETED, f"order {order}")

    def trusts(self, node: Node, party: PartyId) -> set[str]:
        with node.begin() as tx:
            return set(directory.usable_keys(tx, party=party, now=node.clock.now()))


@pytest.fixture(scope="module")
def pair(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("rotation")
    with pool.lend() as databases, nursery() as nurse, ExitStack() as held:
        alliance = Addressed(databases, folder, SystemClock(), b"rotation")  # type: ignore[arg-type]
        alliance.ports = {name: free_port() for name in (OP1, OP2)}
        held.callback(alliance.close)
        chain(alliance, 2)
        opened = []
        for party, node in alliance.nodes.items():
            living = Living(folder / party, alliance.ports[party])
            write_settings(living, node.database)
            for process in ("api", "worker"):
                nurse.start(process, living.folder)
            opened.append(open_node(living.folder))
            held.callback(opened[-1].close)
            wait(lambda port=living.port: listens(port), f"{party}'s API")  # type: ignore[misc]
        op1, op2 = opened
        yield Pair(op1, op2, alliance)


def served(node: Node) -> str:
    """The SHA-256 of the certificate that the node's API shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = ("127.0.0.1", node.settings.http.port)
    with socket.create_connection(address) as plain, context.wrap_socket(plain) as secured:
        assert secured.version() == "TLSv1.3"
        der = secured.getpeercert(binary_form=True)
    assert der is not None
    return hashlib.sha256(der).hexdigest()


def ask(node: Node, ours: certificates.Pair | None, pinned: list[str]) -> int:
    """The status with which the node answers whoever comes with this certificate."""
    with httpx2.Client(verify=client_context(ours, pinned), trust_env=False) as client:
        return client.get(f"{node.settings.address}/health").status_code


def test_an_order_goes_through_over_tls(pair: Pair) -> None:
    assert pair.op2.settings.address.startswith("https://127.0.0.1:")
    pair.wait_for(pair.order())


def test_keys_are_replaced_while_orders_run(pair: Pair) -> None:
    placed: list[OrderId] = []
    failed: list[Exception] = []
    enough = threading.Event()

    def keep_ordering() -> None:
        try:
            while not enough.is_set():
                placed.append(pair.order())
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    buyer = threading.Thread(target=keep_ordering)
    buyer.start()
    try:
        for node, other in ((pair.op1, pair.op2), (pair.op2, pair.op1)):
            now = node.clock.now()
            old = node.keys.current(now).public
            node.keys.rotate(now=now, overlap=WEEK)
            new = node.keys.public
            wait(lambda: node.keys.current(node.clock.now()).public == new, "the new key")  # noqa: B023
            assert pair.trusts(other, node.us.id) == {old, new}
            before = served(node)
            node.keys.rotate_certificate(
                party=node.us.id,
                address=node.settings.address,
                now=node.clock.now(),
                overlap=WEEK,
            )
            wait(lambda: served(node) != before, "the new certificate")  # noqa: B023
            assert served(node) == node.keys.certificate(node.clock.now()).sha256
        so_far = len(placed)
        wait(lambda: len(placed) > so_far + 1 or bool(failed), "orders with the new keys")
    finally:
        enough.set()
        buyer.join()
    assert failed == []
    for order in placed:
        pair.wait_for(order)


def test_a_certificate_that_nobody_knows_fails_in_the_handshake(pair: Pair, tmp_path: Path) -> None:
    now = pair.op1.clock.now()
    true = [pair.op1.keys.certificate(now).der]
    assert ask(pair.op1, pair.op2.keys.certificate(now), true) == 200
    assert ask(pair.op1, None, true) == 200
    eve = KeyRing.load_or_create(tmp_path, now=now)
    eve.have_certificate(party=OP2, address=pair.op2.settings.address, now=now)
    with pytest.raises(httpx2.TransportError):
        ask(pair.op1, eve.certificate(now), true)
    with pytest.raises(httpx2.ConnectError):
        ask(pair.op1, pair.op2.keys.certificate(now), [eve.certificate(now).der])


def offers_as_op2(pair: Pair, keys: KeyRing, shown: certificates.Pair | None) -> int:
    """How many offers op1 has for whoever signs as op2 with these keys, on such a connection."""
    pinned = [pair.op1.keys.certificate(pair.op1.clock.now()).der]
    verify = client_context(shown, pinned)
    caller = Neighbours(
        us=OP2,
        keys=keys,
        begin=pair.op2.begin,
        clock=pair.op2.clock,
        nonce=pair.op2.ids.trace,
        window_s=60,
        folder=pair.op2.folder,
        connect=lambda _: httpx2.Client(verify=verify, trust_env=False),
    )
    try:
        offers = caller.partner(OP1).offers()
        return len(offers)
    finally:
        caller.close()


def test_a_stolen_key_is_not_enough(pair: Pair, tmp_path: Path) -> None:
    """Who speaks as op2 has to have what signs and what it shows in TLS, and both of op2."""
    keys, now = pair.op2.keys, pair.op2.clock.now()
    ours = keys.certificate(now)
    assert offers_as_op2(pair, keys, ours) == 1
    eve = KeyRing.load_or_create(tmp_path, now=now)
    for ring, shown in ((keys, None), (eve, None), (eve, ours)):
        with pytest.raises(TryLater, match="signature-not-taken"):
            offers_as_op2(pair, ring, shown)
    third = PartyId("op3")
    eve.have_certificate(party=third, address="https://op3.test", now=now)
    card = directory.invite(
        eve, party=Party(third, "OP3", "GB", "GBP"), address="https://op3.test", now=now
    )
    with pair.op1.begin() as tx:
        directory.join(tx, card=card, now=now)
    true = [pair.op1.keys.certificate(now).der]

    def comes_in() -> bool:
        try:
            return ask(pair.op1, eve.certificate(now), true) == 200
        except httpx2.TransportError:
            return False

    wait(comes_in, "op3 at the door")
    with pytest.raises(TryLater, match="signature-not-taken"):
        offers_as_op2(pair, keys, eve.certificate(now))


def test_a_partner_is_revoked_at_once_and_restored(pair: Pair) -> None:
    """On a connection that stands, and in its own handshake."""
    op2, now = pair.op2, pair.op1.clock.now()
    op2.seller(OP1).offers()
    with pair.op1.begin() as tx:
        directory.revoke(tx, party=OP2, why="key stolen", by="ada", now=now)
    with pytest.raises(TryLater):
        op2.seller(OP1).offers()
    true = [pair.op1.keys.certificate(now).der]

    def is_shut_out() -> bool:
        try:
            ask(pair.op1, op2.keys.certificate(now), true)
        except httpx2.TransportError:
            return True
        return False

    wait(is_shut_out, "the end of op2's certificate at the door")
    order = None
    try:
        with pytest.raises(TryLater):
            pair.order()
    finally:
        with pair.op1.begin() as tx:
            directory.restore(tx, party=OP2, why="found again", by="ada", now=now)
    wait(lambda: not is_shut_out(), "op2's certificate at the door")
    order = pair.order()
    pair.wait_for(order)
