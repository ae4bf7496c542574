"""The API process: serves the HTTP door of one node until it is told to stop."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from hansa.entrypoints import http, logs
from hansa.node import open_node


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
        uvicorn.run(
            http.app(node),
            host=node.settings.http.host,
            port=node.settings.http.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
        )
    finally:
        node.close()


if __name__ == "__main__":
    main()
