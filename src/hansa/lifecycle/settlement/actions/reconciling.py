"""Our call records laid beside a partner's: days first, records only where days differ."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.extras import need
from hansa.foundation.money import minor_digits
from hansa.foundation.time import Period
from hansa.foundation.transaction import Begin
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.settlement.model import Reconciliation, RecordFile, Tolerance

if TYPE_CHECKING:
    from hansa.lifecycle.settlement.store.matching import Matching, Progress, Side

MEMORY_MB = 2048

SUMMARY = "summary.json"


def _silent(_stage: str, _number: int, _of: int) -> None:
    """Tells nobody."""


def reconcile(
    *,
    ours: Sequence[Path],
    theirs: Sequence[Path],
    currency: str,
    to: Path,
    tolerance: Tolerance | None = None,
    memory_mb: int = MEMORY_MB,
    threads: int = 0,
    progress: Progress = _silent,
    made_of: Sequence[Path] = (),
) -> tuple[Reconciliation, Path]:
    """Compares two sets of call records and writes what it found into a folder below `to`.

    Files are CSV with a heading, or Parquet, with the columns of event files: called,
    answered_us and duration_s; and, if known, calling, source_ref or event_id, amount_nano and
    destination. The folder is named by the summary's fingerprint and is whole or is not there:
    `summary.json` (the Reconciliation), `differences.parquet` (every record that differs, with
    its price) and `days.parquet`. The same records give the same folder, in any order of rows
    and with any number of threads; 0: as many as there are cores. made_of: the files to be named
    as ours, where ours were made of them.

    Rows that cannot be read are left out, counted and named. Raises Refused
    `records-unreadable`, `records-columns`, `currency-unknown`, `tolerance-invalid`;
    HansaError `bulk-missing`.
    """
    need("duckdb", "numpy", "pyarrow")
    from hansa.lifecycle.settlement.store import matching as store

    tolerance = tolerance or Tolerance()
    check(tolerance)
    minor_digits(currency)
    files = {
        side: tuple(store.fingerprint(file) for file in given)
        for side, given in zip(store.SIDES, (made_of or ours, theirs), strict=True)
    }
    to.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=to, prefix=".new-"))
    matching = None
    try:
        matching = store.Matching(
            tolerance,
            aside=aside,
            memory_mb=memory_mb,
            threads=threads or os.cpu_count() or 1,
            progress=progress,
        )
        for side, given in zip(store.SIDES, (ours, theirs), strict=True):
            matching.read(side, given)
        matching.sum_up()
        matching.match()
        results = aside / "results"
        results.mkdir()
        found = _found(matching, files, currency, tolerance, matching.write(results))
        return found, _keep(found, results, to)
    finally:
        if matching is not None:
            matching.close()
        shutil.rmtree(aside, ignore_errors=True)


def reconcile_holding(
    begin: Begin,
    *,
    holding: HoldingRef,
    month: Period,
    folder: Path,
    theirs: Sequence[Path],
    to: Path,
    tolerance: Tolerance | None = None,
    memory_mb: int = MEMORY_MB,
    progress: Progress = _silent,
) -> tuple[Reconciliation, Path]:
    """Compares the calls that a month charges a holding with, each with its amount, with a
    partner's records of them. folder: the node's. Else as `reconcile`.

    Raises also NotFound `holding-unknown`, `charge-unknown`; TryLater `events-unrated`.
    """
    need("duckdb", "numpy", "pyarrow")
    from hansa.lifecycle.rating.actions import charged

    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to, prefix=".ours-") as aside:
        ours = charged.calls(begin, holding=holding, month=month, folder=folder, to=Path(aside))
        return reconcile(
            ours=ours.files,
            theirs=theirs,
            currency=ours.currency,
            to=to,
            tolerance=tolerance,
            memory_mb=memory_mb,
            progress=progress,
            made_of=ours.sources,
        )


def _found(
    matching: Matching,
    files: Mapping[Side, tuple[RecordFile, ...]],
    currency: str,
    tolerance: Tolerance,
    written: tuple[RecordFile, ...],
) -> Reconciliation:
    rows_ours, bad_ours = matching.rows("ours")
    rows_theirs, bad_theirs = matching.rows("theirs")
    return Reconciliation(
        currency=currency,
        tolerance=tolerance,
        ours=_sorted(files["ours"]),
        theirs=_sorted(files["theirs"]),
        rows_ours=rows_ours,
        rows_theirs=rows_theirs,
        unreadable_ours=bad_ours,
        unreadable_theirs=bad_theirs,
        unreadable=matching.unreadable(),
        days=matching.days(),
        classes=matching.classes(),
        shifts=matching.shifts(),
        sample=matching.sample(),
        written=written,
    )


def _sorted(files: tuple[RecordFile, ...]) -> tuple[RecordFile, ...]:
    return tuple(sorted(files, key=lambda one: (one.name, one.sha256)))


def _keep(found: Reconciliation, results: Path, to: Path) -> Path:
    """Gives the results their name; what is there already is the same."""
    document = documents.write(found)
    (results / SUMMARY).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    place = to / documents.fingerprint(document)[:16]
    if not place.exists():
        results.rename(place)
    return place


def summary(folder: Path) -> Reconciliation:
    """What a comparison found, read back from its folder.

    Raises Refused `records-unreadable`, `malformed`.
    """
    try:
        text = (folder / SUMMARY).read_text()
        return documents.read(Reconciliation, json.loads(text), what=SUMMARY)
    except (OSError, ValueError) as error:
        raise Refused(
            "records-unreadable", f"{folder / SUMMARY} cannot be read: {error}."
        ) from None


def check(tolerance: Tolerance) -> None:
    """Raises Refused `tolerance-invalid` for what cannot be meant."""
    bounds = {
        "time_s": (0, 600), "duration_s": (0, 600), "amount_nano": (0, 10**15),
        "calls_bp": (0, 10_000), "seconds_bp": (0, 10_000), "amount_bp": (0, 10_000),
        "digits": (0, 15), "shift_least": (1, 10**9),
    }  # fmt: skip
    for name, (least, most) in bounds.items():
        value = getattr(tolerance, name)
        if not least <= value <= most:
            raise Refused(
                "tolerance-invalid", f"{name} is from {least} to {most}, not {value}.", field=name
            )
