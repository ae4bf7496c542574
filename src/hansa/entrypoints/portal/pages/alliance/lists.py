"""What pages of this area share: who may look, who may act, and what parties are called."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.entrypoints.portal.ask import Ask
from hansa.federation import directory
from hansa.foundation.ids import PartyId
from hansa.foundation.people.model import StaffRole
from hansa.foundation.transaction import Transaction

LOOKING = frozenset({StaffRole.SALES, StaffRole.OPERATIONS, StaffRole.FINANCE, StaffRole.APPROVER})
"""Who may see with whom we trade, and on which terms."""

TRADING = frozenset({StaffRole.SALES, StaffRole.FINANCE})
"""Who may propose that an agreement be signed or stopped, and launch a country."""

TESTING = TRADING | {StaffRole.OPERATIONS}
"""Who may look at what is shown at a gate, and put it on record."""


def words(ask: Ask) -> str:
    """What was typed to find something by; no longer than any name."""
    return ask.query.get("q", "").strip()[:200]


def names(ask: Ask, tx: Transaction) -> Mapping[PartyId, str]:
    """What the parties are called, ours too."""
    us = ask.node.us
    return {us.id: us.name, **{one.party.id: one.party.name for one in directory.partners(tx)}}
