"""What a customer owes: list, one bill line by line, and the same as a file under the brand."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec

from starlette.responses import Response

from hansa.entrypoints.papers import invoice, pdf
from hansa.entrypoints.papers.table import Cell
from hansa.entrypoints.portal import files, paging
from hansa.entrypoints.portal.ask import CUSTOMERS, Ask, nothing_here, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.customer import saying
from hansa.entrypoints.portal.pages.customer.mine import LONG, mine
from hansa.federation.shelf import ShelfBill
from hansa.foundation.errors import Refused
from hansa.foundation.ids import BillId
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.clearing.actions import parties

log = logging.getLogger(__name__)

HEADINGS = ("number", "period", "line", "quantity", "unit", "currency", "net", "tax", "total")


@page("/my/bills", roles=CUSTOMERS)
def bill_list(ask: Ask) -> Response:
    wanted = ask.query.get("state", "all")
    turn = paging.turn(ask, LONG)
    with mine(ask) as tx:
        found = billing.shelf_bills(
            tx,
            buyer=ask.actor.party,
            unpaid_only=wanted == "due",
            bare=True,
            offset=turn.offset,
            limit=turn.size,
        )
    return ask.render(
        "customer/bills.html",
        part="customer/_bills.html",
        found=found,
        turn=turn,
        wanted=wanted,
        told=saying.told,
        standing=saying.standing,
    )


@page("/my/bills/{id}", roles=CUSTOMERS)
def bill(ask: Ask) -> Response:
    """A bill with its lines, a page at a time, and why each is there."""
    found = _found(ask)
    turn = paging.turn(ask, LONG)
    return ask.render(
        "customer/bill.html",
        part="customer/_bill_lines.html",
        found=found,
        lines=found.lines[turn.offset : turn.offset + turn.size],
        turn=turn,
        has_pdf=find_spec("typst") is not None,
        saying=saying,
        told=saying.told,
    )


@page("/my/bills/{id}/pdf", roles=CUSTOMERS)
def bill_pdf(ask: Ask) -> Response:
    if find_spec("typst") is None:
        raise nothing_here()
    found = _found(ask)
    with mine(ask) as tx:
        whole = billing.bill(tx, id=BillId(found.id))
        buyer = agreement.customer(tx, party=ask.actor.party).party
        sides = [
            invoice.Side(party, parties.particulars(tx, party=party.id))
            for party in (ask.node.us, buyer)
        ]
    try:
        document = pdf.write(invoice.of_bill(whole, seller=sides[0], buyer=sides[1]))
    except Refused as error:  # for our own people to put right, and not for who owes the bill
        log.warning("no PDF of a bill", extra={"bill": found.id, "reason": error.code})
        words = _("There is no PDF of this bill yet. Ask us for it, and we send it.")
        raise Refused("bill-without-pdf", words) from None
    return files.download(document, "application/pdf", f"{_name(ask, found)}.pdf")


@page("/my/bills/{id}/csv", roles=CUSTOMERS)
def bill_csv(ask: Ask) -> Response:
    """The lines and their sums."""
    found = _found(ask)
    return files.as_csv(_name(ask, found), HEADINGS, _rows(found))


def _rows(found: ShelfBill) -> Iterator[tuple[Cell, ...]]:
    for line in found.lines:
        yield (
            found.number,
            found.period.name,
            line.description,
            line.quantity,
            line.unit,
            line.net.currency,
            line.net.amount,
            line.tax.amount,
            (line.net + line.tax).amount,
        )
    total = (found.net.amount, found.tax.amount, (found.net + found.tax).amount)
    yield (found.number, found.period.name, "Total", "", "", found.currency, *total)


def _found(ask: Ask) -> ShelfBill:
    with mine(ask) as tx:
        return billing.shelf_bill(tx, id=BillId(ask.path["id"]), buyer=ask.actor.party)


def _name(ask: Ask, found: ShelfBill) -> str:
    """A file's: by the brand, the kind of paper, and the number within its series."""
    kind = saying.CREDIT if found.kind_of == saying.CREDIT else "invoice"
    number = "-".join(found.number.split("-")[-2:])
    return f"{slug(ask.brand.name)}-{kind}-{number}"


def slug(text: str) -> str:
    """A name as part of a file's: `Ação & Filhos` is `acao-filhos`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "bill"


pages = [bill_list, bill, bill_pdf, bill_csv]
