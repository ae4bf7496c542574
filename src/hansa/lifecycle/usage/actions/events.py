"""Files of a network's own usage records, called events, as Parquet.

Mediation writes them and rating reads them. What each column holds, with its unit, stands in
`model.py:COLUMNS`. All of this needs the extra `bulk`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hansa.foundation.extras import need
from hansa.lifecycle.usage.model import EventKind

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def need_bulk() -> None:
    """Raises HansaError `bulk-missing` unless the libraries that mediation uses are there."""
    need("duckdb", "numba", "numpy", "pyarrow")


def schema(kind: EventKind) -> Any:
    """The Arrow schema of event files of this kind."""
    need_bulk()
    from hansa.lifecycle.usage.store import events

    return events.SCHEMAS[kind]


def match(codes: Sequence[str] | Any, numbers: Sequence[str] | Any) -> npt.NDArray[np.int32]:
    """The dial code of each number, as its place in the sorted list of codes; -1 for none.

    codes, numbers: sequences of str, or Arrow arrays of strings. Raises HansaError
    `codes-invalid`.
    """
    need_bulk()
    from hansa.lifecycle.usage.rules import prefix
    from hansa.lifecycle.usage.store import arrow

    known, asked = arrow.text(codes), arrow.text(numbers)
    prefixes = prefix.plant(known.offsets, known.data)
    return prefix.match(prefixes, asked.offsets, asked.data)


def write(place: Path, kind: EventKind, table: Any, *, codes: str = "") -> None:
    """Writes an Arrow table of this kind's schema as an event file, which then survives a power
    cut. The rows are put in order first. codes: the name of the list that they were matched to.
    """
    need_bulk()
    from hansa.lifecycle.usage.store import events

    with events.Writer(place, kind, codes=codes) as writer:
        writer.add(table)


def read(place: Path) -> Any:
    """An event file as an Arrow table. Raises HansaError `usage-file-damaged`."""
    need_bulk()
    from hansa.lifecycle.usage.store import events

    return events.read(place)


def codes_of(place: Path) -> str:
    """The name of the list of codes that a file was matched to; empty for none.

    Raises HansaError `usage-file-damaged`.
    """
    need_bulk()
    from hansa.lifecycle.usage.store import events

    return events.codes_of(place)
