"""What our own people see of tickets beyond each by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hansa.federation.helpdesk import TicketState
from hansa.federation.shelf import Page
from hansa.foundation.ids import HoldingId, PartyId
from hansa.foundation.plan import actions as plans
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.assurance import rules, store
from hansa.lifecycle.assurance.model import KeptTicket, Relay, S


def search(
    tx: Transaction,
    *,
    buyer: PartyId | None = None,
    holdings: Sequence[HoldingId] | None = None,
    states: Collection[TicketState] | None = None,
    text: str = "",
    offset: int = 0,
    limit: int,
) -> Page[KeptTicket]:
    """Tickets with all that is kept of them, for our own people, the newest first.

    holdings: about one of these. text: in ids, names, descriptions and what they are about.
    """
    found, total = store.search(
        tx, buyer=buyer, holdings=holdings, states=states, text=text, offset=offset, limit=limit
    )
    return Page(found, total)


def ours_to_make(kept: KeptTicket) -> Sequence[TicketState]:
    """Where our own people may move a ticket from where it is."""
    return [state for state in S if rules.may("seller", kept.state, state)]


def untold(kept: KeptTicket, relay: Relay) -> int:
    """How much of what has happened with a ticket its supplier does not know of yet."""
    return 0 if relay.refused else len(rules.untold(kept, relay.told))


def stamps(tx: Transaction, *, ids: Collection[str]) -> Mapping[str, str]:
    """A short text for each ticket, another one when something has happened with it, here or with
    a supplier.
    """
    moved, planned = store.stamps(tx, ids), plans.stamps(tx, subjects=ids)
    return {id: f"{stamp} {planned.get(id, '')}" for id, stamp in moved.items()}


def closes_at(kept: KeptTicket) -> Instant | None:
    """When a ticket that is resolved closes by itself; None for any other."""
    return rules.resolved_until(kept.moved_at) if kept.state is S.RESOLVED else None
