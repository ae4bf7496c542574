"""Records of accounting, as the RADIUS server writes them: a line for each, in CSV.

Taken over as they are, they are what the usage room takes in by its layout `radius-csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hansa.drivers.broadband import aaa
from hansa.drivers.lab import taken
from hansa.drivers.lab.box import Box
from hansa.foundation.time import Instant


@dataclass(frozen=True, slots=True)
class Record:
    """One record of accounting. Octets since the session began; up is from the line."""

    at: Instant
    session: str
    status: str
    octets_up: int
    octets_down: int


def take_over(server: Box, folder: Path) -> int:
    """Takes over what is new at a server; how many octets."""
    return taken.take_over(server, aaa.RECORDS, folder, head=aaa.HEADER)


def of_line(folder: Path, user: str) -> Sequence[Record]:
    """What was told of a line's sessions: of each session together, in the order of time.

    A line that a dying daemon has left unfinished is no record.
    """
    found = [
        record
        for file in sorted(folder.glob("*.log"))
        for record in _read(file.read_text("utf-8"), user)
    ]
    return sorted(found, key=_place)


def _place(one: Record) -> tuple[object, ...]:
    """Of two records of one second the first of a session comes first, and the last last."""
    octets = one.octets_up + one.octets_down
    return one.session, one.at, octets, one.status != "Start", one.status == "Stop"


def _read(text: str, user: str) -> Sequence[Record]:
    found = []
    for row in csv.DictReader(text.splitlines()):
        if row["User-Name"] != user:
            continue
        try:
            at = datetime.fromtimestamp(int(row["Timestamp"]), UTC)
            up, down = (_octets(row, way) for way in ("Input", "Output"))
        except (TypeError, ValueError):
            continue
        found.append(Record(at, row["Acct-Session-Id"], row["Acct-Status-Type"], up, down))
    return found


def _octets(row: dict[str, str], way: str) -> int:
    return (int(row[f"Acct-{way}-Gigawords"]) << 32) + int(row[f"Acct-{way}-Octets"])
