"""The chain of hashes over the books, and the SQL about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hansa.foundation.database import all_rows, one_row
from hansa.foundation.ids import EntryId
from hansa.foundation.transaction import Transaction
from hansa.ledger.model import GENESIS, Batch, Entry, Head
from hansa.ledger.store.books import entries_of

PAGE_ENTRIES = 4000
"""About how many entries a walk along the chain has in memory at once."""


def head(tx: Transaction) -> Head:
    row = one_row(
        tx,
        """select position, last_entry, encode(hash, 'hex') as hash
             from ledger_batch order by position desc limit 1""",
    )
    if row is None:
        return Head(batches=0, entries=0, hash=GENESIS.hex())
    return Head(batches=row["position"], entries=row["last_entry"], hash=row["hash"])


def chain(tx: Transaction) -> Iterator[Batch]:
    """Every batch with its entries, from the first to the one that is last at the start."""
    position, number, end = 0, 0, head(tx).batches
    while position < end:
        batches = all_rows(
            tx,
            """select * from (
                   select b.*, max(b.last_entry) over (order by b.position) as reached,
                          row_number() over (order by b.position) as place
                     from (select * from ledger_batch
                            where position > %s and position <= %s
                            order by position limit 1000) b) c
                where place = 1 or reached <= %s order by position""",
            (position, end, number + PAGE_ENTRIES),
        )
        if not batches:
            return
        reached = max(batch["last_entry"] for batch in batches)
        entries = entries_of(
            all_rows(
                tx,
                """select * from ledger_journal
                    where number > %s and number <= %s order by number, line""",
                (number, reached),
            )
        )
        for batch in batches:
            yield _batch(batch, number, entries)
            number = batch["last_entry"]
        position = batches[-1]["position"]


def _batch(row: dict[str, Any], after: int, entries: Sequence[Entry]) -> Batch:
    return Batch(
        position=row["position"],
        posted_at=row["posted_at"],
        last_entry=row["last_entry"],
        digests=bytes(row["digests"]),
        previous=bytes(row["previous"]),
        hash=bytes(row["hash"]),
        entries=tuple(e for e in entries if after < e.number <= row["last_entry"]),
    )


def stray(tx: Transaction) -> EntryId | None:
    """An entry that no batch reaches, or the id of none when a leg has no entry at all."""
    row = one_row(
        tx,
        """select id from ledger_entry
            where number < 1
               or number > coalesce((select max(last_entry) from ledger_batch), 0)
            union all
           select 'ent_of_number_' || l.entry from ledger_leg l
            where not exists (select from ledger_entry e where e.number = l.entry)
            limit 1""",
    )
    return None if row is None else EntryId(row["id"])
