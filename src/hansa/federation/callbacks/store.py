"""The table of callback hosts and every line of SQL about it."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.federation.callbacks.model import CallbackHost
from hansa.foundation.database import records, run
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction


def insert(tx: Transaction, party: PartyId, host: str, by: str, now: Instant) -> None:
    """Enters a host; one that is there already changes nothing."""
    run(
        tx,
        """insert into callback_host (party, host, added_at, added_by) values (%s, %s, %s, %s)
           on conflict do nothing""",
        (party, host, now, by),
    )


def delete(tx: Transaction, party: PartyId, host: str) -> bool:
    """False when it was not there."""
    return run(tx, "delete from callback_host where party = %s and host = %s", (party, host)) == 1


def hosts(tx: Transaction, party: PartyId) -> Sequence[CallbackHost]:
    return records(
        tx,
        CallbackHost,
        "select party, host, added_at, added_by from callback_host where party = %s order by host",
        (party,),
    )
