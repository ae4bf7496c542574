"""Keeps a lab: boxes (network namespaces), their files, and the daemons that run in them.

The keeper is the first process of namespaces of its own (`unshare`: network, mounts, processes;
and users, where it is not root). What it makes can be seen from nowhere else, and when it ends,
however it ends, the kernel takes all of it away: processes, interfaces and files, which lie in
memory. It is asked over a socket in a folder that only its owner may enter: one line of JSON each
way for each connection. What a caller asked for goes on when the caller dies.

It knows nothing of telecom, and stands on the standard library alone, so that it starts quickly.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket as unix
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOCKET = "keeper.sock"
"""In the lab's folder."""

ROOT = Path("/mnt/hansa")
"""In the keeper's own mounts: a folder for each box, its daemons' files and logs."""

NAME = re.compile(r"[a-z][a-z0-9-]{0,24}")
"""What a box or a daemon may be called."""

STOP_S = 5.0
TALK_S = 10.0
EXCHANGE_S = 5.0
REAP_EVERY_S = 2.0
OUTPUT_MAX = 4 << 20
"""Octets of a command's output that are handed on; the end of it is what counts."""


@dataclass(slots=True)
class Daemon:
    """A process that runs until it is stopped. started: how it was asked for."""

    started: tuple[object, ...]
    process: subprocess.Popen[bytes]


class Keeper:
    """The lab's boxes, daemons and numbers. Calls may come at the same time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._daemons: dict[tuple[str, str], Daemon] = {}
        self._numbers: dict[str, dict[str, int]] = {}
        self._commands: set[int] = set()

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What the operation named `do` says; `wrong` names what could not be done."""
        do: Callable[..., dict[str, Any]] | None = getattr(self, f"do_{asked.get('do')}", None)
        if do is None:
            return {"wrong": f"no operation {asked.get('do')!r}"}
        try:
            return do(**{name: value for name, value in asked.items() if name != "do"})
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return {"wrong": f"{type(error).__name__}: {error}"}

    # --- boxes ----------------------------------------------------------------------------------

    def do_box(self, box: str) -> dict[str, Any]:
        """Makes a box, unless it is there: a namespace that routes, and its folder."""
        _check(box)
        with self._lock:
            new = not (ROOT / box).exists()
            if new:
                _run("ip", "netns", "add", box)
                inside = ("nsenter", f"--net=/run/netns/{box}", "--")
                _run(*inside, "ip", "link", "set", "lo", "up")
                for kind in ("ipv4.conf.all", "ipv4.conf.default"):
                    _run(*inside, "sysctl", "-qw", f"net.{kind}.rp_filter=0")
                for one in ("ipv4.ip_forward", "ipv6.conf.all.forwarding"):
                    _run(*inside, "sysctl", "-qw", f"net.{one}=1")
                for kind in ("all", "default"):
                    _run(*inside, "sysctl", "-qw", f"net.ipv6.conf.{kind}.accept_dad=0")
                (ROOT / box).mkdir(mode=0o700)
        return {"new": new}

    def do_unbox(self, box: str) -> dict[str, Any]:
        """Takes a box away with all that runs in it; one that is not there is no error."""
        _check(box)
        with self._lock:
            if not (ROOT / box).exists():
                return {}
            for name in [name for of, name in self._daemons if of == box]:
                self.do_stop(box, name)
            left = _run("ip", "netns", "pids", box).split()
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            _run("ip", "netns", "del", box)
            shutil.rmtree(ROOT / box)
        return {}

    def do_boxes(self) -> dict[str, Any]:
        """Every box with its daemons, and whether each of them runs."""
        with self._lock:
            boxes: dict[str, dict[str, bool]] = {
                one.name: {} for one in sorted(ROOT.iterdir()) if one.is_dir()
            }
            for (box, name), daemon in self._daemons.items():
                boxes[box][name] = daemon.process.poll() is None
        return {"boxes": boxes}

    # --- commands and files ---------------------------------------------------------------------

    def do_run(
        self,
        argv: list[str],
        box: str = "",
        input: str = "",
        timeout_s: float = 30,
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Runs a command to its end in a box, or in the lab itself. status: as it exited."""
        process = subprocess.Popen(
            [*_inside(box), *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        self._commands.add(process.pid)
        try:
            out, err = process.communicate(input.encode(), timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        finally:
            self._commands.discard(process.pid)
        return {
            "status": process.returncode,
            "out": out[-OUTPUT_MAX:].decode("utf-8", "replace"),
            "err": err[-OUTPUT_MAX:].decode("utf-8", "replace"),
        }

    def do_write(self, box: str, path: str, text: str, mode: int = 0o600) -> dict[str, Any]:
        """Has a file of a box hold this text; new: whether it did not before. Whole or not."""
        file = _file(box, path)
        with self._lock:
            old = file.read_text("utf-8") if file.exists() else None
            if old == text and file.stat().st_mode & 0o777 == mode:
                return {"new": False}
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = file.with_name(f"{file.name}.new")
            draft.unlink(missing_ok=True)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                os.fchmod(handle, mode)
                out.write(text)
            draft.replace(file)
        return {"new": True}

    def do_read(self, box: str, path: str, start: int = 0) -> dict[str, Any]:
        """A file's text from an octet on; None when there is no such file."""
        file = _file(box, path)
        if not file.is_file():
            return {"text": None}
        with file.open("rb") as held:
            held.seek(start)
            return {"text": held.read(OUTPUT_MAX).decode("utf-8", "replace")}

    def do_remove(self, box: str, path: str) -> dict[str, Any]:
        """Takes a file or folder of a box away; nothing to take away is no error."""
        file = _file(box, path)
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink(missing_ok=True)
        return {}

    # --- daemons --------------------------------------------------------------------------------

    def do_start(
        self,
        box: str,
        name: str,
        argv: list[str],
        env: Mapping[str, str] | None = None,
        private: bool = False,
    ) -> dict[str, Any]:
        """Has a daemon run in a box; new: whether it did not, as asked for here, before.

        It has to stay in the foreground; what it says goes to `NAME.log`. private: it sees a
        `/run` and a `/dev/shm` of its own, for those that keep fixed names there.
        """
        _check(name)
        started = (*argv, *sorted((env or {}).items()), private)
        with self._lock:
            daemon = self._daemons.get((box, name))
            if daemon is not None:
                if daemon.process.poll() is None and daemon.started == started:
                    return {"new": False}
                self.do_stop(box, name)  # a dead one too: its children may have outlived it
            own = ["unshare", "-m", "sh", "-c", _PRIVATE, "sh"] if private else []
            with (ROOT / box / f"{name}.log").open("ab") as log:
                process = subprocess.Popen(
                    [*_inside(box), *own, *argv],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=ROOT / box,
                    env={**os.environ, **(env or {})},
                    start_new_session=True,
                )
            self._daemons[box, name] = Daemon(started, process)
        return {"new": True}

    def do_stop(self, box: str, name: str) -> dict[str, Any]:
        """Ends a daemon with all that it has started; none is no error."""
        with self._lock:
            daemon = self._daemons.pop((box, name), None)
        if daemon is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(daemon.process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    daemon.process.wait(STOP_S)
                    break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(daemon.process.pid, signal.SIGKILL)
        return {}

    def do_signal(self, box: str, name: str, number: int) -> dict[str, Any]:
        """Sends a daemon a signal; alive: whether it runs."""
        with self._lock:
            daemon = self._daemons.get((box, name))
            alive = daemon is not None and daemon.process.poll() is None
            if alive and daemon is not None:
                os.kill(daemon.process.pid, number)
        return {"alive": alive}

    def do_talk(self, socket: str, text: str) -> dict[str, Any]:
        """Says something to a daemon's own socket and hears it out; None when nobody is there."""
        with unix.socket(unix.AF_UNIX) as line:
            line.settimeout(TALK_S)
            try:
                line.connect(socket)
                line.sendall(text.encode())
                line.shutdown(unix.SHUT_WR)
            except (ConnectionError, FileNotFoundError):
                return {"text": None}
            with line.makefile("rb") as answer:
                return {"text": answer.read(OUTPUT_MAX).decode("utf-8", "replace")}

    def do_exchange(self, socket: str, texts: list[str]) -> dict[str, Any]:
        """Sends a daemon's own socket a datagram after the other, each when the one before it is
        answered; None when nobody is there, or does not answer.
        """
        own = Path(f"{socket}.{threading.get_ident()}")
        with unix.socket(unix.AF_UNIX, unix.SOCK_DGRAM) as line:
            line.settimeout(EXCHANGE_S)
            try:
                line.bind(str(own))
                answers = []
                for text in texts:
                    line.sendto(text.encode(), socket)
                    answers.append(line.recv(OUTPUT_MAX).decode("utf-8", "replace"))
            except (ConnectionError, FileNotFoundError, TimeoutError):
                return {"texts": None}
            finally:
                own.unlink(missing_ok=True)
        return {"texts": answers}

    # --- numbers --------------------------------------------------------------------------------

    def do_number(self, kind: str, of: str) -> dict[str, Any]:
        """A number of its own for each name of a kind, from 1, the same as long as the lab is."""
        with self._lock:
            numbers = self._numbers.setdefault(kind, {})
            return {"number": numbers.setdefault(of, len(numbers) + 1)}

    # --- inside ---------------------------------------------------------------------------------

    def reap(self) -> None:
        """Buries what has died and was left to the first process, which is us.

        Only what has been dead for a while: what has just died may be somebody's command.
        """
        before: set[int] = set()
        while True:
            time.sleep(REAP_EVERY_S)
            dead = _zombies()
            with self._lock:
                ours = {one.process.pid for one in self._daemons.values()} | self._commands
            for pid in (dead & before) - ours:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            before = dead


_PRIVATE = 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev/shm && exec "$@"'


def _inside(box: str) -> list[str]:
    if not box:
        return []
    _check(box)
    return ["nsenter", f"--net=/run/netns/{box}", "--"]


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: small letters, digits and hyphens, 25 at most")


def _file(box: str, path: str) -> Path:
    _check(box)
    file = (ROOT / box / path).resolve()
    if not file.is_relative_to(ROOT / box) or file == ROOT / box:
        raise ValueError(f"{path!r} is no file of {box}")
    return file


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise ValueError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _zombies() -> set[int]:
    """Children of ours that have ended and that nobody has asked after, for a while."""
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state == "Z" and parent == "1":
                found.add(int(folder.name))
    return found


class _Door(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    keeper: Keeper


class _Request(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        line = self.rfile.readline()
        if line:
            assert isinstance(self.server, _Door)
            told = self.server.keeper.answer(json.loads(line))
            self.wfile.write(json.dumps(told).encode() + b"\n")


def _prepare() -> None:
    """Mounts of our own, so that nothing is written where anybody else would find it."""
    for mount in ("/run", ROOT.parent):
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(mount))
    for folder in (Path("/run/netns"), Path("/run/wireguard"), Path("/run/lock")):
        folder.mkdir()
    ROOT.mkdir(mode=0o711)
    _run("ip", "link", "set", "lo", "up")


def main() -> None:
    parser = argparse.ArgumentParser(description="Keeps a lab until it is ended.")
    parser.add_argument("--folder", type=Path, required=True, help="where its socket lies")
    parser.add_argument("--until-eof", action="store_true", help="end with the standard input")
    given = parser.parse_args()
    if os.getpid() != 1:
        sys.exit("The keeper is started by `hansa lab up`, in namespaces of its own.")
    _prepare()
    keeper = Keeper()
    os.chdir(given.folder)  # a socket's address is 107 octets at most
    Path(SOCKET).unlink(missing_ok=True)
    os.umask(0o077)
    with _Door(SOCKET, _Request) as door:
        os.chdir("/")
        door.keeper = keeper
        threading.Thread(target=keeper.reap, daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))  # the kernel takes the rest away
        if given.until_eof:
            threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        door.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
