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
    "open": N_("Open"),
    "rejected": N_("Rejected"),
    "withdrawn": N_("Withdrawn"),
}


def said(code: object) -> str:
    """A state or kind in words: `in-progress` is "In progress". One without words is said as is."""
    text = str(code)
    return gettext(WORDS[text]) if text in WORDS else text.replace("-", " ").replace("_", " ")
