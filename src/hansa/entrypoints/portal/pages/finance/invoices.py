"""Invoices: ours to customers and partners, partners' to us, each down to event and posting."""

from __future__ import annotations

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import BOOKS, Ask, page
from hansa.entrypoints.portal.pages.finance import downloads, lines, lists
from hansa.foundation.ids import BillId, PartyId
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import Entry
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import Bill, BillFilter, BillState
from hansa.lifecycle.settlement.actions import looking

FIELDS = ("party", "month", "state", "currency", "to")


@page("/invoices", roles=BOOKS)
def invoices(ask: Ask) -> Response:
    """What we have invoiced, and drafts; the newest first."""
    state = ask.query.get("state", "")
    sold_to = ask.query.get("to", "")
    wanted = BillFilter(
        party=lists.party(ask),
        period=lists.month(ask),
        states=frozenset({BillState(state)}) if state in set(BillState) else None,
        currency=lists.currency(ask),
        sold_to="customers" if sold_to == "customers" else "partners" if sold_to else None,
    )
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        found = billing.page(tx, wanted=wanted, offset=turn.offset, limit=turn.size)
    return ask.render(
        "finance/invoices.html",
        part="finance/_invoices.html",
        bills=found.things,
        wanted={name: ask.query.get(name, "") for name in FIELDS},
        states=lists.options(BillState),
        directions=lists.options(["customers", "partners"]),
        turn=turn,
        total=found.total,
    )


@page("/invoices/received", roles=BOOKS)
def received(ask: Ask) -> Response:
    """Partners' invoices to us, as they are booked; the newest first."""
    wanted = BillFilter(
        party=lists.party(ask), period=lists.month(ask), currency=lists.currency(ask)
    )
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        found = billing.received(tx, wanted=wanted, offset=turn.offset, limit=turn.size)
    return ask.render(
        "finance/received.html",
        part="finance/_received.html",
        invoices=found.things,
        wanted={name: ask.query.get(name, "") for name in FIELDS},
        turn=turn,
        total=found.total,
    )


@page("/invoices/received/{issuer}/{bill}", roles=BOOKS)
def received_one(ask: Ask) -> Response:
    """One of them: what it says, the statement with its lines, and its posting."""
    with ask.node.begin() as tx:
        found = billing.received_one(
            tx, issuer=PartyId(ask.path["issuer"]), bill=BillId(ask.path["bill"])
        )
        entry = _entry_of(tx, f"supplier-invoice/{found.issuer}/{found.bill}")
    return ask.render("finance/received_one.html", invoice=found, entry=entry)


@page("/invoices/{id}", roles=BOOKS)
def invoice(ask: Ask) -> Response:
    """One bill of ours with its lines, some at a time."""
    id = BillId(ask.path["id"])
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        bill = billing.bare(tx, id=id)
        found = billing.lines(tx, id=id, offset=turn.offset, limit=turn.size)
        entry = posting(tx, bill)
        payment = _entry_of(tx, f"paid/{id}")
        statement = looking.of_bill(tx, bill=id)
    return ask.render(
        "finance/invoice.html",
        part="finance/_lines.html",
        bill=bill,
        statement=statement,
        entry=entry,
        payment=payment,
        lines=found.things,
        base=f"/invoices/{id}",
        first=turn.offset + 1,
        turn=turn,
        total=found.total,
    )


def posting(tx: Transaction, bill: Bill) -> Entry | None:
    """The entry that books a bill of ours, once it is final."""
    return _entry_of(tx, f"bill/{bill.id}") if bill.final else None


def _entry_of(tx: Transaction, key: str) -> Entry | None:
    return ledger.get_by_key(tx, key=key)


def _place(ask: Ask, tx: Transaction) -> lines.Place:
    id, number = BillId(ask.path["id"]), lines.number(ask)
    bill = billing.bare(tx, id=id)
    return lines.Place(
        line=lines.only(billing.lines(tx, id=id, offset=number - 1, limit=1)),
        number=number,
        seller=bill.issuer,
        period=bill.period,
        paper=f"/invoices/{id}",
        title=bill.number or bill.id,
        entry=posting(tx, bill),
        wrong=_wrong(tx, bill, number),
    )


def _wrong(tx: Transaction, bill: Bill, number: int) -> str:
    """Where a line is credited: an end customer's here, a partner's by a dispute."""
    if not bill.final or bill.kind_of == "credit-note":
        return ""
    if bill.agreement is None:
        return f"/invoices/{bill.id}/credit?line={number}"
    statement = looking.of_bill(tx, bill=bill.id)
    return f"/disputes/new?statement={statement}&line={number}" if statement else ""


@page("/invoices/{id}/lines/{number}", roles=BOOKS)
def line(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        return lines.shown(ask, tx, _place(ask, tx))


@page("/invoices/{id}/lines/{number}/calls", roles=BOOKS)
def calls(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        return lines.calls(ask, tx, _place(ask, tx))


@page("/invoices/{id}/as/{kind}", roles=BOOKS)
def download(ask: Ask) -> Response:
    return downloads.bill(ask, BillId(ask.path["id"]), ask.path["kind"])


pages = [invoices, received, received_one, invoice, line, calls, download]
