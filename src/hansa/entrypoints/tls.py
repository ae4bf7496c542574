"""TLS at the node's door: which certificates are trusted now, and which one a caller has shown."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
import threading
from typing import Any

from hansa.entrypoints.bounded import Bounded
from hansa.node import Node

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""How late a new certificate of our own may be taken up; partners' are told of at once."""

AFTER_FAULT_S = 1.0


class Doorway:
    """The context of new connections, kept up with the partners that may come.

    Connections that stand keep what they were made with: whether their certificate still counts
    is asked at each request.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._stop = threading.Event()
        self._made_of: object = None
        self._current: ssl.SSLContext | None = None
        self.look()
        self._thread = threading.Thread(target=self._watch, name="doorway", daemon=True)

    def __enter__(self) -> Doorway:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def context(self) -> ssl.SSLContext:
        """What the server is given: each handshake is handed on to the context of the moment."""
        assert self._current is not None
        front: ssl.SSLContext = self._node.neighbours.door_context()[1]()

        def hand_on(connection: Any, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self._current

        front.sni_callback = hand_on  # called for every handshake, with a name or without
        return front

    def look(self) -> None:
        """Makes another context when what it is made of has changed."""
        made_of, make = self._node.neighbours.door_context()
        if made_of != self._made_of:
            self._current, self._made_of = make(), made_of

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                with self._node.trust_changes() as changes:
                    while not self._stop.is_set():
                        self.look()
                        changes.wait(LOOK_EVERY_S)
            except Exception:
                log.exception("the door lost its database and tries again")
                self._stop.wait(AFTER_FAULT_S)


class Protocol(Bounded):
    """HTTP as uvicorn speaks it; each request says by which certificate its connection came."""

    _extensions: dict[str, dict[str, str]]
    """Empty where we do not end TLS."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        self._extensions = (
            {"tls": {"client_cert_sha256": certificate_of(connection)}} if connection else {}
        )

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]


def certificate_of(connection: ssl.SSLObject) -> str:
    """The SHA-256 of the certificate that the other side has shown; empty for none."""
    der = connection.getpeercert(binary_form=True)
    return hashlib.sha256(der).hexdigest() if der else ""
