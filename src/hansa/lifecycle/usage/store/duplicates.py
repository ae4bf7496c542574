"""Which events have been delivered before: found by their digests, decided by what they are.

A digest only says where to look. Whether two events are the same is decided by comparing them,
so no event is ever dropped because of a coincidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hansa.lifecycle.usage.model import EventKind
from hansa.lifecycle.usage.store import events

KEYS_MAX = 1 << 24
"""Digests that are held in memory at a time."""

Ints = npt.NDArray[np.int64]

SAME: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.CALLS: (
        "coalesce(source_ref, '')",
        "if(source_ref is null, calling, '')",
        "if(source_ref is null, called, '')",
        "if(source_ref is null, answered_us, 0)",
        "if(source_ref is null, duration_s, 0)",
        "if(source_ref is null, route_id, 0)",
    ),
    EventKind.SAMPLES: ("point", "slot_s"),
    EventKind.SEATS: ("point", "day"),
    EventKind.SESSIONS: ("nas", "session", "point", "at_us", "status", "octets_in", "octets_out"),
}
"""What makes an event one of its kind: the id that its source gave it, else all that it says."""

SAYS: Mapping[EventKind, str] = {
    EventKind.SAMPLES: "{octets_in: octets_in, octets_out: octets_out}",
    EventKind.SEATS: "seats",
}
"""What two readings of one thing have to agree in."""


@dataclass(frozen=True, slots=True)
class Found:
    """Events that are not to be taken, by id. differs: those that say something else of what is
    known already.
    """

    duplicate: Ints
    differs: Ints


def find(place: Path, kind: EventKind, *, source: str, known: Mapping[Path, str]) -> Found:
    """The events of a file that are in it before, or in one that is known.

    known: the files with events of the same times, and the source of each.
    """
    suspects = _suspects(place, tuple(known))
    if not len(suspects):
        nothing = np.empty(0, np.int64)
        return Found(nothing, nothing)
    with duckdb.connect() as connection:
        connection.execute("set threads = 2; set memory_limit = '1GB'")
        connection.register("suspect", pa.table({"key": suspects}))
        own = [path for path, of in known.items() if of == source]
        others = [path for path, of in known.items() if of != source]
        named = kind is EventKind.CALLS
        parts = [
            _rows(kind, [place], "event_id", ""),
            *([_rows(kind, own, "-1", "")] if own else []),
            *([_rows(kind, others, "-1", "source_ref is null and" if named else "")]
              if others else []),
        ]  # fmt: skip
        same = ", ".join(f"same{at}" for at in range(len(SAME[kind])))
        rows = connection.execute(
            f"""select event_id, says is distinct from first_value(says) over one as differs
                  from ({" union all ".join(parts)})
                window one as (partition by {same} order by event_id)
               qualify row_number() over one > 1 and event_id >= 0"""  # noqa: S608
        ).fetchnumpy()
    ids, differs = np.asarray(rows["event_id"], np.int64), np.asarray(rows["differs"], bool)
    return Found(np.sort(ids[~differs]), np.sort(ids[differs]))


def _rows(kind: EventKind, paths: Sequence[Path], event_id: str, where: str) -> str:
    same = ", ".join(f"{one} as same{at}" for at, one in enumerate(SAME[kind]))
    files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"""select {event_id} as event_id, {same}, {SAYS.get(kind, "0")} as says
                 from read_parquet([{files}])
                where {where} key in (select key from suspect)"""  # noqa: S608


def _suspects(place: Path, known: Sequence[Path]) -> Ints:
    """Digests that are in the file twice, or in it and in one that is known."""
    rows = sum(len(keys) for keys in _keys(place))
    parts = max(1, -(-rows // KEYS_MAX))
    found: list[Ints] = []
    for part in range(parts):
        mine = np.sort(_part(place, part, parts))
        found.append(np.unique(mine[1:][mine[1:] == mine[:-1]]))
        found.extend(
            np.unique(theirs[_within(mine, theirs)]) for path in known for theirs in _keys(path)
        )
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def _part(place: Path, part: int, parts: int) -> Ints:
    pieces = [keys if parts == 1 else keys[keys % parts == part] for keys in _keys(place)]
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


def _within(mine: Ints, theirs: Ints) -> npt.NDArray[np.bool_]:
    """Which of theirs are among mine, which are in order."""
    if not len(mine):
        return np.zeros(len(theirs), bool)
    at = np.minimum(np.searchsorted(mine, theirs), len(mine) - 1)
    return np.asarray(mine[at] == theirs, bool)


def _keys(place: Path) -> Iterator[Ints]:
    for table in events.batches(place, ["key"]):
        yield table["key"].to_numpy()


def without(place: Path, kind: EventKind, ids: Ints, *, codes: str) -> tuple[int, int, int]:
    """Writes the file anew without these events; how many remain, and the first and last time.

    The times are 0 when nothing remains.
    """
    writer = events.Writer(place, kind, codes=codes)
    first, last = 0, 0
    with writer:
        for table in events.batches(place):
            kept = table.filter(pa.array(~_within(ids, table["event_id"].to_numpy())))
            if kept.num_rows:
                us = events.times(kept, kind)
                first = min(first or int(us.min()), int(us.min()))
                last = max(last, int(us.max()))
                writer.add(kept)
    return writer.rows, first, last
