"""How each process of a node begins."""

from __future__ import annotations

import argparse
from pathlib import Path

from hansa.entrypoints import logs
from hansa.node import Node, open_node


def begin(process: str, what: str) -> Node:
    """The node whose folder the command line names, open, with this process's logs set up.

    what: what the process does, for `--help`. The node is the caller's to close.
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--node", type=Path, required=True, help="the node's data folder")
    node = open_node(parser.parse_args().node)
    logs.set_up(
        party=node.us.id,
        process=process,
        level=node.settings.log_level,
        shifted_clock=bool(node.settings.clock.shift_file),
    )
    return node
