"""A PostgreSQL 18 server of our own: started, watched and stopped by the process that needs it.

For demonstrations, tests and small nodes; in production a node is given the address of a
server instead. The programs come from a wheel, the supervision is ours. The server is a
direct child and gets SIGINT when we die, however we die. It listens on the loopback address
and on a socket in its own folder, and wants a password on both.

A data folder holds `cluster` (the database; a link when the server's user could not enter
the folder), `password`, `node.password`, `lock` and `server.log`. The first password is that of
the superuser, who makes databases and runs migrations; the second that of the user as whom the
node itself connects, and who may change no table.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from hansa.foundation.binaries import (
    ServerUser,
    find_binaries,
    may_enter,
    readable_binaries,
    server_user,
    state,
)
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.roles import NODE

Progress = Callable[[str], None]
"""Told in plain words what is being waited for."""

SUPERUSER = "hansa"
NODE_PASSWORD = "node.password"  # noqa: S105 - a file's name
SOCKET_PATH_MAX = 90
"""Longest folder for a Unix socket; the kernel allows 107 bytes with the file's name."""
LOG_MAX = 5_000_000
STOP_PATIENCE_S = 60.0

SMALL: Mapping[str, str] = {
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "io_method": "sync",  # no worker processes of its own: several servers share a machine
    "max_parallel_workers_per_gather": "0",
    "log_line_prefix": "%m [%p] %d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
"""Settings suited to several nodes on one machine."""

HASTY: Mapping[str, str] = {
    "max_connections": "400",  # one server for all the nodes of all tests of a process
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "max_wal_senders": "0",
    "wal_init_zero": "off",
    "wal_level": "minimal",
    "plan_cache_mode": "force_generic_plan",
}
"""For tests only: a crash of the machine may lose everything."""

HASTILY_MADE = ("--no-sync", "--no-data-checksums", "--set=scram_iterations=1")
"""For tests only: how such a cluster is made."""


def _quiet(words: str) -> None:
    """Says nothing."""


def address(data: Path, database: str) -> str:
    """The URL of a database on the server that another process runs on this data folder, for
    the node, which may use its tables and not change them.

    Raises TryLater `database-not-running` when no server runs there.
    """
    try:
        lines = (data / "cluster" / "postmaster.pid").read_text().splitlines()
        password = (data / NODE_PASSWORD).read_text()
        return _url(NODE, password, int(lines[3]), database, socket=lines[4])
    except (OSError, IndexError, ValueError):
        raise TryLater(
            "database-not-running", f"No database server runs on {data}; start the node first."
        ) from None


def _url(user: str, password: str, port: int, database: str, *, socket: str = "") -> str:
    """By the server's socket where it can be reached, which takes less work than TCP."""
    secret = f"{user}:{password}"
    if socket and os.access(Path(socket) / f".s.PGSQL.{port}", os.R_OK | os.W_OK):
        where = f"?host={quote(socket, safe='')}&port={port}"
        return f"postgresql://{secret}@/{quote(database, safe='')}{where}"
    return f"postgresql://{secret}@127.0.0.1:{port}/{quote(database, safe='')}"


def remove(data: Path) -> None:
    """Deletes a data folder and everything in it, wherever its cluster is.

    Raises Refused `database-in-use` while a server runs on it.
    """
    if not data.exists():
        return
    with _locked(data):
        cluster = data / "cluster"
        if cluster.is_symlink():
            shutil.rmtree(cluster.resolve().parent, ignore_errors=True)
        shutil.rmtree(data)


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Holds the folder's lock. Raises Refused `database-in-use` when somebody else does."""
    with (data / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                "database-in-use",
                f"A database server already runs on {data}. Stop it first, or use another folder.",
            ) from None
        yield


class EmbeddedServer:
    """One server on one data folder, for as long as this object is started.

    data: made when it is not there. port: a free one is chosen when None. durable: False
    turns off all waiting for the disk, for tests only. binaries: the folder of `postgres`
    and `initdb`; None looks for a wheel. progress: told of every wait.

    May be used from any thread: the server is the child of a thread that lives as long as
    it does, since the kernel ties the death signal to the thread that started a process.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        binaries: Path | None = None,
        progress: Progress = _quiet,
    ) -> None:
        self.data = data.absolute()
        self.port = port
        self._port_given = port is not None
        self._durable = durable
        self._binaries = binaries
        self._progress = progress
        self._held = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def url(self, database: str) -> str:
        """A libpq URL for the superuser on loopback TCP, with the password in it: a secret."""
        if self.port is None or self._process is None:
            raise TryLater("database-not-running", f"The server on {self.data} is not started.")
        return _url(SUPERUSER, self._password(), self.port, database)

    def start(self) -> None:
        """Starts the server and returns when it answers, however long recovery takes.

        Makes the cluster first where there is none. Raises Refused: `database-in-use`,
        `database-binaries-missing`, `database-owner`, `port-taken`, `database-start-failed`.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(_locked(self.data))
        try:
            cluster = self.data / "cluster"
            owner = cluster.stat().st_uid if cluster.exists() else None
            user = server_user(owner)
            binaries = readable_binaries(find_binaries(self._binaries), user)
            if owner is None:
                self._make_cluster(binaries, user)
            _check_owner(cluster, user)
            self._clear_remains(cluster.resolve())
            self._launch(binaries, cluster.resolve(), user)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the server and waits for its end; a stopped one stays stopped.

        Fast shutdown (SIGINT: sessions are ended, data written); after a minute the server
        is told to leave at once, and would recover at the next start.
        """
        process, keeper = self._process, self._keeper
        if process is not None and keeper is not None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                process.send_signal(how)
                keeper.join(STOP_PATIENCE_S)
                if not keeper.is_alive():
                    break
        self._process = self._keeper = None
        self._held.close()

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Makes a database, a copy of `template` if given; one that exists stays as it is."""
        statement = sql.SQL("create database {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template))
        with self._admin() as connection, contextlib.suppress(psycopg.errors.DuplicateDatabase):
            connection.execute(statement)

    def drop_database(self, name: str) -> None:
        """Removes a database and ends its sessions; one that is not there is no error."""
        with self._admin() as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10)

    def _password(self) -> str:
        return (self.data / "password").read_text()

    # --- making a cluster ---------------------------------------------------------------------

    def _home(self, user: ServerUser) -> Path:
        """Where the cluster goes: the data folder, or a place that the server's user can enter."""
        if may_enter(self.data, user):
            return self.data
        home = state() / f"cluster-{secrets.token_hex(8)}"
        home.mkdir(mode=0o755)
        home.chmod(0o755)
        self._progress(f"{self.data} is closed to the server's user; the data go to {home}")
        return home

    def _make_cluster(self, binaries: Path, user: ServerUser) -> None:
        """Makes the cluster under another name first, so that a half-made one is never used."""
        self._progress("making a new database cluster")
        password = secrets.token_urlsafe(32)
        _write_secret(self.data / "password", password)
        home = self._home(user)
        new = home / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        told = home / "password.new"
        _write_secret(told, password)
        if not user.is_us:
            os.chown(new, user.uid, user.gid)
            os.chown(told, user.uid, user.gid)
        command = [
            str(binaries / "initdb"),
            f"--pgdata={new}",
            f"--username={SUPERUSER}",
            f"--pwfile={told}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *(() if self._durable else HASTILY_MADE),
        ]
        try:
            made = subprocess.run(
                _as_user(user, command), capture_output=True, text=True, cwd="/", check=False
            )
        finally:
            told.unlink()
        if made.returncode != 0:
            raise Refused("database-start-failed", f"initdb failed: {made.stderr.strip()[-800:]}")
        new.rename(home / "cluster")
        if home != self.data:
            (self.data / "cluster").unlink(missing_ok=True)  # a link that leads nowhere
            (self.data / "cluster").symlink_to(home / "cluster")

    # --- starting -----------------------------------------------------------------------------

    def _clear_remains(self, cluster: Path) -> None:
        """Ends what a dead supervisor left running, then removes its stale pid file.

        A pid in that file may meanwhile be a zombie or another program, which would keep
        PostgreSQL from starting; we hold the lock and look at the processes themselves.
        """
        began = time.monotonic()
        while remains := _processes(_mark(cluster)):
            waited = time.monotonic() - began
            self._progress(f"waiting for a server that lost its supervisor, {waited:.0f} s")
            postmasters = [pid for pid, title in remains if not title.startswith("postgres:")]
            orphans = [pid for pid, _ in remains] if not postmasters and waited > 1 else []
            for pid in postmasters or orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT if postmasters else signal.SIGQUIT)
            time.sleep(0.05)
        (cluster / "postmaster.pid").unlink(missing_ok=True)

    def _launch(self, binaries: Path, cluster: Path, user: ServerUser) -> None:
        for _ in range(5):
            if not self._port_given:
                self.port = _free_port()
            elif not _is_free(self.port or 0):
                break
            log = self._log()
            before = log.stat().st_size
            self._spawn(_as_user(user, self._command(binaries, cluster)), log)
            if self._answers():
                self._admit_node()
                return
            ended = log.read_bytes()[before:].decode(errors="replace")
            if "could not create any TCP/IP sockets" not in ended:
                raise Refused(
                    "database-start-failed",
                    f"PostgreSQL ended at its start; its last words: {ended.strip()[-800:]}",
                )
        raise Refused("port-taken", f"Port {self.port} on 127.0.0.1 is taken; choose another one.")

    def _command(self, binaries: Path, cluster: Path) -> Sequence[str]:
        settings = {
            **SMALL,
            **({} if self._durable else HASTY),
            "cluster_name": _mark(cluster),
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(cluster) if len(str(cluster)) <= SOCKET_PATH_MAX else "",
            "unix_socket_permissions": "0700",
        }
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(binaries / "postgres"), "-D", str(cluster), *given]

    def _log(self) -> Path:
        log = self.data / "server.log"
        if log.exists() and log.stat().st_size > LOG_MAX:
            log.replace(log.with_suffix(".log.1"))
        log.touch(mode=0o600)
        return log

    def _spawn(self, command: Sequence[str], log: Path) -> None:
        """Starts the server from a thread of its own, which then waits for it and reaps it."""
        started: Queue[subprocess.Popen[bytes] | OSError] = Queue()

        def keep() -> None:
            try:
                with log.open("ab") as out:
                    process = subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=out,
                        cwd="/",
                        start_new_session=True,  # Ctrl-C in a terminal is for us alone
                    )
            except OSError as error:
                started.put(error)
                return
            started.put(process)
            process.wait()

        self._keeper = threading.Thread(target=keep, name="postgresql-keeper", daemon=True)
        self._keeper.start()
        process = started.get()
        if isinstance(process, OSError):
            raise process
        self._process = process

    def _admit_node(self) -> None:
        """Lets the node in by a password of its own, made at the first start."""
        file = self.data / NODE_PASSWORD
        if not file.exists():
            _write_secret(file, secrets.token_urlsafe(32))
        with self._admin() as connection:
            known = "select from pg_roles where rolname = %s"
            if connection.execute(known, (NODE,)).fetchone() is None:
                connection.execute(sql.SQL("create role {}").format(sql.Identifier(NODE)))
            # What the server is told, and may write to its log, is not the password itself.
            hidden = connection.pgconn.encrypt_password(
                file.read_bytes(), NODE.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("alter role {} login password {}").format(
                    sql.Identifier(NODE), sql.Literal(hidden.decode())
                )
            )

    def _answers(self) -> bool:
        """Waits until the server answers (True) or has ended (False)."""
        began = told = time.monotonic()
        while self.pid is not None:
            try:
                with self._admin():
                    return True
            except psycopg.OperationalError as error:
                if time.monotonic() - told > 1:
                    told = time.monotonic()
                    words = str(error).strip().rsplit("FATAL:", 1)[-1].strip()
                    self._progress(f"waiting for the database, {told - began:.0f} s: {words}")
                time.sleep(0.02)
        return False


def _write_secret(file: Path, secret: str) -> None:
    """Writes a file that only its owner can read, from its first byte on."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secret)


def _check_owner(cluster: Path, user: ServerUser) -> None:
    owner = cluster.stat().st_uid
    if user.uid != owner:
        raise Refused(
            "database-owner",
            f"{cluster} belongs to the user with number {owner}; run as that user or root.",
        )


def _as_user(user: ServerUser, command: Sequence[str]) -> Sequence[str]:
    launcher = Path(__file__).with_name("launcher.py")
    python = [sys.executable, "-I", "-S", str(launcher)]
    return [*python, str(os.getpid()), str(user.uid), str(user.gid), *command]


def _mark(cluster: Path) -> str:
    """What every process of this cluster's server shows in its title."""
    return f"hansa-{hashlib.sha256(str(cluster).encode()).hexdigest()[:12]}"


def _processes(mark: str) -> Sequence[tuple[int, str]]:
    """Living PostgreSQL processes that bear the mark; dead ones not yet reaped do not count."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0].rsplit("/", 1)[-1].startswith("postgres") and mark in " ".join(words):
            found.append((int(folder.name), words[0]))
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
