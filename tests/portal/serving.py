"""An application at an address that a browser can open."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

UP_S = 60.0


@contextmanager
def door() -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens on a free port of this machine, and its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        yield listening, f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def served(app: ASGIApp, listening: socket.socket) -> Iterator[None]:
    """It answers there until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    until = time.monotonic() + UP_S
    while not server.started:
        assert thread.is_alive() and time.monotonic() < until, "the pages are not served"
        time.sleep(0.02)
    yield
    server.should_exit = server.force_exit = True
    thread.join(UP_S)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The address at which it answers until the block ends."""
    with door() as (listening, address), served(app, listening):
        yield address
