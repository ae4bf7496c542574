"""`hansa quote`: a price for what a customer needs, locked until it expires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import (
    DEFAULT_NODE,
    AsJson,
    Customer,
    NodeDir,
    acting_for,
    group,
    opened,
)

if TYPE_CHECKING:
    from hansa.federation.contract import Quote
    from hansa.lifecycle.quote.model import KeptQuote

app = group("Prices for what customers need, locked until they expire.")


@app.command(epilog="Example: hansa quote make --for retailer need.yaml")
def make(
    file: Annotated[Path, typer.Argument(metavar="NEED", help="YAML; see docs/commands.md.")],
    customer: Customer,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Price a need for a customer, site by site, with every supplier's quote locked behind it.

    Refused as a whole when one item cannot be had, naming the item; nothing is kept then.
    """
    from hansa.entrypoints.cli.files import NeedFile
    from hansa.entrypoints.yaml_files import load
    from hansa.federation.contract import Need
    from hansa.foundation.ids import PartyId
    from hansa.lifecycle.agreement import actions as agreement

    read = load(file, NeedFile)
    with opened(node) as ours:
        front = acting_for(ours, customer)
        with ours.begin() as tx:
            usual = agreement.customer(tx, party=PartyId(customer)).party.currency
        quote = front.quote(Need(read.items, read.currency or usual, ours.ids.trace()))
    if as_json:
        render.as_json(quote)
    else:
        show_quote(quote)
        render.say(f"Accept it with: hansa order place {quote.id} --for {customer} --key KEY")


@app.command(
    epilog="Example: hansa quote bulk sites.csv --offer global-connect --for retailer --key rfp-7"
)
def bulk(
    file: Annotated[Path, typer.Argument(metavar="SITES", help="CSV; see docs/commands.md.")],
    customer: Customer,
    offer: Annotated[str, typer.Option(metavar="OFFER", help="What is wanted at each site.")],
    key: Annotated[
        str, typer.Option(metavar="KEY", help="Your own name for this; the same gives the same.")
    ],
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="To pay in; the customer's own if left out.")
    ] = "",
    node: NodeDir = DEFAULT_NODE,
) -> None:
    """Price thousands of sites for a customer, each with an answer of its own.

    Prints one JSON object a line and site, as they come: its price and the quote that holds it,
    or why it cannot be had. Broken off, the same command goes on where it was.
    """
    from hansa.entrypoints.cli.sites import read_sites
    from hansa.federation.bulk import Quoted
    from hansa.federation.contract import Need
    from hansa.foundation.ids import BuyerKey, OfferCode, PartyId
    from hansa.lifecycle.agreement import actions as agreement

    items = read_sites(file, OfferCode(offer))
    quoted = asked = 0
    with opened(node) as ours:
        front = acting_for(ours, customer)
        with ours.begin() as tx:
            usual = agreement.customer(tx, party=PartyId(customer)).party.currency
        need = Need(items, currency or usual, ours.ids.trace())
        for answer in front.quote_in_bulk(need, key=BuyerKey(key)):
            render.line(answer)
            asked += 1
            quoted += isinstance(answer, Quoted)
            if asked % 1000 == 0:
                typer.echo(f"{asked} of {len(items)} sites ...", err=True)
    typer.echo(f"{quoted} of {len(items)} sites can be had.", err=True)


@app.command(epilog="Example: hansa quote show quo_0198… --json")
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="The quote: quo_…")],
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Show a quote that we made and, for us alone, the suppliers' quotes that it stands on."""
    from hansa.foundation.ids import QuoteId
    from hansa.lifecycle.quote.actions import quotes as actions

    with opened(node) as ours, ours.begin() as tx:
        kept = actions.get(tx, quote_id=QuoteId(id))
    if as_json:
        render.as_json(kept)
        return
    show_quote(kept.quote)
    _show_supplies(kept)


@app.command("list", epilog="Example: hansa quote list --for retailer")
def list_quotes(
    buyer: Annotated[
        str, typer.Option("--for", metavar="PARTY", help="Of this customer or partner only.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """List the quotes that we made, the newest first."""
    from hansa.foundation.money import add_up
    from hansa.foundation.party import party_id
    from hansa.lifecycle.quote.actions import quotes as actions

    with opened(node) as ours, ours.begin() as tx:
        found = actions.quotes(tx, buyer=party_id(buyer) if buyer else None, limit=limit)
    if as_json:
        render.as_json(found)
        return
    render.table(
        "Quotes",
        ("quote", "buyer", "lines>", "one-off>", "monthly>", "made", "valid until"),
        [
            (
                one.id,
                one.buyer,
                len(one.lines),
                add_up((line.terms.one_off for line in one.lines), one.currency),
                add_up((line.terms.monthly for line in one.lines), one.currency),
                one.made_at,
                one.valid_until,
            )
            for one in found
        ],
    )


def show_quote(quote: Quote) -> None:
    """The quote as its buyer sees it."""
    from hansa.foundation.money import add_up

    render.facts(
        f"Quote {quote.id} to {quote.buyer}",
        {
            "valid until": quote.valid_until,
            "agreement": f"{quote.agreement.id} version {quote.agreement.version}"
            if quote.agreement
            else None,
            "one-off in all": add_up((line.terms.one_off for line in quote.lines), quote.currency),
            "monthly in all": add_up((line.terms.monthly for line in quote.lines), quote.currency),
            "to cancel it": add_up(
                (line.cancellation for line in quote.lines if line.cancellation), quote.currency
            )
            or None,
        },
    )
    render.table(
        "Lines, tax apart",
        ("item", "offer", "site", "with", "quantity>", "one-off>", "monthly>", "usage", "tax"),
        [
            (
                line.item,
                line.offer_name,
                f"{line.site.place}, {line.site.country}" if line.site else "",
                line.characteristics,
                line.quantity,
                line.terms.one_off,
                line.terms.monthly,
                line.terms.tariff.kind if line.terms.tariff else "",
                f"{line.tax.code} {line.tax.rate_bp // 100}.{line.tax.rate_bp % 100:02} %",
            )
            for line in quote.lines
        ],
    )


def _show_supplies(kept: KeptQuote) -> None:
    from hansa.foundation.money import add_up

    render.table(
        "It stands on",
        ("stage>", "seller", "their quote", "parts", "one-off>", "monthly>", "exchange rate"),
        [
            (
                one.stage,
                one.seller,
                one.quote.id,
                sorted({f"{line.component} of {line.item}" for line in one.lines}),
                add_up((line.terms.one_off for line in one.quote.lines), one.quote.currency),
                add_up((line.terms.monthly for line in one.quote.lines), one.quote.currency),
                one.rate_of_exchange,
            )
            for one in kept.supplies
        ],
    )
