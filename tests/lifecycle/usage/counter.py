"""A node that takes files of a network's own usage in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin
from hansa.lifecycle.catalogue.actions.prices import Codes
from hansa.lifecycle.usage.actions import events, intake
from hansa.lifecycle.usage.model import Bad, Delivery, EventFile, Layout
from hansa.lifecycle.usage.rules.layouts import KNOWN
from hansa.lifecycle.usage.store import quarantine

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CODES = ["225", "2250", "27", "2711", "44"]
HEAD = "id,calling,called,started,answered,duration,trunk_in,trunk_out"


def csv(*lines: str, head: str = HEAD) -> bytes:
    return "".join(f"{line}\n" for line in (head, *lines)).encode()


def call(id: str = "c1", **other: str) -> str:
    """A line of `HEAD`: a call that is as it should be, but for what is given."""
    usual = {
        "id": id,
        "calling": "+27101234567",
        "called": "+22507070000",
        "started": "2026-11-02T07:59:50",
        "answered": "2026-11-02T08:00:00",
        "duration": "61",
        "trunk_in": "shop",
        "trunk_out": "mtn-1",
    }
    return ",".join({**usual, **other}.values())


def told(delivery: Delivery) -> tuple[int, int, int, int]:
    """in, events, quarantined, duplicate."""
    assert delivery.rows == delivery.events + delivery.quarantined + delivery.duplicate
    return delivery.rows, delivery.events, delivery.quarantined, delivery.duplicate


@dataclass
class Counter:
    """folder: the node's. desk: where sources put their files."""

    begin: Begin
    folder: Path
    desk: Path
    now: Instant = NOW
    codes: Sequence[str] = field(default_factory=lambda: CODES)

    def known(self) -> events.Known:
        return events.ready(Codes("-".join(self.codes), pa.array(self.codes, pa.string())))

    def put(self, name: str, content: bytes) -> Path:
        self.desk.mkdir(exist_ok=True)
        place = self.desk / name
        place.write_bytes(content)
        return place

    def take(
        self, content: bytes, name: str = "a.csv", layout: Layout | str = "calls", **more: Any
    ) -> Delivery:
        """What became of a file with this content."""
        return self.given(content, name, layout, **more)[0]

    def given(
        self, content: bytes, name: str = "a.csv", layout: Layout | str = "calls", **more: Any
    ) -> tuple[Delivery, bool]:
        return intake.take(
            self.begin,
            place=self.put(name, content),
            layout=KNOWN[layout] if isinstance(layout, str) else layout,
            codes=self.known(),
            folder=self.folder,
            now=self.now,
            **more,
        )

    def rows(self, file: EventFile | Delivery) -> list[dict[str, Any]]:
        """The events of a file, or of all files of a delivery."""
        files = [file] if isinstance(file, EventFile) else file.files
        return [
            row
            for one in files
            if one.path
            for row in events.read(self.folder / one.path).to_pylist()
        ]

    def bad(self, delivery: Delivery) -> list[Bad]:
        if delivery.quarantine is None:
            return []
        return list(quarantine.read(self.folder / delivery.quarantine))

    def on_disk(self) -> set[str]:
        """Every file of events or of quarantine."""
        return {str(one.relative_to(self.folder)) for one in self.folder.rglob("*.parquet")}
