"""What parties are called."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from hansa.entrypoints.portal.ask import Ask
from hansa.federation import directory
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import PartyId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreement


def names(ask: Ask, tx: Transaction, *customers: PartyId) -> Mapping[str, str]:
    """What we, our partners and these customers are called, by their short names."""
    known = {str(one.party.id): one.party.name for one in directory.partners(tx)}
    for party in set(customers) - set(known) - {ask.node.us.id}:
        with suppress(NotFound):
            known[party] = agreement.customer(tx, party=party).party.name
    return {**known, ask.node.us.id: ask.node.us.name}
