"""A caller who takes its time over a request's head, or never ends it, is not waited for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from hansa.entrypoints.bounded import HEAD_MAX, Bounded


class Hasty(Bounded):
    """Waits for a tenth of a second."""

    head_max_s = 0.1


async def answer(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(
        answer, port=0, http=Hasty, log_config=None, lifespan="off", timeout_keep_alive=60
    )
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


HEAD = b"GET / HTTP/1.1\r\nhost: a\r\n"


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def is_over(connection: socket.socket) -> bool:
    """Waits until the other side has ended the connection."""
    try:
        return connection.recv(1000) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", b"\r\n", HEAD, HEAD + b"x: y"])
def test_an_unfinished_head_ends_the_connection(port: int, sent: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(sent)
        assert is_over(connection)


def test_what_comes_after_an_answer_has_its_time_too(port: int) -> None:
    with connected(port) as connection:
        for _ in range(2):
            connection.sendall(HEAD + b"\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 204")
        time.sleep(0.2)  # idle is allowed: that has a time of its own
        connection.sendall(HEAD + b"\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 204")
        connection.sendall(b"GET /")
        assert is_over(connection)


@pytest.mark.parametrize(
    "sent",
    [HEAD + b"x: " + b"y" * HEAD_MAX, b"GET /" + b"a" * HEAD_MAX, HEAD + b"x: y\r\n" * HEAD_MAX],
)
def test_an_endless_head_is_not_read_to_its_end(port: int, sent: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(sent + b"\r\n")
        try:
            found = connection.recv(1000)
        except ConnectionResetError:
            return
        assert found == b"" or found.startswith(b"HTTP/1.1 400")
