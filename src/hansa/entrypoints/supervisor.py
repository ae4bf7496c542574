"""One node's processes: its database, its API and its worker, kept running until told to stop.

The node's processes are children of this one and end with it, however it ends. What is
needed to see them from outside is in `run.json` in the node's folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import IO

from hansa.entrypoints import logs, node_folder
from hansa.foundation import embedded
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.errors import HansaError, Refused
from hansa.node import (
    DATABASE,
    DATABASE_FOLDER,
    HttpSettings,
    load_settings,
    migrate,
)

log = logging.getLogger(__name__)

LOCK = "node.lock"
RUN = "run.json"

MODULES: Mapping[str, str] = {
    "api": "hansa.entrypoints.api",
    "worker": "hansa.entrypoints.worker",
}
"""The processes of a node beside its database, and what each of them runs."""

PORTAL: Mapping[str, str] = {"portal": "hansa.entrypoints.portal.main"}
"""And what a node runs besides that has a portal."""

LOOK_EVERY_S = 0.05
GRACE_S = 10.0
"""How long a process may take to end by itself."""

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 10.0
LOOKED_AT_S = 0.5
"""How long somebody who only looks may hold the lock at most."""

WELL_AFTER_S = 20.0
"""A process that has lived as long as this is started again at once; else waits double."""

Progress = Callable[[str], None]


def run(folder: Path, *, progress: Progress) -> None:
    """Runs the node in the folder until SIGTERM, SIGINT or SIGHUP, and stops all of it.

    progress: told in plain words what is going on. Call it from the main thread. Raises
    Refused `node-missing`, `settings-invalid`, `node-running`, `port-taken`, and what the
    database or its migrations refuse.
    """
    folder = folder.resolve()
    settings = load_settings(folder)
    stop = threading.Event()
    with _only_one(folder), _told_to_stop(stop), contextlib.ExitStack() as held:
        _check_port(settings.http.host, settings.http.port, field="http.port")
        if settings.portal.port:
            _check_port(settings.portal.host, settings.portal.port, field="portal.port")
        logs.set_up(
            party=settings.party.id,
            process="supervisor",
            level=settings.log_level,
            shifted_clock=bool(settings.clock.shift_file),
        )
        server, url = None, settings.database.owner_url or settings.database.url
        if not url:
            server = held.enter_context(EmbeddedServer(folder / DATABASE_FOLDER, progress=progress))
            server.create_database(DATABASE)
            url = server.url(DATABASE)
        migrate(url, progress=lambda name: progress(f"applying {name}"))
        node = _Processes(folder, server, portal=bool(settings.portal.port))
        held.callback(node.stop)
        node.start()
        told = False
        while not stop.wait(LOOK_EVERY_S):
            node.look()
            if not told and health(folder, settings.http, timeout_s=1.0) is not None:
                told = True
                progress(f"{settings.party.name} answers at {settings.address}")
        progress("stopping")


# --- what others may see of it ------------------------------------------------------------------


def processes(folder: Path) -> Mapping[str, int | None]:
    """The node's processes by name and their ids; None for one that does not live."""
    names = ("supervisor", *MODULES)
    if not _is_held(folder):
        return dict.fromkeys(names)
    try:
        written = json.loads((folder / RUN).read_text())
    except (OSError, ValueError):
        written = {}
    names += tuple(name for name in PORTAL if name in written)
    return {name: pid if (pid := written.get(name)) and _lives(pid) else None for name in names}


def health(
    folder: Path, http: HttpSettings, *, timeout_s: float = 2.0
) -> Mapping[str, object] | None:
    """What the node in the folder says at /health; None when it does not answer well in time."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is read, not bound
    host = anywhere.get(http.host, http.host)
    connection = HTTPConnection(host, http.port, timeout=timeout_s)
    if http.tls == "mutual":
        try:
            context = node_folder.own_context(folder)
        except Refused:
            return None
        connection = HTTPSConnection(host, http.port, timeout=timeout_s, context=context)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        said = json.loads(response.read())
    except (OSError, HTTPException, ValueError):
        return None
    else:
        return said if response.status == 200 and isinstance(said, dict) else None
    finally:
        connection.close()


# --- inside -------------------------------------------------------------------------------------


class _Child:
    """One process that is started again when it dies."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._wait_s = 0.0
        self._due = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def look(self) -> bool:
        """Starts it if it is not there and its time has come; True when something changed."""
        process, now = self._process, time.monotonic()
        if process is not None and process.poll() is None:
            return False
        if process is not None:
            self._process = None
            if now - self._began >= WELL_AFTER_S:
                self._wait_s = 0.0
            self._due = now + self._wait_s
            self._wait_s = min(max(FIRST_WAIT_S, self._wait_s * 2), LONGEST_WAIT_S)
            log.warning(
                "a process ended and is started again",
                extra={"child": self.name, "pid": process.pid, "code": process.returncode},
            )
        if now < self._due:
            return process is not None
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal is for us alone
        )
        self._began = now
        log.info("a process was started", extra={"child": self.name, "pid": self._process.pid})
        return True

    def ask_to_end(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def end(self, deadline: float) -> None:
        """Waits for its end until the deadline, then ends it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("a process did not end and is killed", extra={"child": self.name})
            self._process.kill()
            self._process.wait()
        self._process = None
        self._wait_s = self._due = 0.0


class _Processes:
    """The node's API, worker and portal on top of its database."""

    def __init__(self, folder: Path, server: EmbeddedServer | None, *, portal: bool) -> None:
        self._folder = folder
        self._server = server
        modules = {**MODULES, **PORTAL} if portal else MODULES
        self._children = [
            _Child(name, _command(module, folder)) for name, module in modules.items()
        ]

    def start(self) -> None:
        self.look()

    def look(self) -> None:
        """Starts again whatever has died. The address of a new database server is a new one,
        so that everything else is started anew with it.
        """
        if self._server is not None and self._server.pid is None:
            log.error("the database server ended and is started again")
            self.stop()
            self._server.stop()
            try:
                self._server.start()
            except HansaError as error:
                log.exception("the database server does not start", extra={"reason": error.code})
                time.sleep(1)
                return
        changed = [child for child in self._children if child.look()]
        if changed:
            self._write()

    def stop(self) -> None:
        for child in self._children:
            child.ask_to_end()
        deadline = time.monotonic() + GRACE_S
        for child in self._children:
            child.end(deadline)
        (self._folder / RUN).unlink(missing_ok=True)

    def _write(self) -> None:
        pids = {child.name: child.pid for child in self._children}
        new = self._folder / f"{RUN}.new"
        new.write_text(json.dumps({"supervisor": os.getpid(), **pids}))
        new.replace(self._folder / RUN)


def _command(module: str, folder: Path) -> Sequence[str]:
    """Through the launcher, which has the process end when this one does."""
    launcher = Path(embedded.__file__).with_name("launcher.py")
    ours = [str(os.getpid()), str(os.getuid()), str(os.getgid())]
    python = [sys.executable, "-P", "-m", module, "--node", str(folder)]
    return [sys.executable, "-I", "-S", str(launcher), *ours, *python]


@contextlib.contextmanager
def _told_to_stop(stop: threading.Event) -> Iterator[None]:
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Holds the folder's lock. Raises Refused `node-running` when another process does."""
    with (folder / LOCK).open("a") as lock:
        deadline = time.monotonic() + LOOKED_AT_S
        while not _locked(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise Refused(
                    "node-running",
                    f"The node in {folder} is running already; see `hansa node status`.",
                    field="node",
                )
            time.sleep(LOOK_EVERY_S)
        yield


def _is_held(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("r") as lock:
            return not _locked(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _locked(lock: IO[str], how: int) -> bool:
    """Takes the lock until the file is closed, unless it is held."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in ("Z", "X")


def _check_port(host: str, port: int, *, field: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            raise Refused(
                "port-taken",
                f"This node cannot listen on {host} port {port}: {error.strerror}. "
                "Choose another port or host in node.toml.",
                field=field,
            ) from None
