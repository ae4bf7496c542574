"""A lab as a driver sees it: boxes in which commands run, files lie and daemons stay.

Everything is asked of the lab's keeper (keeper.py), so that all of an operator's processes, and
all operators of a demonstration, work on the same boxes. Nothing is remembered here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hansa.drivers.lab import keeper
from hansa.foundation.errors import Refused, TryLater

START_S = 20.0
JOINED = "joined"
"""The mark on a cable's first end when both ends are up."""

ASK_S = 30.0
"""How long the keeper may take over what a command does not."""

READY_S = 20.0
PAUSE_S = 0.02


def usual_folder() -> Path:
    """Where the lab's keeper is asked when nobody says otherwise."""
    return Path(os.environ.get("HANSA_LAB", ".hansa/lab"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said. status: 0 when all was well."""

    status: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.status == 0


class Lab:
    """The lab whose keeper listens in this folder; it need not be up yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- up and down ----------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether its keeper answers."""
        try:
            self.boxes()
        except TryLater:
            return False
        return True

    def up(self, *, until_eof: bool = False) -> subprocess.Popen[bytes] | None:
        """Has a keeper run; None when one does. until_eof: it ends with the process returned,
        at the latest with the caller, whose death it feels at its standard input.

        Raises Refused `lab-impossible` with what the kernel said.
        """
        if self.is_up:
            return None
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(self.folder, 0o700)
        log = self.folder / "keeper.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [
                    *apart(),
                    *(sys.executable, "-m", keeper.__name__, "--folder", str(self.folder)),
                    *(["--until-eof"] if until_eof else []),
                ],
                stdin=subprocess.PIPE if until_eof else subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        until = time.monotonic() + START_S
        while not self.is_up:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise Refused(
                    "lab-impossible",
                    "This machine did not give the lab namespaces of its own; see "
                    f"`hansa lab check`. It said: {log.read_text(errors='replace').strip()}",
                )
            time.sleep(PAUSE_S)
        return process

    def down(self) -> bool:
        """Ends the lab with all that is in it; False when there was none."""
        try:
            pid = self._pid()
        except TryLater:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/ns").exists() and self.is_up:
            time.sleep(PAUSE_S)
        (self.folder / keeper.SOCKET).unlink(missing_ok=True)
        return True

    def _pid(self) -> int:
        """The keeper's process, as this side of its namespace knows it."""
        with self._connect() as line:
            told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(told[:4], sys.byteorder)

    # --- what is in it --------------------------------------------------------------------------

    def box(self, name: str) -> Box:
        """A box of that name, made when there is none."""
        self.ask("box", box=name)
        return Box(self, name)

    def unbox(self, name: str) -> None:
        """Takes a box away with all that runs in it; none is no error."""
        self.ask("unbox", box=name)

    def boxes(self) -> Mapping[str, Mapping[str, bool]]:
        """Every box with its daemons, and whether each of them runs."""
        boxes: Mapping[str, Mapping[str, bool]] = self.ask("boxes")["boxes"]
        return boxes

    def number(self, kind: str, of: str) -> int:
        """A number of its own for each name of a kind, from 1, the same as long as the lab is."""
        return int(self.ask("number", kind=kind, of=of)["number"])

    def run(self, *argv: str, input: str = "", timeout_s: float = 30) -> Answer:
        """A command in the lab itself, between the boxes. Raises TryLater `device-failed`."""
        told = self.ask("run", box="", argv=argv, input=input, timeout_s=timeout_s)
        return _well(Answer(told["status"], told["out"], told["err"]), argv, "the lab")

    def link(self, one: Box, other: Box, *, names: tuple[str, str], mtu: int = 1500) -> bool:
        """A cable between two boxes; False when it is there. names: of its ends.

        What goes over it is cut into packets first, as on a real one, so that shapers count right.
        One that is there and bears no mark was left in the middle: it is ended. One that was made
        to its end is left as it is, since a line that somebody has cut is no affair of ours.
        """
        each = ("mtu", str(mtu), "gso_max_segs", "1")
        found = one.try_run("ip", "link", "show", "dev", names[0])
        if found.ok and f"alias {JOINED}" in found.out:
            return False
        if not found.ok:
            self.run(
                *("ip", "link", "add", names[0], "netns", one.name, *each, "type", "veth"),
                *("peer", "name", names[1], "netns", other.name, *each),
            )
        other.run("ip", "link", "set", "dev", names[1], "up")
        one.run("ip", "link", "set", "dev", names[0], "up", "alias", JOINED)
        return True

    # --- the keeper -----------------------------------------------------------------------------

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """One operation of the keeper. Raises TryLater `lab-silent`, `device-failed`."""
        try:
            with self._connect() as line:
                line.settimeout(ASK_S + what.get("timeout_s", 0))
                line.sendall(json.dumps({"do": do, **what}).encode() + b"\n")
                with line.makefile("rb") as answer:
                    told: dict[str, Any] = json.loads(answer.readline() or "null") or {}
        except (OSError, ValueError):
            raise self._silent() from None
        if "wrong" in told:
            raise TryLater("device-failed", f"The lab could not {do}: {told['wrong']}")
        return told

    def _connect(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        try:
            folder = os.open(self.folder, os.O_PATH)
            try:  # a socket's address is 107 octets at most, a folder's path is not
                line.connect(f"/proc/self/fd/{folder}/{keeper.SOCKET}")
            finally:
                os.close(folder)
        except OSError:
            line.close()
            raise self._silent() from None
        return line

    def _silent(self) -> TryLater:
        return TryLater(
            "lab-silent",
            f"The lab in {self.folder} does not answer; start it with `hansa lab up`.",
        )


@dataclass(frozen=True, slots=True)
class Box:
    """One box of a lab: a router, a server or a customer's host."""

    lab: Lab
    name: str

    def path(self, file: str) -> str:
        """Where a file of this box lies, as commands and daemons in the lab see it."""
        return str(keeper.ROOT / self.name / file)

    def run(self, *argv: str, input: str = "", timeout_s: float = 30) -> str:
        """What a command said. Raises TryLater `device-failed` with its words if it fails."""
        return _well(self.try_run(*argv, input=input, timeout_s=timeout_s), argv, self.name).out

    def try_run(self, *argv: str, input: str = "", timeout_s: float = 30) -> Answer:
        """A command that may fail."""
        told = self.lab.ask("run", box=self.name, argv=argv, input=input, timeout_s=timeout_s)
        return Answer(told["status"], told["out"], told["err"])

    def write(self, file: str, text: str, *, mode: int = 0o600) -> bool:
        """Has a file hold this text; whether it did not before."""
        return bool(self.lab.ask("write", box=self.name, path=file, text=text, mode=mode)["new"])

    def read(self, file: str, *, start: int = 0) -> str | None:
        """A file's text from an octet on; None when there is none."""
        text: str | None = self.lab.ask("read", box=self.name, path=file, start=start)["text"]
        return text

    def remove(self, file: str) -> None:
        """Takes a file or folder away; none is no error."""
        self.lab.ask("remove", box=self.name, path=file)

    def talk(self, socket: str, text: str) -> str | None:
        """What a daemon answers on its own socket, by path; None when nobody is there."""
        answer: str | None = self.lab.ask("talk", socket=socket, text=text)["text"]
        return answer

    def exchange(self, socket: str, texts: Sequence[str]) -> Sequence[str] | None:
        """What a daemon answers to each of these datagrams on its own socket, by path; None when
        nobody is there, or does not answer.
        """
        told = self.lab.ask("exchange", socket=socket, texts=[*texts])
        answers: Sequence[str] | None = told["texts"]
        return answers

    def start(
        self,
        name: str,
        *argv: str,
        ready: Callable[[], bool] | None = None,
        env: Mapping[str, str] | None = None,
        private: bool = False,
    ) -> bool:
        """Has a daemon run in the foreground; whether it did not, as asked for, before.

        ready: when it serves. private: with a `/run` and a `/dev/shm` of its own. Raises
        TryLater `device-failed` with the end of its log when it is not ready in time.
        """
        new = bool(
            self.lab.ask(
                "start", box=self.name, name=name, argv=argv, env=dict(env or {}), private=private
            )["new"]
        )
        if ready is not None:
            self.wait(ready, what=name)
        return new

    def stop(self, name: str) -> None:
        """Ends a daemon; none is no error."""
        self.lab.ask("stop", box=self.name, name=name)

    def signal(self, name: str, number: int) -> bool:
        """Sends a daemon a signal; whether it runs. 0 only asks."""
        return bool(self.lab.ask("signal", box=self.name, name=name, number=number)["alive"])

    def runs(self, name: str) -> bool:
        """Whether a daemon runs."""
        return self.signal(name, 0)

    def wait(self, so: Callable[[], bool], *, what: str, timeout_s: float = READY_S) -> None:
        """Waits until something is so. Raises TryLater `device-failed`; what: a daemon's name, or
        what was waited for.
        """
        until = time.monotonic() + timeout_s
        while not so():
            if time.monotonic() > until:
                log = (self.read(f"{what}.log") or "").strip()[-2000:]
                raise TryLater(
                    "device-failed",
                    f"{what} in {self.name} was not ready within {timeout_s:.0f} s. {log}",
                )
            time.sleep(PAUSE_S)


def apart() -> list[str]:
    """The command that gives another one namespaces of its own, which end with it."""
    users = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    found = shutil.which("unshare")
    if found is None:
        raise Refused("lab-impossible", "`unshare` is not installed; see `hansa lab check`.")
    return [
        found,
        *users,
        *("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        "--",
    ]


def _well(answer: Answer, argv: tuple[str, ...], where: str) -> Answer:
    if not answer.ok:
        words = (answer.err.strip() or answer.out.strip())[-1000:]
        raise TryLater(
            "device-failed",
            f"`{' '.join(argv)[:300]}` in {where} ended with {answer.status}: {words}",
        )
    return answer
