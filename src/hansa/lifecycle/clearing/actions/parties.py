"""What others may ask or do about payments and where they go."""

from __future__ import annotations

from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.clearing.model import Particulars
from hansa.lifecycle.clearing.rules import parties as rules
from hansa.lifecycle.clearing.store import parties as store


def particulars(tx: Transaction, *, party: PartyId) -> Particulars:
    """What papers say of a party beside its name; empty when nobody has entered any."""
    return store.particulars(tx, party) or Particulars(party)


def enter_particulars(tx: Transaction, *, given: Particulars, by: str, now: Instant) -> None:
    """Takes the place of what was known of the party; what it was before is kept.

    Raises Refused `endpoint-invalid`, `particulars-too-long`.
    """
    rules.check_particulars(given)
    store.add_particulars(tx, given, by, now)
