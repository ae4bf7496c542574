"""Static files: ours, and third parties' as setup.py fetched them; kept by browsers for good."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

STATIC = Path(__file__).parent / "static"

NEEDED = ("vendor/tabler.css", "vendor/htmx.js", "vendor/icons.svg")
"""Without these no page looks or works as it should."""

MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}

PACKED = {"br": ".br", "gzip": ".gz"}
"""Encodings by preference, and the endings of files that were packed beforehand."""

FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """One file and its packed forms. Ours, which are small, are packed in memory."""

    media: str
    tag: str
    forms: Mapping[str, Path | bytes]

    def body(self, encoding: str) -> bytes:
        form = self.forms[encoding]
        return form if isinstance(form, bytes) else form.read_bytes()


class Front:
    """The files below a folder as they are now, under one stamp made of all their contents.

    The stamp is part of each address, so what a browser keeps is never out of date, and files may
    name each other by relative addresses.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self._files = {
            file.relative_to(folder).as_posix(): _read(file)
            for file in sorted(folder.rglob("*"))
            if file.is_file() and file.suffix in MEDIA
        }
        told = "\n".join(f"{name} {file.tag}" for name, file in self._files.items())
        self.stamp = hashlib.sha256(told.encode()).hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file by its path below the folder, such as `vendor/htmx.js`."""
        return f"/static/{self.stamp}/{name}"

    def missing(self) -> list[str]:
        """What every page needs and is not there; `make front` fetches it."""
        return [name for name in NEEDED if name not in self._files]

    def route(self) -> Route:
        return Route("/static/{stamp}/{name:path}", self._answer, name="static")

    def _answer(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("There is no such file.\n", status_code=404)
        encoding = _wanted(request.headers.get("accept-encoding", ""), file.forms)
        tag = f'"{file.tag}-{encoding}"'
        current = request.path_params["stamp"] == self.stamp
        headers = {
            "Cache-Control": FOR_GOOD if current else "no-cache",
            "ETag": tag,
            "Vary": "Accept-Encoding",
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if encoding != "identity":
            headers["Content-Encoding"] = encoding
        # As a header, since Starlette would add a charset of its own choice.
        headers["Content-Type"] = file.media
        return Response(file.body(encoding), headers=headers)


def _read(file: Path) -> File:
    content = file.read_bytes()
    forms: dict[str, Path | bytes] = {}
    for encoding, ending in PACKED.items():
        packed = file.with_name(file.name + ending)
        if packed.exists():
            forms[encoding] = packed
    if not forms and file.suffix not in {".woff2", ".png"}:
        forms["gzip"] = gzip.compress(content, mtime=0)
    forms["identity"] = file
    return File(MEDIA[file.suffix], hashlib.sha256(content).hexdigest()[:16], forms)


def _wanted(header: str, forms: Mapping[str, Path | bytes]) -> str:
    """The best encoding that the header accepts by name (RFC 9110, 12.5.3)."""
    accepted = set()
    for part in header.split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            accepted.add(name.strip().lower())
    return next((one for one in PACKED if one in accepted and one in forms), "identity")
