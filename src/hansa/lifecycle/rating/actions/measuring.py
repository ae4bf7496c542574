"""A month's samples, sessions and seats, added up and charged holding by holding.

What was added up is looked at again only if something of it has changed: its points, its
tariffs, or a file that names its points. Needs the extra `bulk`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hansa.foundation import documents
from hansa.foundation.extras import need
from hansa.foundation.ids import PartyId
from hansa.foundation.time import TICK, Clock, Period
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.actions import measures
from hansa.lifecycle.rating.actions.measures import Metered, Readings
from hansa.lifecycle.rating.model.events import EngineName
from hansa.lifecycle.rating.model.lines import RatedLine
from hansa.lifecycle.rating.model.measured import Measured
from hansa.lifecycle.rating.store import measured as store
from hansa.lifecycle.rating.store import runs as months
from hansa.lifecycle.usage.actions import events as usage
from hansa.lifecycle.usage.actions import trunks
from hansa.lifecycle.usage.model import EventFile, EventKind

if TYPE_CHECKING:
    from hansa.lifecycle.rating.store.measured import FileKey

KINDS = (EventKind.SAMPLES, EventKind.SEATS, EventKind.SESSIONS)


def metered(tx: Transaction, *, us: PartyId, month: Period) -> Sequence[Metered]:
    """What is sold and bought that is charged by what is measured at its points."""
    return [
        Metered(one.ref, one.spells, points)
        for one, points in trunks.measured(tx, us=us, period=month)
    ]


def lines(tx: Transaction, *, holding: HoldingRef, month: Period) -> tuple[RatedLine, ...] | None:
    """What a holding's measured usage of a month comes to by now; None: it is not measured."""
    return store.lines(tx, holding, month.name)


def holdings(tx: Transaction, *, month: Period) -> Sequence[HoldingRef]:
    """The holdings whose measured usage of a month is added up."""
    return list(store.made_of(tx, month.name))


def left(tx: Transaction, *, month: Period) -> Sequence[EventFile]:
    """The files of samples, seats and sessions that are not in a month's lines yet."""
    done = store.files(tx, month.name)
    return [file for file in _files(tx, month) if _key(file) not in done]


def status(tx: Transaction, *, month: Period) -> Measured:
    """How far a month is added up."""
    own = [file for file in _files(tx, month) if file.month == month.name]
    done = store.files(tx, month.name)
    added = [file for file in own if _key(file) in done]
    return Measured(
        month=month.name,
        files=len(own),
        added_files=len(added),
        holdings=len(store.made_of(tx, month.name)),
        events=sum(file.events for file in added),
        charged=sum(file.rated for file in added),
    )


def run(
    begin: Begin,
    *,
    us: PartyId,
    month: Period,
    folder: Path,
    clock: Clock,
    engine: EngineName = "kernel",
    master: str = "local[*]",
    anew: bool = False,
) -> Measured:
    """Adds up what is not yet of a month. All of it counts when this returns, or nothing.

    folder: the node's. engine: `spark` adds up there, where master says; the others on DuckDB.
    anew: also what was charged by other points or tariffs than those known now; until the month
    is rated for its bills that goes without saying. Raises HansaError `bulk-missing`,
    `spark-missing`, `usage-file-damaged`.
    """
    work = _Work(begin, us, month, folder, clock, engine, master)
    while not _once(work, anew=anew):
        pass
    with begin() as tx:
        return status(tx, month=month)


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run needs of the node."""

    begin: Begin
    us: PartyId
    month: Period
    folder: Path
    clock: Clock
    engine: EngineName
    master: str

    @property
    def spill(self) -> Path:
        return self.folder / "rating" / f"measures-{os.getpid()}"


def _once(work: _Work, *, anew: bool) -> bool:
    """False when another run has entered something meanwhile; then it is all to be done again."""
    month = work.month.name
    with work.begin() as tx:
        held = metered(tx, us=work.us, month=work.month)
        files = _files(tx, work.month)
        done, known = store.files(tx, month), store.made_of(tx, month)
        fixed = months.events_done(tx, work.month) and not anew
    fresh = [file for file in files if _key(file) not in done]
    made_of = {one.holding: documents.fingerprint(documents.write(one)) for one in held}
    gone = set() if fixed else known.keys() - made_of.keys()
    stale = set() if fixed else {ref for ref, digest in made_of.items() if known.get(ref) != digest}
    if not (fresh or gone or stale):
        return True
    need("duckdb", "pyarrow", "sqlglot")
    named = _named(work, fresh)
    todo = [
        one
        for one in held
        if one.holding in stale or "" in named or any(at.name in named for at in one.points)
    ]
    found = _lines(work, todo, files) if todo else {}
    told = [file for file in (fresh if fixed else files) if file.month == month]
    charged = measures.counted(held, _by_kind(work, told), work.month, spill=work.spill)
    with work.begin() as tx:
        store.lock(tx)
        if (done, known) != (store.files(tx, month), store.made_of(tx, month)):
            return False
        now = work.clock.now()
        store.drop(tx, gone, month)
        for ref, one in found.items():
            store.put(tx, ref, month, made_of=made_of[ref], lines=one, now=now)
        store.put_files(tx, month, [_key(file) for file in fresh], now)
        for file in told:
            rated = charged.get(file.delivery, 0)
            no_price = file.events - rated
            usage.told(tx, delivery=file.delivery, month=month, rated=rated, no_price=no_price)
    return True


def _named(work: _Work, files: Sequence[EventFile]) -> frozenset[str]:
    """The points that files name; an empty name where a session's is told elsewhere."""
    from hansa.lifecycle.rating.store import measures as duck

    return duck.points(
        [path for of in _by_kind(work, files).values() for path in of], spill=work.spill
    )


def _lines(
    work: _Work, todo: Sequence[Metered], files: Sequence[EventFile]
) -> Mapping[HoldingRef, tuple[RatedLine, ...]]:
    by_kind = _by_kind(work, files)
    volumes: Sequence[measures.Volume] = ()
    if by_kind[EventKind.SESSIONS]:
        with work.begin() as tx:
            volumes = usage.session_volumes(tx, month=work.month.name, folder=work.folder)
    readings = Readings(by_kind[EventKind.SAMPLES], by_kind[EventKind.SEATS], volumes)
    with _engine(work) as run_on:
        return measures.lines(todo, readings, work.month, spill=work.spill, run=run_on)


def _engine(work: _Work) -> AbstractContextManager[measures.Run | None]:
    if work.engine == "spark":
        from hansa.lifecycle.rating.actions import engines

        aside = work.folder / "rating" / f"spark-{os.getpid()}-measures"
        return engines.measure_on_spark(master=work.master, folder=aside)
    return nullcontext()


def _files(tx: Transaction, month: Period) -> Sequence[EventFile]:
    """With events that a month's lines may have in them: its own, and sessions that were open."""
    before = Period.month_of(month.start - TICK)
    of = [(month, kind) for kind in KINDS] + [(before, EventKind.SESSIONS)]
    return [
        file
        for period, kind in of
        for file in usage.files(tx, month=period.name, kind=kind)
        if file.events
    ]


def _by_kind(work: _Work, files: Sequence[EventFile]) -> Mapping[EventKind, Sequence[Path]]:
    return {
        kind: [work.folder / str(file.path) for file in files if file.kind is kind]
        for kind in KINDS
    }


def _key(file: EventFile) -> FileKey:
    return file.delivery, file.month
