"""The API process: serves the HTTP door of one node until it is told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from hansa.entrypoints import http, memory, process
from hansa.entrypoints.tls import Doorway, Protocol
from hansa.node import Node, check_tls

GRACE_S = 5


@contextmanager
def door(node: Node, app: Any) -> Iterator[uvicorn.Server]:
    """A server of this application where the node listens, with TLS as its settings say."""
    bare: dict[str, Any] = {
        "host": node.settings.http.host,
        "port": node.settings.http.port,
        "log_config": None,
        "access_log": False,
        "lifespan": "off",
        "timeout_graceful_shutdown": GRACE_S,
        "timeout_keep_alive": KEPT_ALIVE_S,
        "http": Protocol,
    }
    if node.settings.http.tls == "off":
        yield uvicorn.Server(uvicorn.Config(app, **bare))
        return
    check_tls(node.settings)
    with Doorway(node) as doorway:
        made = uvicorn.Config(app, ssl_context_factory=lambda *_: doorway.context(), **bare)
        yield uvicorn.Server(made)


KEPT_ALIVE_S = 75
"""How long an idle connection is kept; longer than partners keep theirs, so that they end it."""


def main() -> None:
    node = process.begin("api", "Serves one node's APIs until it is told to stop.")
    try:
        with door(node, http.app(node)) as server:
            memory.settle()
            server.run()
    finally:
        node.close()


if __name__ == "__main__":
    main()
