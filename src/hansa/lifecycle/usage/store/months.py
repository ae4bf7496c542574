"""The files of usage and their manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hansa.foundation import disk
from hansa.foundation.database import all_rows, one_row, run
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.usage.model import UsageFile

# --- files --------------------------------------------------------------------------------------


def keep(folder: Path, period: Period, content: bytes) -> tuple[str, str]:
    """Puts a usage file on the disk, under the name of its content; returns sha256 and path.

    When this returns, the file survives a power cut. The same content again changes nothing.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"{period.name}/{sha256}.jsonl"
    place = folder / path
    if not place.exists():
        disk.put(place, content)
    for parent in (place.parent, folder):
        disk.sync(parent)
    return sha256, path


def content(folder: Path, file: UsageFile) -> bytes:
    """The bytes of a kept file. Raises `usage-file-damaged` when they are not what was kept."""
    try:
        found = (folder / file.path).read_bytes()
    except OSError as error:
        raise _damaged(file, error.strerror or "cannot be read") from error
    if hashlib.sha256(found).hexdigest() != file.sha256:
        raise _damaged(file, "has other content than its name says")
    return found


def _damaged(file: UsageFile, why: str) -> HansaError:
    return HansaError(
        "usage-file-damaged",
        f"The usage file {file.path} {why}; bring it back from a copy.",
        field="usage",
    )


# --- months -------------------------------------------------------------------------------------


def open_period(tx: Transaction, period: Period, now: Instant) -> bool:
    """True for the one transaction that opens the month."""
    opened = run(
        tx,
        "insert into usage_period (period, opened_at) values (%s, %s) on conflict do nothing",
        (period.name, now),
    )
    return opened == 1


def close_period(tx: Transaction, period: Period, now: Instant) -> None:
    run(
        tx,
        "update usage_period set closed_at = %s where period = %s and closed_at is null",
        (now, period.name),
    )


def note_joined(tx: Transaction, period: Period) -> None:
    run(tx, "update usage_period set joined = true where period = %s", (period.name,))


def take_joined(tx: Transaction) -> Sequence[Period]:
    """The months that a holding has joined, each taken once."""
    rows = all_rows(tx, "update usage_period set joined = false where joined returning period")
    return sorted((Period.parse(row["period"]) for row in rows), key=lambda one: one.start)


def periods(tx: Transaction, *, closed: bool = False) -> Sequence[Period]:
    """All months that were opened, or those that are closed, in order."""
    rows = all_rows(
        tx,
        """select period from usage_period where not %(closed)s or closed_at is not null
           order by period""",
        {"closed": closed},
    )
    return [Period.parse(row["period"]) for row in rows]


def is_opened(tx: Transaction, period: Period) -> bool:
    row = one_row(tx, "select 1 as one from usage_period where period = %s", (period.name,))
    return row is not None


def is_closed(tx: Transaction, period: Period, *, locked: bool = False) -> bool:
    """Whether the month is closed; locked: nobody opens or closes it until the end of tx."""
    sql = "select closed_at from usage_period where period = %s"
    row = one_row(tx, f"{sql} for update" if locked else sql, (period.name,))
    return row is not None and row["closed_at"] is not None


# --- manifest -----------------------------------------------------------------------------------

_FILE = """select seller, holding, period, sha256, records, path, learned_at, applied
           from usage_file"""


def put_file(tx: Transaction, file: UsageFile) -> bool:
    """Enters a file; False when the same is there already."""
    entered = run(
        tx,
        """insert into usage_file (seller, holding, period, sha256, records, path, learned_at,
               applied)
           values (%s, %s, %s, %s, %s, %s, %s, %s)
           on conflict (seller, holding, period, sha256) do nothing""",
        (
            file.holding.seller,
            file.holding.id,
            file.period.name,
            file.sha256,
            file.records,
            file.path,
            file.learned_at,
            file.applied,
        ),
    )
    return entered == 1


def count_again(tx: Transaction, file: UsageFile) -> None:
    """A file that was set aside counts once more."""
    run(
        tx,
        """update usage_file set applied = true
           where seller = %s and holding = %s and period = %s and sha256 = %s""",
        (file.holding.seller, file.holding.id, file.period.name, file.sha256),
    )


def set_aside(tx: Transaction, holding: HoldingRef, period: Period) -> None:
    """The file that counted counts no longer."""
    run(
        tx,
        """update usage_file set applied = false
           where seller = %s and holding = %s and period = %s and applied""",
        (holding.seller, holding.id, period.name),
    )


def applied(tx: Transaction, holding: HoldingRef, period: Period) -> UsageFile | None:
    """The file that counts."""
    row = one_row(
        tx,
        f"{_FILE} where seller = %s and holding = %s and period = %s and applied",
        (holding.seller, holding.id, period.name),
    )
    return _file(row) if row else None


def files(
    tx: Transaction, *, period: Period | None = None, applied: bool | None = None
) -> Sequence[UsageFile]:
    """The manifest, or a month of it, or what counts of it; by month and holding."""
    rows = all_rows(
        tx,
        f"""{_FILE} where (%(period)s::text is null or period = %(period)s)
                and (%(applied)s::boolean is null or applied = %(applied)s)
            order by period, seller, holding, learned_at""",
        {"period": period and period.name, "applied": applied},
    )
    return [_file(row) for row in rows]


def _file(row: dict[str, Any]) -> UsageFile:
    return UsageFile(
        holding=HoldingRef(PartyId(row["seller"]), HoldingId(row["holding"])),
        period=Period.parse(row["period"]),
        sha256=row["sha256"],
        records=row["records"],
        path=row["path"],
        learned_at=row["learned_at"],
        applied=row["applied"],
    )
