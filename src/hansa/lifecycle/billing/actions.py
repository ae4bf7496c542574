"""What others may ask or do about bills."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from hansa.federation.contract import AgreementRef, Family
from hansa.federation.hub import actions as hub
from hansa.federation.papers import StatementLine
from hansa.federation.shelf import BillRequest, BillStage, Extras, Page, ShelfBill
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BillId, BillRequestId, EntryId, Ids, OfferCode, PartyId
from hansa.foundation.money import Money, add_up
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.lifecycle.billing import rules
from hansa.lifecycle.billing.model import (
    BILL_STATES,
    DRAFTS,
    Bill,
    BillFilter,
    BillLine,
    BillState,
    Group,
    KeptBill,
    SupplierInvoice,
    keep,
)
from hansa.lifecycle.billing.store import bills as store
from hansa.lifecycle.billing.store import invoices
from hansa.lifecycle.billing.store import requests as wishes
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import Holding
from hansa.lifecycle.order.actions import ending, orders
from hansa.lifecycle.rating.actions import months as rating

Found = TypeVar("Found")

AT_ONCE = 200
"""Of so many holdings usage is read together."""


def sold_lines(tx: Transaction, *, us: PartyId, buyer: PartyId, period: Period) -> Sequence[Group]:
    """What one buyer owes us for a rated period, by agreement version and currency."""
    held = _sold(tx, us, buyer, period)
    charges = ending.charges(tx, seller=us, buyer=buyer, period=period)
    return rules.gathered(_priced(tx, held, period), charges, by="buyer")


def bought_lines(
    tx: Transaction, *, us: PartyId, seller: PartyId | None = None, period: Period
) -> Sequence[Group]:
    """What we owe sellers for a rated period by our own computation, with the same rules: of
    what we held in it. Corrections of what had ended are for the seller to state.
    """
    held = inventory.bought(tx, us=us, seller=seller, period=period)
    charges = ending.charges(tx, seller=seller, buyer=us, period=period)
    return rules.gathered(_priced(tx, held, period), charges, by="seller")


def expected(
    tx: Transaction,
    *,
    us: PartyId,
    seller: PartyId,
    agreement: AgreementRef,
    currency: str,
    period: Period,
) -> Sequence[BillLine]:
    """What this seller should charge us, line by line; empty when we hold nothing of it."""
    held = _bought(tx, us, seller, period)
    charges = ending.charges(tx, seller=seller, buyer=us, period=period)
    groups = rules.gathered(
        _priced(tx, [one for one in held if one.agreement == agreement], period),
        [one for one in charges if one.agreement == agreement],
        by="seller",
    )
    return next((group.lines for group in groups if group.currency == currency), ())


def families(
    tx: Transaction, *, us: PartyId, seller: PartyId, period: Period
) -> Mapping[OfferCode, Family]:
    """The family of service of each offer that a seller may charge us for in the period."""
    held = inventory.bought(tx, us=us, seller=seller)  # what has ended may be corrected
    charges = ending.charges(tx, seller=seller, buyer=us, period=period)
    return {one.offer: one.family for one in held} | {one.offer: one.family for one in charges}


def _sold(tx: Transaction, us: PartyId, buyer: PartyId | None, period: Period) -> Sequence[Holding]:
    """What others hold from us in a period, and what has ended and is corrected in it."""
    ended = [
        one
        for one in rating.ended(tx, period=period)
        if one.ref.seller == us and one.buyer != us and buyer in (None, one.buyer)
    ]
    return [*inventory.sold(tx, us=us, buyer=buyer, period=period), *ended]


def _bought(
    tx: Transaction, us: PartyId, seller: PartyId | None, period: Period
) -> Sequence[Holding]:
    """What we hold from others in a period, and what has ended and is corrected in it."""
    ended = [
        one
        for one in rating.ended(tx, period=period)
        if one.buyer == us and one.ref.seller != us and seller in (None, one.ref.seller)
    ]
    return [*inventory.bought(tx, us=us, seller=seller, period=period), *ended]


def _priced(
    tx: Transaction, held: Sequence[Holding], period: Period
) -> Iterator[tuple[Holding, Sequence[BillLine]]]:
    """Holdings by id, as `gathered` wants them, each with its lines."""
    ordered = sorted(held, key=lambda one: one.ref.id)
    for first in range(0, len(ordered), AT_ONCE):
        some = ordered[first : first + AT_ONCE]
        usage = rating.charges(tx, holdings=[one.ref for one in some], period=period)
        for one in some:
            yield one, rules.lines(one, usage[one.ref], period)


# --- bills of ours ----------------------------------------------------------------------------


def draft(tx: Transaction, *, bill: Bill) -> Bill:
    """Enters a draft. There is one bill for the same parties, agreement version, currency,
    period and kind: if it is there already, that one is returned as it stands.
    """
    if bill.state is not BillState.NEW:
        raise ValueError("a bill begins as a draft")
    if store.insert(tx, keep(bill)):
        return bill
    return next(
        one.whole
        for one in store.find(
            tx,
            issuer=bill.issuer,
            buyer=bill.buyer,
            period=bill.period,
            states=None,
            after=None,
            limit=None,
        )
        if (one.bare.kind_of, one.bare.agreement, one.bare.currency)
        == (bill.kind_of, bill.agreement, bill.currency)
    )


def credit(
    tx: Transaction,
    *,
    invoice: BillId,
    lines: Sequence[tuple[str, Money, Money]],
    ids: Ids,
    now: Instant,
) -> Bill:
    """Drafts a credit note over lines of a final bill of ours: by key, net and tax, above zero.

    It becomes final as other bills do, with a number of a series of its own, and posts the
    opposite of what these amounts posted; the invoice stays as it is. Raises NotFound
    `bill-unknown`; KeyError for a line that the invoice does not have.
    """
    found = bill(tx, id=invoice)
    if not found.final or found.kind_of == "credit-note":
        raise ValueError("only a final invoice is credited")
    by_key = {line.key: line for line in found.lines}
    made = tuple(rules.credited(by_key[key], net, tax) for key, net, tax in lines)
    return draft(
        tx,
        bill=replace(
            found,
            id=ids.new(BillId),
            kind_of="credit-note",
            lines=made,
            net=add_up((line.net for line in made), found.currency),
            tax=add_up((line.tax for line in made), found.currency),
            state=BillState.NEW,
            made_at=now,
            number="",
            issued_at=None,
        ),
    )


def redraft(tx: Transaction, *, bill: BillId, lines: Sequence[BillLine] | None = None) -> Bill:
    """Writes a draft anew: with these lines, or as the holdings and their rated usage now say.

    It is `new` again afterwards. Raises NotFound `bill-unknown`, Refused `bill-final`.
    """
    found = _locked(tx, bill).bare
    if found.final:
        raise Refused(
            "bill-final",
            f"Bill {found.number} is final and does not change; correct it by a new document.",
            field="bill",
        )
    if lines is None:
        groups = sold_lines(tx, us=found.issuer, buyer=found.buyer, period=found.period)
        lines = next(
            (
                group.lines
                for group in groups
                if (group.agreement, group.currency) == (found.agreement, found.currency)
            ),
            (),
        )
    new = replace(
        found,
        lines=tuple(lines),
        net=add_up((line.net for line in lines), found.currency),
        tax=add_up((line.tax for line in lines), found.currency),
        state=BillState.NEW,
    )
    store.set_lines(tx, keep(new))
    return new


def move(tx: Transaction, *, bill: BillId, state: BillState) -> Bill:
    """Puts a bill on hold or back, marks it sent or settled; already there changes nothing.

    Returned without its lines. A bill becomes final by `finalise` only. Raises NotFound
    `bill-unknown`, Refused `state-move`.
    """
    found = _locked(tx, bill).bare
    if found.state is state:
        return found
    if state is BillState.VALIDATED:
        raise ValueError("a bill becomes final by finalise")
    BILL_STATES.check(found.state, state)
    store.set_state(tx, bill, state)
    return replace(found, state=state)


def finalise(tx: Transaction, *, bill: BillId, ids: Ids, now: Instant) -> Bill:
    """Gives a draft its number and posts it; a final bill stays as it is.

    Returned without its lines. Raises NotFound `bill-unknown`.
    """
    return finalise_all(tx, bills=[bill], ids=ids, now=now)[0]


def finalise_all(
    tx: Transaction, *, bills: Sequence[BillId], ids: Ids, now: Instant
) -> Sequence[Bill]:
    """Makes several drafts final, in this order, with one posting.

    Each gets the next number of its issuer's year, without a gap, is posted to the ledger in
    the same transaction, and frees the credit that was held for the orders it charges.
    Returned without their lines.
    """
    found = {bill: _locked(tx, bill) for bill in sorted(bills)}
    drafts = [found[bill].bare for bill in bills if not found[bill].bare.final]
    for one in drafts:
        for order in found[one.id].orders:
            orders.billed(tx, us=one.issuer, order_id=order, now=now)
    for one in drafts:
        serial = store.next_serial(tx, rules.series(one), now.year)
        final = replace(
            one,
            state=BillState.VALIDATED,
            number=rules.number(rules.series(one), now.year, serial),
            issued_at=now,
        )
        store.make_final(tx, final, now.year, serial)
        found[one.id] = replace(found[one.id], bare=final)
    entries = [rules.entry(found[one.id], ids.new(EntryId)) for one in drafts]
    ledger.post(tx, entries=[entry for entry in entries if entry.legs], now=now)
    for one in drafts:
        if one.agreement is None:  # a partner is told of the statement, which comes first
            hub.publish(
                tx, ids=ids, topic="customerBill", thing=one.id, change="create", party=one.buyer,
                now=now,
            )  # fmt: skip
    return [found[bill].bare for bill in bills]


def bill(tx: Transaction, *, id: BillId) -> Bill:
    """One bill of ours. Raises NotFound `bill-unknown`."""
    return _known(store.get(tx, id), id).whole


def paper(bill: Bill, *, issuer: Party, buyer: Party) -> str:
    """The bill as the paper that its debtor gets: plain text, every line with its tax."""
    return rules.paper(bill, issuer=issuer, buyer=buyer)


def bills(
    tx: Transaction,
    *,
    buyer: PartyId | None = None,
    period: Period | None = None,
    states: Collection[BillState] | None = None,
    issuer: PartyId | None = None,
    after: BillId | None = None,
    limit: int | None = None,
) -> Sequence[Bill]:
    """Bills of ours in order of their ids; those that come after one, at most `limit`."""
    found = store.find(
        tx, issuer=issuer, buyer=buyer, period=period, states=states, after=after, limit=limit
    )
    return [one.whole for one in found]


def drafts(tx: Transaction, *, us: PartyId, period: Period | None = None) -> Sequence[Bill]:
    """Bills of ours that are not final yet, without their lines."""
    return store.drafts(tx, us, period)


def kept(tx: Transaction, *, id: BillId) -> KeptBill:
    """One bill of ours as it is kept. Raises NotFound `bill-unknown`."""
    return _known(store.get(tx, id), id)


def bare(tx: Transaction, *, id: BillId) -> Bill:
    """One bill of ours without its lines. Raises NotFound `bill-unknown`."""
    return _known(store.bare(tx, id), id)


def page(tx: Transaction, *, wanted: BillFilter, offset: int = 0, limit: int) -> Page[Bill]:
    """Bills of ours without their lines, the newest first; a wish that is None fits all."""
    return store.page(tx, wanted, offset, limit)


def lines(tx: Transaction, *, id: BillId, offset: int = 0, limit: int) -> Page[StatementLine]:
    """Some lines of a bill of ours in their order, of however many; read as few as that."""
    return store.lines(tx, id, offset, limit)


def billed(tx: Transaction, *, us: PartyId, period: Period) -> bool:
    """Whether every buyer's bills for the period have been made."""
    return store.closed(tx, us, period)


def unbilled_periods(tx: Transaction, *, us: PartyId) -> Sequence[Period]:
    """The rated periods in which some buyer's bills are still to be made, in order."""
    done = store.closed_starts(tx, us)
    return [one for one in rating.rated_periods(tx) if one.start not in done]


def unbilled(tx: Transaction, *, us: PartyId, period: Period) -> Sequence[PartyId]:
    """The buyers whose bills for the period are still to be made, by name."""
    buyers = {one.buyer for one in _sold(tx, us, None, period)}
    buyers |= {one.buyer for one in ending.charges(tx, seller=us, period=period)}
    return sorted(buyers - store.billed_buyers(tx, us, period))


def claim(tx: Transaction, *, us: PartyId, buyer: PartyId, period: Period, now: Instant) -> bool:
    """True for the one transaction that makes this buyer's bills for the period."""
    return store.claim_month(tx, us, buyer, period, now)


def close(tx: Transaction, *, us: PartyId, period: Period, now: Instant) -> None:
    """Notes that every buyer's bills for the period have been made."""
    store.close_period(tx, us, period, now)


def open_sums(
    tx: Transaction, *, us: PartyId, edges: Sequence[Instant], offset: int = 0, limit: int
) -> Page[tuple[PartyId, str, Sequence[int]]]:
    """What end customers owe us by customer and currency, in minor units: what was issued since
    the first edge, before it but since the next, and so on; last what is older than all.
    """
    return store.open_sums(tx, us, edges, offset, limit)


FINAL = frozenset(BillState) - DRAFTS
"""The states in which a bill may be seen by who owes it."""


def shelf_bills(
    tx: Transaction,
    *,
    buyer: PartyId | None = None,
    state: BillStage | None = None,
    unpaid_only: bool = False,
    bare: bool = False,
    offset: int = 0,
    limit: int,
) -> Page[ShelfBill]:
    """Final bills of one end customer or of all of them, the newest first; bare: without lines."""
    states = FINAL - {BillState.SETTLED} if unpaid_only else FINAL
    states = states if state is None else states & {BillState(state.value)}
    wanted = BillFilter(party=buyer, states=states, sold_to="customers")
    found = (store.page if bare else store.whole_page)(tx, wanted, offset, limit)
    return Page([rules.shown(one) for one in found.things], found.total)


def shelf_bill(tx: Transaction, *, id: BillId, buyer: PartyId | None = None) -> ShelfBill:
    """One final bill of an end customer. Raises NotFound `bill-unknown`."""
    found = _known(store.get(tx, id), id)
    one = found.bare
    if not one.final or one.agreement is not None or buyer not in (None, one.buyer):
        raise unknown(id)
    return rules.shown(found.whole)


def request(
    tx: Transaction, *, buyer: PartyId, bill: str, extras: Extras, ids: Ids, now: Instant
) -> BillRequest:
    """Notes the wish to be shown a bill at once, and which one it was; empty for none."""
    asked = BillRequest(ids.new(BillRequestId), buyer, now, bill, extras)
    wishes.add_request(tx, asked)
    return asked


def requests(
    tx: Transaction, *, buyer: PartyId | None = None, offset: int = 0, limit: int
) -> Page[BillRequest]:
    """Such wishes of one buyer or of all, the newest first."""
    return wishes.requests(tx, buyer=buyer, offset=offset, limit=limit)


def request_of(tx: Transaction, *, id: BillRequestId, buyer: PartyId | None = None) -> BillRequest:
    """One of them. Raises NotFound `bill-request-unknown`."""
    found = wishes.requests(tx, id=id, buyer=buyer, offset=0, limit=1).things
    if not found:
        raise NotFound(
            "bill-request-unknown", f"You have not asked for a bill under {id}.", field="id"
        )
    return found[0]


def _locked(tx: Transaction, id: BillId) -> KeptBill:
    return _known(store.get(tx, id, lock=True), id)


def _known(found: Found | None, id: BillId) -> Found:
    if found is None:
        raise unknown(id)
    return found


def unknown(id: BillId) -> NotFound:
    """For a bill that is not there."""
    return NotFound("bill-unknown", f"There is no bill {id}.", field="bill")


# --- invoices of partners to us ---------------------------------------------------------------


def record_supplier_invoice(
    tx: Transaction,
    *,
    us: PartyId,
    invoice: SupplierInvoice,
    document: str,
    costs: Iterable[tuple[str | None, Money]],
    now: Instant,
) -> SupplierInvoice:
    """Books a partner's final invoice: cost by family and reclaimable tax against a payable.

    invoice.entry is the id that the posting gets. document: fingerprint of the confirmed
    statement. costs: its net by line, each with its family of service if known. The same
    invoice again changes nothing. Raises Refused `key-reused` when its number, id or
    statement stands for another.
    """
    before = invoices.supplier_invoice_named(
        tx, invoice.issuer, invoice.bill, invoice.number, invoice.statement
    )
    if before:
        same = replace(invoice, entry=before[0].entry, booked_at=before[0].booked_at)
        if [same] != before:
            raise Refused(
                "key-reused",
                f"Invoice {invoice.number} of {invoice.issuer}, its id or its statement is "
                "booked already with other content.",
                field="number",
            )
        return before[0]
    invoices.insert_supplier_invoice(tx, us, invoice)
    entry = rules.supplier_entry(invoice, document=document, costs=costs)
    if entry.legs:
        ledger.post(tx, entries=[entry], now=now)
    return invoice


def supplier_invoices(
    tx: Transaction, *, issuer: PartyId | None = None, period: Period | None = None
) -> Sequence[SupplierInvoice]:
    """Partners' invoices as booked, in order of booking."""
    return invoices.supplier_invoices(tx, issuer, period)


def received(
    tx: Transaction, *, wanted: BillFilter, offset: int = 0, limit: int
) -> Page[SupplierInvoice]:
    """Partners' invoices as booked, the newest first; `wanted.states` says nothing of them."""
    return invoices.received(tx, wanted, offset, limit)


def received_one(tx: Transaction, *, issuer: PartyId, bill: BillId) -> SupplierInvoice:
    """A partner's invoice by the partner's own id of it. Raises NotFound `bill-unknown`."""
    return _known(invoices.supplier_invoice(tx, issuer, bill), bill)
