"""`hansa bill`: who owes what for a month, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, MaybeMonth, NodeDir, group, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hansa.foundation.ids import PartyId
    from hansa.foundation.party import Party
    from hansa.foundation.transaction import Transaction
    from hansa.lifecycle.billing.model import Bill, SupplierInvoice

app = group("Bills: who owes what for a month, line by line.")


@app.command("list", epilog="Example: hansa bill list --for retailer --period 2026-11")
def list_bills(
    buyer: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="To this customer or partner only.")
    ] = "",
    period: MaybeMonth = None,
    state: Annotated[
        str, typer.Option(metavar="STATE", help="In this state only, as validated.")
    ] = "",
    received: Annotated[
        bool, typer.Option("--received", help="Partners' invoices to us instead of our bills.")
    ] = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List our bills, drafts among them; or, with --received, partners' invoices to us."""
    from hansa.entrypoints.cli.files import one_of
    from hansa.foundation.party import party_id
    from hansa.foundation.time import Period
    from hansa.lifecycle.billing import actions
    from hansa.lifecycle.billing.model import BillState

    month = Period.parse(period) if period else None
    party = party_id(buyer) if buyer else None
    states = [one_of(BillState, state, option="state")] if state else None
    with opened(node) as ours, ours.begin() as tx:
        if received:
            got = actions.supplier_invoices(tx, issuer=party, period=month)
            render.as_json(got) if as_json else _show_received(got)
            return
        found = actions.bills(tx, issuer=ours.us.id, buyer=party, period=month, states=states)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Bills",
        ("bill", "number", "to", "for", "period", "state", "net>", "tax>", "total>"),
        [
            (
                one.id,
                one.number,
                one.buyer,
                one.kind_of,
                one.period.name,
                one.state,
                one.net,
                one.tax,
                one.total,
            )
            for one in found
        ],
    )


@app.command(epilog="Example: hansa bill show bil_0198… --text")
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="The bill: bil_…")],
    as_text: Annotated[
        bool, typer.Option("--text", help="As the paper that the debtor gets.")
    ] = False,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show a bill of ours with its lines, or the paper itself."""
    from hansa.foundation.ids import BillId
    from hansa.lifecycle.billing import actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.bill(tx, id=BillId(id))
        if as_text and not as_json:
            paper = actions.paper(found, issuer=ours.us, buyer=_party(tx, found.buyer))
            render.say(paper)
            return
    if as_json:
        render.as_json(found)
    else:
        _show(found)


def _party(tx: Transaction, party: PartyId) -> Party:
    """A customer or partner as papers name it."""
    from hansa.federation import directory
    from hansa.foundation.errors import NotFound
    from hansa.lifecycle.agreement import actions

    try:
        return directory.partner(tx, party=party).party
    except NotFound:
        return actions.customer(tx, party=party).party


def _show(found: Bill) -> None:
    render.facts(
        f"{'Invoice ' + found.number if found.number else 'Draft bill'} to {found.buyer}",
        {
            "bill": found.id,
            "for": found.kind_of,
            "period": found.period.name,
            "state": found.state,
            "agreement": f"{found.agreement.id} version {found.agreement.version}"
            if found.agreement
            else None,
            "issued": found.issued_at,
            "net": found.net,
            "tax": found.tax,
            "total": found.total,
        },
    )
    render.table(
        "Lines",
        ("line", "description", "quantity>", "unit", "net>", "tax>"),
        [
            (line.key, line.description, line.quantity, line.unit, line.net, line.tax)
            for line in found.lines
        ],
    )


def _show_received(found: Sequence[SupplierInvoice]) -> None:
    render.table(
        "Invoices to us",
        ("number", "from", "for", "period", "statement", "net>", "tax>", "total>", "booked"),
        [
            (
                one.number,
                one.issuer,
                one.kind_of,
                one.period.name,
                one.statement,
                one.net,
                one.tax,
                one.total,
                one.booked_at,
            )
            for one in found
        ],
    )
