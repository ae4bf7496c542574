"""Mediation: a source's file becomes event files, and what is wrong with it is set aside.

Every record of a file ends as an event, as a duplicate or in quarantine. What is written is on
the disk before the manifest names it, in one transaction; whatever is interrupted before that
leaves nothing that counts, and the same file is taken from its beginning again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hansa.foundation.errors import Refused
from hansa.foundation.time import TICK, Instant, Period, midnight
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.usage.actions.events import Known, need_bulk, path_of
from hansa.lifecycle.usage.model import (
    FAULTS,
    FIELDS,
    Bad,
    Delivery,
    EventFile,
    EventKind,
    Fault,
    Layout,
    Text,
)
from hansa.lifecycle.usage.rules import layouts
from hansa.lifecycle.usage.store import manifest, spool
from hansa.lifecycle.usage.store import months as months_store

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hansa.lifecycle.usage.store.events import Writer
    from hansa.lifecycle.usage.store.quarantine import Quarantine
    from hansa.lifecycle.usage.store.reading import Batch

Progress = Callable[[int, int, int], None]
"""Is told how many octets of a file have been read, of how many, and the records so far."""

ROUTES_MAX = 10_000
"""Pairs of trunks that one file may bring; more of them are no trunks."""

EPOCH = midnight(Period.month(1970, 1).start.date())


def layouts_known() -> Mapping[str, Layout]:
    """The layouts that come with Hansa, by name."""
    return layouts.KNOWN


def sweep(begin: Begin, *, folder: Path) -> int:
    """Removes what interrupted runs have left; how many files. folder: the node's."""
    need_bulk()
    with spool.alone(folder):
        with begin() as tx:
            named = manifest.paths(tx)
        return spool.sweep(folder, named=named)


def take(
    begin: Begin,
    *,
    place: Path,
    layout: Layout,
    codes: Known,
    folder: Path,
    now: Instant,
    name: str = "",
    replays: int | None = None,
    progress: Progress | None = None,
) -> tuple[Delivery, bool]:
    """Takes a file in; the delivery, and whether it is new.

    The same content again changes nothing, under whatever name. A file that cannot be read at
    all is entered as refused. folder: the node's. name: what it is called in the manifest.
    Raises Refused `file-unreadable`, `layout-invalid`, `zone-unknown`; TryLater `file-growing`.
    """
    need_bulk()
    from hansa.lifecycle.usage.rules import zones

    layouts.check(layout)
    zones.offsets(layout.zone)
    with spool.alone(folder):
        sha256, state = spool.digest(place)
        with begin() as tx:
            known = manifest.by_content(tx, sha256)
            if known and known.state == "taken":
                return known, False
            number = manifest.next_number(tx)
        made = Delivery(
            number=number,
            sha256=sha256,
            name=name or place.name,
            layout=layout,
            state="taken",
            rows=0,
            learned_at=now,
            replays=replays,
        )
        with _Intake(begin, made, codes, folder, now) as intake:
            try:
                intake.read(place, progress or _silent)
                spool.unchanged(place, state)
                made = intake.finish(place)
            except Refused as error:
                intake.drop()
                words = replace(made, state="refused", reason=error.code, words=error.words)
                with begin() as tx:
                    manifest.put(tx, words)
                return words, True
            with begin() as tx:
                made = replace(made, files=_accounted(tx, made.files, now))
                manifest.put(tx, made)
            intake.kept = True
    return made, True


def _silent(_octets: int, _all: int, _rows: int) -> None:
    pass


def _accounted(
    tx: Transaction, files: tuple[EventFile, ...], now: Instant
) -> tuple[EventFile, ...]:
    """Each file with the month in whose books it is: its own, or while that is closed the first
    from now on that is not.
    """
    found = []
    for file in files:
        month = Period.parse(file.month) if file.month else None
        if month and months_store.is_closed(tx, month, locked=True):
            month = Period.month_of(now)
            while months_store.is_closed(tx, month, locked=True):
                month = Period.month_of(month.end)
        found.append(replace(file, accounting=month.name if month else ""))
    return tuple(found)


@dataclass(slots=True)
class _Month:
    """What of a delivery belongs to one month, while it is read."""

    writer: Writer | None = None
    first_us: int = 0
    last_us: int = 0
    quarantined: int = 0
    duplicate: int = 0


@dataclass(slots=True)
class _Intake:
    """One file on its way in; what it has written is removed unless it was kept."""

    begin: Begin
    delivery: Delivery
    codes: Known
    folder: Path
    now: Instant
    rows: int = 0
    kept: bool = False
    months: dict[str, _Month] = field(default_factory=dict)
    routes: dict[tuple[str, str], int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    quarantine: Quarantine = field(init=False)

    def __enter__(self) -> _Intake:
        from hansa.lifecycle.usage.store.quarantine import Quarantine

        name = f"{self.delivery.number:08d}-{self.delivery.sha256[:12]}.parquet"
        self.quarantine = Quarantine(self.folder / spool.QUARANTINE / name)
        return self

    def __exit__(self, *_: object) -> None:
        if not self.kept:
            self.drop()

    def drop(self) -> None:
        """Leaves nothing of what was written."""
        self.quarantine.drop()
        self.quarantine.place.unlink(missing_ok=True)
        for month in self.months.values():
            if month.writer:
                month.writer.drop()
                month.writer.place.unlink(missing_ok=True)
        self.months = {}

    @property
    def kind(self) -> EventKind:
        return self.delivery.layout.kind

    def month(self, name: str) -> _Month:
        return self.months.setdefault(name, _Month())

    # --- reading --------------------------------------------------------------------------------

    def read(self, place: Path, progress: Progress) -> None:
        """Reads all of the file into event files and quarantine."""
        from hansa.lifecycle.usage.rules import mediation
        from hansa.lifecycle.usage.store import reading

        layout, size = self.delivery.layout, place.stat().st_size
        for batch in reading.batches(place, layout, self._found):
            self.rows += len(batch.rows) + len(batch.bad)
            for row, fault, name, raw in batch.bad:
                self.set_aside(Bad(row, fault, name, "", raw))
            if len(batch.rows):
                task = mediation.Task(
                    layout, self.codes.prefixes, (self.now - EPOCH) // TICK, self._routed(batch)
                )
                self._sort(batch, mediation.mediate(batch.fields, len(batch.rows), task))
            progress(batch.octets, size, self.rows)

    def _found(self, names: Any) -> dict[str, int]:
        """Where each field is among the file's columns; quarantine keeps it for repairs."""
        self.places = dict(layouts.found(self.delivery.layout, names))
        self.quarantine.places = self.places
        return self.places

    def _routed(self, batch: Batch) -> npt.NDArray[np.int32] | None:
        """The route of each call, by its trunks."""
        import numpy as np

        from hansa.lifecycle.usage.store import arrow

        if self.kind is not EventKind.CALLS:
            return None
        sides: list[Text | None] = [batch.fields.get(one) for one in ("trunk_in", "trunk_out")]
        layout = self.delivery.layout
        places, pairs = arrow.pairs(
            len(batch.rows), *sides, otherwise=(layout.trunk_in, layout.trunk_out)
        )
        new = [pair for pair in pairs if pair not in self.routes]
        if len(self.routes) + len(new) > ROUTES_MAX:
            raise Refused(
                "routes-too-many",
                f"The file has more than {ROUTES_MAX} pairs of trunks; are these their columns?",
                field="trunk_in",
            )
        if new:
            with self.begin() as tx:
                self.routes.update(manifest.have_routes(tx, new))
        numbers = np.array([self.routes[pair] for pair in pairs], np.int32)
        return numbers[places]

    def _sort(self, batch: Batch, found: Any) -> None:
        """Puts good records into the event file of their month, and sets the others aside."""
        import numpy as np

        from hansa.lifecycle.usage.rules import clocks
        from hansa.lifecycle.usage.store import events

        good = found.fault == 0
        months = clocks.months_of(found.us)
        fields = FIELDS[self.kind]
        for at in np.flatnonzero(~good).tolist():
            fault, name = FAULTS[found.fault[at] - 1], fields[found.field[at]]
            when = _name(int(months[at])) if found.us[at] > 0 and fault not in _UNTIMED else ""
            self.set_aside(Bad(int(batch.rows[at]), fault, name, when, batch.raw(at)))
        if not good.any():
            return
        ids = (np.int64(self.delivery.number) << 32) + batch.rows
        low, high = int(months[good].min()), int(months[good].max())
        for number in range(low, high + 1):
            keep = good if low == high else good & (months == number)
            if keep.any():
                us = found.us[keep]
                self._add(
                    _name(number),
                    events.made(self.kind, found.columns, ids, keep),
                    (int(us.min()), int(us.max())),
                )

    def _add(self, name: str, table: Any, span: tuple[int, int]) -> None:
        from hansa.lifecycle.usage.store import events

        month = self.month(name)
        if month.writer is None:
            month.writer = events.Writer(
                self.folder / path_of(self.delivery.number, name, self.kind, self.codes.name),
                self.kind,
                codes=self.codes.name,
            )
            month.first_us, month.last_us = span
        month.first_us = min(month.first_us, span[0])
        month.last_us = max(month.last_us, span[1])
        month.writer.add(table)

    def set_aside(self, bad: Bad) -> None:
        self.quarantine.add(bad)
        self.month(bad.month).quarantined += 1

    # --- the end --------------------------------------------------------------------------------

    def finish(self, place: Path) -> Delivery:
        """Keeps out what was delivered before; all is on the disk when this returns."""
        differs: dict[int, str] = {}
        for name, month in self.months.items():
            if month.writer:
                month.writer.finish()
                differs |= dict.fromkeys(self._keep_out(name, month, month.writer), name)
        if differs:
            for row, raw in self._again(place, differs):
                self.set_aside(Bad(row, Fault.DIFFERS, "", differs[row], raw))
        self.quarantine.finish()
        return replace(
            self.delivery,
            rows=self.rows,
            files=tuple(self._file(name, month) for name, month in sorted(self.months.items())),
            quarantine=str(self.quarantine.place.relative_to(self.folder))
            if self.quarantine.rows
            else None,
        )

    def _keep_out(self, name: str, month: _Month, writer: Writer) -> list[int]:
        """Takes duplicates out of a month's file; the rows that say something else of what is
        known already.
        """
        import numpy as np

        from hansa.lifecycle.usage.store import duplicates

        source = self.delivery.layout.source
        with self.begin() as tx:
            known = manifest.overlapping(tx, self.kind, name, month.first_us, month.last_us)
        paths = {self.folder / path: of for path, of in known.items()}
        found = duplicates.find(writer.place, self.kind, source=source, known=paths)
        month.duplicate = len(found.duplicate)
        out = np.sort(np.concatenate([found.duplicate, found.differs]))
        if len(out):
            writer.rows, month.first_us, month.last_us = duplicates.without(
                writer.place, self.kind, out, codes=self.codes.name
            )
            if not writer.rows:
                writer.place.unlink()
        return [int(one) & 0xFFFFFFFF for one in found.differs]

    def _again(self, place: Path, rows: dict[int, str]) -> list[tuple[int, bytes]]:
        """Records of the file as they came, by their rows."""
        from hansa.lifecycle.usage.store import reading

        return [
            (int(row), batch.raw(at))
            for batch in reading.batches(place, self.delivery.layout, self._found)
            for at, row in enumerate(batch.rows.tolist())
            if row in rows
        ]

    def _file(self, name: str, month: _Month) -> EventFile:
        rows = month.writer.rows if month.writer else 0
        return EventFile(
            delivery=self.delivery.number,
            month=name,
            accounting=name,
            kind=self.kind,
            path=path_of(self.delivery.number, name, self.kind, self.codes.name) if rows else None,
            events=rows,
            quarantined=month.quarantined,
            duplicate=month.duplicate,
            first_us=month.first_us if rows else None,
            last_us=month.last_us if rows else None,
            codes=self.codes.name,
        )


_UNTIMED = frozenset({Fault.TIME, Fault.NO_TIME, Fault.AHEAD, Fault.PAST})
"""Faults with which nobody knows to which month a record belongs."""


def _name(month: int) -> str:
    """`2026-11` of months since 1970."""
    return f"{1970 + month // 12}-{month % 12 + 1:02d}"
