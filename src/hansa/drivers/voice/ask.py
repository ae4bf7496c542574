"""Asks a daemon over its JSON-RPC socket: run by itself in a box, where the socket can be seen.

Standard input has a list of [method, parameter, …]; standard output gets a list of answers, in
order: {"result": …} or {"error": …}. It stands on the standard library alone.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

WAIT_S = 5.0
LONGEST = 1 << 20


def ask(place: str, calls: list[list[object]]) -> list[object]:
    """What the daemon whose datagram socket is at `place` answers."""
    own = f"{place}.{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.settimeout(WAIT_S)
        line.bind(own)
        try:
            answers: list[object] = []
            for number, (method, *params) in enumerate(calls):
                asked = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
                line.sendto(json.dumps(asked).encode(), place)
                told = json.loads(line.recv(LONGEST))
                answers.append({key: told[key] for key in ("result", "error") if key in told})
            return answers
        finally:
            with suppress(OSError):
                Path(own).unlink()


if __name__ == "__main__":
    json.dump(ask(sys.argv[1], json.load(sys.stdin)), sys.stdout)
