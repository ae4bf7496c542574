"""How states and kinds are said to people: the rooms' own codes, in the page's language."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.entrypoints.portal.language import gettext
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find

WORDS: Mapping[str, str] = {
    "admin": N_("Administrator"),
    "approver": N_("Approver"),
    "customer": N_("Customer"),
    "finance": N_("Finance"),
    "operations": N_("Operations"),
    "sales": N_("Sales"),
    "approved": N_("Approved"),
    "asset": N_("Assets"),
    "liability": N_("Liabilities"),
    "income": N_("Income"),
    "expense": N_("Expenses"),
    "equity": N_("Equity"),
    "books-verified": N_("Books verified"),
    "invoice": N_("Invoice"),
    "credit-note": N_("Credit note"),
    "supplier-invoice": N_("Supplier's invoice"),
    "supplier-credit-note": N_("Supplier's credit note"),
    "netting": N_("Netting"),
    "clearing": N_("Netting among many"),
    "reversal": N_("Reversal"),
    "open": N_("Open"),
    "rejected": N_("Rejected"),
    "withdrawn": N_("Withdrawn"),
    # families, usage tariffs, what is chosen of an offer, what a deck's version changes
    "broadband": N_("Broadband"),
    "channels": N_("Channels"),
    "connectivity": N_("Connectivity"),
    "lines": N_("Lines"),
    "network": N_("Network"),
    "seats": N_("Seats"),
    "security": N_("Security"),
    "speed_mbps": N_("Speed"),
    "voice": N_("Voice"),
    "deck-tariff": N_("calls by a price deck"),
    "percentile-tariff": N_("95th percentile"),
    "seats-tariff": N_("seats"),
    "voice-tariff": N_("calls by destination"),
    "volume-tariff": N_("volume"),
    "full": N_("Full"),
    "partial": N_("Partial"),
    "blocked-price": N_("Blocked"),
    "decrease-price": N_("Decreases"),
    "increase-price": N_("Increases"),
    "new-price": N_("New codes"),
    "past-price": N_("Already past"),
    "unchanged-price": N_("Unchanged"),
    "withdrawn-price": N_("Withdrawn codes"),
}


def said(code: object) -> str:
    """A state or kind in words: `in-progress` is "In progress". One without words is said as is."""
    text = str(code)
    return gettext(WORDS[text]) if text in WORDS else text.replace("-", " ").replace("_", " ")
