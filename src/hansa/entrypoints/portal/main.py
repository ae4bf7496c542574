"""The portal process: serves one node's pages until it is told to stop."""

from __future__ import annotations

import uvicorn

from hansa.entrypoints import memory, process
from hansa.entrypoints.portal.app import portal
from hansa.node import Node

GRACE_S = 5


def main() -> None:
    node = process.begin("portal", "Serves one node's portal until told to stop.")
    try:
        memory.settle()
        uvicorn.Server(served(node)).run()
    finally:
        node.close()


def served(node: Node) -> uvicorn.Config:
    """How a node's portal is served. Whose address a request has is the last one of
    X-Forwarded-For that is none of the settings' proxies, when one of those has sent it.
    """
    settings = node.settings.portal
    return uvicorn.Config(
        portal(node),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.proxies),
        timeout_graceful_shutdown=GRACE_S,
    )


if __name__ == "__main__":
    main()
