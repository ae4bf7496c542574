"""A browser that listens to what is live: events as they come."""

from __future__ import annotations

import asyncio
import queue
from typing import Any

from tests import inside
from tests.entrypoints.portal.visitor import Visitor

PATIENCE_S = 60.0


class Listening:
    """Listens to one address until it is closed; status None until the answer has begun."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        self.status: int | None = None
        self.kind = ""
        self._came: queue.Queue[str | None] = queue.Queue()
        self._gone = asyncio.Event()
        self._text = ""
        request = visitor.client.build_request("GET", path)
        answering = self._answer(visitor.client.app, inside._scope(request))
        self._running = asyncio.run_coroutine_threadsafe(answering, inside._loop())

    async def _answer(self, app: Any, scope: dict[str, Any]) -> None:
        asked = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if asked:
                return asked.pop()
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.kind = dict(message["headers"]).get(b"content-type", b"").decode()
            else:
                self._came.put(message.get("body", b"").decode())

        try:
            await app(scope, receive, send)
        finally:
            self._came.put(None)

    def next(self) -> tuple[str, str] | None:
        """The next event: its name and data; None when the server has ended it."""
        while "\n\n" not in self._text:
            came = self._came.get(timeout=PATIENCE_S)
            if came is None:
                return None
            self._text += came
        whole, _, self._text = self._text.partition("\n\n")
        fields = [line.partition(":")[::2] for line in whole.split("\n")]
        name = next((told.strip() for field, told in fields if field == "event"), "")
        data = "\n".join(told.removeprefix(" ") for field, told in fields if field == "data")
        return name, data

    def close(self) -> None:
        """The browser goes away."""
        inside._loop().call_soon_threadsafe(self._gone.set)
        self._running.result(PATIENCE_S)
