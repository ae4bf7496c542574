"""A final bill of this node as an invoice, with all that other rooms know of its two sides."""

from __future__ import annotations

from hansa.entrypoints.papers import invoice
from hansa.entrypoints.papers.invoice import Invoice
from hansa.federation import directory
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import BillId, PartyId
from hansa.foundation.party import Party
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreements
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.clearing.actions import parties as clearing
from hansa.lifecycle.settlement.actions import looking


def paper(tx: Transaction, *, us: Party, bill: BillId) -> Invoice:
    """Raises NotFound `bill-unknown`, `party-unknown`; Refused as `invoice.of_bill`."""
    found = billing.bill(tx, id=bill)
    sides = [
        invoice.Side(party, clearing.particulars(tx, party=party.id))
        for party in (us, party_of(tx, found.buyer))
    ]
    return invoice.of_bill(
        found,
        seller=sides[0],
        buyer=sides[1],
        statement=looking.of_bill(tx, bill=bill) or "",
    )


def party_of(tx: Transaction, party: PartyId) -> Party:
    """A customer or partner as papers name it."""
    try:
        return directory.partner(tx, party=party).party
    except NotFound:
        return agreements.customer(tx, party=party).party
