"""HTTP for callers who may mean ill: a request's head has its bounds in time and in length."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX_S = 10.0
"""How long a connection may take until a request's line and headers are all there."""

HEAD_MAX = 64 << 10
"""The longest head that is read at all, in octets."""


class Bounded(HttpToolsProtocol):
    """uvicorn's own protocol, which waits for a head as long as it takes, and reads all of it.

    The time begins with the connection, and anew with whatever comes after an answer.
    """

    head_max_s = HEAD_MAX_S
    _head = 0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._patience is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._grown(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._grown(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._done()
        super().on_headers_complete()

    def _grown(self, by: int) -> None:
        self._head += by
        if self._head > HEAD_MAX:
            raise ValueError("the head of a request is too long")  # answered with 400, and closed

    def _wait(self) -> None:
        self._done()
        self._patience = self.loop.call_later(self.head_max_s, self.transport.abort)

    def _done(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
