"""Files of a network's own usage records, called events, as Parquet.

Mediation writes them and rating reads them. What each column holds, with its unit, stands in
`model.py:COLUMNS`. All of this needs the extra `bulk`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hansa.foundation.errors import NotFound
from hansa.foundation.extras import need
from hansa.foundation.time import TICK, Period
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.usage.model import Balance, Delivery, EventFile, EventKind
from hansa.lifecycle.usage.store import manifest, spool

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hansa.lifecycle.catalogue.actions.prices import Codes
    from hansa.lifecycle.usage.rules.prefix import Prefixes
    from hansa.lifecycle.usage.rules.sessions import Volume


def need_bulk() -> None:
    """Raises HansaError `bulk-missing` unless the libraries that mediation uses are there."""
    need("duckdb", "numba", "numpy", "pyarrow")


EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Known:
    """A list of dial codes, ready to be matched. name: of the list."""

    name: str
    prefixes: Prefixes


def ready(codes: Codes) -> Known:
    """The codes of all price lists (`catalogue.actions.prices.codes`), ready to be matched.

    Raises HansaError `codes-invalid`.
    """
    need_bulk()
    from hansa.lifecycle.usage.rules import prefix
    from hansa.lifecycle.usage.store import arrow

    found = arrow.text(codes.codes)
    return Known(codes.name, prefix.plant(found.offsets, found.data))


def path_of(number: int, month: str, kind: EventKind, codes: str) -> str:
    """Where an event file is, relative to the node's folder."""
    matched = f"-{codes}" if kind is EventKind.CALLS and codes else ""
    return f"{spool.EVENTS}/{month}/{number:08d}-{kind.value}{matched}.parquet"


def schema(kind: EventKind) -> Any:
    """The Arrow schema of event files of this kind."""
    need_bulk()
    from hansa.lifecycle.usage.store import events

    return events.SCHEMAS[kind]


def match(codes: Sequence[str] | Any, numbers: Sequence[str] | Any) -> npt.NDArray[np.int32]:
    """The dial code of each number, as its place in the sorted list of codes; -1 for none, -2 for
    an empty number.

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


# --- the manifest -------------------------------------------------------------------------------


def deliveries(tx: Transaction, *, month: str | None = None) -> Sequence[Delivery]:
    """Every file that was delivered, or those with something of a month, as they came."""
    return manifest.deliveries(tx, month=month)


def files(
    tx: Transaction,
    *,
    month: str | None = None,
    accounting: str | None = None,
    kind: EventKind | None = None,
    delivery: int | None = None,
) -> Sequence[EventFile]:
    """The event files of a month of usage, of an accounting month, or of a delivery.

    Those without events have no path: all of their records are elsewhere.
    """
    return manifest.event_files(
        tx, month=month, accounting=accounting, kind=kind, delivery=delivery
    )


def told(tx: Transaction, *, delivery: int, month: str, rated: int, no_price: int) -> None:
    """Rating says what became of a file's events: how many have a price now, how many have none.

    What was told before is replaced. Raises NotFound `delivery-unknown`.
    """
    if not manifest.told(tx, delivery=delivery, month=month, rated=rated, no_price=no_price):
        raise NotFound(
            "delivery-unknown", f"No file of number {delivery} has events of {month}.", field="file"
        )


def balances(
    tx: Transaction, *, month: str | None = None, delivery: int | None = None
) -> Sequence[Balance]:
    """Where all records are, by file and month: in = rated + waiting + quarantined + duplicate."""
    names = {one.number: one.name for one in manifest.deliveries(tx)}
    return [
        Balance(
            delivery=one.delivery,
            name=names[one.delivery],
            month=one.month,
            accounting=one.accounting,
            rows=one.rows,
            rated=one.rated,
            waiting=one.events - one.rated - one.no_price,
            quarantined=one.quarantined + one.no_price,
            no_price=one.no_price,
            duplicate=one.duplicate,
        )
        for one in manifest.event_files(tx, month=month, delivery=delivery)
    ]


def rematch(begin: Begin, *, file: EventFile, codes: Known, folder: Path) -> EventFile:
    """The file with its numbers matched to these codes; as it is when it was already.

    The old file is gone when this returns, and its events are the same. folder: the node's.
    Raises HansaError `usage-file-damaged`.
    """
    if file.path is None or file.kind is not EventKind.CALLS or file.codes == codes.name:
        return file
    need_bulk()
    from hansa.lifecycle.usage.rules import prefix
    from hansa.lifecycle.usage.store import arrow, events

    path = path_of(file.delivery, file.month, file.kind, codes.name)
    with spool.alone(folder):
        with events.Writer(folder / path, file.kind, codes=codes.name) as writer:
            for table in events.batches(folder / file.path):
                for number, code in (("called", "code_id"), ("calling", "origin_id")):
                    text = arrow.text(table[number])
                    found = prefix.match(codes.prefixes, text.offsets, text.data)
                    at = table.schema.get_field_index(code)
                    table = table.set_column(at, code, arrow.column(found))  # noqa: PLW2901
                writer.add(table)
        with begin() as tx:
            moved = manifest.moved(tx, file, path=path, codes=codes.name)
        if moved:
            (folder / file.path).unlink(missing_ok=True)
    return replace(file, path=path, codes=codes.name)


def session_volumes(tx: Transaction, *, month: str, folder: Path) -> Sequence[Volume]:
    """What sessions have carried in a month of usage: octets by point and UTC day.

    A session that began in the month before is counted from what it had carried then. folder:
    the node's. Raises HansaError `usage-file-damaged`.
    """
    need_bulk()
    from hansa.lifecycle.usage.rules import sessions
    from hansa.lifecycle.usage.store import events

    period = Period.parse(month)
    before = Period.month_of(period.start - TICK)
    rows = (
        row
        for name in (before.name, month)
        for file in manifest.event_files(tx, month=name, kind=EventKind.SESSIONS)
        if file.path
        for table in events.batches(folder / file.path)
        for row in table.to_pylist()
    )
    first, end = (one.toordinal() - EPOCH for one in (period.start, period.end))
    return [one for one in sessions.volumes(rows) if first <= one.day < end]
