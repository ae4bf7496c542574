"""Starts real API and worker processes of nodes quickly, and has them die when a test says so.

Run as a program it imports the node's code once, then forks a process for each line of JSON on
its standard input and answers with its process id. A process that is told to die kills itself
with SIGKILL, at exactly one moment: nothing of it is caught, closed or cleaned up.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from hansa.entrypoints import api, http, logs, worker
from hansa.foundation.plan.model import Handler, Inside
from hansa.node import Node, open_node

SAY_S = 0.2
"""How long processes have, before they are killed, to write down where they are."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# --- moments of death -----------------------------------------------------------------------------


def deadly(handler: Handler, moment: str) -> Handler:
    """A task's handler that dies `before` its call, `after` it, or when all is `recorded` but not
    committed.
    """
    if isinstance(handler, Inside):

        def do(*given: Any) -> Any:
            if moment == "before":
                die()
            handler.do(*given)
            die()

        return Inside(do)

    def call(*given: Any) -> Any:
        if moment == "before":
            die()
        answer = handler.call(*given)
        if moment == "after":
            die()
        return answer

    def record(*given: Any) -> Any:
        outcome = handler.record(*given)
        if moment == "recorded":
            die()
        return outcome

    return replace(handler, call=call, record=record)


class DeadlyDoor:
    """An ASGI application that dies when a request to `path` comes in, or before it answers it."""

    def __init__(self, app: Any, path: str, moment: str) -> None:
        self._app, self._path, self._moment = app, path, moment

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        aimed = scope["type"] == "http" and scope["method"] == "POST"
        if not (aimed and scope["path"].endswith(self._path)):
            await self._app(scope, receive, send)
            return
        if self._moment == "before":
            die()

        async def sending(message: Any) -> None:
            die()

        await self._app(scope, receive, sending)


# --- the processes --------------------------------------------------------------------------------


def run_worker(node: Node, told: dict[str, str]) -> None:
    kind, moment = told.get("kind", ""), told.get("moment", "")
    if kind == "deliver":
        begin_orders = node.deliver

        def deliver(*given: Any) -> int:
            taken = begin_orders(*given)
            if taken:
                die()
            return taken

        node.deliver = deliver  # type: ignore[assignment, method-assign]
    elif kind:
        node.handlers = {
            name: deadly(handler, moment) if name == kind else handler
            for name, handler in node.handlers.items()
        }
    worker.Worker(node).run()


def run_api(node: Node, told: dict[str, str]) -> None:
    app: Any = http.app(node)
    if told.get("path"):
        app = DeadlyDoor(app, told["path"], told["moment"])
    with api.door(node, app) as server:
        server.run()


def live(told: dict[str, str]) -> NoReturn:
    """Becomes the process that is wanted. What it says lies in its node's folder, to be read when
    a test has failed; so does, at its end, where each of its threads was (SIGUSR1).
    """
    folder, process = Path(told["node"]), told["process"]
    with (folder / f"{process}.log").open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    faulthandler.register(signal.SIGUSR1)
    try:
        logs.set_up(party=folder.name, process=process, level="warning")
        {"api": run_api, "worker": run_worker}[process](open_node(folder), told)
    except Exception:  # noqa: BLE001 - told, then it dies
        traceback.print_exc()
    finally:
        os._exit(1)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave at once
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            live(told)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


class Nursery:
    """The program above, seen from a test. Everything it started is gone when it is closed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._pids: set[int] = set()

    def start(self, process: str, node: Path, **told: str) -> int:
        """Starts an `api` or a `worker`; told: kind or path, and the moment, of its death."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(
            json.dumps({"process": process, "node": str(node), **told}) + "\n"
        )
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        self._pids.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    @staticmethod
    def lives(pid: int) -> bool:
        return Path(f"/proc/{pid}").exists()

    def close(self) -> None:
        living = [pid for pid in self._pids if self.lives(pid)]
        for pid in living:
            os.kill(pid, signal.SIGUSR1)
        time.sleep(SAY_S)
        for pid in living:
            self.kill(pid)
        self._process.communicate(timeout=10)


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    try:
        yield made
    finally:
        made.close()


if __name__ == "__main__":
    main()
