"""The API process: serves the HTTP door of one node until it is told to stop."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from hansa.entrypoints import http, logs, memory
from hansa.entrypoints.tls import Doorway, Protocol
from hansa.node import Node, check_tls, open_node

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
    parser = argparse.ArgumentParser(description="Serves one node's APIs until it is told to stop.")
    parser.add_argument("--node", type=Path, required=True, help="the node's data folder")
    node = open_node(parser.parse_args().node)
    logs.set_up(
        party=node.us.id,
        process="api",
        level=node.settings.log_level,
        shifted_clock=bool(node.settings.clock.shift_file),
    )
    try:
        with door(node, http.app(node)) as server:
            memory.settle()
            server.run()
    finally:
        node.close()


if __name__ == "__main__":
    main()
