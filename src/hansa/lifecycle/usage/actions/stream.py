"""Usage records that come without end: taken in part by part, each a delivery of its own.

What has been read is on the disk before more is read, so that a kill loses at most a record that
was not whole yet. A part that a kill has left is taken in by whoever comes next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from hansa.foundation import documents
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin
from hansa.lifecycle.usage.actions import intake
from hansa.lifecycle.usage.actions.events import Known, need_bulk
from hansa.lifecycle.usage.model import Delivery, Layout
from hansa.lifecycle.usage.rules import layouts
from hansa.lifecycle.usage.store import spool

PART_OCTETS = 64 << 20
PART_TIME = timedelta(seconds=30)
"""When a part of a stream is taken in, whichever comes first."""

Now = Callable[[], Instant]


def follow(
    begin: Begin,
    *,
    octets: Iterable[bytes],
    layout: Layout,
    codes: Known,
    folder: Path,
    now: Now,
    name: str = "stream",
) -> Iterator[Delivery]:
    """Takes in a stream, and yields what became of each part.

    octets: in blocks of any size, empty ones where nothing has come for a while. CSV has its
    header once, at the beginning. Raises Refused `layout-invalid`.
    """
    need_bulk()
    layouts.check(layout)
    parts = _Parts(layout, folder, now)
    for part in parts.of(octets):
        made, _ = intake.take(
            begin,
            place=part.place,
            layout=layout,
            codes=codes,
            folder=folder,
            now=now(),
            name=f"{name} {now():%Y-%m-%dT%H:%M:%S}Z",
        )
        part.close(taken=made.state == "taken")
        yield made


def left_behind(begin: Begin, *, codes: Known, folder: Path, now: Instant) -> Iterator[Delivery]:
    """Takes in what was read of streams before a kill, and yields what became of it."""
    need_bulk()
    for place, said in spool.left(folder):
        layout = documents.read(Layout, json.loads(said), what="layout")
        made, _ = intake.take(
            begin,
            place=place,
            layout=layout,
            codes=codes,
            folder=folder,
            now=now,
            name=f"left of a stream of {layout.source}",
        )
        if made.state == "taken":
            spool.forget(place)
        yield made


class _Parts:
    """Cuts a stream where records end."""

    def __init__(self, layout: Layout, folder: Path, now: Now) -> None:
        self._layout = layout
        self._folder = folder
        self._now = now
        self._end = b"\n\n" if layout.format == "detail" else b"\n"
        self._head: bytes | None = None if layout.format == "csv" and layout.header else b""
        self._part: spool.Spool | None = None
        self._began = now()

    def of(self, octets: Iterable[bytes]) -> Iterator[spool.Spool]:
        rest = b""
        for block in octets:
            rest += block
            cut = rest.rfind(self._end) + len(self._end)
            if cut >= len(self._end):
                self._write(rest[:cut])
                rest = rest[cut:]
            if self._part and self._is_due(self._part):
                yield self._part
                self._part = None
        if rest:
            self._write(rest)
        if self._part:
            yield self._part

    def _write(self, records: bytes) -> None:
        if self._head is None:
            self._head, _, records = records.partition(b"\n")
            self._head += b"\n"
        if not records:
            return
        if self._part is None:
            said = json.dumps(documents.write(self._layout)).encode()
            self._part = spool.Spool(self._folder, said)
            self._began = self._now()
            records = self._head + records
        self._part.write(records)

    def _is_due(self, part: spool.Spool) -> bool:
        return part.size >= PART_OCTETS or self._now() - self._began >= PART_TIME
