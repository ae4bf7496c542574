"""What the lists of this area share."""

from __future__ import annotations

from hansa.entrypoints.portal.ask import Ask
from hansa.foundation.ids import PartyId

PAGE = 25
"""How many rows a page shows."""


def party(ask: Ask) -> PartyId | None:
    """Whom the list is to be about; None for all."""
    asked = ask.sought("party")
    return PartyId(asked.lower()) if asked else None
