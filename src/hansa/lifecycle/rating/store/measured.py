"""The tables of what was measured: a month's lines by holding, and the files that are in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.lifecycle.rating.model.lines import RatedLine

LOCK = 0x6D65617375726564
"""The advisory lock under which a month's lines are entered (`measured` in ASCII)."""

FileKey = tuple[int, str]
"""The number of a delivery, and the month of usage."""


def lock(tx: Transaction) -> None:
    """Nobody else enters lines or files until the end of tx."""
    run(tx, "select pg_advisory_xact_lock(%s)", (LOCK,))


def put(
    tx: Transaction,
    holding: HoldingRef,
    month: str,
    *,
    made_of: str,
    lines: Sequence[RatedLine],
    now: Instant,
) -> None:
    """Enters what a holding's month comes to; what was there before gives way."""
    run(
        tx,
        """insert into rating_measured (seller, holding, month, made_of, lines, made_at)
           values (%s, %s, %s, %s, %s, %s)
           on conflict (seller, holding, month) do update
              set made_of = excluded.made_of, lines = excluded.lines, made_at = excluded.made_at""",
        (
            holding.seller,
            holding.id,
            month,
            made_of,
            Jsonb([documents.write(line) for line in lines]),
            now,
        ),
    )


def drop(tx: Transaction, holdings: Iterable[HoldingRef], month: str) -> None:
    """These are not measured any more."""
    for holding in holdings:
        run(
            tx,
            "delete from rating_measured where seller = %s and holding = %s and month = %s",
            (holding.seller, holding.id, month),
        )


def lines(tx: Transaction, holding: HoldingRef, month: str) -> tuple[RatedLine, ...] | None:
    """What a holding's month comes to; None for one that is not measured."""
    row = one_row(
        tx,
        "select lines from rating_measured where seller = %s and holding = %s and month = %s",
        (holding.seller, holding.id, month),
    )
    if row is None:
        return None
    return tuple(documents.read(RatedLine, one, what="rated line") for one in row["lines"])


def made_of(tx: Transaction, month: str) -> Mapping[HoldingRef, str]:
    """The holdings that are added up, each with the digest of its tariffs and points."""
    rows = all_rows(
        tx,
        """select seller, holding, made_of from rating_measured where month = %s
           order by seller, holding""",
        (month,),
    )
    return {
        HoldingRef(PartyId(row["seller"]), HoldingId(row["holding"])): row["made_of"]
        for row in rows
    }


def put_files(tx: Transaction, month: str, files: Iterable[FileKey], now: Instant) -> None:
    """Notes that these files are in the month's lines."""
    for delivery, file_month in files:
        run(
            tx,
            """insert into rating_measured_file (month, delivery, file_month, added_at)
               values (%s, %s, %s, %s)""",
            (month, delivery, file_month, now),
        )


def files(tx: Transaction, month: str) -> frozenset[FileKey]:
    """The files that are in the month's lines."""
    rows = all_rows(
        tx, "select delivery, file_month from rating_measured_file where month = %s", (month,)
    )
    return frozenset((row["delivery"], row["file_month"]) for row in rows)
