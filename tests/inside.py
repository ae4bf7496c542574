"""HTTP to an application in this process, on one event loop that stays for all of them."""

from __future__ import annotations

import asyncio
from functools import cache
from threading import Thread
from typing import Any
from urllib.parse import unquote

import httpx2
import uvloop


class Inside(httpx2.Client):
    """A client of an ASGI application. What the application does not catch is a 500."""

    def __init__(self, app: Any, base_url: str) -> None:
        super().__init__(transport=_Way(app), base_url=base_url, trust_env=False)
        self.app = app


class _Way(httpx2.BaseTransport):
    def __init__(self, app: Any) -> None:
        self._app = app

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answering = _answer(self._app, _scope(request), request.read())
        return asyncio.run_coroutine_threadsafe(answering, _loop()).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = uvloop.new_event_loop()
    Thread(target=loop.run_until_complete, args=(_for_ever(),), daemon=True).start()
    return loop


async def _for_ever() -> None:
    """What threads of the loop belong to: they would end with the request that began them."""
    await asyncio.Event().wait()


def _scope(request: httpx2.Request) -> dict[str, Any]:
    url = request.url
    path, _, query = url.raw_path.partition(b"?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": unquote(url.path),
        "raw_path": path,
        "root_path": "",
        "scheme": url.scheme,
        "query_string": query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("inside", 50000),
        "server": (url.host, url.port or {"http": 80, "https": 443}[url.scheme]),
        "extensions": {},
    }


async def _answer(app: Any, scope: dict[str, Any], body: bytes) -> httpx2.Response:
    asked = [{"type": "http.request", "body": body, "more_body": False}]
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not asked:
            await _for_ever()  # who asks stays to hear the answer
        return asked.pop()

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    try:
        await app(scope, receive, send)
    except BaseException:  # noqa: BLE001 - a server closes the connection, whatever it was
        told.clear()
    if not told:
        return httpx2.Response(500)
    start, *parts = told
    content = b"".join(part.get("body", b"") for part in parts)
    return httpx2.Response(start["status"], headers=start["headers"], content=content)
