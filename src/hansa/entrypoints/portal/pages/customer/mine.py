"""How a customer's pages reach what is the customer's own, and what their forms have in common."""

from __future__ import annotations

from contextlib import AbstractContextManager

from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.language import gettext as _
from hansa.federation.shelf import ShelfHolding
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BuyerKey, HoldingId
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef
from hansa.node import Seat

LONG = 20
"""Entries of one page of a list."""


def mine(ask: Ask) -> AbstractContextManager[Transaction]:
    """A transaction that finds this customer's own rows alone."""
    return ask.node.begin_for(ask.actor)()


def seat(ask: Ask) -> Seat:
    """What this customer may buy from us and tell us."""
    return ask.node.seat(ask.actor)


def held(ask: Ask, id: HoldingId | None = None) -> ShelfHolding:
    """A service of this customer's: this one, or that of the page's address."""
    ref = HoldingRef(ask.node.us.id, id or HoldingId(ask.path["id"]))
    with mine(ask) as tx:
        return inventory.shelf_holding(tx, ref=ref, buyer=ask.actor.party)


def noted(ask: Ask, action: str, *, subject: str, details: object = None) -> None:
    """Writes into the audit log what this person has just done for the customer."""
    with ask.change(action, subject=subject, details=details):
        pass


def key(ask: Ask) -> str:
    """The key of a form: the one it had when it is shown again, unless that was used up."""
    typed = ask.typed("key")
    used_up = ask.refusal is not None and ask.refusal.code == "form-sent-before"
    return ask.new_key() if used_up or not typed else typed


def sent_key(ask: Ask) -> BuyerKey:
    """The key that came with a form. Raises Refused `form-incomplete`."""
    if not ask.typed("key"):
        raise Refused(
            "form-incomplete", _("A part of the form is missing. Open the page anew and send it.")
        )
    return BuyerKey(ask.typed("key"))


def sent_before(error: Refused) -> Refused:
    """A key that was used for something else, as its sender knows it: a form sent once more."""
    if error.code != "key-reused":
        return error
    words = _(
        "You have sent this form before, with other words. What you sent first is taken; send it "
        "again to report this too."
    )
    return Refused("form-sent-before", words)
