"""What end customers have paid: noted by a person once it is in the bank, posted, and settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from hansa.federation.hub import actions as hub
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BillId, EntryId, Ids
from hansa.foundation.money import Money, add_up
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import AccountSpec, Leg, NewEntry
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill, BillFilter, BillState
from hansa.lifecycle.settlement.store import papers as store

OPEN = frozenset({BillState.VALIDATED, BillState.SENT})
PAPERS_MAX = 1_000
"""So many papers of one month, its credit notes among them, are settled together."""
REFERENCE_MAX = 140


def open_papers(tx: Transaction, *, bill: BillId) -> Sequence[Bill]:
    """What is open of the month that an end customer's bill is for: it and the credit notes beside
    it, without lines, in order of their ids. Empty once that bill is settled.

    Raises NotFound `bill-unknown`; Refused `payment-invalid` for a draft, or a partner's.
    """
    one = billing.bare(tx, id=bill)
    if one.agreement is not None or not one.final:
        raise Refused(
            "payment-invalid",
            "Only final bills to end customers are paid so; what partners owe is netted.",
            field="bill",
        )
    if one.state not in OPEN:
        return ()
    wanted = BillFilter(
        party=one.buyer,
        period=one.period,
        states=OPEN,
        currency=one.currency,
        sold_to="customers",
    )
    found = billing.page(tx, wanted=wanted, limit=PAPERS_MAX).things
    return sorted(found, key=lambda paper: paper.id)


def paid(
    tx: Transaction,
    *,
    bill: BillId,
    amount: Money,
    on: date,
    reference: str,
    ids: Ids,
    now: Instant,
) -> Sequence[Bill]:
    """Settles and posts what is open of the month of an end customer's bill, all of it at once.

    amount: as the bank has it, and just what is open; below nil where it was paid back. on: the
    day on which it was there. reference: as it stands at the bank. Returns what was settled by
    this; nothing when it was settled before. Raises what `open_papers` does, and Refused
    `payment-invalid`, naming the field, for another amount, a day to come, or no reference.
    """
    store.lock_paid(tx)
    papers = open_papers(tx, bill=bill)
    if not papers:
        return ()
    due = add_up((one.total for one in papers), papers[0].currency)
    if amount != due:
        raise Refused(
            "payment-invalid",
            f"{due} is open, and nothing else than that can be noted; credit the rest, or wait.",
            field="amount",
        )
    if on > now.date():
        raise Refused("payment-invalid", f"{on} is still to come.", field="on")
    if not 0 < len(reference.strip()) <= REFERENCE_MAX or not reference.isprintable():
        words = f"Give the bank's reference, of 1 to {REFERENCE_MAX} characters."
        raise Refused("payment-invalid", words, field="reference")
    for one in papers:
        billing.move(tx, bill=one.id, state=BillState.SENT)
        billing.move(tx, bill=one.id, state=BillState.SETTLED)
        hub.publish(
            tx, ids=ids, topic="customerBill", thing=one.id, change="state", party=one.buyer,
            now=now,
        )  # fmt: skip
    if due:
        entry = _entry(papers, due, on, reference.strip(), ids.new(EntryId))
        ledger.post(tx, entries=[entry], now=now)
    return papers


def _entry(papers: Sequence[Bill], due: Money, on: date, reference: str, id: EntryId) -> NewEntry:
    """The bank against what the customer owed."""
    first = papers[0]
    bank = AccountSpec(f"bank/{due.currency}", "asset", None, due.currency)
    owed = AccountSpec(
        f"receivable/{first.buyer}/{due.currency}", "asset", first.buyer, due.currency
    )
    numbers = ", ".join(one.number for one in papers)
    said = [[one.number for one in papers], due.minor, due.currency, on.isoformat(), reference]
    return NewEntry(
        id=id,
        key=f"paid/{first.id}",
        kind="payment",
        ref=first.number,
        document=documents.fingerprint(said),
        words=f"{first.buyer} has paid {numbers}, reference {reference}",
        effective_at=datetime.combine(on, time(), UTC),
        legs=(Leg(bank, due), Leg(owed, -due)),
    )
