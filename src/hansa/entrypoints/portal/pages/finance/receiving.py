"""What end customers have paid, noted as the bank has it."""

from __future__ import annotations

from starlette.responses import Response

from hansa.entrypoints.portal.ask import FINANCE, Ask, change, page
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.finance import lists
from hansa.foundation.ids import BillId
from hansa.foundation.money import add_up
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.settlement.actions import customers


@page("/invoices/{id}/paid", roles=FINANCE)
def paid(ask: Ask) -> Response:
    """A form: what is open of the month of an end customer's invoice, and what has come of it."""
    id = BillId(ask.path["id"])
    with ask.node.begin() as tx:
        bill = billing.bare(tx, id=id)
        papers = customers.open_papers(tx, bill=id)
    return ask.render(
        "finance/paid.html",
        bill=bill,
        papers=papers,
        open=add_up((one.total for one in papers), bill.currency),
        today=ask.now.date().isoformat(),
    )


@change("/invoices/{id}/paid", roles=FINANCE, again=paid)
def note(ask: Ask) -> Response:
    """Settles what is open, once, however often it is pressed."""
    node, id = ask.node, BillId(ask.path["id"])
    day = lists.day(ask, "on")
    reference = ask.typed("reference").strip()
    with node.begin() as tx:
        currency = billing.bare(tx, id=id).currency
    amount = lists.amount(ask, "amount", currency)
    with ask.change("payment-noted", subject=id, why=reference) as tx:
        settled = customers.paid(
            tx,
            bill=id,
            amount=amount,
            on=day,
            reference=reference,
            ids=node.ids,
            now=ask.now,
        )
    said = _("It is noted and posted.") if settled else _("It was noted before.")
    return ask.back(f"/invoices/{id}", said=said)


pages = [paid, note]
