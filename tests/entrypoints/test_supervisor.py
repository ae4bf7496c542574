"""A node as it runs: killed processes come back, and nothing is left when it stops."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hansa.entrypoints import supervisor
from hansa.foundation.database import Database
from hansa.node import HttpSettings
from tests.entrypoints.conftest import free_port
from tests.entrypoints.desk import hansa

HANSA = (sys.executable, "-m", "hansa.entrypoints.cli.main")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's user can enter; pytest's own are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="hansa-node-"))
    made.chmod(0o711)
    yield made / "node"
    shutil.rmtree(made, ignore_errors=True)


def init(folder: Path, port: int, *words: str) -> None:
    said = hansa(
        "node", "init", "--party", "bt", "--name", "BT", "--country", "GB", "--currency", "GBP",
        "--port", str(port), *words, node=folder,
    )  # fmt: skip
    assert said.exit_code == 0, said


@contextlib.contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`hansa node run` in a process of its own, with its log beside the folder."""
    with (folder.parent / "log").open("ab") as log:
        process = subprocess.Popen(
            [*HANSA, "node", "run", "--node", str(folder)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def log(folder: Path) -> str:
    return (folder.parent / "log").read_text()


def until(what: str, happened: Callable[[], Any], folder: Path, seconds: float = 40) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = happened()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"waited in vain: {what}\n{log(folder)}")


def well(folder: Path, port: int, *, instead_of: Mapping[str, int | None]) -> Callable[[], Any]:
    """Whether the node answers with processes none of which is one of the old."""

    def look() -> Any:
        found = supervisor.processes(folder)
        new = all(pid and pid != instead_of.get(name) for name, pid in found.items())
        answers = supervisor.health(folder, HttpSettings(port=port)) is not None
        return found if new and answers else None

    return look


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.slow
def test_a_node_with_a_database_of_its_own(folder: Path) -> None:
    port = free_port()
    init(folder, port)
    with running(folder) as process:
        first = until("a first answer", well(folder, port, instead_of={}), folder, 90)
        assert first["supervisor"] == process.pid
        server = int((folder / "database/cluster/postmaster.pid").read_text().split()[0])
        status = json.loads(hansa("node", "status", "--json", node=folder).out)
        assert (status["well"], status["clock"]) == (True, "system")
        assert status["database"] == {"kind": "embedded", "answers": True}
        assert (status["open_plans"], status["fallout"]) == (0, 0)
        again = hansa("node", "run", node=folder)
        assert again.err.startswith("refused (node-running): ")

        os.kill(first["api"], signal.SIGKILL)
        os.kill(first["worker"], signal.SIGKILL)
        old = {name: first[name] for name in ("api", "worker")}
        second = until("the processes again", well(folder, port, instead_of=old), folder)
        assert second["supervisor"] == process.pid

        os.kill(server, signal.SIGKILL)
        old = {name: second[name] for name in ("api", "worker")}
        third = until("the database again", well(folder, port, instead_of=old), folder, 90)
        assert hansa("partner", "list", "--json", node=folder).out == "[]\n"
        server = int((folder / "database/cluster/postmaster.pid").read_text().split()[0])
    assert process.returncode == 0, log(folder)
    everyone = {*first.values(), *second.values(), *third.values(), server}
    assert [pid for pid in everyone if alive(pid)] == []
    assert not (folder / supervisor.RUN).exists()
    assert set(supervisor.processes(folder).values()) == {None}
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", port))


@pytest.mark.slow
def test_children_end_with_a_murdered_supervisor(
    folder: Path, databases: Callable[[], Database]
) -> None:
    port = free_port()
    init(folder, port, "--database-url", databases().url)
    with running(folder) as process:
        found = until("a first answer", well(folder, port, instead_of={}), folder, 60)
        process.kill()
        process.wait()
        until("an end of all", lambda: not any(map(alive, found.values())), folder)
    assert set(supervisor.processes(folder).values()) == {None}


def test_a_port_that_is_taken_is_said_at_once(
    folder: Path, databases: Callable[[], Database]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        init(folder, other.getsockname()[1], "--database-url", databases().url)
        said = hansa("node", "run", node=folder)
    assert said.exit_code == 3
    assert said.err.startswith("refused (port-taken): ")


def test_a_process_that_dies_at_once_is_started_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    child = supervisor._Child("one", [sys.executable, "-c", ""])
    starts: dict[int, float] = {}
    for _ in range(600):
        child.look()
        if child.pid is not None:
            starts.setdefault(child.pid, now[0])
        if child._process is not None:
            child._process.wait()
        now[0] += 0.1
    child.end(now[0])
    waits = [round(later - earlier, 1) for earlier, later in itertools.pairwise(starts.values())]
    assert waits == sorted(waits)
    assert waits[-1] >= supervisor.LONGEST_WAIT_S
    assert len(starts) < 20
