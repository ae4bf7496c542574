"""`hansa bill`: who owes what for a month, line by line."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    By,
    MaybeMonth,
    NodeDir,
    group,
    opened,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hansa.lifecycle.billing.model import Bill, SupplierInvoice


class PaperKind(StrEnum):
    """As what a bill is exported."""

    UBL = "ubl"
    PEPPOL = "peppol"
    PDF = "pdf"


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
    from hansa.entrypoints.papers import whole
    from hansa.foundation.ids import BillId
    from hansa.lifecycle.billing import actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.bill(tx, id=BillId(id))
        if as_text and not as_json:
            paper = actions.paper(found, issuer=ours.us, buyer=whole.party_of(tx, found.buyer))
            render.say(paper)
            return
    if as_json:
        render.as_json(found)
    else:
        _show(found)


@app.command(epilog="Example: hansa bill paid bil_0198… --amount 912.40 --on 2026-12-14 …")
def paid(
    id: Annotated[str, typer.Argument(metavar="ID", help="The bill: bil_…")],
    amount: Annotated[str, typer.Option("--amount", metavar="AMOUNT", help="As the bank has it.")],
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="When it was in the bank.")],
    reference: Annotated[
        str, typer.Option("--reference", metavar="TEXT", help="As it stands at the bank.")
    ],
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Note that an end customer has paid a bill, less what was credited of its month."""
    from hansa.entrypoints.cli.files import amount as written
    from hansa.entrypoints.cli.files import day
    from hansa.foundation.ids import BillId
    from hansa.lifecycle.billing import actions
    from hansa.lifecycle.settlement.actions import customers

    with opened(node) as ours, ours.begin() as tx:
        found = actions.bare(tx, id=BillId(id))
        settled = customers.paid(
            tx,
            bill=found.id,
            amount=written(amount, found.currency, option="amount"),
            on=day(on, option="on"),
            reference=reference,
            ids=ours.ids,
            now=ours.clock.now(),
        )
    numbers = ", ".join(one.number for one in settled)
    render.say(f"Settled: {numbers}" if settled else f"{found.number} was settled before")


@app.command(epilog="Example: hansa bill export bil_0198… --as peppol --out invoice.xml")
def export(
    id: Annotated[str, typer.Argument(metavar="ID", help="The bill: bil_…")],
    kind: Annotated[
        str,
        typer.Option(
            "--as", metavar="KIND", help="ubl (EN 16931), peppol (BIS Billing 3.0), or pdf."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write it to this file.")],
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Write a final bill of ours as an electronic invoice or credit note, or as a PDF."""
    from hansa.entrypoints.cli.files import one_of
    from hansa.entrypoints.papers import pdf, ubl, whole
    from hansa.foundation.ids import BillId

    wanted = one_of(PaperKind, kind, option="as")
    with opened(node) as ours, ours.begin() as tx:
        paper = whole.paper(tx, us=ours.us, bill=BillId(id))
    if wanted is PaperKind.PDF:
        document = pdf.write(paper)
    else:
        document = ubl.write(paper, peppol=wanted is PaperKind.PEPPOL)
    out.write_bytes(document)
    render.say(f"{paper.kind} {paper.number} over {paper.total} is in {out}")


@app.command(epilog="Example: hansa bill particulars mtn --city Sandton --endpoint 0088:600123…")
def particulars(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="A customer, a partner or us.")],
    street: Annotated[str | None, typer.Option(metavar="TEXT", help="Street and number.")] = None,
    city: Annotated[str | None, typer.Option(metavar="TEXT", help="Town.")] = None,
    postcode: Annotated[str | None, typer.Option(metavar="TEXT", help="Postcode.")] = None,
    registration: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Number in the register of companies.")
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="SCHEME:ID", help="Where electronic invoices reach it, as 0088:…"),
    ] = None,
    by: By = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Enter what invoices say of a party, or show it when nothing is given to enter."""
    from dataclasses import asdict, replace

    from hansa.entrypoints.papers import whole
    from hansa.foundation.party import party_id
    from hansa.lifecycle.clearing.actions import parties as actions

    asked = {"street": street, "city": city, "postcode": postcode, "registration": registration,
             "endpoint": endpoint}  # fmt: skip
    given = {name: value.strip() for name, value in asked.items() if value is not None}
    with opened(node) as ours, ours.begin() as tx:
        whose = party_id(party)
        if whose != ours.us.id:
            whole.party_of(tx, whose)
        found = actions.particulars(tx, party=whose)
        if given:
            found = replace(found, party=whose, **given)
            actions.enter_particulars(tx, given=found, by=who(by), now=ours.clock.now())
    if as_json:
        render.as_json(found)
    else:
        render.facts(f"Particulars of {party}", asdict(found))


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
