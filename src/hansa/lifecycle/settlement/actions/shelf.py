"""Months between us and others, to be found again: statements, and end customers' bills.

party: whose they are; None for all, for our own people.
"""

from __future__ import annotations

from hansa.federation.papers import StatementState
from hansa.federation.shelf import BillStage, Page, ShelfBill
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import BillId, PartyId, StatementId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.model import Held
from hansa.lifecycle.settlement.rules import papers
from hansa.lifecycle.settlement.store import papers as store


def bills(
    tx: Transaction,
    *,
    us: PartyId,
    party: PartyId | None = None,
    state: BillStage | None = None,
    offset: int = 0,
    limit: int,
) -> Page[ShelfBill]:
    """The newest first, statements and customers' bills together."""
    reach = offset + limit
    counted = papers.state_of_stage(state)
    found: list[ShelfBill] = []
    total = 0
    if state is None or counted is not None:
        one_state, netted = counted or (None, None)
        held, total = store.page(
            tx, party=party, state=one_state, netted=netted, offset=0, limit=reach
        )
        found = [_shown(tx, us, one, made_at) for one, made_at in held]
    customers = billing.shelf_bills(tx, buyer=party, state=state, limit=reach)
    found += customers.things
    found.sort(key=lambda one: (one.made_at, one.id), reverse=True)
    return Page(found[offset:reach], total + customers.total)


def bill(tx: Transaction, *, us: PartyId, id: str, party: PartyId | None = None) -> ShelfBill:
    """One of them. Raises NotFound `bill-unknown`."""
    held, _ = store.page(
        tx, id=StatementId(id), party=party, state=None, netted=None, offset=0, limit=1
    )
    if held:
        return _shown(tx, us, *held[0])
    try:
        return billing.shelf_bill(tx, id=BillId(id), buyer=party)
    except NotFound:
        raise NotFound("bill-unknown", f"There is no bill {id}.", field="bill") from None


def _shown(tx: Transaction, us: PartyId, held: Held, made_at: Instant) -> ShelfBill:
    issued_at = None
    invoiced = held.state is StatementState.INVOICED
    if invoiced and held.bill is not None and held.statement.creditor == us:
        issued_at = billing.bill(tx, id=held.bill).issued_at
    return papers.shown(held, made_at, issued_at)
