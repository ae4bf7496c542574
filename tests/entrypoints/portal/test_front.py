"""Static files: one stamp, packed forms, and what browsers may keep."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from hansa.entrypoints.portal.front import Front

PLAIN = b"body { color: red }\n" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "own.css").write_bytes(PLAIN)
    (tmp_path / "secret.py").write_text("no file for browsers")
    (tmp_path / "vendor" / "taken.js").write_bytes(b"let a;")
    (tmp_path / "vendor" / "taken.js.br").write_bytes(b"as brotli")
    (tmp_path / "vendor" / "taken.js.gz").write_bytes(b"as gzip")
    (tmp_path / "vendor" / "font.woff2").write_bytes(b"font")
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Callable[[], tuple[Front, TestClient]]:
    def made() -> tuple[Front, TestClient]:
        front = Front(folder)
        return front, TestClient(Starlette(routes=[front.route()]))

    return made


Served = Callable[[], tuple[Front, TestClient]]


def test_a_file_is_kept_for_good_under_its_address(served: Served) -> None:
    front, client = served()
    answer = client.get(front.url("own.css"), headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, answer.content) == (200, PLAIN)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "content-encoding" not in answer.headers


def test_any_change_changes_every_address(served: Served, folder: Path) -> None:
    before, _ = served()
    (folder / "own.css").write_bytes(b"body { color: blue }")
    after, client = served()
    assert before.url("vendor/taken.js") != after.url("vendor/taken.js")
    old = client.get(before.url("own.css"))
    assert old.content == b"body { color: blue }"
    assert old.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("BR", "br"),
        ("zstd", None),
        ("", None),
        ("gzip; q=0.0", None),
    ],
)
def test_the_packed_form_that_a_browser_takes(
    served: Served, accepted: str, encoding: str | None
) -> None:
    front, client = served()
    with client.stream(
        "GET", front.url("vendor/taken.js"), headers={"Accept-Encoding": accepted}
    ) as answer:
        content = b"".join(answer.iter_raw())
    expected = {"br": b"as brotli", "gzip": b"as gzip", None: b"let a;"}
    assert content == expected[encoding]
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


def test_our_own_are_packed_when_read_and_fonts_never(served: Served) -> None:
    front, client = served()
    headers = {"Accept-Encoding": "gzip"}
    with client.stream("GET", front.url("own.css"), headers=headers) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == PLAIN
    font = client.get(front.url("vendor/font.woff2"), headers=headers)
    assert "content-encoding" not in font.headers
    assert font.headers["content-type"] == "font/woff2"


def test_what_is_known_is_not_sent_again(served: Served) -> None:
    front, client = served()
    tag = client.get(front.url("own.css")).headers["etag"]
    again = client.get(front.url("own.css"), headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(
        front.url("own.css"), headers={"If-None-Match": tag, "Accept-Encoding": "identity"}
    )
    assert other.status_code == 200  # another form is another thing


@pytest.mark.parametrize(
    "name", ["none.css", "secret.py", "../front.py", "%2e%2e/front.py", "vendor/taken.js.gz", ""]
)
def test_nothing_else_is_served(served: Served, name: str) -> None:
    front, client = served()
    assert client.get(front.url("") + name).status_code == 404


def test_only_reading(served: Served) -> None:
    front, client = served()
    assert client.post(front.url("own.css")).status_code == 405
    assert client.head(front.url("own.css")).content == b""


def test_what_npm_has_not_brought_is_named(served: Served) -> None:
    front, _ = served()
    assert "vendor/tabler.css" in front.missing()
