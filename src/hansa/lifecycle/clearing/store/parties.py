"""The tables of what is paid, and every line of SQL about them."""

from __future__ import annotations

from hansa.foundation import documents
from hansa.foundation.database import Jsonb, one_row, run
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.clearing.model import Particulars


def particulars(tx: Transaction, party: PartyId) -> Particulars | None:
    row = one_row(tx, "select clearing_document(%s) as document", (party,))
    found = row["document"] if row else None
    return None if found is None else documents.read(Particulars, found)


def add_particulars(tx: Transaction, given: Particulars, by: str, now: Instant) -> None:
    run(
        tx,
        """insert into clearing_particulars (party, document, by_whom, at)
           values (%s, %s, %s, %s)""",
        (given.party, Jsonb(documents.write(given)), by, now),
    )
